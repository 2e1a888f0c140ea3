//! What must be true, in a model small enough to be believed: who has how much time, who is out, who was moved. Built from
//! facts alone; ends are found by measuring worked time, not by the product's way of walking the clock.

use exam_protocol::{
    ids::{AdmissionNo, StationId},
    message::candidate::AttemptId,
    time::{Now, SiteMs, minutes},
};
use exam_room::{Fact, rules::ending::EndedBy, state::Target};
use std::collections::{BTreeMap, BTreeSet};

/// A fact with its place in the journal.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its number.
    pub seq: u64,
    /// When it was journalled.
    pub now: Now,
    /// What it says.
    pub fact: Fact,
}

/// A stretch of time that does not count.
#[derive(Clone, Debug)]
struct Stood {
    whose: Target,
    from: u64,
    to: Option<u64>,
}

/// The room, as far as the model cares.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// When the paper was released.
    pub started: Option<SiteMs>,
    /// When answering stopped for all, and whether the clock said so.
    pub ended: Option<(SiteMs, bool)>,
    /// Attempts by candidate.
    pub attempts: BTreeMap<AdmissionNo, AttemptId>,
    /// Where each attempt is.
    pub station: BTreeMap<AttemptId, StationId>,
    /// Machines each attempt was moved away from.
    pub fenced: BTreeMap<AttemptId, Vec<StationId>>,
    /// Who is out now.
    pub out: BTreeSet<AttemptId>,
    /// Who has handed in.
    pub handed_in: BTreeSet<AttemptId>,
    sitting_min: u32,
    stood: Vec<Stood>,
    granted: Vec<(Target, u64)>,
}

impl Model {
    /// Before anything has happened, for a sitting of so many minutes.
    pub fn new(sitting_min: u32) -> Self {
        Self { sitting_min, ..Self::default() }
    }

    /// Hears the next fact.
    pub fn hear(&mut self, told: &Told) {
        let at = told.now.at;
        match &told.fact {
            Fact::SittingStarted(_) => self.started = Some(at),
            Fact::SittingEnded(f) => self.ended = Some((at, f.by == EndedBy::Clock)),
            Fact::SignedIn(f) => {
                self.attempts.insert(f.admission_no.clone(), f.attempt);
                self.station.insert(f.attempt, f.station.clone());
            }
            Fact::MachineSwapped(f) => {
                self.fenced.entry(f.attempt).or_default().push(f.from.clone());
                self.station.insert(f.attempt, f.to.clone());
            }
            Fact::HandedIn(f) => {
                self.handed_in.insert(f.attempt);
            }
            Fact::WentOut(f) => {
                self.out.insert(f.attempt);
            }
            Fact::CameBack(f) => {
                self.out.remove(&f.attempt);
            }
            Fact::ClockStopped(f) => self.stood.push(Stood { whose: f.target.clone(), from: at.0, to: None }),
            Fact::ClockRan(f) => {
                let open = self.stood.iter_mut().filter(|stood| stood.to.is_none() && stood.whose == f.target);
                open.for_each(|stood| stood.to = Some(at.0));
            }
            Fact::StretchTakenOut(f) => {
                self.stood.push(Stood { whose: f.target.clone(), from: f.from.0, to: Some(f.to.0) });
            }
            Fact::TimeGranted(f) => self.granted.push((f.target.clone(), f.ms)),
            _ => {}
        }
    }

    /// When an attempt's time is up; none before the start and while its clock stands still.
    pub fn end(&self, attempt: AttemptId) -> Option<SiteMs> {
        let started = self.started?.0;
        let touches = |whose: &Target| match whose {
            Target::Sitting => true,
            Target::Attempt(one) => *one == attempt,
        };
        let granted: u64 = self.granted.iter().filter(|(whose, _)| touches(whose)).map(|(_, ms)| ms).sum();
        let total = minutes(u64::from(self.sitting_min)) + granted;
        let stood: Vec<_> = self.stood.iter().filter(|stood| touches(&stood.whose)).collect();
        let worked = |until: u64| {
            // Every moment once, however many stretches it lies in.
            let mut edges: Vec<u64> = stood.iter().flat_map(|s| [s.from, s.to.unwrap_or(until)]).collect();
            edges.extend([started, until]);
            edges.retain(|edge| (started..=until).contains(edge));
            edges.sort_unstable();
            let counts = |pair: &&[u64]| !stood.iter().any(|s| s.from <= pair[0] && pair[1] <= s.to.unwrap_or(until));
            edges.windows(2).filter(counts).map(|pair| pair[1] - pair[0]).sum::<u64>()
        };
        let stopped: u64 = stood.iter().filter_map(|s| Some(s.to?.saturating_sub(s.from))).sum();
        let (mut low, mut high) = (started, started + total + stopped);
        if worked(high) < total {
            return None;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if worked(middle) >= total { high = middle } else { low = middle + 1 }
        }
        Some(SiteMs(low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(stood: &[(u64, Option<u64>)], granted_ms: u64) -> Option<u64> {
        let mut model = Model::new(1);
        model.started = Some(SiteMs(1_000));
        model.stood = stood.iter().map(|(from, to)| Stood { whose: Target::Sitting, from: *from, to: *to }).collect();
        model.granted.push((Target::Attempt(AttemptId(1)), granted_ms));
        model.end(AttemptId(1)).map(|end| end.0)
    }

    #[test]
    fn worked_time_is_measured_once_however_stretches_lie() {
        assert_eq!(model(&[], 0), Some(61_000));
        assert_eq!(model(&[], 5_000), Some(66_000));
        assert_eq!(model(&[(2_000, Some(3_000))], 0), Some(62_000));
        assert_eq!(model(&[(2_000, Some(5_000)), (4_000, Some(6_000))], 0), Some(65_000));
        assert_eq!(model(&[(2_000, Some(8_000)), (3_000, Some(4_000))], 0), Some(67_000));
        assert_eq!(model(&[(60_000, None)], 0), None, "the clock stands still");
        assert_eq!(model(&[(61_000, Some(70_000))], 0), Some(61_000), "the time was up");
    }
}
