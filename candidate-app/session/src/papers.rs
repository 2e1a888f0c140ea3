//! Which sealed papers are on the seat's disk and whether the released one is open. Never keeps a key longer than the
//! server's view does.

use crate::{clock::SeatMs, limits::RETRY_MS_MAX};
use exam_protocol::{
    ids::Sha256,
    message::candidate::{PaperKey, SeatView},
    paper::{Order, Paper, SealedPaper},
};
use std::{collections::BTreeSet, sync::Arc};

/// The papers of a seat.
#[derive(Debug, Default)]
pub(crate) struct Papers {
    fetched: BTreeSet<Sha256>,
    /// One at a time: a room full of seats fetches in its own good time.
    asked: Option<Sha256>,
    fetch_after: SeatMs,
    opening: bool,
    open_after: SeatMs,
    trouble: Option<String>,
    open: Option<Opened>,
}

/// A paper in memory, in the order its candidate sees.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) paper: Arc<Paper>,
    pub(crate) order: Arc<Order>,
    seed: u64,
}

/// What has to be done about papers.
pub(crate) enum PaperStep {
    Fetch(SealedPaper),
    Open(SealedPaper, PaperKey),
}

impl Papers {
    /// What is due now, if anything.
    pub(crate) fn step(&mut self, now: SeatMs, view: &SeatView) -> Option<PaperStep> {
        let release = view.attempt.as_ref().and_then(|attempt| attempt.release.as_ref());
        if let Some(key) = release
            && let Some(sealed) =
                view.prefetch.iter().find(|sealed| sealed.paper == key.paper && self.fetched.contains(&sealed.hash))
            && !self.opening
            && now >= self.open_after
            && self.open.as_ref().is_none_or(|open| {
                open.paper.id != key.paper || Some(open.seed) != view.attempt.as_ref().map(|a| a.order_seed)
            })
        {
            self.opening = true;
            return Some(PaperStep::Open(sealed.clone(), key.clone()));
        }
        if self.asked.is_some() || now < self.fetch_after {
            return None;
        }
        let missing = |sealed: &&SealedPaper| !self.fetched.contains(&sealed.hash);
        let wanted = |sealed: &&SealedPaper| release.is_some_and(|key| key.paper == sealed.paper);
        let next = view.prefetch.iter().filter(missing).find(wanted).or_else(|| view.prefetch.iter().find(missing))?;
        self.asked = Some(next.hash);
        Some(PaperStep::Fetch(next.clone()))
    }

    /// When [`step`](Self::step) may have something to do without anything else happening.
    pub(crate) fn next_wake(&self, now: SeatMs) -> Option<SeatMs> {
        [self.fetch_after, self.open_after].into_iter().filter(|at| *at > now).min()
    }

    pub(crate) fn fetched(&mut self, hash: Sha256) {
        self.asked = None;
        self.fetched.insert(hash);
    }

    pub(crate) fn not_fetched(&mut self, now: SeatMs) {
        self.asked = None;
        self.fetch_after = now.plus(RETRY_MS_MAX / 5);
    }

    pub(crate) fn opened(&mut self, paper: Arc<Paper>, seed: u64) {
        self.opening = false;
        self.trouble = None;
        let order = Arc::new(paper.order(seed));
        self.open = Some(Opened { paper, order, seed });
    }

    /// The bytes are fetched afresh before the next try: the disk may have changed them since they were checked.
    pub(crate) fn not_opened(&mut self, now: SeatMs, hash: Sha256, why: String) {
        self.opening = false;
        self.trouble = Some(why);
        self.fetched.remove(&hash);
        self.open_after = now.plus(RETRY_MS_MAX);
    }

    /// The open paper, if it is this one in this order.
    pub(crate) fn open(&self, key: &PaperKey, seed: u64) -> Option<&Opened> {
        self.open.as_ref().filter(|open| open.paper.id == key.paper && open.seed == seed)
    }

    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// The attempt is over or another's: the paper leaves memory.
    pub(crate) fn close(&mut self) {
        self.open = None;
    }
}
