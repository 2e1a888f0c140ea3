//! The command line of `exam-server` as an administrator and a script meet it: exit codes, the one JSON object, and
//! nothing half done after a mistake. Never starts a server that goes on.

#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use serde_json::Value;
use std::{
    ffi::OsStr,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

fn exam_server<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exam-server"));
    command.args(args).stdin(Stdio::null()).env_remove("EXAM_SERVER_DATA").output().unwrap()
}

/// Runs `words` on `data` with `--json`; the exit code and the one object on stdout, which repeats the code of a failure.
fn asked(data: &Path, words: &[&str]) -> (i32, Value) {
    let mut args: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    args.extend(["--data".as_ref(), data.as_os_str(), "--json".as_ref()]);
    let out = exam_server(args);
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(!said.contains("panicked"), "{words:?}: {said}");
    let code = out.status.code().unwrap();
    let object: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{words:?}: {e}: {said}"));
    if code != 0 {
        assert_eq!(object["exit"], code, "{words:?}");
        assert!(object["error"].as_str().is_some_and(|text| !text.is_empty()), "{words:?}");
    }
    (code, object)
}

#[test]
fn a_misspelt_data_folder_is_named_and_never_made() {
    let dir = tempfile::tempdir().unwrap();
    let package = dir.path().join("a.exam");
    fs::write(&package, b"PK").unwrap();
    let (package, copy) = (package.to_str().unwrap(), dir.path().join("copy"));
    let misspelt = dir.path().join("misspelt");
    for words in [
        &["run", "--listen", "127.0.0.1:0"] as &[&str],
        &["status"],
        &["verify"],
        &["sitting", "list"],
        &["enrol-code", "--role", "station"],
        &["import", package],
        &["backup", "--out", copy.to_str().unwrap()],
        &["export", "--sitting", "s1", "--out", copy.to_str().unwrap()],
    ] {
        assert_eq!(asked(&misspelt, words).0, 4, "{words:?}");
        assert!(!misspelt.exists() && !copy.exists(), "{words:?} made a folder");
    }
}

#[test]
fn a_site_that_does_not_run_is_unreachable_and_still_verifies_and_backs_up() {
    let dir = tempfile::tempdir().unwrap();
    let (data, copy) = (dir.path().join("site"), dir.path().join("copy"));
    let backup = ["backup", "--out", copy.to_str().unwrap()];
    assert_eq!(asked(&data, &["init", "--site", "第一考点"]).0, 0);
    assert_eq!(asked(&data, &["init", "--site", "第一考点"]).0, 5, "a site is never overwritten");
    assert_eq!(asked(&data, &["status"]).0, 7);
    assert_eq!(asked(&data, &["verify"]).0, 0);
    assert_eq!(asked(&data, &backup).0, 0);
    assert_eq!(asked(&data, &backup).0, 5, "a backup never overwrites");
    assert_eq!(asked(&copy, &["verify"]).0, 0);
}

#[test]
fn nobody_stands_in_the_folder_that_becomes_a_site() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_exam-server"));
    let out = command.args(["init", "--site", "x", "--data", "."]).current_dir(dir.path()).output().unwrap();
    assert_eq!(out.status.code(), Some(5), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn only_a_public_key_of_hq_is_believed() {
    let dir = tempfile::tempdir().unwrap();
    let hq = exam_sealed::keys::generate_minisign().unwrap();
    let cases = [("hq.key", hq.secret_file.as_str(), 3), ("nonsense", "x", 3), ("hq.pub", &hq.public_file, 0)];
    let data = dir.path().join("site");
    for (name, text, code) in cases {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        let words = ["init", "--site", "考点", "--hq-key", path.to_str().unwrap()];
        assert_eq!(asked(&data, &words).0, code, "{name}");
        assert_eq!(data.exists(), code == 0, "{name}: a refused init leaves nothing");
    }
    let gone = dir.path().join("gone");
    assert_eq!(asked(&dir.path().join("other"), &["init", "--site", "x", "--hq-key", gone.to_str().unwrap()]).0, 4);
}

#[test]
fn wrong_usage_is_one_object_for_machines_and_ends_with_2() {
    let dir = tempfile::tempdir().unwrap();
    for words in [&["statsu"] as &[&str], &["status", "--foo"], &["sitting", "start", "../x", "--code", "y"], &["init"]]
    {
        assert_eq!(asked(dir.path(), words).0, 2, "{words:?}");
    }
    let people = exam_server(["statsu"]);
    assert!(people.stdout.is_empty() && !people.stderr.is_empty(), "without --json stdout stays empty");
    assert_eq!(exam_server(["--help"]).status.code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_nobody_could_read_is_a_failure_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("site");
    assert_eq!(asked(&data, &["init", "--site", "考点"]).0, 0);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_exam-server"));
    let out = command.args(["verify", "--data"]).arg(&data).stdout(full).output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("stdout") && !said.contains("panicked"), "{said}");
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure_and_no_noise() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("site");
    assert_eq!(asked(&data, &["init", "--site", "考点"]).0, 0);
    let cases = [(&["verify"] as &[&str], 0), (&["verify", "--json"], 0), (&["journal", "show"], 0), (&["--help"], 0)];
    for (words, code) in cases.into_iter().chain([(&["status", "--json"] as &[&str], 7)]) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_exam-server"));
        let out = command.args(words).arg("--data").arg(&data).stdout(writer).output().unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(code), "{words:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("stdout"), "{words:?}: {said}");
        assert!(code != 0 || said.is_empty(), "{words:?} says {said:?} to nobody");
    }
}
