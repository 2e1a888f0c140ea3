//! P9: every message × every role × every phase of a sitting, over the real wire, against `tests/tables/messages.txt` and the
//! rules' own `authority.txt`, which an examiner can read. A refusal is an answer by name: it leaves no fact, and the
//! connection goes on. A message without a row fails.
//!
//! Outcomes written as `?` are filled in with `UPDATE_TABLES=1`, for people to judge; one that differs has to be changed by
//! hand, so that nobody changes the wire by accident.

#![allow(clippy::unwrap_used, reason = "a test may panic, in its fixtures too")]

mod hostile;
mod questions;
mod site;
mod table;

use exam_link::Link;
use exam_protocol::{
    code::Phase,
    staff::StaffRole,
    tag::{Down, Up},
};
use questions::{Question, questions};
use site::{PHASES, Prepared, Speaker};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use table::{ANSWERED, Authority, Row, Table};

/// What a speaker hears, as the table writes it.
async fn heard(link: &Link, question: Up) -> String {
    match link.request(question).await {
        Ok(Down::Refused(no)) => code(&no.refusal),
        Ok(Down::Failed(failed)) => format!("failed_{}", code(&failed.error)),
        Ok(_) => ANSWERED.to_owned(),
        Err(error) => format!("connection lost: {error}"),
    }
}

fn code(of: &impl serde::Serialize) -> String {
    match serde_json::to_value(of).unwrap() {
        serde_json::Value::String(code) => code,
        serde_json::Value::Object(map) => map.keys().next().unwrap().clone(),
        other => panic!("a code is a word, not {other}"),
    }
}

/// What has to be heard: the machine's role first, then the person, then the phase.
fn expected(row: &Row, authority: &Authority, speaker: Speaker, phase: usize) -> String {
    if !row.roles.contains(&speaker.machine()) {
        return "role_may_not".to_owned();
    }
    let by_name = row.takes.ends_with('!');
    match (row.takes.trim_end_matches('!'), speaker.person()) {
        ("-", _) => {}
        (_, Some(_)) if by_name && speaker == Speaker::Admin(None) => return "nobody_signed_on".to_owned(),
        (_, None) => return "nobody_signed_on".to_owned(),
        ("somebody", Some(_)) => {}
        (act, Some(role)) if !authority.may(act, role) => return "not_your_act".to_owned(),
        (_, Some(_)) => {}
    }
    row.outcomes[phase].clone()
}

/// Whether what is heard leaves something behind, so that the next one must not find it.
fn leaves_traces(outcome: &str) -> bool {
    matches!(outcome, ANSWERED | "unlock_code_mistyped")
}

/// Everything that is otherwise than the table says, in one phase.
async fn faults(
    prepared: Arc<Prepared>,
    phase: usize,
    table: Arc<Table>,
    wanted: Arc<Vec<Question>>,
) -> BTreeSet<String> {
    let authority = Authority::read();
    let mut faults = BTreeSet::new();
    let mut asked = 0;
    let served = prepared.serve(phase).await;
    let mut links = BTreeMap::new();
    for speaker in Speaker::all() {
        links.insert(speaker, served.link(&prepared, speaker).await);
    }
    let mut differs = |question: &Question, speaker: Speaker, expected: &str, heard: &str| {
        if expected != heard {
            let phase = code(&PHASES[phase]);
            faults.insert(format!("{} by {speaker} while {phase}: {heard}, not {expected}", question.name));
        }
    };
    let before = served.kinds();
    for question in wanted.iter() {
        for speaker in Speaker::all() {
            let Some(row) = table.row(question.name, speaker) else { continue };
            let expected = expected(row, &authority, speaker, phase);
            if !leaves_traces(&expected) {
                asked += 1;
                differs(question, speaker, &expected, &heard(&links[&speaker], question.ask(&served)).await);
            }
        }
    }
    let by_itself = ["finding_noted", "finding_grew", "clocks_read"];
    let left: Vec<_> = served.kinds().split_off(before.len());
    let left: Vec<_> = left.into_iter().filter(|kind| !by_itself.contains(&kind.as_str())).collect();
    for (speaker, link) in &links {
        let goes_on = heard(link, questions::harmless(*speaker)).await;
        assert!(!goes_on.starts_with("connection"), "{speaker} lost its connection over a refusal");
    }
    drop(links);
    served.stop().await;
    for question in wanted.iter() {
        let all = Speaker::all().into_iter().filter_map(|speaker| Some((speaker, table.row(question.name, speaker)?)));
        let expected = all.map(|(speaker, row)| (speaker, row.again, expected(row, &authority, speaker, phase)));
        let mut fresh = None;
        for (speaker, again, expected) in expected.filter(|(_, _, expected)| leaves_traces(expected)) {
            let served = match fresh.take() {
                Some(served) if again => served,
                Some(served) => {
                    site::Served::stop(served).await;
                    prepared.serve(phase).await
                }
                None => prepared.serve(phase).await,
            };
            asked += 1;
            let link = served.link(&prepared, speaker).await;
            differs(question, speaker, &expected, &heard(&link, question.ask(&served)).await);
            fresh = Some(served);
        }
        if let Some(served) = fresh {
            served.stop().await;
        }
    }
    if !left.is_empty() {
        faults.insert(format!("refusals while {} left facts: {left:?}", code(&PHASES[phase])));
    }
    assert!(asked > 0, "nothing was asked");
    faults
}

async fn everywhere(table: Table, wanted: Vec<Question>, phases: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
    let (prepared, table, wanted) = (Arc::new(Prepared::new().await), Arc::new(table), Arc::new(wanted));
    let mut all = tokio::task::JoinSet::new();
    for phase in phases {
        all.spawn(faults(prepared.clone(), phase, table.clone(), wanted.clone()));
    }
    all.join_all().await.into_iter().flatten().collect()
}

/// Messages of the registry without a question or a row, and the other way round.
fn unmatched(table: &Table, wanted: &[Question]) -> Vec<String> {
    let message = |name: &str| name.split([' ', '@']).next().unwrap_or_default().to_owned();
    let asked: BTreeSet<String> = wanted.iter().map(|question| message(question.name)).collect();
    let mut missing: Vec<String> = Vec::new();
    let unasked = Up::TAGS.iter().filter(|(_, name)| !asked.contains(*name));
    missing.extend(unasked.map(|(_, name)| format!("{name} has no question")));
    let rowless = wanted.iter().filter(|question| !table.rows.iter().any(|row| row.name == question.name));
    missing.extend(rowless.map(|question| format!("{} has no row", question.name)));
    let idle = table.rows.iter().filter(|row| !wanted.iter().any(|question| question.name == row.name));
    missing.extend(idle.map(|row| format!("row {} asks nothing", row.name)));
    missing
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_by_every_role_in_every_phase_is_answered_as_the_table_says() {
    let wanted = questions();
    if std::env::var("UPDATE_TABLES").is_ok_and(|v| v == "1") {
        fill_in(&wanted).await;
    }
    let table = Table::read();
    assert_eq!(unmatched(&table, &wanted), Vec::<String>::new());
    let faults = everywhere(table, wanted, 0..PHASES.len()).await;
    assert!(faults.is_empty(), "{} cells differ:\n{}", faults.len(), faults.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_question_is_the_message_its_row_names_and_a_missing_row_is_found() {
    let (mut table, wanted) = (Table::read(), questions());
    for question in &wanted {
        let name = question.name.split(' ').next().unwrap();
        assert_eq!(question.sample().name(), name, "{}", question.name);
    }
    for row in &table.rows {
        let takes = row.takes.trim_end_matches('!');
        assert!(matches!(takes, "-" | "somebody") || Authority::read().knows(takes), "{}: no act {takes}", row.name);
    }
    table.rows.retain(|row| row.name != "StartSitting");
    assert_eq!(unmatched(&table, &wanted), ["StartSitting has no row"]);
    let fewer: Vec<_> = questions().into_iter().filter(|question| question.name != "VerifyJournal").collect();
    assert!(unmatched(&Table::read(), &fewer).contains(&"VerifyJournal has no question".to_owned()));
}

/// The negative control: each of these rows says something that is not so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doctored_row_is_found() {
    let running = PHASES.iter().position(|phase| *phase == Phase::Running).unwrap();
    type Doctor = fn(&mut Row);
    let doctored: [(&str, Doctor, usize); 5] = [
        ("Heartbeat", |row| row.roles.clear(), 1),
        ("VerifyJournal", |row| row.roles.push(exam_protocol::message::hello::Role::Console), 7),
        ("EndSitting", |row| row.takes = "visit".to_owned(), 7),
        ("AskStatus", |row| row.outcomes.fill("sitting_unknown".to_owned()), 14),
        ("StartSitting", |row| row.outcomes.fill("wrong_phase".to_owned()), 7),
    ];
    for (name, doctor, cells) in doctored {
        let mut table = Table::read();
        table.rows.retain(|row| row.name == name);
        table.rows.iter_mut().for_each(doctor);
        let wanted = questions().into_iter().filter(|question| question.name == name).collect();
        let found = everywhere(table, wanted, [running]).await;
        let own = found.iter().filter(|fault| fault.starts_with(name)).count();
        assert!(own >= cells.min(5), "{name}: a wrong row must be found, not {found:?}");
    }
}

/// Writes what one speaker who may hears, where the table does not say yet.
async fn fill_in(wanted: &[Question]) {
    let mut table = Table::read();
    let (prepared, authority) = (Prepared::new().await, Authority::read());
    for question in wanted {
        for phase in 0..PHASES.len() {
            for row in table.rows.iter_mut().filter(|row| row.name == question.name && row.outcomes[phase] == "?") {
                let asks = |speaker: &Speaker| {
                    let here = row.only.is_none_or(|only| only == speaker.machine());
                    let may = match (row.takes.trim_end_matches('!'), speaker.person()) {
                        ("-", _) => true,
                        (_, None) => false,
                        ("somebody", _) => true,
                        (act, Some(role)) => role != StaffRole::Admin && authority.may(act, role),
                    };
                    here && row.roles.contains(&speaker.machine()) && may
                };
                let speaker =
                    Speaker::all().into_iter().find(asks).unwrap_or_else(|| panic!("{}: nobody may", row.name));
                let served = prepared.serve(phase).await;
                let link = served.link(&prepared, speaker).await;
                row.outcomes[phase] = heard(&link, question.ask(&served)).await;
                served.stop().await;
            }
        }
    }
    table.write();
}
