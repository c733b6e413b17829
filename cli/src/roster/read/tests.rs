use org_invitations::{AuthType, RoleGrant};

use super::*;

mod exports;
mod foreign;

fn rows(text: &str, format: RosterFormat) -> Vec<(usize, NewInvitation)> {
    let parsed = parse(text, format, &ReadOptions::default()).unwrap();
    parsed
        .rows
        .into_iter()
        .map(|row| (row.line, row.new))
        .collect()
}

fn problems(text: &str, format: RosterFormat) -> Vec<String> {
    let problems = parse(text, format, &ReadOptions::default()).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

fn ann() -> NewInvitation {
    NewInvitation::new("ann@example.com")
}

#[test]
fn csv_in_the_dialects_of_spreadsheets() {
    for text in [
        "email\nann@example.com\n",
        "email\r\nann@example.com\r\n",
        "sep=;\r\n\"roles\";\"E-Mail\"\r\n;ann@example.com\r\n",
        "\"sep=\t\"\nemail\troles\nann@example.com\t\n",
        ",,\n\nemail,roles,\n,,,\n , \nann@example.com,,\n,\n",
        "Name;E-mail, work;email\nAnn;;ann@example.com\n",
        "email,error\nann@example.com\n",
        "ann@example.com\n",
        "\n;\nann@example.com;\n;;\n",
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
            "email,Role\nann@example.com,EnvironmentAdmin@env-1;r-2",
            RosterFormat::Csv,
            ann().roles(["EnvironmentAdmin@env-1", "r-2"]),
        ),
        (
            r#"{"email":"ann@example.com","roles":["EnvironmentAdmin@env-1",{"role":"r-2"}]}"#,
            RosterFormat::Jsonl,
            ann().roles(["EnvironmentAdmin@env-1", "r-2"]),
        ),
        (
            "- email: ann@example.com\n  roles: [r-1, r-2]\n",
            RosterFormat::Yaml,
            ids(),
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
    assert_eq!(lines("sep=,\n\nemail\n\na@x\n", RosterFormat::Csv), [5]);
    let yaml = "# people\n- email: a@x\n  roles:\n  - r-1\n-\n  email: b@x\n- c@x\n";
    assert_eq!(lines(yaml, RosterFormat::Yaml), [2, 5, 7]);
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
            "sep=;\n;\n,,\n",
            RosterFormat::Csv,
            vec!["line 1: the file is empty; its first line has to name the columns"],
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
            " \n",
            RosterFormat::Json,
            vec!["line 1: the file is empty; no row is `[]`"],
        ),
        (
            "{}",
            RosterFormat::Json,
            vec!["line 1: the email is missing"],
        ),
        (
            "Name,Post\nAnn,a@x\n",
            RosterFormat::Csv,
            vec![
                "line 1: no column is known to have the addresses, so --email-column NAME has to choose one; the columns are \
                 \"Name\", \"Post\"",
            ],
        ),
        (
            "a@x\nb@x,r-1\n",
            RosterFormat::Csv,
            vec!["line 2: the row has more than an address, and no line names the columns"],
        ),
        (
            "Ann,a@x\n",
            RosterFormat::Csv,
            vec![
                "line 1: the line has an address and other cells, and no line before it names the columns",
            ],
        ),
        (
            "email,Name\na@x,Smith, Ann\nb@x,\n",
            RosterFormat::Csv,
            vec!["line 2: the row has 3 cells, and the first line names 2 columns"],
        ),
        (
            "email,Name\na@x,\"Smith\nb@x,\"Jones\nc@x,\n",
            RosterFormat::Csv,
            vec![
                "line 2: the cell of \"Name\" has several lines and an `@`; close its quotation mark, or write it in one line",
            ],
        ),
        (
            "[\n{\"email\": \"a@x\", \"mail\": 1},\n{\"email\": 7},\n{\"emial\": \"c@x\"},\n [8]]",
            RosterFormat::Json,
            vec![
                "line 2: the fields \"email\" and \"mail\" could both be meant; choose one with --email-column NAME",
                "line 3: \"email\" is 7; it has to be text",
                "line 4: unknown field \"emial\"; did you mean `email`? Correct its name, or give it quite another one",
                "line 5: a row is [8]; it has to be an object, or an address as text",
            ],
        ),
        (
            "{\"email\":\"a@x\"}\nann\n{\"roles\":\"\"}\n",
            RosterFormat::Jsonl,
            vec![
                "line 2: not valid JSON: expected value",
                "line 3: no field is known to have the addresses, so --email-column NAME has to choose one; the fields are \
                 \"roles\"",
            ],
        ),
        (
            "{\"email\":\"a@x\",\"roles\":7}\n{\"email\":\"a@x\",\"roles\":[{\"nme\":\"x\"}]}\n",
            RosterFormat::Jsonl,
            vec![
                "line 1: the roles are 7; write \"NAME@SCOPE;NAME\" or [\"NAME@SCOPE\", \"NAME\"]",
                "line 2: a role is {\"nme\":\"x\"}; it has to be text such as \"NAME@SCOPE\"",
            ],
        ),
        (
            "[{\"email\":\"a@x\"},\n{\"email\":\"b@x\"",
            RosterFormat::Json,
            vec!["line 2: not valid JSON: EOF while parsing an object"],
        ),
        (
            "# people\n- email: a@x\n- email: [b@x]\n- 1: c@x\n",
            RosterFormat::Yaml,
            vec![
                "line 3: \"email\" is [\"b@x\"]; it has to be text",
                "line 4: not a row: invalid type: integer `1`, expected a string",
            ],
        ),
        (
            "email: [a\n",
            RosterFormat::Yaml,
            vec![
                "line 2: not valid YAML: did not find expected ',' or ']' at line 2 column 1, while parsing a flow sequence \
                 at line 1 column 8",
            ],
        ),
        (
            "email,Name\n\"a@x, Ann\nb@x, Bob\n",
            RosterFormat::Csv,
            vec![
                "line 2: the cell of \"email\" has several lines and an `@`; close its quotation mark, or write it in one line",
            ],
        ),
    ] {
        assert_eq!(problems(text, format), expected, "{text:?}");
    }
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
        let parsed = parse(text, format, &ReadOptions::default()).unwrap();
        let roster = Roster::new(parsed.rows).unwrap();
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
    let parsed = parse(both, RosterFormat::Csv, &ReadOptions::default()).unwrap();
    let problems = Roster::new(parsed.rows).unwrap_err();
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
fn json_in_every_shape() {
    for (text, format) in [
        (r#"["ann@example.com"]"#, RosterFormat::Json),
        (r#"{"email": "ann@example.com"}"#, RosterFormat::Json),
        ("\"ann@example.com\"\n", RosterFormat::Jsonl),
        ("[\"ann@example.com\"]\n", RosterFormat::Jsonl),
        ("- ann@example.com\n", RosterFormat::Yaml),
        ("email: ann@example.com\n", RosterFormat::Yaml),
        ("[{E-mail: ann@example.com}]", RosterFormat::Yaml),
    ] {
        assert_eq!(rows(text, format), [(1, ann())], "{text:?}");
    }
    let lines = "{\"email\": \"ann@example.com\"}\n{\"email\": \"ann@example.com\"}\n";
    assert_eq!(rows(lines, RosterFormat::Json), [(1, ann()), (2, ann())]);
    assert_eq!(rows("[]\n", RosterFormat::Yaml), []);
}
