//! The clock stands still and runs again (HB-25, HB-27): for a seat or a sitting, always with who and why. A power cut that
//! was noticed late can be taken out afterwards. Never gives time without removing an interval that everybody can read.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::{
        numbers::{POWER_CUT_LIMIT_MS, REMOVE_BACK_MS},
        people::{REASON_CHARS_MAX, given},
        power_cut,
    },
    state::{PauseCause, Removed, Sitting, Target},
};
use exam_protocol::{
    code::{Phase, Refusal},
    ids::{SittingId, StationId},
    staff::Act,
    time::{Now, SiteMs, minutes},
};
use serde::{Deserialize, Serialize};

/// Stop the clock.
#[derive(Clone, Debug)]
pub struct StopClock {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub target: Target,
    /// Why.
    pub cause: PauseCause,
    /// In words.
    pub reason: String,
    /// Who stops it.
    pub by: StationId,
}

impl Wanted for StopClock {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, act(&self.target, Act::PauseSeat, Act::PauseSitting))?;
        given(&self.reason, REASON_CHARS_MAX)?;
        if site.paused(&self.sitting, &self.target).is_some() {
            return Err(Refusal::AlreadyPaused);
        }
        fits(site, &self.sitting, &self.target, Act::PauseSeat, Act::PauseSitting, now)?;
        let Self { sitting, target, cause, reason, .. } = self.clone();
        Ok(vec![ClockStopped { sitting, target, cause, reason, by }.into()])
    }
}

/// Let the clock run again.
#[derive(Clone, Debug)]
pub struct RunClock {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub target: Target,
    /// Who lets it run.
    pub by: StationId,
}

impl Wanted for RunClock {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, act(&self.target, Act::ResumeSeat, Act::ResumeSitting))?;
        site.sitting(&self.sitting)?;
        let stopped = site.paused(&self.sitting, &self.target).ok_or(Refusal::NotPaused)?;
        fits(site, &self.sitting, &self.target, Act::ResumeSeat, Act::ResumeSitting, now)?;
        if stopped.cause == PauseCause::PowerCut && now.at.since(stopped.from) > POWER_CUT_LIMIT_MS {
            return Err(Refusal::PowerCutTooLong { limit_minutes: (POWER_CUT_LIMIT_MS / minutes(1)) as u32 });
        }
        let Self { sitting, target, .. } = self.clone();
        Ok(vec![ClockRan { sitting, target, by }.into()])
    }
}

/// Stop the clock in every room at once: an alarm, a power cut of the whole building.
#[derive(Clone, Debug)]
pub struct StopEverywhere {
    /// Why.
    pub cause: PauseCause,
    /// In words.
    pub reason: String,
    /// Who stops it.
    pub by: StationId,
}

impl Wanted for StopEverywhere {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let (cause, reason, by) = (self.cause, &self.reason, &self.by);
        let stop = |sitting: &Sitting| {
            let (sitting, target) = (sitting.id().clone(), Target::Sitting);
            StopClock { sitting, target, cause, reason: reason.clone(), by: by.clone() }.decide(site, now)
        };
        everywhere(site, Phase::Running, stop)
    }
}

/// Let the clock run again in every room where it stands still; in all of them or in none.
#[derive(Clone, Debug)]
pub struct RunEverywhere {
    /// Who lets it run.
    pub by: StationId,
}

impl Wanted for RunEverywhere {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let run = |sitting: &Sitting| {
            RunClock { sitting: sitting.id().clone(), target: Target::Sitting, by: self.by.clone() }.decide(site, now)
        };
        everywhere(site, Phase::Paused, run)
    }
}

/// What follows for every sitting in this phase; a refusal when there is none, so that nobody believes something happened.
fn everywhere(
    site: &Site,
    phase: Phase,
    decide: impl Fn(&Sitting) -> Result<Vec<Fact>, Refusal>,
) -> Result<Vec<Fact>, Refusal> {
    let there: Vec<&Sitting> = site.sittings.values().filter(|sitting| sitting.phase() == phase).collect();
    if there.is_empty() {
        return Err(if phase == Phase::Paused { Refusal::NotPaused } else { Refusal::NothingRuns });
    }
    Ok(there.into_iter().map(decide).collect::<Result<Vec<_>, _>>()?.concat())
}

/// Take out a stretch that has passed: power was gone and so was the server.
#[derive(Clone, Debug)]
pub struct TakeOut {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub target: Target,
    /// First moment that does not count.
    pub from: SiteMs,
    /// First moment that counts again.
    pub to: SiteMs,
    /// Why.
    pub cause: PauseCause,
    /// In words.
    pub reason: String,
    /// Who decides.
    pub by: StationId,
}

impl Wanted for TakeOut {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::PauseSitting)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        let sitting = site.sitting(&self.sitting)?;
        fits(site, &self.sitting, &self.target, Act::Extend, Act::Extend, now)?;
        let started = sitting.started().ok_or(Refusal::WrongPhase { phase: sitting.phase() })?;
        let in_order = started <= self.from && self.from < self.to && self.to <= now.at;
        if !in_order || now.at.since(self.from) > REMOVE_BACK_MS {
            return Err(Refusal::IntervalImpossible);
        }
        if self.to.since(self.from) > POWER_CUT_LIMIT_MS {
            return Err(Refusal::PowerCutTooLong { limit_minutes: (POWER_CUT_LIMIT_MS / minutes(1)) as u32 });
        }
        let idle = idle_until(site, &self.sitting, &self.target, &self.reason, &by, now)?;
        let Self { sitting, target, from, to, cause, reason, .. } = self.clone();
        let taken_out = StretchTakenOut { sitting, target, from, to, cause, reason, by };
        Ok(idle.into_iter().chain([taken_out.into()]).collect())
    }
}

/// Candidates whose time was up before more was given: from their end until now they could not work, so it does not count.
///
/// # Errors
/// [`Refusal::SittingUnknown`].
pub(crate) fn idle_until(
    site: &Site,
    sitting: &SittingId,
    target: &Target,
    reason: &str,
    by: &Actor,
    now: Now,
) -> Result<Vec<Fact>, Refusal> {
    let sitting = site.sitting(sitting)?;
    let open = site.attempts_of(sitting.id()).filter(|attempt| target.touches(attempt.id) && attempt.is_open());
    let stopped = open.filter_map(|attempt| Some((attempt, site.ends(attempt).filter(|ends| *ends < now.at)?)));
    let idle = stopped.map(|(attempt, ends)| StretchTakenOut {
        sitting: sitting.id().clone(),
        target: Target::Attempt(attempt.id),
        from: ends,
        to: now.at,
        cause: PauseCause::TimeWasUp,
        reason: reason.to_owned(),
        by: by.clone(),
    });
    Ok(idle.map(Fact::from).collect())
}

/// The act depends on whose clock it is.
pub(crate) fn act(target: &Target, of_seat: Act, of_sitting: Act) -> Act {
    match target {
        Target::Attempt(_) => of_seat,
        Target::Sitting => of_sitting,
    }
}

/// Whether the act fits the sitting's phase and, for one candidate, the seat's state.
pub(crate) fn fits(
    site: &Site,
    id: &SittingId,
    target: &Target,
    of_seat: Act,
    of_sitting: Act,
    now: Now,
) -> Result<(), Refusal> {
    let sitting = site.sitting(id)?;
    site.fits_phase(sitting, act(target, of_seat, of_sitting))?;
    match target {
        Target::Sitting => Ok(()),
        Target::Attempt(attempt) => {
            let attempt = site.attempts.get(attempt).filter(|a| a.sitting == *id).ok_or(Refusal::AttemptUnknown)?;
            site.fits_seat(attempt, of_seat, now.at)
        }
    }
}

/// Who hears of a change of time: one seat or all of the sitting.
pub(crate) fn hear(site: &Site, sitting: &SittingId, target: &Target) -> Vec<Tell> {
    match target {
        Target::Attempt(attempt) => site.seat_of(*attempt),
        Target::Sitting => site.seats_of_sitting(sitting),
    }
}

/// 已暂停.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockStopped {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub target: Target,
    /// Why.
    pub cause: PauseCause,
    /// In words.
    pub reason: String,
    /// Who.
    pub by: Actor,
}

impl Happened for ClockStopped {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.removed.push(Removed {
                target: self.target.clone(),
                from: now.at,
                to: None,
                cause: self.cause,
                reason: self.reason.clone(),
                by: self.by.clone(),
            });
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        hear(site, &self.sitting, &self.target)
    }
}

/// 已恢复.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockRan {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub target: Target,
    /// Who.
    pub by: Actor,
}

impl Happened for ClockRan {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let Some(sitting) = site.sittings.get_mut(&self.sitting) else { return };
        let open = sitting.removed.iter_mut().filter(|removed| removed.to.is_none() && removed.target == self.target);
        open.for_each(|removed| removed.to = Some(now.at));
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        hear(site, &self.sitting, &self.target)
    }
}

/// 已扣除: a stretch that had passed does not count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StretchTakenOut {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub target: Target,
    /// First moment that does not count.
    pub from: SiteMs,
    /// First moment that counts again.
    pub to: SiteMs,
    /// Why.
    pub cause: PauseCause,
    /// In words.
    pub reason: String,
    /// Who.
    pub by: Actor,
}

impl Happened for StretchTakenOut {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.cuts.retain(|cut| !power_cut::decides(cut, &self.target, self.from, self.to));
            sitting.removed.push(Removed {
                target: self.target.clone(),
                from: self.from,
                to: Some(self.to),
                cause: self.cause,
                reason: self.reason.clone(),
                by: self.by.clone(),
            });
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        hear(site, &self.sitting, &self.target)
    }
}
