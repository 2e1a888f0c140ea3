//! What all seats did, counted: on a thread of its own that also writes the ack log. Never drops a line: if the log cannot
//! be written, the run fails.

use anyhow::Context;
use exam_protocol::{
    answer::Answer,
    ids::{AdmissionNo, ItemId, Sha256},
};
use exam_seat::{News, NewsKind};
use exam_session::{Note, SeatMs};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc;

/// Versions of answers by item and number, each with the hash of the answer's JSON text.
pub(crate) type Versions = BTreeMap<(ItemId, u32), Sha256>;

/// Latencies kept; a longer run keeps the first so many.
const LATENCIES_MAX: usize = 4_000_000;

/// A line of the ack log.
#[derive(Serialize)]
struct AckLine<'a> {
    admission_no: &'a AdmissionNo,
    item: &'a str,
    number: u32,
    /// Of the answer's JSON text as it stands in `answer`.
    sha256: String,
    answer: &'a Answer,
    /// On the machine's monotonic clock: when the seat made this version, and when it heard that it is kept.
    made_ms: u64,
    acked_ms: u64,
}

/// The last lines of the ack log: one a seat.
#[derive(Serialize)]
struct SeatLine<'a> {
    admission_no: &'a AdmissionNo,
    acked: usize,
    journaled: usize,
}

/// What was counted.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) ack_ms: Vec<u32>,
    pub(crate) save_ms: Vec<u32>,
    pub(crate) start_ms: Vec<u32>,
    pub(crate) acked: u64,
    /// For each seat its acknowledged versions, by the hash of the answer's JSON text.
    pub(crate) acked_by_seat: Vec<Versions>,
    pub(crate) reconnects: u64,
    first_ack: Option<SeatMs>,
    last_ack: Option<SeatMs>,
    released: Option<SeatMs>,
    opened: Vec<Option<SeatMs>>,
    linked: Vec<bool>,
    log: Option<BufWriter<File>>,
}

impl Tally {
    pub(crate) fn new(seats: usize, log: Option<&Path>) -> anyhow::Result<Self> {
        let open = |path: &Path| {
            File::create(path).with_context(|| format!("the ack log {} cannot be written", path.display()))
        };
        let log = log.map(open).transpose()?.map(BufWriter::new);
        Ok(Self {
            acked_by_seat: vec![Versions::new(); seats],
            opened: vec![None; seats],
            linked: vec![false; seats],
            log,
            ..Self::default()
        })
    }

    /// Counts until all seats are gone. `acked` can be looked at meanwhile.
    pub(crate) fn count(
        mut self,
        mut news: mpsc::Receiver<News>,
        candidates: &[AdmissionNo],
        acked: &Arc<AtomicU64>,
    ) -> anyhow::Result<Self> {
        while let Some(first) = news.blocking_recv() {
            self.take(first, candidates)?;
            while let Ok(next) = news.try_recv() {
                self.take(next, candidates)?;
            }
            // Whoever kills this process wants to know what was acknowledged by then.
            self.log.as_mut().map(Write::flush).transpose().context("the ack log cannot be written")?;
            acked.store(self.acked, Ordering::Relaxed);
        }
        if let Some(released) = self.released {
            self.start_ms = self.opened.iter().flatten().map(|opened| ms(opened.since(released))).collect();
        }
        Ok(self)
    }

    fn take(&mut self, News { index, at, kind }: News, candidates: &[AdmissionNo]) -> anyhow::Result<()> {
        match kind {
            NewsKind::Linked => self.reconnects += u64::from(std::mem::replace(&mut self.linked[index], true)),
            NewsKind::Unlinked => {}
            NewsKind::PaperOpened => {
                self.opened[index].get_or_insert(at);
            }
            NewsKind::Noted(Note::Released) => self.released = Some(self.released.map_or(at, |first| first.min(at))),
            NewsKind::Noted(Note::Acked { item, number, answer, made, sent }) => {
                let text = serde_json::to_string(&*answer)?;
                let hash = Sha256::of(text.as_bytes());
                if self.acked_by_seat[index].insert((item.clone(), number), hash).is_some() {
                    return Ok(()); // sent again after the server lost it: counted once
                }
                self.acked += 1;
                self.first_ack.get_or_insert(at);
                self.last_ack = Some(at);
                if self.ack_ms.len() < LATENCIES_MAX {
                    self.ack_ms.push(ms(at.since(sent)));
                    self.save_ms.push(ms(at.since(made)));
                }
                if let Some(log) = &mut self.log {
                    let sha256 = hash.hex();
                    let line = AckLine {
                        admission_no: &candidates[index],
                        item: item.as_str(),
                        number,
                        sha256,
                        answer: &answer,
                        made_ms: made.0,
                        acked_ms: at.0,
                    };
                    write_line(log, &line)?;
                }
            }
        }
        Ok(())
    }

    /// Ends the ack log with a line a seat.
    pub(crate) fn finish_log(&mut self, candidates: &[AdmissionNo], journals: &[&Versions]) -> anyhow::Result<()> {
        let Some(log) = &mut self.log else { return Ok(()) };
        for ((admission_no, acked), journaled) in candidates.iter().zip(&self.acked_by_seat).zip(journals) {
            write_line(log, &SeatLine { admission_no, acked: acked.len(), journaled: journaled.len() })?;
        }
        log.flush().context("the ack log cannot be written")
    }

    /// Acknowledgements a second, from the first to the last.
    pub(crate) fn acks_per_s(&self) -> f64 {
        let span = self.first_ack.zip(self.last_ack).map_or(0, |(first, last)| last.since(first));
        if span == 0 { 0.0 } else { self.acked as f64 * 1_000.0 / span as f64 }
    }
}

fn write_line(log: &mut impl Write, line: &impl Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *log, line).context("the ack log cannot be written")?;
    log.write_all(b"\n").context("the ack log cannot be written")
}

pub(crate) fn ms(ms: u64) -> u32 {
    u32::try_from(ms).unwrap_or(u32::MAX)
}
