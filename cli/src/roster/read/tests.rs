use org_invitations::{AuthType, RoleGrant};

use super::*;

fn rows(text: &str, format: RosterFormat) -> Vec<(usize, NewInvitation)> {
    let rows = parse(text.as_bytes(), format).unwrap();
    rows.into_iter().map(|row| (row.line, row.new)).collect()
}

fn problems(text: &str, format: RosterFormat) -> Vec<String> {
    let problems = parse(text.as_bytes(), format).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

fn ann() -> NewInvitation {
    NewInvitation::new("ann@example.com")
}

#[test]
fn csv_in_the_dialects_of_spreadsheets() {
    for text in [
        "email\nann@example.com\n",
        "\u{feff}email\r\nann@example.com\r\n",
        "Email\n\n  ann@example.com  ",
        "email,roles,auth_type\nann@example.com,,\n",
        "roles;email\n;ann@example.com\n",
        "email\troles\nann@example.com\t\n",
        "email,error\n\"ann@example.com\",\"refused, again\"\n",
    ] {
        let got: Vec<_> = rows(text, RosterFormat::Csv)
            .into_iter()
            .map(|(_, new)| new)
            .collect();
        assert_eq!(got, [ann()], "{text:?}");
    }
}

#[test]
fn escaped_formulas_are_read_back() {
    for (cell, email) in [
        ("'+ann@x", "+ann@x"),
        ("'ann@x", "'ann@x"),
        ("-ann@x", "-ann@x"),
    ] {
        let text = format!("email\n{cell}\n");
        let got = rows(&text, RosterFormat::Csv);
        assert_eq!(got, [(2, NewInvitation::new(email))]);
    }
}

#[test]
fn options_in_every_spelling() {
    let ids = || ann().roles(["r-1", "r-2"]);
    for (text, format, expected) in [
        (
            "email,roles\nann@example.com,r-1;r-2",
            RosterFormat::Csv,
            ids(),
        ),
        (
            "email,roles\nann@example.com,\"r-1, r-2\"",
            RosterFormat::Csv,
            ids(),
        ),
        (
            "email,roles\nann@example.com,legacy:admin",
            RosterFormat::Csv,
            ann().legacy_role("admin"),
        ),
        (
            "email,auth_type\nann@example.com,SSO",
            RosterFormat::Csv,
            ann().auth_type(AuthType::Sso),
        ),
        (
            r#"[{"email":"ann@example.com","roles":["r-1","r-2"]}]"#,
            RosterFormat::Json,
            ids(),
        ),
        (
            r#"{"email":"ann@example.com","roles":"r-1; r-2"}"#,
            RosterFormat::Jsonl,
            ids(),
        ),
        (
            r#"{"email":"ann@example.com","roles":"Query Endpoints|Admin"}"#,
            RosterFormat::Jsonl,
            ann().roles(["Query Endpoints", "Admin"]),
        ),
        (
            r#"{"email":"ann@example.com","roles":"EnvironmentAdmin@env-1/lkc-2"}"#,
            RosterFormat::Jsonl,
            ann().roles([RoleGrant::new("EnvironmentAdmin").scope("env-1/lkc-2")]),
        ),
        (
            r#"{"email":"ann@example.com","roles":{"ids":["r-1","r-2"]}}"#,
            RosterFormat::Jsonl,
            ids(),
        ),
        (
            r#"{"email":"ann@example.com","roles":{"legacy":"admin"}}"#,
            RosterFormat::Jsonl,
            ann().legacy_role("admin"),
        ),
        (
            r#"{"email":"ann@example.com","auth_type":"local","roles":null}"#,
            RosterFormat::Jsonl,
            ann().auth_type(AuthType::Local),
        ),
    ] {
        let got: Vec<_> = rows(text, format).into_iter().map(|(_, new)| new).collect();
        assert_eq!(got, [expected], "{text:?}");
    }
}

#[test]
fn rows_have_their_lines() {
    let lines = |text, format| -> Vec<usize> {
        rows(text, format)
            .into_iter()
            .map(|(line, _)| line)
            .collect()
    };
    let csv = "email,roles\na@x,\n\n\"b@x\",\"r-1\nr-2\"\nc@x,\n";
    assert_eq!(lines(csv, RosterFormat::Csv), [2, 4, 6]);
    let json =
        "[\n  {\"email\": \"a@x\"},\n  {\n    \"email\": \"b@x\"\n  }, {\"email\": \"c@x\"}\n]";
    assert_eq!(lines(json, RosterFormat::Json), [2, 3, 5]);
    assert_eq!(
        lines(
            "{\"email\":\"a@x\"}\n\n{\"email\":\"b@x\"}",
            RosterFormat::Jsonl
        ),
        [1, 3]
    );
}

#[test]
fn every_problem_has_its_line() {
    for (text, format, expected) in [
        (
            "",
            RosterFormat::Csv,
            vec!["line 1: the file is empty; its first line has to name the columns"],
        ),
        (
            "ann@example.com\n",
            RosterFormat::Csv,
            vec![
                "line 1: unknown column \"ann@example.com\"; the columns are email, roles and auth_type",
                "line 1: the first line has no column `email`",
            ],
        ),
        (
            "email,email\n",
            RosterFormat::Csv,
            vec!["line 1: duplicate column \"email\""],
        ),
        (
            "email,auth_type\na@x,ssoo\nb@x\n,local\n",
            RosterFormat::Csv,
            vec![
                "line 2: unknown auth type \"ssoo\"; the auth types are local and sso",
                "line 3: the row has 1 cells, and the first line names 2 columns",
                "line 4: the email is missing",
            ],
        ),
        (
            "email,roles\na@x,legacy:admin;r-1\n",
            RosterFormat::Csv,
            vec!["line 2: `legacy:…` cannot be combined with other roles"],
        ),
        (
            "{}",
            RosterFormat::Json,
            vec!["line 1: invalid type: map, expected a sequence"],
        ),
        (
            "[\n{\"email\": \"a@x\", \"mail\": 1}]",
            RosterFormat::Json,
            vec![
                "line 2: unknown field `mail`, expected one of `email`, `roles`, `auth_type`, `action`, `id`, `error`; did you mean `email`?",
            ],
        ),
        (
            "{\"email\":\"a@x\"}\nann\n{\"roles\":\"\"}\n",
            RosterFormat::Jsonl,
            vec!["line 2: expected value", "line 3: the email is missing"],
        ),
    ] {
        assert_eq!(problems(text, format), expected, "{text:?}");
    }
    let problems = parse(b"email\na@x\n\xff@x\n", RosterFormat::Csv).unwrap_err();
    assert_eq!(problems, [problem(3, "the file is not UTF-8 text")]);
}

#[test]
fn a_row_may_delete() {
    for (text, format) in [
        (
            "email,roles,auth_type,action,id,error\nann@example.com,,,Delete,i-1,why\nbob@example.com,r-1,,renew,,\n\
             cid@example.com,,,delete,,\ndan@example.com,,,,,\n",
            RosterFormat::Csv,
        ),
        (
            "{\"email\":\"ann@example.com\",\"action\":\"delete\",\"id\":\"i-1\"}\n\
             {\"email\":\"bob@example.com\",\"action\":\"renew\",\"roles\":\"r-1\"}\n\
             {\"email\":\"cid@example.com\",\"action\":\"delete\"}\n{\"email\":\"dan@example.com\"}\n",
            RosterFormat::Jsonl,
        ),
    ] {
        let roster = Roster::new(parse(text.as_bytes(), format).unwrap()).unwrap();
        let invited = roster.invite.into_iter().map(|(_, new)| new);
        let bob = NewInvitation::new("bob@example.com").roles(["r-1"]);
        let dan = NewInvitation::new("dan@example.com");
        assert_eq!(invited.collect::<Vec<_>>(), [bob, dan]);
        let id = "i-1".parse().unwrap();
        let withdrawn = [
            Withdrawal::new("ann@example.com", Some(id)),
            Withdrawal::new("cid@example.com", None),
        ];
        assert_eq!(roster.withdraw, withdrawn);
    }
}

#[test]
fn a_deleting_row_has_no_other_options() {
    for (row, expected) in [
        (
            "a@x,,drop,",
            "line 2: unknown action \"drop\"; the actions are create, renew and remove",
        ),
        (
            "a@x,r-1,delete,",
            "line 2: a row with the action remove has neither roles nor an auth type",
        ),
        (
            "a@x,,create,i-1",
            "line 2: only the action remove takes an id",
        ),
        (
            "a@x,,delete,i/1",
            "line 2: an invitation id must not contain '/'",
        ),
        (",,delete,i-1", "line 2: the email is missing"),
    ] {
        let text = format!("email,roles,action,id\n{row}\n");
        assert_eq!(problems(&text, RosterFormat::Csv), [expected]);
    }
    let both = "email,action\nann@example.com,\nANN@example.com,delete\n";
    let problems = Roster::new(parse(both.as_bytes(), RosterFormat::Csv).unwrap()).unwrap_err();
    assert_eq!(
        problems,
        [problem(
            3,
            "this row deletes the person whom line 2 invites"
        )]
    );
}

#[test]
fn escaped_control_characters_are_read_back() {
    let got = rows("email\nann\\u{202e}@example.com\n", RosterFormat::Csv);
    assert_eq!(got, [(2, NewInvitation::new("ann\u{202e}@example.com"))]);
}

#[test]
fn a_blank_file_differs_from_a_roster() {
    for text in ["", "\u{feff}", " \r\n\n"] {
        assert!(is_blank(text.as_bytes()), "{text:?}");
    }
    for text in ["email", "[]", "\0"] {
        assert!(!is_blank(text.as_bytes()), "{text:?}");
    }
}
