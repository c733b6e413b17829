//! Exports as directories and spreadsheets write them, and the outputs of this command.

use super::*;

/// Decodes and parses; the result has the people, and the names of the ignored columns.
fn read_bytes(
    bytes: &[u8],
    format: RosterFormat,
    options: &ReadOptions,
) -> Result<(Vec<NewInvitation>, String), Vec<String>> {
    let decoded = decode(bytes).map_err(|problem| vec![problem.to_string()])?;
    let parsed = parse(&decoded.text, format, options);
    let parsed =
        parsed.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let people = parsed.rows.into_iter().map(|row| row.new);
    Ok((people.collect(), parsed.ignored.join(", ")))
}

fn two() -> Vec<NewInvitation> {
    ["ann@example.com", "bob@example.com"]
        .map(NewInvitation::new)
        .to_vec()
}

const GOOGLE: &str = "\
First Name [Required],Last Name [Required],Email Address [Required],Password [Required],Org Unit Path [Required],New \
Primary Email [UPLOAD ONLY],Status [READ ONLY],Last Sign In [READ ONLY],Recovery Email,Department\r
Ann,Smith,ann@example.com,****,/,,Active,2026-11-20T08:14:01Z,ann@home.example,\"Data, Platform\"\r
Bob,\"Jones \"\"Bo\"\"\",bob@example.com,****,/Contractors,,Suspended,Never logged in,,\r
";

const ENTRA: &str = "\
userPrincipalName,displayName,surname,mail,givenName,id,userType,jobTitle,department,accountEnabled,usageLocation\r
ann@example.com,Ann Smith,Smith,Ann.Smith@example.com,Ann,0b1c9e0e-5d6f-4c39-9a55-c8b0d0a3a7f1,Member,,Data,True,GB\r
bob@example.com,Bob Jones,Jones,,Bob,9a0f3a59-0f5e-4d7e-8f35-3a5a7e1a0a11,Guest,,,True,\r
";

const OKTA: &str = "\
login,firstName,lastName,middleName,title,department,status,lastLogin\n\
ann@example.com,Ann,Smith,,Engineer,Data,ACTIVE,2026-11-20T08:14:01.000Z\n\
bob@example.com,Bob,Jones,,,,PROVISIONED,\n";

#[test]
fn google_workspace() {
    let got = read_bytes(
        GOOGLE.as_bytes(),
        RosterFormat::Csv,
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(got.0, two());
    let ignored = "First Name [Required], Last Name [Required], Password [Required], Org Unit Path [Required], New Primary \
                   Email [UPLOAD ONLY], Last Sign In [READ ONLY], Recovery Email, Department";
    assert_eq!(got.1, ignored);
}

#[test]
fn entra_id_has_two_addresses() {
    let wrong = read_bytes(ENTRA.as_bytes(), RosterFormat::Csv, &ReadOptions::default());
    let expected = "line 1: the columns \"userPrincipalName\" and \"mail\" could both be meant; choose one with --email-column NAME";
    assert_eq!(wrong, Err(vec![expected.to_owned()]));
    let chosen = ReadOptions {
        email_column: Some("User Principal Name".to_owned()),
        role_column: Some("jobTitle".to_owned()),
        ..Default::default()
    };
    let (people, ignored) = read_bytes(ENTRA.as_bytes(), RosterFormat::Csv, &chosen).unwrap();
    assert_eq!(people, two());
    assert!(
        ignored.contains("mail, givenName, id, userType, department"),
        "{ignored}"
    );
    let mail = ReadOptions {
        email_column: Some("mail".to_owned()),
        ..Default::default()
    };
    let wrong = read_bytes(ENTRA.as_bytes(), RosterFormat::Csv, &mail);
    assert_eq!(wrong, Err(vec!["line 3: the email is missing".to_owned()]));
}

#[test]
fn okta() {
    let (people, ignored) =
        read_bytes(OKTA.as_bytes(), RosterFormat::Csv, &ReadOptions::default()).unwrap();
    assert_eq!(people, two());
    assert_eq!(
        ignored,
        "firstName, lastName, middleName, title, department, lastLogin"
    );
    let strict = ReadOptions {
        strict: true,
        ..Default::default()
    };
    let wrong = read_bytes(OKTA.as_bytes(), RosterFormat::Csv, &strict).unwrap_err();
    assert_eq!(wrong.len(), 6, "{wrong:?}");
    assert_eq!(
        wrong[0],
        "line 1: unknown column \"firstName\", which --strict does not ignore"
    );
}

#[test]
fn excel_as_unicode_text() {
    let text = "\u{feff}Name\tE-Mail\tRole\r\nAnn Müller\tann@example.com\t\r\nBob\tbob@example.com\tr-1;r-2\r\n\t\t\r\n";
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (people, ignored) = read_bytes(&bytes, RosterFormat::Csv, &ReadOptions::default()).unwrap();
    let bob = NewInvitation::new("bob@example.com").roles(["r-1", "r-2"]);
    assert_eq!(people, [ann(), bob]);
    assert_eq!(ignored, "Name");
}

#[test]
fn excel_in_latin_1_with_its_separator() {
    let bytes =
        b"sep=;\r\nName;E-mail\r\nJ\xfcrgen;ann@example.com\r\nBob;bob@example.com\r\n;\r\n";
    let (people, ignored) = read_bytes(bytes, RosterFormat::Csv, &ReadOptions::default()).unwrap();
    assert_eq!((people, ignored.as_str()), (two(), "Name"));
}

/// Rows as `list` and `members list` print them.
#[test]
fn own_outputs() {
    let csv = "provider,id,email,status,auth_type,roles,role_ids,created_at,expires_at,accepted_at,user,creator\n\
        clickhouse,i-1,ann@example.com,sent,,Developer;Query Endpoints,r-1;r-2,2026-11-26T00:00:00Z,,,u-1,u-2\n\
        clickhouse,i-2,bob@example.com,sent,,legacy:admin,,,,,,\n";
    let members = "provider,id,email,name,auth_type,roles,joined_at\n\
        confluent,u-1,ann@example.com,Ann,sso,EnvironmentAdmin@env-1,2026-11-26T00:00:00Z\n";
    let people =
        "provider,email,state,invitation,id,roles\nconfluent,ann@example.com,member,,u-1,\n";
    let json = r#"[
        {"provider":"clickhouse","id":"i-1","email":"ann@example.com","status":"sent","role":"developer",
         "roles":[{"id":"r-1","name":"Developer"},{"name":"Query Endpoints"}],"extra":{"x":1}},
        {"provider":"clickhouse","id":"i-2","email":"bob@example.com","role":"admin","user":{"id":"u-1"}}]"#;
    let yaml = "- provider: confluent\n  id: u-1\n  email: ann@example.com\n  auth_type: sso\n  joined_at: x\n  roles:\n  \
        - name: EnvironmentAdmin\n    scope: env-1\n";
    let bob = || NewInvitation::new("bob@example.com").legacy_role("admin");
    let member = || {
        ann()
            .auth_type(AuthType::Sso)
            .roles(["EnvironmentAdmin@env-1"])
    };
    for (text, format, expected) in [
        (
            csv,
            RosterFormat::Csv,
            vec![ann().roles(["Developer", "Query Endpoints"]), bob()],
        ),
        (members, RosterFormat::Csv, vec![member()]),
        (people, RosterFormat::Csv, vec![ann()]),
        (
            json,
            RosterFormat::Json,
            vec![ann().roles(["r-1", "Query Endpoints"]), bob()],
        ),
        (yaml, RosterFormat::Yaml, vec![member()]),
    ] {
        let strict = ReadOptions {
            strict: true,
            ..Default::default()
        };
        let got = read_bytes(text.as_bytes(), format, &strict);
        assert_eq!(got, Ok((expected, String::new())), "{text}");
    }
}

#[test]
fn chosen_fields_of_json() {
    let text = r#"[{"email":"x@example.com","Work":"ann@example.com","Team":"r-1"},{"Work":"bob@example.com"}]"#;
    let chosen = |role: &str| ReadOptions {
        email_column: Some("work".to_owned()),
        role_column: Some(role.to_owned()),
        ..Default::default()
    };
    let (people, ignored) =
        read_bytes(text.as_bytes(), RosterFormat::Json, &chosen("team")).unwrap();
    assert_eq!(
        people,
        [ann().roles(["r-1"]), NewInvitation::new("bob@example.com")]
    );
    assert_eq!(ignored, "email");
    let wrong = read_bytes(text.as_bytes(), RosterFormat::Json, &chosen("Group"));
    let expected = "line 1: no row has the field \"Group\", as --role-column asks for";
    assert_eq!(wrong, Err(vec![expected.to_owned()]));
    let csv = "Work,Name\nann@example.com,Ann\n";
    let wrong = read_bytes(csv.as_bytes(), RosterFormat::Csv, &chosen("Group"));
    let expected = "line 1: no column \"Group\", as --role-column asks for; the columns are \"Work\", \"Name\"";
    assert_eq!(wrong, Err(vec![expected.to_owned()]));
}
