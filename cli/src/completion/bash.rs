//! Completion in bash, which splits a word at characters such as `=` and `@`.

use std::{ffi::OsString, io, path::Path};

use clap_complete::env::{self, EnvCompleter};

/// The completer of clap, asked for whole words: `--profile=k` and `ann@exam` are one word each.
pub(super) struct Bash;

/// Joins the words that bash split, asks, and takes from the answers what is before the part that bash replaces.
const WHOLE_WORDS: &str = r#"
_NAME_whole_words() {
    local rest=$COMP_LINE before="" index joined=() cword=0 blank previous=""
    for (( index = 0; index < ${#COMP_WORDS[@]}; index++ )); do
        local word=${COMP_WORDS[index]}
        blank=${rest%%[![:blank:]]*}
        rest=${rest#"$blank"}
        rest=${rest#"$word"}
        if [[ $index -gt 0 && -z $blank && ( $word =~ ^[=:@]+$ || $previous =~ ^[=:@]+$ ) ]]; then
            [[ $index -eq $COMP_CWORD ]] && before=${joined[${#joined[@]}-1]}
            joined[${#joined[@]}-1]+=$word
        else
            joined+=("$word")
        fi
        [[ $index -eq $COMP_CWORD ]] && cword=$(( ${#joined[@]} - 1 ))
        previous=$word
    done
    if [[ $2 == @* ]]; then
        # Bash replaces a host name together with its `@`.
        before=${before%@}
    elif [[ ${COMP_WORDS[COMP_CWORD]} =~ ^[=:@]+$ ]]; then
        before+=${COMP_WORDS[COMP_CWORD]}
    fi
    local current=$before$2
    local COMP_WORDS=("${joined[@]}") COMP_CWORD=$cword
    COMP_WORDS[COMP_CWORD]=$current
    _clap_complete_NAME "$1" "$current" "$3"
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
}
"#;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        env::Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        env::Bash.is(name)
    }

    fn write_registration(
        &self,
        var: &str,
        name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn io::Write,
    ) -> io::Result<()> {
        let mut script = Vec::new();
        env::Bash.write_registration(var, name, bin, completer, &mut script)?;
        let name = name.replace('-', "_");
        let script = String::from_utf8_lossy(&script).replace(
            &format!("-F _clap_complete_{name} "),
            &format!("-F _{name}_whole_words "),
        );
        writeln!(buf, "{}{script}", WHOLE_WORDS.replace("NAME", &name))
    }

    fn write_complete(
        &self,
        cmd: &mut clap::Command,
        args: Vec<OsString>,
        current_dir: Option<&Path>,
        buf: &mut dyn io::Write,
    ) -> io::Result<()> {
        env::Bash.write_complete(cmd, args, current_dir, buf)
    }
}
