//! What the columns of a roster mean, by their names: our own, and those of the exports of directories.

use super::{ReadOptions, status::Switch};
use crate::output::{InvitationRecord, MemberRecord, PersonRecord, Record};

/// What a column of CSV, or a field of JSON and YAML, means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Email,
    Roles,
    /// The deprecated single role, in an output of this command.
    LegacyRole,
    AuthType,
    Action,
    /// The id of the invitation to withdraw. Only a roster with actions has one.
    Id,
    /// The provider, the profile and the status in an output of this command.
    Provider,
    Profile,
    Status,
    /// Whether a person is switched off in a directory.
    Switch(Switch),
    /// Not part of a roster, but of an output of this command, so that it needs no mention.
    Printed,
    /// Not part of a roster.
    Extra,
}

impl Column {
    /// Whether a row needs a cell for it.
    pub fn is_of_roster(self) -> bool {
        match self {
            Self::Email
            | Self::Roles
            | Self::LegacyRole
            | Self::AuthType
            | Self::Action
            | Self::Id => true,
            Self::Provider | Self::Profile | Self::Status | Self::Switch(_) => false,
            Self::Printed | Self::Extra => false,
        }
    }
}

/// The names that are certain, as [`plain`] writes them. The first one is the name in a roster.
const NAMES: [(Column, &[&str]); 4] = [
    (
        Column::Email,
        &[
            "email",
            "emailaddress",
            "mail",
            "primaryemail",
            "userprincipalname",
            "login",
        ],
    ),
    (Column::Roles, &["roles", "role", "assignedroles"]),
    (Column::AuthType, &["authtype"]),
    (Column::Action, &["action"]),
];

/// The fields that only the JSON and YAML of this command have.
const PRINTED_FIELDS: [&str; 3] = ["extra", "member", "invitations"];

/// A name without case, blanks, punctuation, and marks in brackets such as `[Required]`.
fn plain(name: &str) -> String {
    let name = name.split('[').next().unwrap_or_default();
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// What each column means. The columns that are chosen leave the others of their kind without a meaning.
pub(super) fn meanings(names: &[&str], options: &ReadOptions) -> Vec<Column> {
    let plain_names: Vec<String> = names.iter().map(|name| plain(name)).collect();
    let is_printed = plain_names.iter().any(|name| name == "provider");
    let has_actions = plain_names.iter().any(|name| name == "action");
    let is_chosen = |index: usize, chosen: &Option<String>| {
        chosen
            .as_deref()
            .is_some_and(|chosen| match names.contains(&chosen) {
                true => names[index] == chosen,
                false => plain_names[index] == plain(chosen),
            })
    };
    let meaning = |(index, name): (usize, &String)| {
        if is_chosen(index, &options.email_column) {
            return Column::Email;
        }
        if is_chosen(index, &options.role_column) {
            return Column::Roles;
        }
        let named = NAMES
            .iter()
            .find(|(_, known)| known.contains(&name.as_str()));
        match (named.map(|(column, _)| *column), name.as_str()) {
            (Some(Column::Email), _) if options.email_column.is_some() => Column::Extra,
            (Some(Column::Roles), _) if options.role_column.is_some() => Column::Extra,
            (_, "role" | "legacyrole") if is_printed => Column::LegacyRole,
            (Some(column), _) => column,
            (None, "id") if has_actions => Column::Id,
            (None, "provider") => Column::Provider,
            (None, "profile") if is_printed => Column::Profile,
            (None, "status") if is_printed => Column::Status,
            // Files of failed rows have it.
            (None, "error") => Column::Printed,
            (None, name) if is_printed && is_in_output(name) => Column::Printed,
            (None, name) => Switch::named(name).map_or(Column::Extra, Column::Switch),
        }
    };
    plain_names.iter().enumerate().map(meaning).collect()
}

fn is_in_output(name: &str) -> bool {
    let columns = [InvitationRecord::CSV, MemberRecord::CSV, PersonRecord::CSV];
    let mut known = columns.into_iter().flatten().chain(&PRINTED_FIELDS);
    known.any(|known| known.split('_').flat_map(str::chars).eq(name.chars()))
}

/// Every reason why the columns with these meanings cannot be read. `noun` is `column` or `field`.
pub(super) fn check(
    names: &[&str],
    meanings: &[Column],
    options: &ReadOptions,
    noun: &str,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, (name, meaning)) in names.iter().zip(meanings).enumerate() {
        if *meaning == Column::Extra {
            if let Some(meant) = misspelt(name, meanings) {
                wrong.push(format!(
                    "unknown {noun} {name:?}; did you mean `{meant}`? Correct its name, or give it quite another one"
                ));
            } else if options.strict {
                wrong.push(format!(
                    "unknown {noun} {name:?}, which --strict does not ignore"
                ));
            }
            continue;
        }
        let first = meanings.iter().position(|other| other == meaning);
        let Some(first) = first.filter(|first| *first < index) else {
            continue;
        };
        let option = match meaning {
            Column::Printed | Column::LegacyRole | Column::Switch(_) => continue,
            Column::Email => "--email-column",
            Column::Roles => "--role-column",
            _ => "",
        };
        wrong.push(match names[first] == *name || option.is_empty() {
            true => format!("duplicate {noun} {name:?}"),
            false => format!(
                "the {noun}s {:?} and {name:?} could both be meant; choose one with {option} NAME",
                names[first]
            ),
        });
    }
    if wrong.is_empty() && !meanings.contains(&Column::Email) {
        wrong.push(missing(
            names,
            "--email-column",
            &options.email_column,
            noun,
        ));
    }
    wrong
}

/// Why no column has the addresses, or the roles that were asked for.
pub(super) fn missing(names: &[&str], option: &str, chosen: &Option<String>, noun: &str) -> String {
    if names.is_empty() {
        return "the email is missing".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    let what = match chosen {
        Some(chosen) => format!("no {noun} {chosen:?}, as {option} asks for"),
        None => {
            format!("no {noun} is known to have the addresses, so {option} NAME has to choose one")
        }
    };
    format!("{what}; the {noun}s are {}", names.join(", "))
}

/// The name that was probably meant, among those of the columns that are missing.
fn misspelt(name: &str, present: &[Column]) -> Option<&'static str> {
    let name = plain(name);
    let missing = NAMES.iter().filter(|(column, _)| !present.contains(column));
    let near = |known: &&str| strsim::osa_distance(&name, known) <= (known.len() / 4).min(2);
    let meant = missing.filter(|(_, known)| known.iter().any(near));
    let mut names = meant.map(|(column, known)| match column {
        Column::AuthType => "auth_type",
        _ => known[0],
    });
    names.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(names: &[&str]) -> Vec<Column> {
        meanings(names, &ReadOptions::default())
    }

    fn checked(names: &[&str], options: &ReadOptions) -> Vec<String> {
        check(names, &meanings(names, options), options, "column")
    }

    #[test]
    fn names_are_compared_without_case_and_punctuation() {
        for name in [
            "email",
            "E-mail",
            "Email Address",
            "Email Address [Required]",
            "E-Mail Address",
            "mail",
            "Mail",
            "User principal name",
            "UserPrincipalName",
            "userPrincipalName",
            "Primary email",
            "primaryEmail",
            "login",
        ] {
            assert_eq!(meant(&[name]), [Column::Email], "{name}");
        }
        for name in ["Role", "roles", "ROLES"] {
            assert_eq!(meant(&[name]), [Column::Roles], "{name}");
        }
        for name in ["auth_type", "Auth type", "authType"] {
            assert_eq!(meant(&[name]), [Column::AuthType], "{name}");
        }
        // What only looks like an address may be another one.
        for name in [
            "Recovery Email",
            "Manager Email",
            "Email Domain",
            "id",
            "First Name",
            "",
        ] {
            assert_eq!(meant(&[name]), [Column::Extra], "{name}");
        }
    }

    #[test]
    fn an_id_is_read_beside_an_action_only() {
        let roster = meant(&["email", "action", "id"]);
        assert_eq!(roster, [Column::Email, Column::Action, Column::Id]);
        assert_eq!(meant(&["email", "id"]), [Column::Email, Column::Extra]);
        assert_eq!(
            meant(&[
                "profile",
                "provider",
                "id",
                "email",
                "status",
                "role",
                "department"
            ]),
            [
                Column::Profile,
                Column::Provider,
                Column::Printed,
                Column::Email,
                Column::Status,
                Column::LegacyRole,
                Column::Extra
            ]
        );
    }

    #[test]
    fn a_misspelt_column_is_an_error() {
        for (name, meant) in [
            ("emial", "email"),
            ("Email Adress", "email"),
            ("rolse", "roles"),
            ("rolez", "roles"),
            ("Rolle", "roles"),
            ("auth-typ", "auth_type"),
            ("authtipe", "auth_type"),
            ("actoin", "action"),
        ] {
            let wrong = checked(&[name], &ReadOptions::default());
            assert_eq!(wrong.len(), 1, "{name}");
            let expected = format!("unknown column {name:?}; did you mean `{meant}`?");
            assert!(wrong[0].starts_with(&expected), "{wrong:?}");
        }
        // Beside the column that is meant, it is another one.
        for names in [&["email", "emails"][..], &["login", "role", "rule"]] {
            assert_eq!(
                checked(names, &ReadOptions::default()),
                [""; 0],
                "{names:?}"
            );
        }
    }

    /// The columns of real exports, which no check of spelling may reject.
    #[test]
    fn columns_of_exports_are_not_misspelt() {
        let names = "First Name,Last Name,Password,Password Hash Function,Org Unit Path,New Primary Email,Status,\
            Last Sign In,Recovery Email,Home Secondary Email,Recovery Phone,Work Phone,Home Address,Employee ID,\
            Employee Type,Employee Title,Manager Email,Department,Cost Center,Building ID,Floor Name,Floor Section,\
            2sv Enrolled,Licenses,displayName,surname,givenName,userType,jobTitle,accountEnabled,usageLocation,\
            streetAddress,state,country,officeLocation,city,postalCode,telephoneNumber,mobilePhone,ageGroup,\
            creationType,directorySynced,invitationState,identityIssuer,createdDateTime,firstName,middleName,\
            honorificPrefix,title,nickName,profileUrl,secondEmail,primaryPhone,locale,timezone,organization,\
            division,managerId,manager,lastLogin,activated,Group,Groups,Notes,Code,Name,Team,Location,Company";
        for name in names.split(',') {
            assert_eq!(misspelt(name, &[]), None, "{name}");
        }
    }

    #[test]
    fn two_columns_of_addresses_need_a_choice() {
        let names = ["userPrincipalName", "mail", "Role"];
        let wrong = checked(&names, &ReadOptions::default());
        let expected = "the columns \"userPrincipalName\" and \"mail\" could both be meant; choose one with --email-column NAME";
        assert_eq!(wrong, [expected]);
        let options = ReadOptions {
            email_column: Some("Mail".to_owned()),
            ..Default::default()
        };
        assert_eq!(checked(&names, &options), [""; 0]);
        assert_eq!(
            meanings(&names, &options),
            [Column::Extra, Column::Email, Column::Roles]
        );
        // The exact name decides between two that are alike.
        let names = ["E-mail", "email"];
        let options = ReadOptions {
            email_column: Some("email".to_owned()),
            ..Default::default()
        };
        assert_eq!(meanings(&names, &options), [Column::Extra, Column::Email]);
        let wrong = checked(&["email", "email"], &ReadOptions::default());
        assert_eq!(wrong, ["duplicate column \"email\""]);
    }

    #[test]
    fn the_chosen_role_column_is_the_only_one() {
        let options = ReadOptions {
            role_column: Some("Team".to_owned()),
            ..Default::default()
        };
        let meant = meanings(&["email", "team", "roles"], &options);
        assert_eq!(meant, [Column::Email, Column::Roles, Column::Extra]);
    }

    #[test]
    fn strict_reading_rejects_other_columns() {
        let options = ReadOptions {
            strict: true,
            ..Default::default()
        };
        let wrong = checked(&["email", "Department"], &options);
        assert_eq!(
            wrong,
            ["unknown column \"Department\", which --strict does not ignore"]
        );
    }
}
