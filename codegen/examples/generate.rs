//! Prints the client that a document generates: `generate <confluent|confluent_sts|clickhouse> FILE`.

use std::{env, path::Path, process::ExitCode};

use org_invitations_codegen::{Api, Document, generate};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, file] = arguments.as_slice() else {
        eprintln!("usage: generate <confluent|confluent_sts|clickhouse> FILE");
        return ExitCode::from(2);
    };
    let Some(api) = Api::ALL.into_iter().find(|api| api.module == module) else {
        eprintln!("there is no API called {module}");
        return ExitCode::from(2);
    };
    match Document::read(Path::new(file)).and_then(|document| generate(&document, api)) {
        Ok(client) => print!("{client}"),
        Err(report) => {
            eprintln!("{report}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
