//! The result: figures for machines (`--json`) and a few lines for people. Never hides an error.

use crate::{
    candidate::SeatEnd,
    tally::{Tally, Versions},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Different errors that are listed.
const ERRORS_MAX: usize = 50;

/// Half and almost all.
#[derive(Debug, Serialize)]
pub(crate) struct Brief {
    p50: u32,
    p99: u32,
}

/// Half, most, almost all, and the worst.
#[derive(Debug, Serialize)]
pub(crate) struct Full {
    p50: u32,
    p95: u32,
    p99: u32,
    max: u32,
}

/// The result of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) seats: usize,
    pub(crate) logins_failed: usize,
    /// From pressing 登录 to the server's new view.
    pub(crate) login_ms: Brief,
    /// From the first release any seat heard of to the open paper at each seat.
    pub(crate) start_ms: Brief,
    /// From sending an answer to its acknowledgement, as last sent.
    pub(crate) ack_ms: Full,
    /// From making a version to its acknowledgement: the seat's disk, cuts and resends included.
    pub(crate) save_ms: Full,
    pub(crate) acks_per_s: f64,
    pub(crate) acked: u64,
    /// Versions in the seats' journals, read back from disk after the run.
    pub(crate) journaled: usize,
    /// Acknowledged versions that are not in their seat's journal.
    pub(crate) acked_not_journaled: usize,
    /// Versions in a seat's journal that were not acknowledged.
    pub(crate) journaled_not_acked: usize,
    /// Versions and drafts that were never acknowledged.
    pub(crate) unacked: usize,
    /// Versions the server refused.
    pub(crate) refused: usize,
    /// Versions a replaced machine had not sent in time (HB-25): the server keeps them for the candidate to choose about.
    pub(crate) handed_over: usize,
    pub(crate) answered_items: usize,
    pub(crate) handed_in: usize,
    pub(crate) reconnects: u64,
    pub(crate) errors: Vec<String>,
}

impl Report {
    pub(crate) fn new(tally: &mut Tally, ends: &[SeatEnd]) -> Self {
        let mut logins: Vec<u32> = ends.iter().filter_map(|end| end.login_ms).collect();
        let sum = |count: fn(&SeatEnd) -> usize| ends.iter().map(count).sum();
        let journaled = ends.iter().map(|end| end.journal.len()).sum();
        let both = || ends.iter().map(|end| &end.journal).zip(&tally.acked_by_seat);
        let acked_not_journaled = both().map(|(journal, acked)| missing(acked, journal)).sum();
        let handed_over = |end: &SeatEnd| end.handed_over.iter().filter(|one| end.journal.contains_key(one)).count();
        let not_acked: usize = both().map(|(journal, acked)| missing(journal, acked)).sum();
        let journaled_not_acked = not_acked.saturating_sub(ends.iter().map(handed_over).sum());
        Self {
            seats: ends.len(),
            logins_failed: ends.iter().filter(|end| end.login_ms.is_none()).count(),
            login_ms: brief(&mut logins),
            start_ms: brief(&mut tally.start_ms),
            ack_ms: full(&mut tally.ack_ms),
            save_ms: full(&mut tally.save_ms),
            acks_per_s: (tally.acks_per_s() * 10.0).round() / 10.0,
            acked: tally.acked,
            journaled,
            acked_not_journaled,
            journaled_not_acked,
            unacked: sum(|end| end.unacked),
            refused: sum(|end| end.refused),
            handed_over: sum(|end| end.handed_over.len()),
            answered_items: sum(|end| end.answered),
            handed_in: sum(|end| usize::from(end.handed_in)),
            reconnects: tally.reconnects,
            errors: errors(ends),
        }
    }

    /// Everybody got in and nothing is missing anywhere.
    pub(crate) fn is_good(&self) -> bool {
        self.logins_failed == 0
            && self.unacked == 0
            && self.acked_not_journaled == 0
            && self.journaled_not_acked == 0
            && self.refused == 0
    }

    pub(crate) fn in_words(&self) -> String {
        let mut words = format!(
            "seats {}, logins failed {}, acked {}, journaled {}, unacked {}, refused {}, handed in {}, reconnects {}\n\
             login p50 {} ms, p99 {} ms; start p50 {} ms, p99 {} ms; ack p50 {} ms, p95 {} ms, p99 {} ms, max {} ms; {} acks/s",
            self.seats,
            self.logins_failed,
            self.acked,
            self.journaled,
            self.unacked,
            self.refused,
            self.handed_in,
            self.reconnects,
            self.login_ms.p50,
            self.login_ms.p99,
            self.start_ms.p50,
            self.start_ms.p99,
            self.ack_ms.p50,
            self.ack_ms.p95,
            self.ack_ms.p99,
            self.ack_ms.max,
            self.acks_per_s
        );
        for error in &self.errors {
            words.push_str("\nerror: ");
            words.push_str(error);
        }
        words
    }
}

/// Versions of one list that the other does not have alike.
fn missing(of: &Versions, from: &Versions) -> usize {
    of.iter().filter(|(version, hash)| from.get(version) != Some(hash)).count()
}

fn errors(ends: &[SeatEnd]) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for error in ends.iter().flat_map(|end| &end.errors) {
        *counts.entry(error).or_default() += 1;
    }
    let line =
        |(error, count): (&str, usize)| if count == 1 { error.to_owned() } else { format!("{error} ({count} times)") };
    counts.into_iter().take(ERRORS_MAX).map(line).collect()
}

/// The nearest-rank percentile; zero of nothing.
fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

fn brief(values: &mut [u32]) -> Brief {
    values.sort_unstable();
    Brief { p50: percentile(values, 50), p99: percentile(values, 99) }
}

fn full(values: &mut [u32]) -> Full {
    values.sort_unstable();
    let at = |percent| percentile(values, percent);
    Full { p50: at(50), p95: at(95), p99: at(99), max: values.last().copied().unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let sorted: Vec<u32> = (1..=200).collect();
        assert_eq!([50, 95, 99, 100].map(|p| percentile(&sorted, p)), [100, 190, 198, 200]);
        assert_eq!((percentile(&[], 99), percentile(&[7], 1)), (0, 7));
    }
}
