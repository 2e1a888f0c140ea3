//! The real `exam-hq` from spreadsheets to a paper, and from opened bundles to the table of results.

#![allow(clippy::unwrap_used, reason = "a test may panic, and says where")]

mod bundles;
mod marks;
mod papers;
mod samples;

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Output},
};

/// Runs the program in `dir`.
fn hq<S: AsRef<OsStr>>(dir: &Path, args: &[S]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_exam-hq")).current_dir(dir).args(args).output().unwrap()
}

/// Runs it and expects success; the JSON it printed.
fn good<S: AsRef<OsStr>>(dir: &Path, args: &[S]) -> serde_json::Value {
    let output = hq(dir, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs it and expects this exit code; what it said on stderr.
fn bad<S: AsRef<OsStr>>(dir: &Path, exit: i32, args: &[S]) -> String {
    let output = hq(dir, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit), "{said}");
    said
}
