//! What the seats showed as kept by the server, read from their ack logs while they are being written. Never takes a line that a
//! kill cut off, and never forgets one that was whole.

use crate::report::Times;
use anyhow::{Context, Result, bail};
use exam_e2e::answers::{self, Account};
use exam_protocol::ids::AdmissionNo;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// Pause between two looks at the log another process writes.
const LOOK: Duration = Duration::from_millis(5);

/// When a version was made at its seat, and when the seat was told that it is kept: milliseconds of the machine's own clock.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Timed {
    pub(crate) made_ms: u64,
    pub(crate) acked_ms: u64,
}

/// The same clock, now.
pub(crate) fn now_ms() -> u64 {
    exam_seat::clock::SeatClock::start().now().0
}

/// All acknowledgements so far.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    file: PathBuf,
    offset: u64,
    all: Account,
    by_seat: BTreeMap<AdmissionNo, u64>,
    times: Vec<Timed>,
}

impl Acks {
    /// The seats were started again and write another log.
    pub(crate) fn follow(&mut self, file: &Path) {
        (self.file, self.offset) = (file.to_path_buf(), 0);
    }

    /// Reads what is new.
    ///
    /// # Errors
    /// The log cannot be read, or a version is told in two ways.
    pub(crate) fn read(&mut self) -> Result<&Account> {
        let mut text = Vec::new();
        match File::open(&self.file) {
            Ok(mut file) => {
                file.seek(SeekFrom::Start(self.offset))?;
                file.read_to_end(&mut text)?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("{}", self.file.display())),
        }
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        self.offset += whole as u64;
        let lines = std::str::from_utf8(&text[..whole])?;
        // The seats' totals at the end have no times.
        self.times.extend(lines.lines().filter_map(|line| serde_json::from_str::<Timed>(line).ok()));
        for (key, answer) in answers::from_lines(lines)? {
            *self.by_seat.entry(key.admission_no.clone()).or_default() += 1;
            if self.all.insert(key, answer.clone()).is_some_and(|before| before != answer) {
                bail!("a version was acknowledged with two contents");
            }
        }
        Ok(&self.all)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// How long the versions took that were made between these moments. Asked when all of them are acknowledged: the slow ones would be
    /// missed before.
    pub(crate) fn made_between(&self, from_ms: u64, to_ms: u64) -> Times {
        let mut times = Times::default();
        let then = self.times.iter().filter(|timed| (from_ms..to_ms).contains(&timed.made_ms));
        then.for_each(|timed| times.add_ms(timed.acked_ms.saturating_sub(timed.made_ms)));
        times
    }

    /// How long after `moment_ms` the last of the versions made until then was acknowledged. Asked later, as
    /// [`made_between`](Self::made_between).
    pub(crate) fn synced_after(&self, moment_ms: u64) -> u64 {
        let before = self.times.iter().filter(|timed| timed.made_ms <= moment_ms);
        before.map(|timed| timed.acked_ms.saturating_sub(moment_ms)).max().unwrap_or(0)
    }

    /// Waits until `more` further versions are acknowledged.
    ///
    /// # Errors
    /// Not in time.
    pub(crate) fn wait_more(&mut self, more: usize, deadline: Duration) -> Result<Duration> {
        let wanted = self.len() + more;
        self.wait(deadline, |acks| acks.len() >= wanted)
    }

    /// Waits until so many seats have a version acknowledged that was not before.
    ///
    /// # Errors
    /// Not in time.
    pub(crate) fn wait_every_seat(&mut self, seats: usize, deadline: Duration) -> Result<Duration> {
        let before = self.by_seat.clone();
        let newer = |(seat, count): (&AdmissionNo, &u64)| before.get(seat).is_none_or(|then| count > then);
        self.wait(deadline, |acks| acks.by_seat.iter().filter(|told| newer(*told)).count() >= seats)
    }

    fn wait(&mut self, deadline: Duration, there: impl Fn(&Self) -> bool) -> Result<Duration> {
        let begun = Instant::now();
        loop {
            self.read()?;
            if there(self) {
                return Ok(begun.elapsed());
            }
            if begun.elapsed() > deadline {
                bail!("the acknowledgements waited for did not come within {} s", deadline.as_secs());
            }
            thread::sleep(LOOK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io::Write};

    const LINE: &str = r#"{"admission_no":"110000000001","item":"q1","number":1,"answer":{"single":"A"}}"#;

    #[test]
    fn a_line_the_kill_cut_off_is_left_out_and_read_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("acks");
        let mut acks = Acks::default();
        acks.follow(&path);
        assert_eq!(acks.read().unwrap().len(), 0, "not written yet");
        let (begin, end) = LINE.split_at(40);
        fs::write(&path, begin).unwrap();
        assert_eq!(acks.read().unwrap().len(), 0);
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        writeln!(file, "{end}").unwrap();
        assert_eq!(acks.read().unwrap().len(), 1);
        assert!(acks.wait_more(1, Duration::ZERO).is_err(), "nothing more came");
    }

    #[test]
    fn the_slowest_version_made_before_a_moment_says_when_all_was_synced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("acks");
        let line = |number: u32, made: u64, acked: u64| {
            let times = format!("\"number\":{number},\"made_ms\":{made},\"acked_ms\":{acked},");
            format!("{}\n", LINE.replace("\"number\":1,", &times))
        };
        fs::write(&path, [line(1, 100, 110), line(2, 200, 2_500), line(3, 1_001, 4_000)].concat()).unwrap();
        let mut acks = Acks::default();
        acks.follow(&path);
        acks.read().unwrap();
        assert_eq!(acks.synced_after(1_000), 1_500, "what was made later does not count");
        assert_eq!(acks.synced_after(150), 0, "it was there before");
        assert_eq!(acks.made_between(100, 1_001).within(100), Some(2_300));
        assert_eq!(acks.made_between(5_000, 6_000).within(99), None);
    }

    #[test]
    fn two_contents_of_one_version_are_found_also_in_two_logs() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("1"), dir.path().join("2"));
        fs::write(&first, format!("{LINE}\n")).unwrap();
        fs::write(&second, format!("{}\n", LINE.replace("\"A\"", "\"B\""))).unwrap();
        let mut acks = Acks::default();
        acks.follow(&first);
        acks.read().unwrap();
        acks.follow(&second);
        assert!(acks.read().is_err());
    }
}
