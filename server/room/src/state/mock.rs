//! Mock sittings (模拟考试, HB-05): runs, and the attempts that are past, of mock runs and of sittings that were called off.
//! Kept apart: nothing of them is found where attempts of today are.

use super::{Attempt, Site};
use exam_protocol::message::candidate::AttemptId;
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
