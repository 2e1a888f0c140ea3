//! The watch: notices by itself when a working seat is not heard of, when its wall clock is off, when it cannot confirm its lock,
//! and when the server itself was away, and proposes it to people as a finding (F-24, F-42). Never touches a seat, a clock or an
//! answer, and never says why it happened.

use crate::reception::{Heard, Reception};
use exam_protocol::{
    code::SeatState,
    ids::{SittingId, StationId},
    incident::FindingKind,
    message::candidate::AttemptId,
    time::{SiteMs, seconds},
};
use exam_room::{
    Site,
    rules::finding::NoteFinding,
    state::{Stage, Stretch, Subject},
};
use std::{collections::BTreeMap, time::Duration};

/// F-33: a seat not heard of for so long is shown in yellow.
pub const CONTACT_YELLOW_MS: u64 = seconds(5);
/// F-33: in orange.
pub const CONTACT_ORANGE_MS: u64 = seconds(10);
/// F-33: in red; from here on it is a finding.
pub const CONTACT_RED_MS: u64 = seconds(15);
const _: () = assert!(CONTACT_YELLOW_MS < CONTACT_ORANGE_MS && CONTACT_ORANGE_MS < CONTACT_RED_MS);

/// F-42, F-51: a wall clock is a finding when it has been off in every beat for so long: beats that waited for a slow network
/// look like a clock that is behind, and a burst of them is over before (C-05).
pub const CLOCK_OFF_FOR_MS: u64 = CONTACT_ORANGE_MS;
/// F-24, F-42: a lock is a finding when it could not be confirmed for so long: standby, an update or another graphics mode take
/// it away for a moment on honest machines (C-05).
pub const LOCK_OPEN_FOR_MS: u64 = CONTACT_ORANGE_MS;

/// P12: less free space than this on the journal's disk is worth a warning, bytes.
pub const DISK_LOW_BYTES: u64 = 5 << 30;
/// How often the log says so again, in looks: every ten minutes.
const DISK_LOW_EVERY: u64 = 600;

/// How often the watch looks around: as often as seats say that they are alive.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A working seat as it stands.
#[derive(Clone, Debug)]
pub struct Seen {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: Option<AttemptId>,
    /// At which machine.
    pub station: StationId,
    /// What the machine last said in this process.
    pub heard: Option<Heard>,
}

impl Seen {
    fn subject(&self, kind: FindingKind) -> Subject {
        let (sitting, station) = (self.sitting.clone(), Some(self.station.clone()));
        Subject { kind, sitting, attempt: self.attempt, station }
    }

    /// Since when something has been wrong, and for how long that is nothing to speak of. No moment: nothing is wrong. Silence
    /// counts from `began`, the rest only while the candidate is at work.
    fn trouble(&self, began: SiteMs, at_work: SiteMs) -> [(FindingKind, Option<SiteMs>, u64); 3] {
        let heard = self.heard.as_ref();
        let heard_at = heard.map_or(began, |heard| heard.at.max(began));
        let clock = heard.and_then(|heard| heard.clock_off_since).map(|since| since.max(at_work));
        let lock = heard.and_then(|heard| heard.lock_open_since).map(|since| since.max(at_work));
        [
            (FindingKind::LostContact, Some(heard_at), CONTACT_RED_MS),
            (FindingKind::ClockOff, clock, CLOCK_OFF_FOR_MS),
            (FindingKind::LockdownNotVerified, lock, LOCK_OPEN_FOR_MS),
        ]
    }
}

/// What the watch remembers between two looks.
#[derive(Debug)]
pub struct Watch {
    since: SiteMs,
    /// Since when each seat has been seen at work without a break.
    at_work: BTreeMap<StationId, SiteMs>,
    open: BTreeMap<(StationId, FindingKind), (Subject, SiteMs)>,
}

impl Watch {
    /// Begins to watch; silence before this moment is the server's own.
    pub fn begin(since: SiteMs) -> Self {
        Self { since, at_work: BTreeMap::new(), open: BTreeMap::new() }
    }

    /// What is worth a proposal at `now`: something that has just become one, and what is over, with how long it lasted.
    pub fn look(&mut self, now: SiteMs, seats: &[Seen]) -> Vec<NoteFinding> {
        let mut notes = Vec::new();
        for seen in seats {
            let at_work = *self.at_work.entry(seen.station.clone()).or_insert(now);
            for (kind, since, patience_ms) in seen.trouble(self.since, at_work) {
                let key = (seen.station.clone(), kind);
                match (self.open.get(&key), since) {
                    (None, Some(from)) if now.since(from) > patience_ms => {
                        let subject = seen.subject(kind);
                        notes.push(note(&subject, from, now));
                        self.open.insert(key, (subject, from));
                    }
                    (Some((subject, from)), since) if since != Some(*from) => {
                        // Silence ends with the word that was heard; everything else by the time somebody looks.
                        let heard = since.filter(|_| kind == FindingKind::LostContact);
                        notes.push(note(subject, *from, heard.unwrap_or(now)));
                        self.open.remove(&key);
                    }
                    (None | Some(_), _) => {}
                }
            }
        }
        let here = |station: &StationId| seats.iter().any(|seen| seen.station == *station);
        self.open.retain(|(station, _), _| here(station));
        self.at_work.retain(|station, _| here(station));
        notes
    }
}

fn note(subject: &Subject, from: SiteMs, to: SiteMs) -> NoteFinding {
    NoteFinding { subject: subject.clone(), stretch: Stretch { from, to } }
}

/// Seats whose candidate is working at `now`.
pub fn working(site: &Site, now: SiteMs, heard: impl Fn(&StationId) -> Option<Heard>) -> Vec<Seen> {
    let running = site.sittings.values().filter(|sitting| matches!(sitting.stage, Stage::Running { .. }));
    let attempts = running.flat_map(|sitting| site.attempts_of(sitting.id()));
    let working = attempts.filter(|attempt| site.attempt_state(attempt, now) == SeatState::Working);
    let seen = working.map(|attempt| Seen {
        sitting: attempt.sitting.clone(),
        attempt: Some(attempt.id),
        station: attempt.station.clone(),
        heard: heard(&attempt.station),
    });
    seen.collect()
}

/// HB-27: the server was away from `from` to `to` while these sittings ran.
pub fn server_gaps(site: &Site, from: SiteMs, to: SiteMs) -> Vec<NoteFinding> {
    if to.since(from) <= CONTACT_RED_MS {
        return Vec::new();
    }
    let running = site.sittings.values().filter(|sitting| matches!(sitting.stage, Stage::Running { .. }));
    let subject = |sitting| Subject { kind: FindingKind::ServerGap, sitting, attempt: None, station: None };
    running.map(|sitting| note(&subject(sitting.id().clone()), from, to)).collect()
}

/// Watches until it is dropped.
pub async fn keep(reception: Reception, since: SiteMs) {
    let mut watch = Watch::begin(since);
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looks = 0_u64;
    loop {
        every.tick().await;
        if looks.is_multiple_of(DISK_LOW_EVERY) {
            let free_bytes = reception.disk_free();
            if free_bytes < DISK_LOW_BYTES {
                tracing::warn!(free_bytes, "less than 5 GiB are free: make room, or no answer will be acknowledged");
            }
        }
        looks += 1;
        let Ok((now, seats)) = reception.working_seats().await else { continue };
        for finding in watch.look(now, &seats) {
            let station = finding.subject.station.as_ref().map(ToString::to_string).unwrap_or_default();
            let kind = finding.subject.kind;
            tracing::warn!(sitting = %finding.subject.sitting, station, ?kind, "a working seat is worth a look");
            reception.note(finding).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(station: &str, heard_at: Option<u64>) -> Seen {
        let heard = heard_at.map(|at| Heard { at: SiteMs(at), ..Heard::default() });
        Seen { sitting: "t1".parse().unwrap(), attempt: None, station: station.parse().unwrap(), heard }
    }

    /// A seat heard of at `now`, with a trouble since then.
    fn troubled(kind: FindingKind, now: u64, since: Option<u64>) -> Seen {
        let mut heard = Heard { at: SiteMs(now), ..Heard::default() };
        match kind {
            FindingKind::ClockOff => heard.clock_off_since = since.map(SiteMs),
            _ => heard.lock_open_since = since.map(SiteMs),
        }
        Seen { heard: Some(heard), ..seen("m1", None) }
    }

    fn stretches(notes: &[NoteFinding]) -> Vec<(u64, u64)> {
        notes.iter().map(|note| (note.stretch.from.0, note.stretch.to.0)).collect()
    }

    #[test]
    fn a_seat_is_lost_after_fifteen_seconds_and_told_of_once_until_it_is_back() {
        let mut watch = Watch::begin(SiteMs(100_000));
        type Row<'a> = (u64, Option<u64>, &'a [(u64, u64)]);
        let rows: &[Row<'_>] = &[
            (115_000, None, &[]), // never heard of: silence counts from the server's start
            (115_001, None, &[(100_000, 115_001)]),
            (120_000, None, &[]),
            (131_000, Some(130_500), &[(100_000, 130_500)]), // back: the same stretch, with its end
            (145_500, Some(130_500), &[]),
            (145_501, Some(130_500), &[(130_500, 145_501)]),
            (146_000, Some(130_500), &[]),
        ];
        for (now, heard_at, wanted) in rows {
            let notes = watch.look(SiteMs(*now), &[seen("m1", *heard_at)]);
            assert_eq!(stretches(&notes), *wanted, "at {now}");
        }
    }

    #[test]
    fn a_seat_that_stops_working_is_forgotten_and_its_neighbour_is_not() {
        let mut watch = Watch::begin(SiteMs(0));
        assert_eq!(
            stretches(&watch.look(SiteMs(20_000), &[seen("m1", None), seen("m2", Some(19_000))])),
            [(0, 20_000)]
        );
        assert!(watch.look(SiteMs(21_000), &[seen("m2", Some(20_000))]).is_empty());
        assert_eq!(stretches(&watch.look(SiteMs(36_000), &[seen("m2", Some(20_000))])), [(20_000, 36_000)]);
    }

    #[test]
    fn what_was_wrong_before_the_candidate_was_at_work_counts_from_then_on() {
        let mut watch = Watch::begin(SiteMs(0));
        let look = |watch: &mut Watch, now| {
            stretches(&watch.look(SiteMs(now), &[troubled(FindingKind::LockdownNotVerified, now, Some(1_000))]))
        };
        assert_eq!(look(&mut watch, 60_000), []);
        assert_eq!(look(&mut watch, 70_000), []);
        assert_eq!(look(&mut watch, 70_001), [(60_000, 70_001)]);
        assert!(watch.look(SiteMs(71_000), &[]).is_empty(), "a pause");
        assert_eq!(look(&mut watch, 80_000), []);
        assert_eq!(look(&mut watch, 90_001), [(80_000, 90_001)]);
    }

    #[test]
    fn a_clock_or_a_lock_is_told_of_after_ten_seconds_once_and_when_it_is_over() {
        type Row<'a> = (u64, Option<u64>, &'a [(u64, u64)]);
        let rows: &[Row<'_>] = &[
            (20_000, None, &[]),
            (35_000, Some(25_000), &[]),
            (35_001, Some(25_000), &[(25_000, 35_001)]),
            (40_000, Some(25_000), &[]),
            (41_000, None, &[(25_000, 41_000)]),
            (42_000, None, &[]),
            (53_000, Some(43_000), &[]),
            (54_000, Some(53_500), &[]), // a short one, and another
            (64_000, Some(53_500), &[(53_500, 64_000)]),
        ];
        for kind in [FindingKind::ClockOff, FindingKind::LockdownNotVerified] {
            let mut watch = Watch::begin(SiteMs(0));
            for (now, since, wanted) in rows {
                let notes = watch.look(SiteMs(*now), &[troubled(kind, *now, *since)]);
                assert_eq!(stretches(&notes), *wanted, "{kind:?} at {now}");
                assert!(notes.iter().all(|note| note.subject.kind == kind));
            }
        }
    }
}
