//! A sitting held from a terminal alone, in a room that has to be sealed: people, seal, check-list, identity, hands, messages,
//! looking for a candidate, calling off. Never through a console: this is for the day when all of them are broken.

#![allow(clippy::unwrap_used, reason = "a test may panic, and says where")]

mod common;

use anyhow::Result;
use common::{DEADLINE, Small, founded};
use exam_e2e::{process::Finished, site::Sample};
use serde_json::Value;
use std::{fs, path::PathBuf};

const SEATS: u16 = 3;
const EXIT_NOT_FOUND: i32 = 4;
const EXIT_REFUSED: i32 = 5;
/// Looks at the readiness until every machine has reported; each look is a program that starts and ends.
const LOOKS_MAX: usize = 2_000;

const PEOPLE: [(&str, &str); 4] =
    [("chief", "chief"), ("admin-1", "admin"), ("helper", "staff"), ("proctor-1", "proctor")];

/// A room that must be sealed, its server running, its people appointed, the chief signed on.
fn room() -> Result<Small> {
    let (mut site, folder) = founded()?;
    site.write_sample(Sample { seats: SEATS, questions: 8, seed: 31 })?;
    let plan = fs::read_to_string(site.plan())?;
    let sealed = plan.replace("seal_required = false\n", "");
    assert_ne!(plan, sealed, "the sample's plan is another than this test knows");
    fs::write(site.plan(), sealed.replace("admission = \"automatic\"", "admission = \"proctor\""))?;
    site.import_paper(&site.bank(), "测试试卷")?;
    site.start_server()?;
    site.deliver_package()?;
    let sitting = site.sitting()?;
    let room = Small::new(site, sitting, folder);
    for (account, role) in PEOPLE {
        fs::write(password(&room, account), format!("secret-of-{account}\n"))?;
        let args = ["staff", "add", account, "--name", "某人", "--role", role];
        with_password(&room, &args, account)?.expect_code(0)?;
    }
    with_password(&room, &["staff", "sign-on", "chief"], "chief")?.expect_code(0)?;
    Ok(room)
}

fn password(room: &Small, account: &str) -> PathBuf {
    room.site.folder().keys().join(format!("{account}.password"))
}

fn with_password(room: &Small, args: &[&str], account: &str) -> Result<Finished> {
    let file = password(room, account);
    let mut all: Vec<_> = args.iter().map(std::ffi::OsStr::new).collect();
    all.extend(["--password-file".as_ref(), file.as_os_str()]);
    room.site.server(all)
}

fn ask(room: &Small, args: &[&str]) -> Result<Value> {
    room.site.server(args)?.expect_code(0)?.json()
}

fn refused(room: &Small, args: &[&str]) -> Result<()> {
    room.site.server(args)?.expect_code(EXIT_REFUSED)?;
    Ok(())
}

/// What the seal still lacks: check and desk.
fn missing(room: &Small) -> Result<Vec<(String, Option<u64>)>> {
    let shown = ask(room, &["ready", "show", &room.sitting])?;
    let lacks = |check: &&Value| check["standing"] == "missing";
    let named = |check: &Value| (check["check"].as_str().unwrap().to_owned(), check["seat"].as_u64());
    Ok(shown["seal"]["checks"].as_array().unwrap().iter().filter(lacks).map(named).collect())
}

/// Every machine has said how it stands; what is left is for people to look at.
fn machines_have_reported(room: &Small) -> Result<()> {
    for _ in 0..LOOKS_MAX {
        let measured = ["no_outside_network", "no_foreign_programs", "clock_right", "disk_free"];
        if !missing(room)?.iter().any(|(check, _)| measured.contains(&check.as_str())) {
            return Ok(());
        }
    }
    anyhow::bail!("the machines did not report: {:?}", missing(room)?)
}

fn seal(room: &Small) -> Result<()> {
    for (check, seat) in missing(room)? {
        let seat = seat.map(|seat| seat.to_string());
        let mut args = vec!["ready", "confirm", &room.sitting, &check, "--note", "已查看"];
        if let Some(seat) = &seat {
            args.extend(["--seat", seat]);
        }
        ask(room, &args)?;
    }
    let files = ["admin-1", "helper"].map(|account| password(room, account));
    let mut args: Vec<_> =
        ["ready", "seal", &room.sitting, "--admin", "admin-1", "--staff", "helper"].map(std::ffi::OsStr::new).to_vec();
    files.iter().for_each(|file| args.extend(["--password-file".as_ref(), file.as_os_str()]));
    room.site.server(args)?.expect_code(0)?;
    Ok(())
}

#[test]
fn a_sealed_room_is_run_from_a_terminal_to_the_bundle() -> Result<()> {
    let mut room = room()?;
    let sitting = room.sitting.clone();
    refused(&room, &["sitting", "admit-open", &sitting])?; // HB-11: not sealed
    let mut load = room.seats_waiting(SEATS)?;
    machines_have_reported(&room)?;
    seal(&room)?;
    ask(&room, &["sitting", "admit-open", &sitting])?;
    ask(&room, &["ready", "tick", &sitting, "rules_read"])?;
    refused(&room, &["ready", "tick", &sitting, "sealed"])?; // the system knows that by itself
    assert_eq!(load.wait_ready(DEADLINE)?, 0);

    ask(&room, &["attendance", "deny", "--sitting", &sitting, "--seat", "3", "--reason", "证件不符"])?;
    ask(&room, &["sitting", "admit", &sitting])?;
    let list = ask(&room, &["attendance", "list", &sitting])?;
    let denied = list["present"].as_array().unwrap().iter().filter(|one| one["state"] == "denied").count();
    assert_eq!(denied, 1, "admitting everybody admits nobody who was denied");
    ask(&room, &["sitting", "admit", &sitting, "--seats", "3"])?;
    let checked = ["--id-card", "--signed", "--ticket", "--label"];
    ask(&room, &[&["attendance", "check", "--sitting", &sitting, "--seat", "1"], &checked[..]].concat())?;

    let code = room.site.unlock_code(&sitting)?;
    room.site.start_sitting(&sitting, &code)?.expect_code(0)?;
    let found = ask(&room, &["find", list["present"][0]["admission_no"].as_str().unwrap()])?;
    assert!(found.to_string().contains(&sitting), "{found}");
    room.site.server(["find", "查无此人"])?.expect_code(EXIT_NOT_FOUND)?;
    ask(&room, &["message", "send", "--sitting", &sitting, "--canned", "quiet-please"])?;
    ask(&room, &["hand", "list", &sitting])?;
    ask(&room, &["attendance", "consent", &sitting])?;
    ask(&room, &["time", "pause-all", "--cause", "environment", "--reason", "火警演习"])?;
    refused(&room, &["time", "pause-all", "--cause", "environment", "--reason", "火警演习"])?;
    ask(&room, &["time", "resume-all"])?;

    // HB-04: what a proctor may not do is refused by name
    with_password(&room, &["staff", "sign-on", "proctor-1"], "proctor-1")?.expect_code(0)?;
    refused(&room, &["sitting", "end", &sitting, "--yes"])?;
    with_password(&room, &["staff", "sign-on", "chief"], "chief")?.expect_code(0)?;

    load.wait_synced(DEADLINE, |_| {})?;
    ask(&room, &["sitting", "end", &sitting, "--yes"])?;
    load.wait_figures(DEADLINE)?;
    let bundle = room.site.export(&sitting, &room.site.folder().bundle())?;
    room.site.verify_bundle(&bundle)?.expect_code(0)?;
    let record = ask(&room, &["record", "--sitting", &sitting])?;
    let kinds: Vec<&str> =
        record["entries"].as_array().unwrap().iter().filter_map(|one| one["kind"].as_str()).collect();
    for kind in ["封场", "入场", "开考", "暂停", "恢复", "结束"] {
        assert!(kinds.contains(&kind), "the record lacks {kind}: {kinds:?}");
    }
    room.site.stop_server()
}

#[test]
fn a_sitting_that_cannot_be_held_is_called_off_and_held_later() -> Result<()> {
    let mut room = room()?;
    let sitting = room.sitting.clone();
    let mut load = room.seats_waiting(SEATS)?;
    machines_have_reported(&room)?;
    seal(&room)?;
    ask(&room, &["sitting", "admit-open", &sitting])?;
    assert_eq!(load.wait_ready(DEADLINE)?, 0);
    ask(&room, &["time", "call-off", &sitting, "--reason", "停电"])?;
    let list = ask(&room, &["attendance", "list", &sitting])?;
    assert_eq!(list["present"].as_array().map(Vec::len), Some(0), "everybody is signed out");
    let open = ask(&room, &["incident", "list", "--sitting", &sitting])?;
    assert!(open["duties"].to_string().contains("report"), "HQ is to hear of it: {open}");
    refused(&room, &["time", "call-off", &sitting, "--reason", "停电"])?;
    ask(&room, &["sitting", "admit-open", &sitting])?;
    drop(load);
    room.site.stop_server()
}
