//! `exam-server journal` on a real journal and on its copy, as a person calls it three weeks later.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../room/tests/script/mod.rs"]
mod script;

use exam_protocol::time::{Now, SiteMs, WallMs};
use exam_server::journal::{self, Journal};
use script::Script;
use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Output},
};

/// 2026-11-21 00:00:00 UTC.
const MIDNIGHT_MS: i64 = 1_795_219_200_000;

/// A morning: a start, a pause, a wall clock that is set forward by a day, time granted.
const DAY: &str = "
08:00:00  package 90m automatic
08:00:00  code AAA for 9 until 12:00:00
08:00:00  machine 1 enrols with AAA
08:00:00  machine 1 takes desk 1
08:30:00  door opens
08:31:00  seat 1 signs in
08:32:00  account chief chief
08:32:00  chief signs on
08:32:00  account see inspector
09:00:00  start
09:05:00  seat 1 saves q1/1 甲
09:10:00  pause 1 machine because 黑屏
09:20:00  resume 1
09:50:00  extend 1 5 by chief see
";

fn ms(time: &str) -> u64 {
    time.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap()) * 1000
}

fn write(dir: &Path) {
    let mut day = Script::default();
    for line in DAY.lines().filter(|line| !line.is_empty()) {
        let (time, act) = line.split_once(' ').unwrap();
        assert_eq!(day.play(ms(time), act.trim()), "ok", "{line}");
    }
    Journal::create(dir, &day.site.id).unwrap();
    let (mut journal, ..) = Journal::open(dir).unwrap();
    let wall = |at: SiteMs| MIDNIGHT_MS + at.0 as i64 + if at.0 > ms("09:15:00") { 86_400_000 } else { 0 };
    let facts: Vec<_> = day.facts.into_iter().map(|(now, f)| (Now { wall: WallMs(wall(now.at)), ..now }, f)).collect();
    journal.append(&facts).unwrap();
}

fn call(dir: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_exam-server"));
    command.env("TZ", "UTC").arg("--data").arg(dir).arg("journal").args(words).output().unwrap()
}

fn said(dir: &Path, words: &[&str]) -> String {
    let output = call(dir, words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn why_explains_a_seat_from_a_journal_in_use_and_from_its_copy() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(dir.path());
    let _server = Journal::open(dir.path()).unwrap(); // somebody else has it open
    journal::back_up(dir.path(), copy.path()).unwrap();
    for folder in [dir.path(), copy.path()] {
        let text = said(folder, &["why", "--sitting", "t1", "--seat", "1", "--at", "09:55"]);
        for sentence in [
            "考位 1：答题中。",
            "本考位停表 09:10:00 至 09:20:00，补回 0:10:00：设备故障，黑屏；张chief（主考）。",
            "09:50:00 为本考位延时 5 分钟：换机；张chief（主考） 与 张see（巡考员） 共同决定。",
            "10:45:00 结束，剩余 0:50:00",
            "服务器已存 1 题、1 个版本",
        ] {
            assert!(text.contains(sentence), "`{sentence}` is not said:\n{text}");
        }
    }
}

#[test]
fn a_moment_can_be_given_in_three_ways() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let left = |at: &str| {
        let text = said(dir.path(), &["--json", "why", "--sitting", "t1", "--seat", "1", "--at", at]);
        let told: Value = serde_json::from_str(&text).unwrap();
        (told["why"]["state"].clone(), told["why"]["left_ms"].as_u64().unwrap() / 1000, told["later_facts"].clone())
    };
    let paused = left("09:15:00");
    assert_eq!((paused.0.as_str(), paused.1), (Some("paused"), 80 * 60));
    let later = paused.2.as_array().map_or(0, Vec::len);
    assert!(later >= 2, "the facts that came later are named: {}", paused.2);
    assert_eq!(left("+15:00"), paused);
    assert_eq!(left(&ms("09:15:00").to_string()), paused);
}

#[test]
fn bad_input_gets_a_sentence_and_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let why = |sitting, seat, at| call(dir.path(), &["why", "--sitting", sitting, "--seat", seat, "--at", at]);
    for (output, code, text) in [
        (why("t9", "1", "09:00"), 4, "no sitting t9"),
        (why("t1", "77", "09:00"), 4, "no such room or seat"),
        (why("t1", "0", "09:00"), 2, "must be 1 to 999"),
        (why("t1", "1", "soon"), 3, "`soon` is no time"),
        (why("t1", "1", "25:00"), 3, "`25:00` is no time"),
        (call(dir.path(), &["show", "--kind", "clock"]), 3, "no kind of fact `clock`"),
        (call(&dir.path().join("nowhere"), &["show"]), 4, "no journal"),
    ] {
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), error.contains(text)), (Some(code), true), "{error}");
    }
}

#[test]
fn show_and_step_walk_the_facts_that_were_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let all = said(dir.path(), &["show"]).lines().count();
    let stopped = said(dir.path(), &["show", "--kind", "clock_stopped"]);
    assert_eq!(stopped.lines().count(), 1);
    assert!(stopped.contains("2026-11-21 09:10:00  clock_stopped  sitting:t1"), "{stopped}");
    assert_eq!(said(dir.path(), &["--json", "show", "--from", "3", "--to", "5"]).lines().count(), 3);
    assert!(said(dir.path(), &["show", "--sitting", "t1"]).lines().count() < all);
    let steps = said(dir.path(), &["step", "--sitting", "t1"]); // no terminal: it does not wait
    for change in ["场次 t1：考试中", "考位 1：答题中，10:30:00 结束", "考位 1：已暂停，剩余 1:20:00", "10:45:00 结束"]
    {
        assert!(steps.contains(change), "`{change}` is not shown:\n{steps}");
    }
}
