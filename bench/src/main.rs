//! Measures org-invitations side by side with code written by hand and with a published client.
//!
//! - `org-invitations-bench` measures everything and prints a Markdown table.
//! - `org-invitations-bench update README.md` writes it between that file's two marker comments.
//! - `org-invitations-bench serve` and `… work` are the processes that a measurement consists of.

mod by_hand;
mod generating;
mod keeping;
mod report;
mod server;
mod streaming;
mod work;

use std::{env, error::Error};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => print!("{}", report::measure()?),
        ["update", file] => report::update(file)?,
        ["serve"] => server::serve()?,
        ["work", subject, case, times, base] => {
            let taken = work::work(subject, case, times.parse()?, base)?;
            println!("{} {}", taken.time, taken.memory);
        }
        _ => return Err("see the top of bench/src/main.rs for the arguments".into()),
    }
    Ok(())
}
