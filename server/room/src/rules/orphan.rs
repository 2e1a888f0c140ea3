//! What a replaced machine had typed and not sent (旧机未传答案, HB-25): kept, shown beside the newer answer, and taken only
//! if the candidate says so. Never overwrites anything, and never applies by itself.

use crate::{
    Fact, Reply, Scope, Site,
    rule::{Happened, Tell, Wanted},
    rules::{
        answers::{Save, digest, own_attempt},
        numbers::{ORPHAN_TOLERANCE_MS, ORPHANS_MAX, RECALL_BYTES_MAX, VERSIONS_MAX},
    },
    state::{Attempt, Orphan, Settled},
};
use exam_protocol::{
    answer::{ANSWER_BYTES_MAX, Answer},
    code::Refusal,
    ids::{ItemId, SittingId, StationId},
    message::{
        attendance::{OrphanAnswer, OrphanPage},
        candidate::AttemptId,
    },
    time::{Now, SiteMs},
};
use serde::{Deserialize, Serialize};

/// What a fenced machine sends leaves in the journal: the answer, if it was typed before the swap and nobody has it.
pub(crate) fn keep(site: &Site, sent: &Save) -> Option<Fact> {
    let attempt = site.attempts.get(&sent.attempt)?;
    let former = attempt.attendance.fenced(&sent.station)?;
    let typed_before = sent.made_at <= former.until.plus(ORPHAN_TOLERANCE_MS);
    let fits = sent.answer.weight_bytes() <= ANSWER_BYTES_MAX && (1..=VERSIONS_MAX).contains(&sent.number);
    let orphans = &attempt.attendance.orphans;
    let known = attempt.version(&sent.item, sent.number) == Some(digest(&sent.answer))
        || orphans.iter().any(|o| o.station == sent.station && o.item == sent.item && o.number == sent.number);
    if !typed_before || !fits || known || orphans.len() >= ORPHANS_MAX {
        return None;
    }
    let kept = OrphanKept {
        sitting: attempt.sitting.clone(),
        attempt: sent.attempt,
        orphan: orphans.len() as u32 + 1,
        station: sent.station.clone(),
        item: sent.item.clone(),
        number: sent.number,
        answer: sent.answer.clone(),
        made_at: sent.made_at,
    };
    Some(kept.into())
}

/// An answer of a replaced machine is kept beside the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrphanKept {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Counts up from 1 in each attempt.
    pub orphan: u32,
    /// Which machine had it.
    pub station: StationId,
    /// To which item.
    pub item: ItemId,
    /// Its number there.
    pub number: u32,
    /// What was given.
    pub answer: Answer,
    /// When that machine journalled it.
    pub made_at: SiteMs,
}

impl Happened for OrphanKept {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        let Some(attempt) = site.attempts.get_mut(&self.attempt) else { return };
        let Self { orphan, station, item, number, answer, made_at, .. } = self.clone();
        attempt.attendance.orphans.push(Orphan { orphan, station, item, number, answer, made_at, settled: None });
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seat_of(self.attempt)
    }
}

/// The new machine asks what the old one had.
#[derive(Clone, Debug)]
pub struct ListOrphans {
    /// Which machine asks.
    pub station: StationId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Up to this one they are known; 0 for the first page.
    pub after: u32,
}

impl Wanted for ListOrphans {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        own_attempt(site, &self.station, self.attempt).map(|_| Vec::new())
    }

    fn reply(&self, site: &Site) -> Reply {
        let mut page = OrphanPage { orphans: Vec::new(), more: false };
        let mut bytes = 0;
        let open = site.attempts.get(&self.attempt).into_iter().flat_map(|attempt| attempt.attendance.open_orphans());
        for orphan in open.filter(|orphan| orphan.orphan > self.after) {
            bytes += orphan.answer.weight_bytes() + orphan.item.as_str().len() + 32;
            if bytes > RECALL_BYTES_MAX && !page.orphans.is_empty() {
                page.more = true;
                break;
            }
            page.orphans.push(OrphanAnswer {
                orphan: orphan.orphan,
                item: orphan.item.clone(),
                answer: orphan.answer.clone(),
                made_at: orphan.made_at,
            });
        }
        Reply::Orphans(page)
    }
}

/// The candidate takes an answer of the old machine: it becomes a new version like any other.
#[derive(Clone, Debug)]
pub struct AdoptOrphan {
    /// At which machine.
    pub station: StationId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Which one.
    pub orphan: u32,
    /// The number of the new version, given by the seat.
    pub number: u32,
}

impl Wanted for AdoptOrphan {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let attempt = own_attempt(site, &self.station, self.attempt)?;
        let orphan = orphan(attempt, self.orphan)?;
        match orphan.settled {
            None => {}
            Some(Settled::Adopted(number)) if number == self.number => return Ok(Vec::new()),
            Some(Settled::Adopted(_) | Settled::Dismissed) => return Err(Refusal::AlreadySettled),
        }
        let save = Save {
            station: self.station.clone(),
            attempt: self.attempt,
            item: orphan.item.clone(),
            number: self.number,
            answer: orphan.answer.clone(),
            made_at: now.at,
        };
        let mut facts = save.decide(site, now)?;
        let (sitting, adopted) = (attempt.sitting.clone(), Some(self.number));
        facts.push(OrphanSettled { sitting, attempt: self.attempt, orphan: self.orphan, adopted }.into());
        Ok(facts)
    }

    fn reply(&self, site: &Site) -> Reply {
        let known = site.attempts.get(&self.attempt).and_then(|attempt| orphan(attempt, self.orphan).ok());
        known.map_or(Reply::Done, |orphan| Reply::Saved { item: orphan.item.clone(), number: self.number })
    }
}

/// The candidate keeps the newer answer.
#[derive(Clone, Debug)]
pub struct DismissOrphan {
    /// At which machine.
    pub station: StationId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Which one.
    pub orphan: u32,
}

impl Wanted for DismissOrphan {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let attempt = own_attempt(site, &self.station, self.attempt)?;
        match orphan(attempt, self.orphan)?.settled {
            Some(Settled::Dismissed) => Ok(Vec::new()),
            Some(Settled::Adopted(_)) => Err(Refusal::AlreadySettled),
            None => {
                let (sitting, adopted) = (attempt.sitting.clone(), None);
                Ok(vec![OrphanSettled { sitting, attempt: self.attempt, orphan: self.orphan, adopted }.into()])
            }
        }
    }
}

fn orphan(attempt: &Attempt, number: u32) -> Result<&Orphan, Refusal> {
    attempt.attendance.orphans.iter().find(|orphan| orphan.orphan == number).ok_or(Refusal::RecordUnknown)
}

/// The candidate has chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrphanSettled {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// Which one.
    pub orphan: u32,
    /// The version it became; none when the newer answer stays.
    pub adopted: Option<u32>,
}

impl Happened for OrphanSettled {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        let Some(attempt) = site.attempts.get_mut(&self.attempt) else { return };
        let chosen = attempt.attendance.orphans.iter_mut().filter(|orphan| orphan.orphan == self.orphan);
        chosen.for_each(|o| o.settled = Some(self.adopted.map_or(Settled::Dismissed, Settled::Adopted)));
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seat_of(self.attempt)
    }
}
