//! Nothing typed as a password is ever shown: the real program at a real terminal (`script` of util-linux makes one), typed at by
//! a test that waits for each prompt. No server runs: every command asks for its passwords before it calls.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use std::{
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
};

const FIRST: &str = "kingfisher-one";
const SECOND: &str = "kingfisher-two";

/// Runs a command line at a terminal and types each text after its prompt; everything the terminal has shown.
fn at_terminal(command: &str, typed: &[(&str, &str)]) -> String {
    let mut script = Command::new("script");
    let script = script.args(["-qec", command, "/dev/null"]).env_remove("EXAM_STAFF_PASSWORD");
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut seen) = (Vec::new(), 0);
    let text = |shown: &[u8]| String::from_utf8_lossy(shown).into_owned();
    for (prompt, words) in typed {
        while !text(&shown[seen..]).contains(prompt) {
            let mut bytes = [0; 256];
            let read = screen.read(&mut bytes).unwrap();
            assert_ne!(read, 0, "no {prompt:?} in {:?}", text(&shown));
            shown.extend_from_slice(&bytes[..read]);
        }
        seen = shown.len();
        writeln!(keys, "{words}").unwrap();
    }
    screen.read_to_end(&mut shown).unwrap();
    child.wait().unwrap();
    text(&shown)
}

fn exam_server(data: &Path, words: &str) -> String {
    format!("'{}' --data '{}' {words}", env!("CARGO_BIN_EXE_exam-server"), data.display())
}

fn site() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut init = Command::new(env!("CARGO_BIN_EXE_exam-server"));
    let made = init.args(["init", "--site", "考点", "--data"]).arg(dir.path().join("site")).output().unwrap();
    assert!(made.status.success());
    dir
}

#[test]
fn no_password_is_shown_while_it_is_typed() {
    let dir = site();
    let data = dir.path().join("site");
    let of = |account: &'static str| move |what: &str| format!("{what} of {account}: ");
    let (adm, help) = (of("adm")("password"), of("help")("password"));
    let two: [(&str, &str); 2] = [(&adm, FIRST), (&help, SECOND)];
    let (old, new) = (of("adm")("old password"), of("adm")("new password"));
    let own: [(&str, &str); 3] = [(&old, FIRST), (&new, SECOND), ("once more, new password of adm: ", SECOND)];
    for (words, typed) in [
        ("ready seal s1 --admin adm --staff help", &two[..]),
        ("time extend s1 --minutes 5 --reason x --approve adm --approve help", &two),
        ("staff sign-on adm", &two[..1]),
        ("staff add adm --name x --role chief", &two[..1]),
        ("staff password adm", &own),
        ("staff password adm --reset", &own[1..]),
    ] {
        let shown = at_terminal(&exam_server(&data, words), typed);
        assert!(shown.contains("no server is running"), "{words}: it got as far as the call: {shown:?}");
        for secret in [FIRST, SECOND] {
            assert!(!shown.contains(secret), "{words} shows a password: {shown:?}");
        }
    }
}

/// Pasted at once, the second line comes before its prompt.
#[test]
fn what_is_typed_ahead_of_its_prompt_is_not_shown_either() {
    let dir = site();
    let both = format!("{FIRST}\n{SECOND}");
    let words = "ready seal s1 --admin adm --staff help";
    let shown = at_terminal(&exam_server(&dir.path().join("site"), words), &[("password of adm: ", &both)]);
    assert!(shown.contains("no server is running"), "{shown:?}");
    assert!(!shown.contains(FIRST) && !shown.contains(SECOND), "{shown:?}");
}

/// The check itself must be able to fail: this terminal does show what is typed where nobody hides it.
#[test]
fn a_terminal_shows_what_is_not_hidden() {
    let shown = at_terminal("echo ready; read line", &[("ready", FIRST)]);
    assert!(shown.contains(FIRST), "{shown:?}");
}

#[test]
fn two_new_passwords_that_differ_change_nothing() {
    let dir = site();
    let typed = [("new password of adm: ", FIRST), ("once more, new password of adm: ", SECOND)];
    let shown = at_terminal(&exam_server(&dir.path().join("site"), "staff password adm --reset"), &typed);
    assert!(shown.contains("两次输入不一致") && !shown.contains("no server is running"), "{shown:?}");
}

#[test]
fn where_nobody_sits_at_a_terminal_passwords_come_from_standard_input() {
    let dir = site();
    let run = |words: &[&str], input: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_exam-server"));
        command.args(words).arg("--data").arg(dir.path().join("site")).env_remove("EXAM_STAFF_PASSWORD");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let out = child.wait_with_output().unwrap();
        assert!(out.stdout.is_empty(), "nothing asks where nobody can answer");
        out.status.code()
    };
    let (change, seal) = (["staff", "password", "adm"], ["ready", "seal", "s1", "--admin", "adm", "--staff", "help"]);
    assert_eq!(run(&change, "old\nnew password\n"), Some(7), "both were read; only the server is missing");
    assert_eq!(run(&change, "old\n"), Some(2), "the new one is missing");
    assert_eq!(run(&seal, "one\r\ntwo"), Some(7));
    assert_eq!(run(&seal, "one\n"), Some(2));
    assert_eq!(run(&["staff", "password", "adm", "--reset"], "new password\n"), Some(7));
    assert_eq!(run(&["staff", "password", "adm", "--reset"], &"x".repeat(10_000)), Some(2), "a line has an end");
}
