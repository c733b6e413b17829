//! Unusual names and descriptions.

use std::path::Path;

use org_invitations_codegen::{Document, MAX_DOCUMENT_BYTES};
use serde_json::{Map, Value, json};

use crate::{
    common::{
        clickhouse_cloud, fixtures, iam,
        output::{Output, code, identifiers},
    },
    harness::{guarded, is_one_line, outcome, put, vendored},
};

/// Text that would end a comment, a string or a macro, with a mark that identifies it.
const WORDS: &str = "EVIL */ \"#\" }} {0} {} {{ \\ ' `#![evil]` //!\r\n/// ]] \u{0}\u{7}\u{1b}[31m\u{7f}\u{85}\u{2028}\u{202e}\u{2066}\u{200f}\u{feff} ${{ }} #{ }";

/// Maps whose keys are names, not keywords.
const NAMES: [&str; 11] = [
    "callbacks",
    "content",
    "flows",
    "headers",
    "mapping",
    "parameters",
    "paths",
    "properties",
    "responses",
    "schemas",
    "securitySchemes",
];

/// Changes every map of a document, `of_names` those that hold things by their names.
fn each_map(key: &str, value: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>, bool)) {
    match value {
        Value::Object(map) => {
            map.iter_mut()
                .for_each(|(key, inner)| each_map(key, inner, change));
            change(map, NAMES.contains(&key));
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|inner| each_map("", inner, change)),
        _ => {}
    }
}

const KEYWORDS: [&str; 5] = ["description", "summary", "title", "operationId", "example"];

#[test]
fn descriptions_become_documentation_only() {
    for fixture in fixtures() {
        let mut document = vendored(fixture);
        let clean = outcome(document.to_string().as_bytes(), fixture).unwrap();
        each_map("paths", &mut document["paths"], &mut |map, of_names| {
            if !of_names {
                map.extend(KEYWORDS.map(|key| (key.to_owned(), json!(WORDS))));
            }
        });
        each_map(
            "schemas",
            &mut document["components"]["schemas"],
            &mut |map, of_names| {
                if !of_names {
                    map.extend(KEYWORDS.map(|key| (key.to_owned(), json!(WORDS))));
                }
            },
        );
        document["tags"] = json!([{ "name": WORDS }]);
        let client = outcome(document.to_string().as_bytes(), fixture).unwrap();
        assert!(client.contains("EVIL"), "{}", fixture.name);
        assert_eq!(code(&client), code(&clean), "{}", fixture.name);
    }
}

#[test]
fn hostile_text_anywhere_does_no_harm() {
    for fixture in fixtures() {
        let mut document = vendored(fixture);
        // Maps of names get entries that are not what they hold.
        each_map("", &mut document, &mut |map, _| {
            map.extend(KEYWORDS.map(|key| (key.to_owned(), json!(WORDS))));
        });
        document["info"] = json!({ "title": WORDS, "version": WORDS, "description": WORDS });
        document["servers"] = json!([{ "url": WORDS, "description": WORDS }]);
        document["tags"] = json!([{ "name": WORDS }]);
        let client = outcome(document.to_string().as_bytes(), fixture).unwrap();
        let names = identifiers(client.parse().unwrap());
        assert!(
            !names.iter().any(|name| name.contains("EVIL")),
            "{}",
            fixture.name
        );
    }
}

#[test]
fn unusual_names_do_no_harm() {
    let names = [
        "", " ", "1", "123abc", "type", "self", "Self", "crate", "super", "fn", "async", "await",
        "dyn", "try", "gen", "r#type", "_", "__", "-", "--", ".", "$", "é", "日本", "a b", "a-b",
        "a_b", "aB", "AB", "ab", "a.b", "a/b", "a~b", "$ref", "allOf", "*/", "\"", "{}", "{id}",
        "\0", "\u{202e}", "\n", WORDS,
    ];
    let text = json!({ "type": "string", "enum": &names[..], "description": WORDS });
    let mut confluent = vendored(iam());
    let mut clickhouse = vendored(clickhouse_cloud());
    for name in names {
        confluent["components"]["schemas"]["iam.v2.Invitation"]["properties"][name] = text.clone();
        confluent["components"]["schemas"][name] = text.clone();
        confluent["paths"]["/iam/v2/invitations"]["get"]["responses"]["200"]["headers"][name] =
            json!({ "schema": text });
        confluent["components"]["securitySchemes"][name] = json!({ "type": name, "scheme": name });
        clickhouse["components"]["schemas"]["InvitationPostRequest"]["properties"][name] =
            text.clone();
        clickhouse["paths"]["/v1/organizations/{organizationId}/invitations"]["post"]["requestBody"]
            ["content"][name] = json!({ "schema": text });
        let parameters = &mut confluent["paths"]["/iam/v2/invitations"]["get"]["parameters"];
        parameters
            .as_array_mut()
            .unwrap()
            .push(json!({ "in": "query", "name": name, "schema": text }));
    }
    for (document, fixture) in [(confluent, iam()), (clickhouse, clickhouse_cloud())] {
        let client = outcome(document.to_string().as_bytes(), fixture).unwrap();
        let output = Output::new(&client);
        let of = if fixture.name == iam().name {
            "Invitation"
        } else {
            "NewInvitation"
        };
        let fields = output.object(of).fields;
        let wire: Vec<&str> = fields.values().map(|field| field.wire.as_str()).collect();
        let lacking: Vec<&str> = names
            .into_iter()
            .filter(|name| !wire.contains(name))
            .collect();
        assert_eq!(lacking, [""; 0], "{}", fixture.name);
    }
}

/// Places of the document whose text an error quotes.
#[test]
fn an_error_escapes_hostile_text() {
    let list = "/paths/~1iam~1v2~1invitations/get";
    let create = "/paths/~1iam~1v2~1invitations/post";
    let email = "/components/schemas/iam.v2.Invitation/properties/email";
    let parameter =
        json!({ "in": "header", "name": WORDS, "required": true, "schema": { "type": "string" } });
    let cases = vec![
        (format!("{list}/parameters/0"), parameter),
        (format!("{email}/type"), json!(WORDS)),
        (format!("{email}/type"), json!([WORDS, "x"])),
        (email.to_owned(), json!({ "$ref": WORDS })),
        (
            email.to_owned(),
            json!({ "allOf": [{ "pattern": WORDS }, { "pattern": "x" }] }),
        ),
        (
            format!("{create}/requestBody/content/application~1json/schema"),
            json!({
                "allOf": [{ "$ref": "#/components/schemas/iam.v2.Invitation" }],
                "required": ["email", WORDS],
            }),
        ),
        (
            format!("{create}/requestBody/content"),
            json!({ WORDS: {} }),
        ),
        ("/openapi".to_owned(), json!(WORDS)),
        ("/openapi".to_owned(), json!({ "a": WORDS })),
    ];
    let mut harmful = Vec::new();
    let mut show = |place: &str, document: &Value| {
        let report = outcome(document.to_string().as_bytes(), iam()).expect_err(place);
        if !is_one_line(&report) {
            harmful.push(format!("{place}: {:?}", report.to_string()));
        }
    };
    for (place, value) in cases {
        let mut document = vendored(iam());
        put(&mut document, &place, value);
        show(&place, &document);
    }
    show("swagger", &json!({ "swagger": WORDS }));
    let mut document = vendored(iam());
    let item = document["paths"]["/iam/v2/invitations/{id}"].take();
    let path = format!("/iam/v2/invitations/{{{}}}", WORDS.replace('/', ""));
    document["paths"] = json!({ path: { "get": { "responses": {} } }, "/other": item });
    show("the variable of a path", &document);
    let count = harmful.len();
    assert!(
        harmful.is_empty(),
        "{count} errors with hostile text in them:\n{}",
        harmful.join("\n")
    );
}

#[test]
fn what_is_no_text_is_refused() {
    let yaml = serde_norway::to_string(&vendored(iam())).unwrap();
    let utf16: Vec<u8> = yaml.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with_mark = [&[0xff, 0xfe], utf16.as_slice()].concat();
    let latin1 = [yaml.as_bytes(), b"# caf\xe9\n"].concat();
    let cut = [yaml.as_bytes(), b"# \xf0\x9f\x98"].concat();
    for bytes in [
        with_mark,
        latin1,
        cut,
        vec![0xff; 4096],
        b"\x1f\x8b\x08\x00".to_vec(),
    ] {
        let report = outcome(&bytes, iam()).unwrap_err().to_string();
        assert!(report.contains("UTF-8"), "{report}");
    }
    for bytes in [utf16, vec![0; 4096], b"PK\x03\x04".to_vec()] {
        assert!(outcome(&bytes, iam()).is_err());
    }
}

#[test]
fn a_byte_order_mark_is_no_matter() {
    for text in [
        vendored(iam()).to_string(),
        serde_norway::to_string(&vendored(iam())).unwrap(),
    ] {
        assert!(outcome(format!("\u{feff}{text}").as_bytes(), iam()).is_ok());
    }
}

#[test]
fn a_file_of_100_megabytes_is_refused_by_its_size() {
    let path =
        std::env::temp_dir().join(format!("org-invitations-huge-{}.yaml", std::process::id()));
    for size in [100 << 20, MAX_DOCUMENT_BYTES as u64 + 1, 1 << 40] {
        let file = std::fs::File::create(&path).unwrap();
        // The file is sparse: it takes no disk space, but reading it reads all of it.
        if file.set_len(size).is_err() {
            continue;
        }
        drop(file);
        let shown = path.clone();
        let text = guarded("a huge file", move || {
            Document::read(&shown).unwrap_err().to_string()
        });
        assert!(text.contains(&format!("found {size} bytes")), "{text}");
        assert!(text.starts_with(path.to_str().unwrap()), "{text}");
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn what_is_no_file_is_refused() {
    for path in [
        env!("CARGO_MANIFEST_DIR"),
        "/no/such/file.yaml",
        "",
        "a\u{0}b",
    ] {
        let text = Document::read(Path::new(path)).unwrap_err().to_string();
        assert!(text.contains("expected a readable file"), "{text}");
    }
}
