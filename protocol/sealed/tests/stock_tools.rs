//! Stock `age`, `minisign`, `unzip` and `sha256sum` open and verify what this crate wrote (DESIGN §10). Where a tool is
//! missing the test says so; the project's test runner installs them.

#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

mod sample;

use exam_sealed::{bundle, package};
use sample::*;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

fn missing(tools: &[&str]) -> bool {
    let lacks =
        |tool: &&&str| Command::new(tool).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err();
    let gone: Vec<_> = tools.iter().filter(lacks).collect();
    if !gone.is_empty() {
        println!("skipped: {gone:?} not installed");
    }
    !gone.is_empty()
}

fn run(dir: &Path, line: &[&str]) {
    let out = Command::new(line[0]).args(&line[1..]).current_dir(dir).stdin(Stdio::null()).output().unwrap();
    assert!(
        out.status.success(),
        "{line:?}: {}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

#[test]
fn stock_tools_open_and_verify_a_bundle() {
    if missing(&["age", "unzip", "sha256sum", "minisign"]) {
        return;
    }
    let (hq, site) = (keys(), keys());
    let public = site_public("site-1", &site);
    let zip = bundle::write(contents(&public), &site.signing.secret_file).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("bundle.age", &bundle::seal(&zip, &hq.sealing.recipient).unwrap());
    write("hq-age.key", hq.sealing.identity_file.as_bytes());
    write("site.pub", site.signing.public_file.as_bytes());
    run(dir.path(), &["age", "-d", "-i", "hq-age.key", "-o", "bundle.zip", "bundle.age"]);
    assert!(fs::read(dir.path().join("bundle.zip")).unwrap() == zip);
    run(dir.path(), &["unzip", "-q", "bundle.zip", "-d", "opened"]);
    let opened = dir.path().join("opened");
    run(&opened, &["sha256sum", "-c", "--strict", "SHA256SUMS"]);
    run(&opened, &["minisign", "-V", "-p", "../site.pub", "-m", "SHA256SUMS"]);

    // The control: stock tools notice a changed byte too.
    let journal = opened.join("journal.jsonl");
    let mut bytes = fs::read(&journal).unwrap();
    bytes[40] ^= 1;
    fs::write(&journal, bytes).unwrap();
    let check = Command::new("sha256sum").args(["-c", "SHA256SUMS"]).current_dir(&opened).output().unwrap();
    assert!(!check.status.success());
}

#[test]
fn stock_tools_check_a_package_and_sign_with_our_keys() {
    if missing(&["age", "unzip", "minisign"]) {
        return;
    }
    let (hq, site) = (keys(), keys());
    let built = package::build(package_input(&hq, &site_public("site-1", &site))).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("p.exam", &built.bytes);
    write("hq.pub", hq.signing.public_file.as_bytes());
    write("hq.key", hq.signing.secret_file.as_bytes());
    write("site-age.key", site.sealing.identity_file.as_bytes());
    run(dir.path(), &["unzip", "-q", "p.exam"]);
    run(dir.path(), &["minisign", "-V", "-p", "hq.pub", "-m", "manifest.json"]);
    run(dir.path(), &["age", "-d", "-i", "site-age.key", "-o", "roster.json", "roster.age"]);
    assert!(fs::read_to_string(dir.path().join("roster.json")).unwrap().contains("考生1"));
    run(dir.path(), &["age", "-d", "-i", "site-age.key", "-o", "key.age", "papers/p1.key.age"]);
    run(dir.path(), &["minisign", "-S", "-W", "-s", "hq.key", "-m", "roster.json"]);
    run(dir.path(), &["minisign", "-V", "-p", "hq.pub", "-m", "roster.json"]);
}
