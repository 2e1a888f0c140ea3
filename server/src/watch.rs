//! The watch: notices by itself when a working seat is not heard of, and when the server itself was away, and proposes it
//! to people as a finding (F-24, F-42). Never touches a seat, a clock or an answer, and never says why it happened.

use crate::reception::Reception;
use exam_protocol::{
    code::SeatState,
    ids::StationId,
    incident::FindingKind,
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

/// How often the watch looks around: as often as seats say that they are alive.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A working seat as it stands.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its machine and candidate.
    pub subject: Subject,
    /// When it was last heard of in this process.
    pub heard_at: Option<SiteMs>,
}

/// What the watch remembers between two looks.
#[derive(Debug)]
pub struct Watch {
    since: SiteMs,
    lost: BTreeMap<StationId, (Subject, SiteMs)>,
}

impl Watch {
    /// Begins to watch; silence before this moment is the server's own.
    pub fn begin(since: SiteMs) -> Self {
        Self { since, lost: BTreeMap::new() }
    }

    /// What is worth a proposal at `now`: a seat that has just been lost, and one that is back, with how long it was away.
    pub fn look(&mut self, now: SiteMs, seats: &[Seen]) -> Vec<NoteFinding> {
        let mut notes = Vec::new();
        for seen in seats {
            let Some(station) = &seen.subject.station else { continue };
            let heard_at = seen.heard_at.unwrap_or(self.since).max(self.since);
            match self.lost.get(station) {
                None if now.since(heard_at) > CONTACT_RED_MS => {
                    self.lost.insert(station.clone(), (seen.subject.clone(), heard_at));
                    notes.push(note(&seen.subject, heard_at, now));
                }
                Some((subject, from)) if heard_at > *from => {
                    notes.push(note(subject, *from, heard_at));
                    self.lost.remove(station);
                }
                None | Some(_) => {}
            }
        }
        let here = |station: &StationId| seats.iter().any(|seen| seen.subject.station.as_ref() == Some(station));
        self.lost.retain(|station, _| here(station));
        notes
    }
}

fn note(subject: &Subject, from: SiteMs, to: SiteMs) -> NoteFinding {
    NoteFinding { subject: subject.clone(), stretch: Stretch { from, to } }
}

/// Seats whose candidate is working at `now`.
pub fn working(site: &Site, now: SiteMs, heard_at: impl Fn(&StationId) -> Option<SiteMs>) -> Vec<Seen> {
    let running = site.sittings.values().filter(|sitting| matches!(sitting.stage, Stage::Running { .. }));
    let attempts = running.flat_map(|sitting| site.attempts_of(sitting.id()));
    let working = attempts.filter(|attempt| site.attempt_state(attempt, now) == SeatState::Working);
    let seen = working.map(|attempt| Seen {
        subject: Subject {
            kind: FindingKind::LostContact,
            sitting: attempt.sitting.clone(),
            attempt: Some(attempt.id),
            station: Some(attempt.station.clone()),
        },
        heard_at: heard_at(&attempt.station),
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
    loop {
        every.tick().await;
        let Ok((now, seats)) = reception.working_seats().await else { continue };
        for finding in watch.look(now, &seats) {
            let station = finding.subject.station.as_ref().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(sitting = %finding.subject.sitting, station, "a working seat was not heard of");
            reception.note(finding).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(station: &str, heard_at: Option<u64>) -> Seen {
        let station: StationId = station.parse().unwrap();
        let (sitting, kind) = ("t1".parse().unwrap(), FindingKind::LostContact);
        Seen {
            subject: Subject { kind, sitting, attempt: None, station: Some(station) },
            heard_at: heard_at.map(SiteMs),
        }
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
}
