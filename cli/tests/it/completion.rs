//! Completion: the script of each shell is sourced in that shell, which is then asked. A shell that is not installed is
//! skipped.

use std::{collections::BTreeSet, path::Path, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::fixture::{BINARY, Fixture, Variables, home_environment, new_home, run};

/// A shell, and the program that completes `$LINE` by the script `$SCRIPT`.
struct Shell {
    name: &'static str,
    arguments: &'static [&'static str],
    program: &'static str,
}

const BASH: Shell = Shell {
    name: "bash",
    arguments: &["--norc", "-c"],
    program: r#"
        source "$SCRIPT"
        read -ra COMP_WORDS <<< "$LINE"
        [[ $LINE == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
        COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_TYPE=9
        asked=$(complete -p org-invitations)
        [[ $asked =~ -F\ ([^ ]+) ]]
        "${BASH_REMATCH[1]}" org-invitations "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#,
};

/// The line editor needs a terminal, which `zpty` gives it.
const ZSH: Shell = Shell {
    name: "zsh",
    arguments: &["-f", "-c"],
    program: r#"
        zmodload zsh/zpty
        zpty shell 'PS1= zsh -f -i'
        zpty -w shell 'autoload -Uz compinit; compinit -u -D; source $SCRIPT'
        # What is offered is printed, and not added to the line.
        zpty -w shell 'compadd() {
            if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
                builtin compadd "$@"
                return
            fi
            local -a offered
            builtin compadd -A offered "$@"
            print -rl -- "" $offered
        }
        finish() { print -r -- "<end>" }
        comppostfuncs=(finish)
        bindkey "^I" complete-word'
        zpty -w shell 'print -r "<re""ady>"'
        zpty -r shell seen '*<ready>*'
        zpty -w -n shell "$LINE"$'\t'
        zpty -r shell seen '*<end>*'
        print -r -- "$seen"
        zpty -d shell
    "#,
};

const FISH: Shell = Shell {
    name: "fish",
    arguments: &["--no-config", "-c"],
    program: "source $SCRIPT; complete --do-complete $LINE",
};

impl Shell {
    /// The values that the shell offers for a line; `None` if the shell is not installed.
    async fn offers(&self, line: &str, variables: &Variables) -> Option<BTreeSet<String>> {
        let script = run(&["completions", self.name], variables).await;
        let path = new_home().join("script");
        std::fs::write(&path, &script.success().stdout).unwrap();
        let folder = Path::new(BINARY).parent().unwrap().to_str().unwrap();
        let search = format!("{folder}:{}", variables["PATH"]);
        let shell = Command::new(self.name)
            .args(self.arguments)
            .arg(self.program)
            .env_clear()
            .envs(variables)
            .envs([("PATH", search.as_str()), ("LINE", line), ("TERM", "dumb")])
            .env("SCRIPT", &path)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let shell = tokio::time::timeout(Duration::from_secs(60), shell).await;
        let output = match shell.unwrap_or_else(|_| panic!("{} hangs: {line}", self.name)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                eprintln!("skipped: {} is not installed", self.name);
                return None;
            }
            output => output.unwrap(),
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(wrong, "", "{}: {said}", self.name);
        let values = said.lines().map(|line| line.split('\t').next().unwrap());
        Some(values.map(|value| value.trim().to_owned()).collect())
    }

    /// Checks what is among the values that are offered for a line.
    async fn expect(&self, line: &str, variables: &Variables, present: &[&str], absent: &[&str]) {
        let Some(offered) = self.offers(line, variables).await else {
            return;
        };
        for word in present {
            assert!(offered.contains(*word), "{} {line}: {offered:?}", self.name);
        }
        for word in absent {
            assert!(
                !offered.contains(*word),
                "{} {line}: {offered:?}",
                self.name
            );
        }
    }

    async fn completes_everything(&self) {
        let fixture = Fixture::start().await;
        let mut variables = fixture.variables();
        fixture.config(
            "[profiles.kafka]\nprovider = \"confluent\"\n[profiles.warehouse]\nprovider = \"clickhouse\"\n",
        );
        let ids = fixture.invite("confluent", &["ann@example.com"]).await;
        for (line, present, absent) in [
            ("org-invitations li", &["list"][..], &["create"][..]),
            ("org-invitations spec ", &["diff", "check"], &["list"]),
            (
                "org-invitations list --exp",
                &["--expired", "--expiring-within"],
                &["--email"],
            ),
            ("org-invitations -p cl", &["clickhouse"], &["confluent"]),
            (
                "org-invitations --profile ",
                &["kafka", "warehouse"],
                &["confluent"],
            ),
            (
                "org-invitations list --profile k",
                &["kafka"],
                &["warehouse"],
            ),
            (
                "org-invitations list --status ",
                &["sent", "expired"],
                &["local"],
            ),
            ("org-invitations copy --from ", &["kafka", "confluent"], &[]),
            (
                "org-invitations -p confluent get i",
                &[ids[0].as_str()],
                &["ann@example.com"],
            ),
            (
                "org-invitations -p confluent delete a",
                &["ann@example.com"],
                &[],
            ),
        ] {
            self.expect(line, &variables, present, absent).await;
        }
        // No provider is known, or none answers.
        variables.insert(
            "CONFLUENT_CLOUD_ENDPOINT".to_owned(),
            "http://127.0.0.1:9".to_owned(),
        );
        for line in [
            "org-invitations get i",
            "org-invitations -p confluent get i",
        ] {
            self.expect(line, &variables, &[], &[ids[0].as_str()]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bash_completes_every_word() {
    BASH.completes_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn zsh_completes_every_word() {
    ZSH.completes_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fish_completes_every_word() {
    FISH.completes_everything().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn completion_offers_the_roles_of_the_organisation() {
    let fixture = Fixture::start().await;
    if !fixture.offers_role_ids().await {
        return;
    }
    let roles = fixture
        .run(&["-p", "clickhouse", "roles", "list", "-o", "jsonl"])
        .await;
    let names: Vec<String> = roles
        .lines()
        .iter()
        .map(|role| role["name"].to_string())
        .collect();
    let plain = names.iter().find(|name| !name.contains(' ')).unwrap();
    let line = "org-invitations -p clickhouse create ann@example.com --role ";
    let variables = fixture.variables();
    BASH.expect(line, &variables, &[plain.trim_matches('"')], &[])
        .await;
}

/// What a provider or a configuration file could make a shell run or split.
const ODD: [&str; 4] = [
    "odd`touch${IFS}ran`@example.com",
    "odd|touch${IFS}ran@example.com",
    "odd&id@example.com",
    "odd'x@example.com",
];

impl Shell {
    async fn offers_plain_words_only(&self) {
        let fixture = Fixture::start().await;
        fixture.config(
            "[profiles.odd-1]\nprovider = \"confluent\"\n[profiles.\"odd name\"]\nprovider = \"confluent\"\n\
             [profiles.\"odd;id\"]\nprovider = \"confluent\"\n",
        );
        let plain = "odd+hr@example.com";
        fixture
            .invite("confluent", &[&ODD[..], &[plain]].concat())
            .await;
        assert_eq!(fixture.sandbox.invitations().len(), ODD.len() + 1);
        let variables = fixture.variables();
        let line = "org-invitations -p confluent delete odd";
        let offered = self.offers(line, &variables).await;
        let plain = BTreeSet::from([plain.to_owned()]);
        assert!(offered.is_none_or(|offered| without_blanks(offered) == plain));
        let line = "org-invitations --profile odd";
        let offered = self.offers(line, &variables).await;
        let plain = BTreeSet::from(["odd-1".to_owned()]);
        assert!(offered.is_none_or(|offered| without_blanks(offered) == plain));
    }
}

/// The values that are more than what zsh prints for its terminal.
fn without_blanks(offered: BTreeSet<String>) -> BTreeSet<String> {
    let values = offered.into_iter();
    values.filter(|value| value.starts_with("odd")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bash_offers_plain_words_only() {
    BASH.offers_plain_words_only().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn zsh_offers_plain_words_only() {
    ZSH.offers_plain_words_only().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fish_offers_plain_words_only() {
    FISH.offers_plain_words_only().await;
}

/// Types in a bash with a terminal, which is what splits and inserts words.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bash_on_a_terminal_completes_and_runs_nothing() {
    let fixture = Fixture::start().await;
    fixture.config("[profiles.kafka]\nprovider = \"confluent\"\n");
    let people = [&ODD[..], &["ann@example.com"]].concat();
    fixture.invite("confluent", &people).await;
    assert_eq!(fixture.sandbox.invitations().len(), people.len());
    let variables = fixture.variables();
    let script = run(&["completions", "bash"], &variables).await;
    std::fs::write(fixture.home.join("script"), &script.success().stdout).unwrap();
    // What is typed is printed instead of run.
    let folder = fixture.home.join("bin");
    std::fs::create_dir(&folder).unwrap();
    let program = format!(
        "#!/bin/sh\nif [ -n \"$ORG_INVITATIONS_COMPLETE\" ]; then exec {BINARY} \"$@\"; fi\n\
         printf '<%s>' \"$@\"; echo '<end>'\n"
    );
    let path = folder.join("org-invitations");
    std::fs::write(&path, program).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = std::process::Command::new("bash");
    command
        .args(["--norc", "--noprofile", "-i"])
        .current_dir(&fixture.home)
        .env_clear()
        .envs(&variables)
        .env(
            "PATH",
            format!("{}:{}", folder.display(), variables["PATH"]),
        )
        .env("TERM", "dumb");
    let mut session = rexpect::session::spawn_command(command, Some(20_000)).unwrap();
    let ready = "PS1='>'; bind 'set enable-bracketed-paste off'; source ./script; echo re''ady";
    session.send_line(ready).unwrap();
    session.exp_string("ready\r\n").unwrap();
    for (typed, words) in [
        ("-p confluent delete odd\t", "<-p><confluent><delete><odd>"),
        (
            "-p confluent delete ann\t",
            "<-p><confluent><delete><ann@example.com>",
        ),
        (
            "-p confluent delete ann@ex\t",
            "<-p><confluent><delete><ann@example.com>",
        ),
        ("--profile=k\t list", "<--profile=kafka><list>"),
        ("list --profile=\t", "<list><--profile=kafka>"),
        ("--profile ka\t li\t", "<--profile><kafka><list>"),
    ] {
        session.send(&format!("org-invitations {typed}")).unwrap();
        session.send_line("").unwrap();
        let printed = session.exp_string("<end>").unwrap();
        assert!(printed.trim_end().ends_with(words), "{typed:?}: {printed}");
    }
    session.send_line("exit").unwrap();
    session.exp_eof().unwrap();
    assert!(!fixture.home.join("ran").exists());
}

/// A command may prompt, or take long.
#[tokio::test(flavor = "multi_thread")]
async fn completion_runs_no_command_for_a_secret() {
    let fixture = Fixture::start().await;
    let marker = fixture.home.join("ran");
    fixture.config(&format!(
        "[profiles.kafka]\nprovider = \"confluent\"\napi_key = \"k\"\nbase_url = \"{}\"\n\
         api_secret_command = \"touch {}; echo s\"\n",
        fixture.sandbox.url(),
        marker.display()
    ));
    let variables = fixture.empty_environment();
    let line = "org-invitations --profile kafka get ";
    BASH.expect(line, &variables, &[], &["i-1"]).await;
    assert!(!marker.exists());
    run(&["--profile", "kafka", "get", "i-1"], &variables).await;
    assert!(marker.exists());
}

#[tokio::test]
async fn every_shell_has_a_script() {
    let none = home_environment(&new_home());
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell], &none).await;
        let script = &script.success().stdout;
        assert!(
            script.contains("ORG_INVITATIONS_COMPLETE"),
            "{shell}: {script}"
        );
    }
}
