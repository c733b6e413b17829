//! The entry point for build scripts: which documents it reads, what it prints for Cargo, and what it refuses.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use org_invitations_codegen::{Bindings, Source};
use serde_json::{Value, json};

use crate::small_documents::{document, object};

const VARIABLE: &str = "PETS_AND_OTHERS_SPEC";

/// Marks the process that acts as the build script.
const CHILD: &str = "ORG_INVITATIONS_CODEGEN_TEST_BUILD";

fn pets() -> Bindings {
    Bindings::new("pets").env(VARIABLE).source(
        Source::new("specs/pets.json")
            .operation("GET /pets", "listPets")
            .offer_operation("DELETE /pets/{id}", "deletePet"),
    )
}

/// The build script itself: the tests below run it in a process of its own.
#[test]
fn child() {
    if env::var_os(CHILD).is_some() {
        pets().generate();
    }
}

/// A package with its documents, in a folder of its own whose name has blanks in it.
struct Package(PathBuf);

impl Package {
    fn new(name: &str) -> Self {
        let root = env::temp_dir().join(format!("org invitations {name} {}", std::process::id()));
        drop(fs::remove_dir_all(&root));
        fs::create_dir_all(root.join("specs")).unwrap();
        fs::create_dir_all(root.join("out")).unwrap();
        let package = Self(root);
        package.write("specs/pets.json", &api("own", &["get", "delete"]));
        package
    }

    fn write(&self, name: &str, value: &Value) -> PathBuf {
        self.write_text(name, &value.to_string())
    }

    fn write_text(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs the build script with these variables, and returns the lines for Cargo.
    fn build(&self, variables: &[(&str, &str)]) -> Vec<String> {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", "build_script::child", "--nocapture"])
            .env_remove(VARIABLE)
            .env(CHILD, "1")
            .env("CARGO_MANIFEST_DIR", &self.0)
            .env("OUT_DIR", self.0.join("out"))
            .env("PWD", &self.0)
            .envs(variables.iter().copied());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text
            .lines()
            .filter_map(|line| Some(line.split_once("cargo::")?.1.to_owned()));
        lines.collect()
    }

    fn generated(&self) -> Option<String> {
        fs::read_to_string(self.0.join("out/pets.rs")).ok()
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A document whose list has a property of this name.
fn api(property: &str, methods: &[&str]) -> Value {
    let content = json!({ "application/json": { "schema": object(json!({ property: { "type": "string" } })) } });
    let mut paths = json!({});
    for method in methods {
        let path = if *method == "get" {
            "/pets"
        } else {
            "/pets/{id}"
        };
        paths[path][*method] =
            json!({ "responses": { "200": { "description": "", "content": content } } });
        if *method != "get" {
            paths[path]["parameters"] = json!([{ "in": "path", "name": "id", "required": true, "schema": { "type": "string" } }]);
        }
    }
    document("3.0.3", paths, json!({}))
}

fn with<'l>(lines: &'l [String], prefix: &str) -> Vec<&'l str> {
    lines
        .iter()
        .filter_map(|line| line.strip_prefix(prefix))
        .collect()
}

fn errors(lines: &[String]) -> String {
    with(lines, "error=").join("\n")
}

#[track_caller]
fn assert_generated(package: &Package, lines: &[String], property: &str) {
    assert_eq!(errors(lines), "");
    let text = package.generated().unwrap();
    assert!(text.contains(&format!("pub {property}: ")), "no {property}");
}

#[test]
fn the_projects_own_document_is_read() {
    let package = Package::new("own");
    let lines = package.build(&[]);
    assert_generated(&package, &lines, "own");
    let own = package.0.join("specs/pets.json");
    assert_eq!(with(&lines, "rerun-if-changed="), [own.to_str().unwrap()]);
    assert_eq!(with(&lines, "rerun-if-env-changed="), [VARIABLE]);
    assert_eq!(with(&lines, "warning="), [""; 0]);
    // The lowered document is written beside the code.
    let lowered = fs::read_to_string(package.0.join("out/pets.json")).unwrap();
    let lowered: Value = serde_json::from_str(&lowered).unwrap();
    assert_eq!(lowered["openapi"], "3.0.3");
}

#[test]
fn a_document_that_is_named_is_read_instead() {
    let package = Package::new("named");
    let named = package.write("a folder/of theirs.json", &api("named", &["get", "delete"]));
    let lines = package.build(&[(VARIABLE, named.to_str().unwrap())]);
    assert_generated(&package, &lines, "named");
    let own = package.0.join("specs/pets.json");
    let read = with(&lines, "rerun-if-changed=");
    assert!(read.contains(&named.to_str().unwrap()), "{read:?}");
    assert!(read.contains(&own.to_str().unwrap()), "{read:?}");
    let [warning] = with(&lines, "warning=")[..] else {
        panic!("{lines:?}")
    };
    assert!(warning.contains(named.to_str().unwrap()), "{warning}");
    assert!(
        warning.contains("not from the document that comes with the library"),
        "{warning}"
    );
}

#[test]
fn several_documents_are_read_in_their_order() {
    let package = Package::new("several");
    let first = package.write("1 first/pets.json", &api("first", &["delete"]));
    let second = package.write("2 second/pets.json", &api("second", &["get", "delete"]));
    let paths = env::join_paths([&first, &second]).unwrap();
    let lines = package.build(&[(VARIABLE, paths.to_str().unwrap())]);
    assert_generated(&package, &lines, "first");
    assert_generated(&package, &lines, "second");
    assert_eq!(with(&lines, "warning=").len(), 2, "{lines:?}");
    assert_eq!(with(&lines, "rerun-if-changed=").len(), 3, "{lines:?}");
}

#[test]
fn parts_that_a_named_document_lacks_are_the_projects_own() {
    let package = Package::new("lacking");
    let named = package.write("theirs.json", &api("named", &["get"]));
    let lines = package.build(&[(VARIABLE, named.to_str().unwrap())]);
    assert_generated(&package, &lines, "named");
    let text = package.generated().unwrap();
    assert!(text.contains("DELETE_PET: bool = false"));
    assert!(
        text.contains("pub own: "),
        "the response of the operation that is missing"
    );
}

#[test]
fn an_empty_variable_is_ignored() {
    let package = Package::new("empty");
    for value in ["", ":", "::"] {
        let lines = package.build(&[(VARIABLE, value)]);
        assert_generated(&package, &lines, "own");
        assert_eq!(with(&lines, "warning="), [""; 0]);
    }
}

#[test]
fn a_relative_path_is_refused_with_a_suggestion() {
    let package = Package::new("relative");
    let named = package.write("work/theirs.json", &api("named", &["get"]));
    let folder = package.0.join("work");
    let build = |value: &str, folder: &Path| {
        package.build(&[(VARIABLE, value), ("PWD", folder.to_str().unwrap())])
    };
    for value in ["theirs.json", "./theirs.json", "../work/theirs.json"] {
        let lines = build(value, &folder);
        let text = errors(&lines);
        assert!(
            text.contains(&format!("expected an absolute path in {VARIABLE}")),
            "{text}"
        );
        assert!(
            text.contains(&format!("the relative path {value}")),
            "{text}"
        );
        let meant = folder.join(value);
        assert!(
            text.contains(&format!("probably {} is meant", meant.display())),
            "{text}"
        );
        assert!(text.contains("`relative = true`"), "{text}");
        assert_eq!(package.generated(), None);
    }
    // One relative path among several is refused, and a file that does not exist is not suggested.
    let several = env::join_paths([named.as_path(), Path::new("nowhere.json")]).unwrap();
    let text = errors(&build(several.to_str().unwrap(), &folder));
    assert!(text.contains("the relative path nowhere.json"), "{text}");
    assert!(!text.contains("is meant"), "{text}");
}

#[test]
fn a_misspelt_variable_is_warned_of() {
    let package = Package::new("misspelt");
    for name in [
        "PETS_AND_OTHERS_SPECS",
        "PET_AND_OTHERS_SPEC",
        "PETS_AND_OTHER_SPEC",
    ] {
        let lines = package.build(&[(name, "/somewhere.json")]);
        assert_generated(&package, &lines, "own");
        let [warning] = with(&lines, "warning=")[..] else {
            panic!("{lines:?}")
        };
        assert!(
            warning.contains(&format!("the variable {name} is not read")),
            "{warning}"
        );
        assert!(warning.contains(VARIABLE), "{warning}");
    }
    let lines = package.build(&[("SOMETHING_ELSE", "1"), ("PETS", "1")]);
    assert_eq!(with(&lines, "warning="), [""; 0]);
}

#[test]
fn a_file_that_cannot_be_read_ends_the_build() {
    let package = Package::new("unreadable");
    let gone = package.0.join("gone.json");
    let broken = package.write_text("broken.json", "{\"openapi\": ");
    let paths = env::join_paths([&gone, &broken]).unwrap();
    let lines = package.build(&[(VARIABLE, paths.to_str().unwrap())]);
    let text = errors(&lines);
    assert!(
        text.contains(&format!("{}: 1 problem", gone.display())),
        "{text}"
    );
    assert!(
        text.contains(&format!("{}: 1 problem", broken.display())),
        "{text}"
    );
    assert!(text.contains("expected a readable file"), "{text}");
    assert!(text.contains("expected a JSON document"), "{text}");
    // The build runs again when the files appear.
    let read = with(&lines, "rerun-if-changed=");
    assert!(
        read.contains(&gone.to_str().unwrap()) && read.contains(&broken.to_str().unwrap()),
        "{read:?}"
    );
}

#[test]
fn every_problem_is_a_line_of_its_own() {
    let package = Package::new("problems");
    let named = package.write(
        "theirs.json",
        &document("3.0.3", json!({ "/other": {} }), json!({})),
    );
    let lines = package.build(&[(VARIABLE, named.to_str().unwrap())]);
    let text = errors(&lines);
    assert!(
        text.starts_with(&format!("{}: ", named.display())),
        "{text}"
    );
    assert!(
        text.contains("`GET /pets` (listPets), found no such operation"),
        "{text}"
    );
    assert_eq!(package.generated(), None);
}

#[test]
fn notes_are_warnings() {
    let package = Package::new("notes");
    let mut noted = api("named", &["get"]);
    noted["paths"]["/pets"]["get"]["parameters"] =
        json!([{ "in": "cookie", "name": "a\ncargo::error=evil", "schema": { "type": "string" } }]);
    let named = package.write("theirs.json", &noted);
    let lines = package.build(&[(VARIABLE, named.to_str().unwrap())]);
    assert_generated(&package, &lines, "named");
    let warnings = with(&lines, "warning=pets: ");
    let [warning] = warnings[..] else {
        panic!("{lines:?}")
    };
    assert!(warning.contains("is left out"), "{warning}");
}

#[test]
fn a_document_that_did_not_change_makes_the_same_text() {
    let package = Package::new("again");
    package.build(&[]);
    let first = package.generated().unwrap();
    package.build(&[]);
    assert!(package.generated().unwrap() == first);
}
