//! Names and words that are not what one expects of names and words.

use std::path::Path;

use org_invitations_codegen::{
    Api, Document, MAX_DOCUMENT_BYTES,
    api::{CLICKHOUSE, CONFLUENT, CONFLUENT_STS},
};
use serde_json::{Map, Value, json};

use crate::guard::{guarded, is_harmless, outcome, put, vendored};

/// Words that would end a comment, a string or a macro, with a mark to know them by.
const WORDS: &str = "EVIL */ \"#\" }} {0} {} {{ \\ ' `#![evil]` //!\r\n/// ]] \u{0}\u{7}\u{1b}[31m\u{7f}\u{85}\u{2028}\u{202e}\u{2066}\u{200f}\u{feff} ${{ }} #{ }";

fn each_map(value: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(|inner| each_map(inner, change));
            change(map);
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| each_map(inner, change)),
        _ => {}
    }
}

fn apis() -> [&'static Api; 3] {
    [&CONFLUENT, &CONFLUENT_STS, &CLICKHOUSE]
}

#[test]
fn no_words_of_a_document_get_into_the_code() {
    for api in apis() {
        let mut document = vendored(api);
        let clean = outcome(document.to_string().as_bytes(), api).unwrap();
        each_map(&mut document, &mut |map| {
            for key in ["description", "summary", "title", "operationId", "example"] {
                map.insert(key.to_owned(), json!(WORDS));
            }
        });
        document["info"] = json!({ "title": WORDS, "version": WORDS, "description": WORDS });
        document["servers"] = json!([{ "url": WORDS, "description": WORDS }]);
        document["tags"] = json!([{ "name": WORDS }]);
        // `properties` and other maps got entries that are not schemas; that is part of the game.
        if let Ok(client) = outcome(document.to_string().as_bytes(), api) {
            assert!(!client.contains("EVIL"), "{client}");
            assert_eq!(client, clean, "{}", api.title);
        } else {
            panic!("{} was refused", api.title);
        }
    }
}

#[test]
fn names_that_are_no_names_do_no_harm() {
    let names = [
        "", " ", "1", "123abc", "type", "self", "Self", "crate", "super", "fn", "async", "await",
        "dyn", "try", "gen", "r#type", "_", "__", "-", "--", ".", "$", "é", "日本", "a b", "a-b",
        "a_b", "aB", "AB", "ab", "a.b", "a/b", "a~b", "$ref", "allOf", "*/", "\"", "{}", "{id}",
        "\0", "\u{202e}", "\n", WORDS,
    ];
    let text = json!({ "type": "string", "enum": &names[..], "description": WORDS });
    let mut confluent = vendored(&CONFLUENT);
    let mut clickhouse = vendored(&CLICKHOUSE);
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
    for (document, api) in [(confluent, &CONFLUENT), (clickhouse, &CLICKHOUSE)] {
        let client = outcome(document.to_string().as_bytes(), api).unwrap();
        assert!(!client.contains("EVIL"), "{client}");
    }
}

/// Places of the document whose text an error quotes.
#[test]
fn an_error_shows_hostile_text_so_that_it_does_no_harm() {
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
        let report = outcome(document.to_string().as_bytes(), &CONFLUENT).expect_err(place);
        if !is_harmless(&report) {
            harmful.push(format!("{place}: {:?}", report.to_string()));
        }
    };
    for (place, value) in cases {
        let mut document = vendored(&CONFLUENT);
        put(&mut document, &place, value);
        show(&place, &document);
    }
    show("swagger", &json!({ "swagger": WORDS }));
    let mut document = vendored(&CONFLUENT);
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
    let yaml = serde_norway::to_string(&vendored(&CONFLUENT)).unwrap();
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
        let report = outcome(&bytes, &CONFLUENT).unwrap_err().to_string();
        assert!(report.contains("UTF-8"), "{report}");
    }
    for bytes in [utf16, vec![0; 4096], b"PK\x03\x04".to_vec()] {
        assert!(outcome(&bytes, &CONFLUENT).is_err());
    }
}

#[test]
fn a_byte_order_mark_is_no_matter() {
    for text in [
        vendored(&CONFLUENT).to_string(),
        serde_norway::to_string(&vendored(&CONFLUENT)).unwrap(),
    ] {
        assert!(outcome(format!("\u{feff}{text}").as_bytes(), &CONFLUENT).is_ok());
    }
}

#[test]
fn a_file_of_100_megabytes_is_refused_by_its_size() {
    let path =
        std::env::temp_dir().join(format!("org-invitations-huge-{}.yaml", std::process::id()));
    for size in [100 << 20, MAX_DOCUMENT_BYTES as u64 + 1, 1 << 40] {
        let file = std::fs::File::create(&path).unwrap();
        // Sparse: it takes no room, but whoever reads it reads all of it.
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
