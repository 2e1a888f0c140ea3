//! Mock sittings (模拟考试, HB-05): runs, what may be marked at once, and the attempts that are past, of mock runs and of sittings
//! that were called off. Kept apart: nothing of them is found where attempts of today are, and nothing of a real sitting is ever
//! handed out for marking.

use super::{Attempt, PaperOnSite, Site};
use exam_protocol::{
    answer::Answer,
    code::SeatState,
    ids::{ItemId, SealedBytes, Sha256},
    message::candidate::AttemptId,
    time::SiteMs,
};
use std::collections::BTreeMap;

/// The runs of a mock sitting.
#[derive(Clone, Copy, Debug, Default)]
pub struct MockRuns {
    /// Runs that are past.
    pub past: u32,
    /// Whether one of them was sat to its end with a paper handed in.
    pub passed: bool,
}

/// Attempts that are past, by id: no machine may write them any more, and their ids are never given again.
pub type PastAttempts = BTreeMap<AttemptId, Attempt>;

impl Site {
    /// An attempt becomes past: its machine carries it no longer.
    pub(crate) fn set_past(&mut self, id: AttemptId) {
        if let Some(attempt) = self.attempts.remove(&id) {
            self.past_attempts.insert(id, attempt);
        }
        self.stations.values_mut().filter(|machine| machine.attempt == Some(id)).for_each(|m| m.attempt = None);
    }
}

/// A mock attempt that is over, with what its marking takes.
#[derive(Clone, Copy, Debug)]
pub struct Unmarked<'a> {
    /// Whose.
    pub attempt: &'a Attempt,
    /// The paper it was sat with.
    pub paper: &'a PaperOnSite,
    /// Hash of the paper's sealed answer key.
    pub mock_key: Sha256,
    /// The paper's own key, which opens both; sealed under the site's at-rest key.
    pub secret: &'a SealedBytes,
}

impl Unmarked<'_> {
    /// The newest answers.
    pub fn answers(&self) -> BTreeMap<ItemId, Answer> {
        let newest =
            |(item, log): (&ItemId, &super::AnswerLog)| Some((item.clone(), log.newest.as_ref()?.answer.clone()));
        self.attempt.answers.iter().filter_map(newest).collect()
    }
}

impl Site {
    /// An attempt that may be marked now: of a mock sitting, over for its candidate, with a paper that carries its key.
    /// Always none for a real sitting.
    pub fn unmarked<'a>(&'a self, attempt: &'a Attempt, at: SiteMs) -> Option<Unmarked<'a>> {
        let sitting = self.sittings.get(&attempt.sitting).filter(|sitting| sitting.plan.mock)?;
        match self.attempt_state(attempt, at) {
            SeatState::HandedIn | SeatState::Stopped | SeatState::Terminated => {}
            SeatState::Waiting
            | SeatState::SignedIn
            | SeatState::Admitted
            | SeatState::Working
            | SeatState::Absent
            | SeatState::Away
            | SeatState::Paused
            | SeatState::Denied => return None,
        }
        let id = sitting.paper_of(attempt.id);
        let paper = self.papers.get(id)?;
        Some(Unmarked { attempt, paper, mock_key: paper.mock_key?, secret: self.released.get(id)? })
    }
}
