//! What happened in a run, as people in the room saw it, in order. Kept apart from the machines: nothing that fails or lies
//! can change it. Never looks inside the server.

use exam_protocol::{answer::Answer, ids::ItemId};
use exam_session::{Closed, Screen};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::time::Instant;

/// One version of an answer that a seat showed as 服务器已存.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acked {
    /// When, milliseconds of the run.
    pub at: u64,
    /// At which machine.
    pub desk: usize,
    /// Whose.
    pub candidate: usize,
    /// Which item.
    pub item: ItemId,
    /// Which version.
    pub number: u32,
    /// What was given.
    pub answer: Answer,
}

/// A seat's screen, as it was.
#[derive(Clone, Debug)]
pub struct Glance {
    /// When, milliseconds of the run.
    pub at: u64,
    /// At which machine.
    pub desk: usize,
    /// Whose.
    pub candidate: usize,
    /// Which screen.
    pub screen: Screen,
    /// Why nothing can be typed.
    pub closed: Option<Closed>,
    /// 剩余时间, milliseconds.
    pub left_ms: Option<u64>,
    /// Whether it has been connected, and the server up, for long enough to know.
    pub settled: bool,
}

/// Something done to the world, or by the staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, milliseconds of the run.
    pub at: u64,
    /// In words.
    pub what: String,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7} ms  {}", self.at, self.what)
    }
}

/// Everything kept of a run.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Answers seats showed as kept by the server.
    pub acked: Vec<Acked>,
    /// Versions a screen showed as 本机已存, by desk.
    pub on_seat: std::collections::BTreeSet<(usize, ItemId, u32)>,
    /// Looks at the screens.
    pub glances: Vec<Glance>,
    /// Faults and acts.
    pub events: Vec<Event>,
    /// Answers typed and taken by the screen.
    pub typed: u64,
    /// Machines whose own disk failed: what they sent they need not have kept.
    pub disk_troubled: std::collections::BTreeSet<usize>,
}

/// The record of a run. Clones share it.
#[derive(Clone, Debug)]
pub struct Chronicle {
    began: Instant,
    kept: Arc<Mutex<Kept>>,
}

impl Chronicle {
    /// An empty one. Time begins now.
    pub fn begin() -> Self {
        Self { began: Instant::now(), kept: Arc::default() }
    }

    /// Milliseconds since the run began.
    pub fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// Notes an event.
    pub fn note(&self, what: impl Into<String>) {
        let event = Event { at: self.now(), what: what.into() };
        tracing::debug!("{event}");
        self.lock().events.push(event);
    }

    /// The record, to add to or to look at.
    pub fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
