//! Negative controls of the checkers themselves: the evidence of a sound day, doctored in one place each, and the checker that
//! must object. Every checker has one, or this fails.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use exam_protocol::{
    ids::Sha256,
    message::candidate::AttemptId,
    time::{SiteMs, minutes},
};
use exam_room::{
    Fact,
    rules::{extension::TimeGranted, leave::WentOut},
    state::{Authority, Target},
};
use exam_session::{Closed, Record};
use exam_sim::{
    check::{CHECKS, Evidence, check},
    model::Told,
    run::{Plan, run},
    script::{START_AT, Script, Step},
    server::Fall,
    site::{Site, account},
};
use std::sync::Arc;

const SEATS: usize = 3;

/// A day with everything in it that a checker looks at.
fn sound() -> Evidence {
    let at = |second: u64| START_AT + second * 1_000;
    let steps = vec![
        (at(20), Step::Leave { desk: 1, other: 2, ms: 10_000 }),
        (at(40), Step::Swap { desk: 0, spare: SEATS, cut_off_ms: 0 }),
        (at(60), Step::ServerFall { fall: Fall::Killed, in_operation: None, ms: 2_000 }),
        (at(80), Step::Extend { desk: None, minutes: 1 }),
    ];
    let script = Script { faulty: 0, server_slow_ms: 0, seat_slow_ms: 0, steps, heal_at: at(100) };
    let site = Arc::new(Site::found(SEATS).unwrap());
    let outcome = run(&site, &Plan { seed: 1, plant: None, script: Some(script) }).unwrap();
    assert_eq!(outcome.faults, [], "{}", outcome.story());
    outcome.evidence
}

fn index(evidence: &Evidence, wanted: impl Fn(&Fact) -> bool) -> usize {
    evidence.facts.iter().rposition(|told| wanted(&told.fact)).unwrap()
}

fn is_saved(fact: &Fact) -> bool {
    matches!(fact, Fact::AnswerSaved(_))
}

/// Puts a fact like the one at `place` after it.
fn insert(evidence: &mut Evidence, place: usize, fact: Fact) {
    let told = Told { fact, ..evidence.facts[place].clone() };
    evidence.facts.insert(place + 1, told);
}

type Doctor = fn(&mut Evidence);

const DOCTORED: &[(&str, Doctor)] = &[
    ("no acknowledged answer is lost", |e| {
        let place = index(e, is_saved);
        e.facts.remove(place);
    }),
    ("what a seat showed as kept on its own disk is kept", |e| {
        e.kept.on_seat.insert((1, "q9".parse().unwrap(), 1));
    }),
    ("an answer is applied once", |e| {
        let place = index(e, is_saved);
        let again = e.facts[place].fact.clone();
        insert(e, place, again);
    }),
    ("seats' journals and the server's agree", |e| {
        let records = e.journals.get_mut(&1).unwrap();
        let place = records.iter().position(|record| matches!(record, Record::Answered { .. })).unwrap();
        records.remove(place);
    }),
    ("the bundle is the journal", |e| drop(e.bundle.iter_mut().find_map(|record| record.versions.pop()).unwrap())),
    ("the bundle is the journal", |e| e.bundle[0].ends = Some(SiteMs(1))),
    ("exports are equal", |e| e.exports[1] = Sha256::of(b"another")),
    ("a candidate signs in once", |e| {
        let place = index(e, |fact| matches!(fact, Fact::SignedIn(_)));
        let again = e.facts[place].fact.clone();
        insert(e, place, again);
    }),
    ("one candidate is out at a time", |e| {
        let place = index(e, |fact| matches!(fact, Fact::WentOut(_)));
        let Fact::WentOut(out) = e.facts[place].fact.clone() else { panic!("a leave") };
        insert(e, place, WentOut { attempt: AttemptId(out.attempt.0 % 3 + 1), ..out }.into());
    }),
    ("a replaced machine is silent", |e| {
        let records = e.journals.get_mut(&SEATS).unwrap();
        records.retain(|record| !matches!(record, Record::Answered { .. }));
    }),
    ("nobody works past the end", |e| {
        let place = index(e, is_saved);
        if let Fact::AnswerSaved(saved) = &mut e.facts[place].fact {
            saved.made_at = saved.made_at.plus(minutes(60));
        }
    }),
    ("nobody works past the end", |e| {
        let last = e.kept.glances.last_mut().unwrap();
        (last.closed, last.settled) = (None, true);
    }),
    ("nobody is short of time", |e| {
        let place = index(e, |fact| matches!(fact, Fact::SittingEnded(_)));
        let authority = Authority::ChiefAndInspector { chief: account("chief"), inspector: account("inspector") };
        let Fact::SittingEnded(ended) = &e.facts[place].fact else { panic!("an end") };
        let granted = TimeGranted {
            sitting: ended.sitting.clone(),
            target: Target::Sitting,
            ms: minutes(5),
            reason: "…".into(),
            authority,
            code: None,
        };
        insert(e, place - 1, granted.into());
    }),
    ("nobody is short of time", |e| {
        let glance = e.kept.glances.iter_mut().find(|glance| glance.settled && glance.left_ms > Some(60_000)).unwrap();
        glance.closed = Some(Closed::TimeOver);
    }),
    ("seats show the right time", |e| {
        let glance = e.kept.glances.iter_mut().find(|glance| glance.settled && glance.left_ms > Some(60_000)).unwrap();
        glance.left_ms = glance.left_ms.map(|left| left + 2_500);
    }),
    ("the timeline never loses or gains time", |e| e.timeline[1].offset += 1_500),
    ("everything is synced five seconds after healing", |e| e.synced_after_ms = Some(5_001)),
    ("everything is synced five seconds after healing", |e| e.synced_after_ms = None),
];

#[test]
fn every_checker_objects_to_evidence_that_was_doctored() {
    let sound = sound();
    for (name, doctor) in DOCTORED {
        let mut evidence = sound.clone();
        doctor(&mut evidence);
        let faults = check(&evidence);
        assert!(faults.iter().any(|fault| fault.check == *name), "`{name}` did not object, but {faults:#?}");
    }
    for (name, _) in CHECKS {
        assert!(DOCTORED.iter().any(|(doctored, _)| doctored == name), "`{name}` has no negative control");
    }
}
