//! What is no address, and the lists of other programs.

use super::*;

#[test]
fn a_mailbox_is_read_as_its_address() {
    for (text, format) in [
        ("Ann Lee <ann@example.com>\n", RosterFormat::Csv),
        ("email\nann@example.com\n", RosterFormat::Csv),
        ("email\n<ann@example.com>\n", RosterFormat::Csv),
        (r#"["Ann <ann@example.com>"]"#, RosterFormat::Json),
    ] {
        let got: Vec<_> = rows(text, format).into_iter().map(|(_, new)| new).collect();
        assert_eq!(got, [ann()], "{text:?}");
    }
    // Which one is meant?
    let two = rows(
        "email\na@example.com <ann@example.com>\n",
        RosterFormat::Csv,
    );
    assert!(two[0].1.validate().is_err());
}

#[test]
fn what_is_no_address_is_refused_with_a_reason() {
    for (cell, reason) in [
        (
            "ann_example.com#EXT#@corp.onmicrosoft.com",
            "is how a guest is named in Entra ID",
        ),
        (
            "\"=HYPERLINK(\"\"mailto:ann@example.com\"\")\"",
            "is a formula of a spreadsheet",
        ),
    ] {
        let found = problems(
            &format!("email\nbob@example.com\n{cell}\n"),
            RosterFormat::Csv,
        );
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("line 3: ") && found[0].contains(reason),
            "{found:?}"
        );
    }
}

#[test]
fn rows_on_one_line_have_their_numbers() {
    let json = r#"[{"email": "a@x"}, {"email": "b@x"}, {"email": "c@x"}]"#;
    for format in [RosterFormat::Json, RosterFormat::Yaml] {
        let numbers: Vec<_> = rows(json, format).into_iter().map(|(row, _)| row).collect();
        assert_eq!(numbers, [1, 2, 3]);
    }
    let wrong = r#"[{"email": "a@x"}, {"email": 7}, {"email": ""}]"#;
    assert_eq!(
        problems(wrong, RosterFormat::Json),
        [
            "row 2: \"email\" is 7; it has to be text",
            "row 3: the email is missing"
        ]
    );
}

#[test]
fn answers_of_directories_are_read() {
    for text in [
        r#"{"@odata.context": "x", "value": [{"mail": "ann@example.com", "accountEnabled": true}]}"#,
        "{\n  \"kind\": \"admin\",\n  \"users\": [{\"primaryEmail\": \"ann@example.com\", \"emails\": []}]\n}",
        r#"{"users": ["ann@example.com"], "nextPageToken": ""}"#,
        r#"{"totalResults": 1, "Resources": [{"email": "ann@example.com"}]}"#,
        r#"{"email": "ann@example.com", "users": [{"email": "bob@example.com"}]}"#,
    ] {
        let got: Vec<_> = rows(text, RosterFormat::Json)
            .into_iter()
            .map(|(_, new)| new)
            .collect();
        assert_eq!(got, [ann()], "{text}");
    }
    assert_eq!(rows(r#"{"value": []}"#, RosterFormat::Json), []);
    for (text, reason) in [
        (
            r#"{"value": [{"mail": "ann@example.com"}], "@odata.nextLink": "https://x"}"#,
            "one page of several, as it has \"@odata.nextLink\"",
        ),
        (
            r#"{"totalResults": 2, "Resources": [{"email": "ann@example.com"}]}"#,
            "1 of 2 people",
        ),
        (
            r#"{"staff": [{"mail": "ann@example.com"}]}"#,
            r#"`jq '.["staff"]'`"#,
        ),
    ] {
        let found = problems(text, RosterFormat::Json);
        assert!(found.len() == 1 && found[0].contains(reason), "{found:?}");
    }
}
