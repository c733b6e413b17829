//! Man pages.

use std::fs;

use crate::fixture::{home_environment, new_home, run};

#[tokio::test]
async fn every_command_has_a_man_page() {
    let none = home_environment(&new_home());
    let page = run(&["man"], &none).await;
    let main = &page.success().stdout;
    assert!(main.contains(".TH org-invitations 1"), "{main}");
    for section in ["NOTES", "\"EXIT STATUS\"", "EXAMPLES"] {
        assert!(
            main.contains(&format!(".SH {section}\n")),
            "{section}: {main}"
        );
    }
    let folder = new_home().join("man1");
    run(&["man", "--to", folder.to_str().unwrap()], &none)
        .await
        .success();
    let mut names = Vec::new();
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let page = fs::read_to_string(file.path()).unwrap();
        assert!(!page.contains("EXTRA"), "{name}: {page}");
        let groups = [
            "org-invitations-config.1",
            "org-invitations-members.1",
            "org-invitations-roles.1",
        ];
        let has_examples = page.contains(".SH EXAMPLES\n");
        let is_group = groups.contains(&name.as_str()) || name == "org-invitations-spec.1";
        assert!(has_examples || is_group, "{name}: {page}");
        names.push(name);
    }
    assert!(names.contains(&"org-invitations.1".to_owned()), "{names:?}");
    let nested = "org-invitations-spec-diff.1".to_owned();
    assert!(names.contains(&nested), "{names:?}");
    let help = names.iter().find(|name| name.contains("help"));
    assert_eq!(help, None);
}
