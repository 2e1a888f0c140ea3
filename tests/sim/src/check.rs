//! The checkers: each looks at the evidence of a run and says what is wrong. Pure: none asks the server anything, so each can
//! be shown evidence that was tampered with, and must then object.

use crate::{
    chronicle::Kept,
    model::{Model, Told},
    site::{SITTING_MIN, admission_no},
};
use exam_protocol::{
    answer::Answer,
    ids::{ItemId, Sha256, StationId},
    message::candidate::AttemptId,
    time::SiteMs,
};
use exam_room::Fact;
use exam_sealed::bundle::AttemptRecord;
use exam_session::{Closed, Record};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// P6: how far off a seat's time may be, milliseconds.
const CLOCK_OFF_MS_MAX: u64 = 1_000;
/// P4: everything is synced so long after the network has healed, milliseconds.
pub const SYNCED_WITHIN_MS: u64 = 5_000;

/// The server's timeline, as it was from a moment of the run on.
#[derive(Clone, Copy, Debug)]
pub struct Timeline {
    /// From this millisecond of the run.
    pub from: u64,
    /// Site time is run time plus this.
    pub offset: i64,
    /// Whether a wrong wall clock may have cost the time the machine was off.
    pub doubtful: bool,
}

/// What is left of a run.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The journal.
    pub facts: Vec<Told>,
    /// What seats and staff saw.
    pub kept: Kept,
    /// Machines by desk.
    pub stations: Vec<StationId>,
    /// Seats' own journals by desk.
    pub journals: BTreeMap<usize, Vec<Record>>,
    /// Records of the bundle.
    pub bundle: Vec<AttemptRecord>,
    /// Content hashes of all exports.
    pub exports: Vec<Sha256>,
    /// The server's timeline.
    pub timeline: Vec<Timeline>,
    /// How long it took after the healing until everything was synced; none if it never was.
    pub synced_after_ms: Option<u64>,
    /// Machines that were not synced in time, in words.
    pub unsynced: Vec<String>,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Which checker found it.
    pub check: &'static str,
    /// What is wrong.
    pub what: String,
}

type Check = fn(&Evidence) -> Vec<String>;

/// All checkers by name.
pub const CHECKS: &[(&str, Check)] = &[
    ("no acknowledged answer is lost", acked_are_kept),
    ("what a seat showed as kept on its own disk is kept", on_seat_is_kept),
    ("an answer is applied once", applied_once),
    ("seats' journals and the server's agree", journals_agree),
    ("the bundle is the journal", bundle_agrees),
    ("exports are equal", exports_are_equal),
    ("a candidate signs in once", one_sign_in),
    ("one candidate is out at a time", one_leaver),
    ("a replaced machine is silent", fenced_are_silent),
    ("nobody works past the end", nobody_past_the_end),
    ("nobody is short of time", nobody_short),
    ("seats show the right time", clocks_agree),
    ("the timeline never loses or gains time", timeline_is_true),
    ("everything is synced five seconds after healing", synced_in_time),
];

/// What all checkers say.
pub fn check(evidence: &Evidence) -> Vec<Fault> {
    let found = |(name, check): &(&'static str, Check)| {
        let name = *name;
        check(evidence).into_iter().map(move |what| Fault { check: name, what }).collect::<Vec<_>>()
    };
    CHECKS.iter().flat_map(found).collect()
}

/// What one checker says.
pub fn check_only(evidence: &Evidence, name: &str) -> Vec<Fault> {
    let named = CHECKS.iter().filter(|(known, _)| *known == name);
    named.flat_map(|(name, check)| check(evidence).into_iter().map(|what| Fault { check: name, what })).collect()
}

type Versions = BTreeMap<(AttemptId, ItemId, u32), Answer>;

impl Evidence {
    fn model(&self) -> Model {
        let mut model = Model::new(SITTING_MIN);
        self.facts.iter().for_each(|told| model.hear(told));
        model
    }

    fn saved(&self) -> Versions {
        let saved = self.facts.iter().filter_map(|told| match &told.fact {
            Fact::AnswerSaved(f) => Some(((f.attempt, f.item.clone(), f.number), f.answer.clone())),
            _ => None,
        });
        saved.collect()
    }

    fn site_at(&self, at: u64) -> Option<SiteMs> {
        let line = self.timeline.iter().rfind(|line| line.from <= at)?;
        u64::try_from(at as i64 + line.offset).ok().map(SiteMs)
    }
}

fn acked_are_kept(evidence: &Evidence) -> Vec<String> {
    let (model, saved) = (evidence.model(), evidence.saved());
    let lost = evidence.kept.acked.iter().filter_map(|acked| {
        let words = || format!("desk {} at {} ms: {} version {}", acked.desk, acked.at, acked.item, acked.number);
        let Some(attempt) = model.attempts.get(&admission_no(acked.candidate)) else {
            return Some(format!("{}: the journal knows no attempt", words()));
        };
        match saved.get(&(*attempt, acked.item.clone(), acked.number)) {
            Some(answer) if *answer == acked.answer => None,
            Some(_) => Some(format!("{}: the journal has another answer", words())),
            None => Some(format!("{}: not in the journal", words())),
        }
    });
    lost.collect()
}

fn on_seat_is_kept(evidence: &Evidence) -> Vec<String> {
    let lost = evidence.kept.on_seat.iter().filter(|(desk, item, number)| {
        let Some(records) = evidence.journals.get(desk) else { return true };
        !made(records).made.contains_key(&(item.clone(), *number))
    });
    lost.map(|(desk, item, number)| format!("desk {desk}: {item} version {number}")).collect()
}

fn applied_once(evidence: &Evidence) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut twice = Vec::new();
    for told in &evidence.facts {
        if let Fact::AnswerSaved(f) = &told.fact
            && !seen.insert((f.attempt, f.item.clone(), f.number))
        {
            twice.push(format!("fact {}: {} version {} of attempt {}", told.seq, f.item, f.number, f.attempt.0));
        }
    }
    twice
}

/// What a seat made, and what of it the server refused.
#[derive(Default)]
struct Made {
    made: BTreeMap<(ItemId, u32), Answer>,
    refused: BTreeSet<(ItemId, u32)>,
}

fn made(records: &[Record]) -> Made {
    let Made { mut made, mut refused } = Made::default();
    for record in records {
        match record {
            Record::Answered { item, number, answer, .. } => {
                made.insert((item.clone(), *number), answer.clone());
            }
            Record::Refused { item, number, .. } => {
                refused.insert((item.clone(), *number));
            }
            _ => {}
        }
    }
    Made { made, refused }
}

fn attempt_of(records: &[Record]) -> Option<AttemptId> {
    records.iter().find_map(|record| match record {
        Record::Seen { view, .. } => view.attempt.as_ref().map(|attempt| attempt.attempt),
        _ => None,
    })
}

fn journals_agree(evidence: &Evidence) -> Vec<String> {
    let saved = evidence.saved();
    let mut wrong = Vec::new();
    let mut known: Versions = BTreeMap::new();
    for (desk, records) in &evidence.journals {
        let Some(attempt) = attempt_of(records) else { continue };
        let Made { made, refused } = made(records);
        for ((item, number), answer) in made {
            let key = (attempt, item.clone(), number);
            let on_server = saved.get(&key) == Some(&answer);
            if !on_server && !refused.contains(&(item.clone(), number)) {
                wrong.push(format!("desk {desk} has {item} version {number}, the server has not"));
            }
            if on_server {
                known.insert(key, answer);
            }
        }
    }
    let adopted: BTreeSet<_> = evidence.facts.iter().filter_map(adopted).collect();
    let troubled = evidence.journals.iter().filter(|(desk, _)| evidence.kept.disk_troubled.contains(desk));
    let excused: BTreeSet<_> = troubled.filter_map(|(_, records)| attempt_of(records)).collect();
    for (key, answer) in &saved {
        let excuse = excused.contains(&key.0) || adopted.contains(&(key.0, key.2));
        if known.get(key) != Some(answer) && !excuse {
            wrong.push(format!("the server has {} version {} of attempt {}, no seat has", key.1, key.2, key.0.0));
        }
    }
    wrong
}

fn adopted(told: &Told) -> Option<(AttemptId, u32)> {
    match &told.fact {
        Fact::OrphanSettled(f) => f.adopted.map(|number| (f.attempt, number)),
        _ => None,
    }
}

fn bundle_agrees(evidence: &Evidence) -> Vec<String> {
    let exported: Versions = evidence
        .bundle
        .iter()
        .filter_map(|record| Some((record.attempt?, record)))
        .flat_map(|(attempt, record)| {
            record.versions.iter().map(move |v| ((attempt, v.item.clone(), v.number), v.answer.clone()))
        })
        .collect();
    let (saved, model) = (evidence.saved(), evidence.model());
    let mut wrong = Vec::new();
    if exported != saved {
        wrong.push(format!("the bundle has {} versions, the journal {}, or they differ", exported.len(), saved.len()));
    }
    for record in &evidence.bundle {
        let expected = record.attempt.and_then(|attempt| {
            let natural = model.end(attempt);
            let cut = model.ended.map(|(at, _)| at);
            natural.map(|end| cut.map_or(end, |cut| end.min(cut))).or(cut)
        });
        if record.ends != expected {
            wrong.push(format!(
                "seat {}: the bundle says it ends at {:?}, the model {expected:?}",
                record.seat, record.ends
            ));
        }
    }
    wrong
}

fn exports_are_equal(evidence: &Evidence) -> Vec<String> {
    match evidence.exports.as_slice() {
        [first, rest @ ..] if !rest.is_empty() && rest.iter().all(|other| other == first) => Vec::new(),
        exports => vec![format!("{exports:?}")],
    }
}

fn one_sign_in(evidence: &Evidence) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let signed_in = evidence.facts.iter().filter_map(|told| match &told.fact {
        Fact::SignedIn(f) => Some((told.seq, f.seat, f.admission_no.clone())),
        _ => None,
    });
    signed_in
        .filter_map(|(seq, seat, no)| (!seen.insert(no)).then(|| format!("fact {seq}: seat {seat} again")))
        .collect()
}

fn one_leaver(evidence: &Evidence) -> Vec<String> {
    let mut model = Model::new(SITTING_MIN);
    let mut wrong = Vec::new();
    for told in &evidence.facts {
        model.hear(told);
        if model.out.len() > 1 {
            wrong.push(format!("fact {}: {} candidates are out", told.seq, model.out.len()));
        }
    }
    wrong
}

/// What is journalled after a swap must have been made at the new machine, or have been there before.
fn fenced_are_silent(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut model = Model::new(SITTING_MIN);
    let adopted: BTreeSet<_> = evidence.facts.iter().filter_map(adopted).collect();
    for told in &evidence.facts {
        model.hear(told);
        let Fact::AnswerSaved(f) = &told.fact else { continue };
        let (Some(station), true) = (model.station.get(&f.attempt), model.fenced.contains_key(&f.attempt)) else {
            continue;
        };
        let desk = evidence.stations.iter().position(|one| one == station);
        let Some((desk, records)) = desk.and_then(|desk| evidence.journals.get_key_value(&desk)) else { continue };
        if evidence.kept.disk_troubled.contains(desk) || adopted.contains(&(f.attempt, f.number)) {
            continue;
        }
        let Made { made, .. } = made(records);
        if made.get(&(f.item.clone(), f.number)) != Some(&f.answer) {
            wrong.push(format!("fact {}: {} version {} was not made at desk {desk}", told.seq, f.item, f.number));
        }
    }
    wrong
}

fn nobody_past_the_end(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut model = Model::new(SITTING_MIN);
    for told in &evidence.facts {
        model.hear(told);
        let Fact::AnswerSaved(f) = &told.fact else { continue };
        let stopped = model.ended.map(|(at, _)| at);
        let end = model.end(f.attempt).into_iter().chain(stopped).min();
        if end.is_some_and(|end| f.made_at > end) {
            wrong.push(format!("fact {}: {} was typed at {:?}, the end was {end:?}", told.seq, f.item, f.made_at));
        }
    }
    for glance in evidence.kept.glances.iter().filter(|glance| glance.closed.is_none() && glance.settled) {
        let (Some(now), Some(end)) = (evidence.site_at(glance.at), end_of(&model, glance.candidate)) else { continue };
        if now.0 > end.0 + CLOCK_OFF_MS_MAX {
            wrong.push(format!(
                "desk {} at {} ms: still open {} ms after the end",
                glance.desk,
                glance.at,
                now.since(end)
            ));
        }
    }
    wrong
}

fn end_of(model: &Model, candidate: usize) -> Option<SiteMs> {
    model.end(*model.attempts.get(&admission_no(candidate))?)
}

/// The model as it stood at each glance, oldest first.
fn at_glances<'a>(evidence: &'a Evidence, mut look: impl FnMut(&Model, &'a crate::chronicle::Glance, SiteMs)) {
    let mut model = Model::new(SITTING_MIN);
    let mut facts = evidence.facts.iter().peekable();
    for glance in &evidence.kept.glances {
        let Some(now) = evidence.site_at(glance.at) else { continue };
        while let Some(told) = facts.next_if(|told| told.now.at <= now) {
            model.hear(told);
        }
        look(&model, glance, now);
    }
}

fn nobody_short(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut model = Model::new(SITTING_MIN);
    for told in &evidence.facts {
        if let Fact::SittingEnded(_) = &told.fact {
            let open = model.attempts.values().filter(|attempt| !model.handed_in.contains(attempt));
            let late = open.filter(|attempt| model.end(**attempt).is_none_or(|end| end > told.now.at));
            wrong.extend(late.map(|attempt| format!("the sitting ended before attempt {} did", attempt.0)));
        }
        model.hear(told);
    }
    at_glances(evidence, |model, glance, now| {
        let Some(end) = end_of(model, glance.candidate) else { return };
        if glance.settled && glance.closed == Some(Closed::TimeOver) && now.0 + CLOCK_OFF_MS_MAX < end.0 {
            let early = end.since(now);
            wrong.push(format!("desk {} at {} ms: closed {early} ms before its end", glance.desk, glance.at));
        }
    });
    wrong
}

fn clocks_agree(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    at_glances(evidence, |model, glance, now| {
        let (Some(end), Some(left), true) = (end_of(model, glance.candidate), glance.left_ms, glance.settled) else {
            return;
        };
        let off = end.since(now).abs_diff(left);
        if off > CLOCK_OFF_MS_MAX && model.ended.is_none() {
            wrong.push(format!("desk {} at {} ms: {left} ms left, off by {off}", glance.desk, glance.at));
        }
    });
    wrong
}

fn timeline_is_true(evidence: &Evidence) -> Vec<String> {
    let pairs = evidence.timeline.windows(2);
    let moved = pairs.filter_map(|pair| {
        let by = pair[1].offset - pair[0].offset;
        let allowed = if pair[1].doubtful { by <= 0 } else { by.abs() <= CLOCK_OFF_MS_MAX as i64 };
        (!allowed).then(|| format!("at {} ms the timeline moved by {by} ms", pair[1].from))
    });
    moved.collect()
}

fn synced_in_time(evidence: &Evidence) -> Vec<String> {
    match evidence.synced_after_ms {
        Some(ms) if ms <= SYNCED_WITHIN_MS => Vec::new(),
        Some(ms) => vec![format!("after {ms} ms; late: {}", evidence.unsynced.join("; "))],
        None => vec![format!("never; waiting: {}", evidence.unsynced.join("; "))],
    }
}
