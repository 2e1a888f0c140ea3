//! Mock sittings (模拟考试, HB-05): runs, and the attempts of runs that are past. Kept apart: nothing of a past run is
//! found where real attempts are.

use super::Attempt;
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

/// Attempts of past runs, by id: no machine may write them any more, and their ids are never given again.
pub type PastAttempts = BTreeMap<AttemptId, Attempt>;
