//! The check-list (检查单, N-06; HB-10 to HB-16, HB-20 to HB-22, HB-40, HB-43, HB-45): a person ticks what a person saw.
//! Never lets anybody tick what the system knows by itself.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Wanted},
    rules::people::{REASON_CHARS_MAX, given},
    state::{Sitting, Stage, Ticked},
};
use exam_protocol::{
    checklist::{CheckItem, Reference, TickedBy},
    code::Refusal,
    ids::{SittingId, StationId},
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// Tick an item.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Of which sitting.
    pub sitting: SittingId,
    /// Which item.
    pub item: CheckItem,
    /// What was seen; may be empty.
    pub note: String,
    /// Who ticks.
    pub by: StationId,
}

impl Wanted for Tick {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Tick)?;
        if !self.note.is_empty() {
            given(&self.note, REASON_CHARS_MAX)?;
        }
        let sitting = site.sitting(&self.sitting)?;
        site.fits_phase(sitting, Act::Tick)?;
        if self.item.ticked_by() == TickedBy::System {
            return Err(Refusal::CheckMeasured);
        }
        if !may_have_happened(sitting, self.item) {
            return Err(Refusal::WrongPhase { phase: sitting.phase() });
        }
        if sitting.ticked.contains_key(&self.item) {
            return Ok(Vec::new());
        }
        let Self { sitting, item, note, .. } = self.clone();
        Ok(vec![ItemTicked { sitting, item, note, by }.into()])
    }
}

/// What belongs after the start or the end cannot have been done before it. Earlier items may be ticked at any time:
/// rooms are early, and lists are filled in late.
fn may_have_happened(sitting: &Sitting, item: CheckItem) -> bool {
    match item.checkpoint().reference() {
        Reference::Start(min) if min <= 0 => true,
        Reference::Start(_) => sitting.started().is_some(),
        Reference::End(min) if min < 0 => sitting.started().is_some(),
        Reference::End(_) => matches!(sitting.stage, Stage::Ended { .. }),
    }
}

/// An item was ticked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemTicked {
    /// Of which sitting.
    pub sitting: SittingId,
    /// Which item.
    pub item: CheckItem,
    /// What was seen.
    pub note: String,
    /// Who.
    pub by: Actor,
}

impl Happened for ItemTicked {
    fn scope(&self) -> Scope {
        // What is ticked after the export must not change what the next export says.
        Scope::Site
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            let ticked = Ticked { by: self.by.clone(), at: now.at, note: self.note.clone() };
            sitting.ticked.insert(self.item, ticked);
        }
    }
}

/// An item was ticked wrongly.
#[derive(Clone, Debug)]
pub struct Untick {
    /// Of which sitting.
    pub sitting: SittingId,
    /// Which item.
    pub item: CheckItem,
    /// Why.
    pub reason: String,
    /// Who takes it back.
    pub by: StationId,
}

impl Wanted for Untick {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Tick)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        let sitting = site.sitting(&self.sitting)?;
        site.fits_phase(sitting, Act::Tick)?;
        if self.item.ticked_by() == TickedBy::System {
            return Err(Refusal::CheckMeasured);
        }
        if !sitting.ticked.contains_key(&self.item) {
            return Err(Refusal::RecordUnknown);
        }
        let Self { sitting, item, reason, .. } = self.clone();
        Ok(vec![ItemUnticked { sitting, item, reason, by }.into()])
    }
}

/// A tick was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemUnticked {
    /// Of which sitting.
    pub sitting: SittingId,
    /// Which item.
    pub item: CheckItem,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: Actor,
}

impl Happened for ItemUnticked {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(sitting) = site.sittings.get_mut(&self.sitting) {
            sitting.ticked.remove(&self.item);
        }
    }
}
