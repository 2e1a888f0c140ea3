//! `exam-server journal`: reads the journal of a data folder or of a backup, beside a running server or without one: every
//! fact, step by step, and why a seat stood as it did at a moment. Changes nothing and asks no server.

use super::{exit::Coded, output::Output};
use anyhow::Result;
use clap::{Args, Subcommand};
use exam_protocol::{
    ids::{SeatNo, SittingId},
    time::{Now, SiteMs, WallMs},
};
use exam_room::{
    Fact, Scope, Site,
    explain::{self, Question, Told},
};
use exam_server::journal::{JournalReader, Row};
use jiff::{Timestamp, civil::Time, tz::TimeZone};
use serde_json::{Value, json};
use std::{
    io::{BufRead, IsTerminal, Write},
    path::Path,
};

/// Characters of a fact's fields on one line for people; `--json` has all.
const FIELDS_CHARS_MAX: usize = 160;

#[derive(Subcommand)]
pub(super) enum JournalCommand {
    /// Every answer version in the journal, one JSON line each
    Answers,
    /// Facts, one a line (逐条列出)
    Show {
        #[command(flatten)]
        which: Which,
    },
    /// Fact by fact, with what each changed; waits for Enter on a terminal (逐条回放)
    Step {
        #[command(flatten)]
        which: Which,
    },
    /// Why a seat stood as it did at a moment: state and time account (查明某考位某时刻的状态与时间)
    Why {
        /// Which sitting
        #[arg(long, value_name = "ID")]
        sitting: SittingId,
        /// Seat number
        #[arg(long, value_name = "N")]
        seat: SeatNo,
        /// HH:MM[:SS] local time of the sitting's day, +MM:SS since its start, or milliseconds of the site's timeline
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        at: String,
    },
}

/// Which facts.
#[derive(Args)]
pub(super) struct Which {
    /// First fact number
    #[arg(long, value_name = "N", default_value_t = 1)]
    from: u64,
    /// Last fact number
    #[arg(long, value_name = "N", default_value_t = u64::MAX, hide_default_value = true)]
    to: u64,
    /// Only this kind, e.g. clock_stopped
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only this sitting
    #[arg(long, value_name = "ID")]
    sitting: Option<SittingId>,
}

impl Which {
    fn wants(&self, row: &Row) -> bool {
        let scope = self.sitting.as_ref().map(|sitting| Scope::Sitting(sitting.clone()).to_string());
        (self.from..=self.to).contains(&row.seq)
            && self.kind.as_ref().is_none_or(|kind| *kind == row.kind)
            && scope.is_none_or(|scope| scope == row.scope)
    }

    /// A kind that no fact has is most likely a slip.
    fn check(&self) -> Result<()> {
        match &self.kind {
            Some(kind) if !Fact::KINDS.contains(&kind.as_str()) => {
                Err(bad(format!("there is no kind of fact `{kind}`; the kinds are: {}", Fact::KINDS.join(", "))))
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn run(dir: &Path, command: JournalCommand, output: Output) -> Result<()> {
    let reader = JournalReader::open(dir)?;
    match command {
        JournalCommand::Answers => answers(&reader),
        JournalCommand::Show { which } => show(&reader, &which, output),
        JournalCommand::Step { which } => step(&reader, &which, output),
        JournalCommand::Why { sitting, seat, at } => why(&reader, sitting, seat, &at, output),
    }
}

fn bad(text: String) -> anyhow::Error {
    Coded { text, code: 3 }.into()
}

/// Prints lines while a walk goes on; the first failure of the output ends the printing, not the walk.
struct Printer<W> {
    out: W,
    failed: Option<std::io::Error>,
}

impl<W: Write> Printer<W> {
    fn new(out: W) -> Self {
        Self { out, failed: None }
    }

    fn line(&mut self, line: impl std::fmt::Display) {
        if self.failed.is_none() {
            self.failed = writeln!(self.out, "{line}").err();
        }
    }

    /// A reader that had enough (`| head`) is no failure.
    fn done(mut self) -> Result<()> {
        match self.failed.take().or_else(|| self.out.flush().err()) {
            Some(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
            Some(_) | None => Ok(()),
        }
    }
}

fn stdout() -> Printer<std::io::BufWriter<std::io::StdoutLock<'static>>> {
    Printer::new(std::io::BufWriter::new(std::io::stdout().lock()))
}

fn answers(reader: &JournalReader) -> Result<()> {
    let mut site = Site::new(reader.site().clone());
    let mut printer = stdout();
    reader.each(u64::MAX, |row| {
        let fact = row.fact()?;
        site.apply(row.now, &fact);
        if let Fact::AnswerSaved(saved) = fact
            && let Some(attempt) = site.attempts.get(&saved.attempt)
        {
            printer.line(json!({ "admission_no": attempt.admission_no, "item": saved.item, "number": saved.number, "answer": saved.answer }));
        }
        Ok(())
    })?;
    printer.done()
}

fn show(reader: &JournalReader, which: &Which, output: Output) -> Result<()> {
    which.check()?;
    let mut printer = stdout();
    reader.each(u64::MAX, |row| {
        if which.wants(row) {
            printer.line(line(row, output));
        }
        Ok(())
    })?;
    printer.done()
}

/// A fact on one line.
fn line(row: &Row, output: Output) -> String {
    let Row { seq, boot, now, scope, kind, body, hash } = row;
    if output.json {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        return json!({ "seq": seq, "at": now.at, "boot": boot, "wall": now.wall, "scope": scope, "kind": kind,
            "body": body, "hash": hash })
        .to_string();
    }
    let cut: String = body.chars().take(FIELDS_CHARS_MAX).collect();
    let more = if cut.len() < body.len() { "…" } else { "" };
    format!("{seq:>6}  {}  {kind}  {scope}  {cut}{more}", day_time(now.wall))
}

/// A step: the fact, and what stands otherwise after it.
fn step(reader: &JournalReader, which: &Which, output: Output) -> Result<()> {
    which.check()?;
    let waits = !output.json && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut steps = Vec::new();
    let mut printer = stdout();
    let mut site = Site::new(reader.site().clone());
    reader.each(u64::MAX, |row| {
        let fact = row.fact()?;
        let silent = !which.wants(row) || matches!(fact, Fact::AnswerSaved(_));
        let anchor = row.now;
        let clock = |at: SiteMs| time_of(anchor, at);
        let before = (!silent).then(|| explain::standing(&site, row.now.at, &clock));
        site.apply(row.now, &fact);
        let changed: Vec<_> = before
            .map(|before| {
                let after = explain::standing(&site, row.now.at, &clock);
                after.into_iter().filter(|(key, now)| before.get(key) != Some(now)).map(|(_, line)| line).collect()
            })
            .unwrap_or_default();
        if which.wants(row) {
            let text = match output.json {
                true => json!({ "seq": row.seq, "kind": row.kind, "at": row.now.at, "changed": changed }).to_string(),
                false => {
                    changed.iter().fold(line(row, output), |text, l| format!("{text}\n        → {} · {}", l.zh, l.en))
                }
            };
            // On a terminal nothing is read while somebody thinks: an open read would hold up the running server's log.
            if waits { steps.push(text) } else { printer.line(text) }
        }
        Ok(())
    })?;
    let mut typed = String::new();
    for text in steps {
        printer.line(text);
        printer.out.flush()?;
        typed.clear();
        if std::io::stdin().lock().read_line(&mut typed)? == 0 || typed.trim() == "q" {
            break;
        }
    }
    printer.done()
}

fn why(reader: &JournalReader, sitting: SittingId, seat: SeatNo, at: &str, output: Output) -> Result<()> {
    let anchor = anchor(reader, &sitting)?;
    let at = moment(at, anchor)?;
    let (mut site, mut told, mut later) = (Site::new(reader.site().clone()), Vec::new(), Vec::new());
    reader.each(u64::MAX, |row| {
        let fact = row.fact()?;
        let told_now = Told { seq: row.seq, now: row.now, fact };
        if row.now.at <= at {
            site.apply(row.now, &told_now.fact);
            told.push(told_now);
        } else if !matches!(told_now.fact, Fact::AnswerSaved(_)) {
            later.push(told_now);
        }
        Ok(())
    })?;
    let clock = |at: SiteMs| time_of(anchor.now, at);
    let question = Question { sitting: sitting.clone(), seat, at };
    let found = explain::why(&site, &question, &told, &clock)?;
    let attempt = found.attempt.and_then(|id| site.attempts.get(&id));
    let after = later.iter().filter(|one| explain::touches(&sitting, attempt, &one.fact)).map(|one| one.seq);
    let after: Vec<u64> = after.collect();
    output.result(
        || {
            let lines = found.lines.iter().map(|line| format!("{}\n    {}", line.zh, line.en));
            let mut text = lines.collect::<Vec<_>>().join("\n");
            if !after.is_empty() {
                text += &format!(
                    "\n此后还有 {} 条记录涉及本考位，用更晚的 --at 查看。\n    {} later facts touch this seat: ask with a later --at.",
                    after.len(),
                    after.len()
                );
            }
            text
        },
        || json!({ "why": &found, "later_facts": &after }),
    );
    Ok(())
}

/// What ties the site's timeline to a day: the start of the sitting, or else the last that happened in it.
#[derive(Clone, Copy)]
struct Anchor {
    now: Now,
    started: bool,
}

fn anchor(reader: &JournalReader, sitting: &SittingId) -> Result<Anchor> {
    let scope = Scope::Sitting(sitting.clone()).to_string();
    let (mut known, mut any, mut start, mut last) = (false, None, None, None);
    reader.each(u64::MAX, |row| {
        any = Some(row.now);
        match row.kind.as_str() {
            "sitting_started" if row.scope == scope => start = Some(row.now),
            "package_taken" => {
                let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
                let sittings = body["sittings"].as_array().into_iter().flatten();
                known |= sittings.into_iter().any(|one| one["sitting"] == sitting.as_str());
            }
            _ if row.scope == scope => last = Some(row.now),
            _ => {}
        }
        Ok(())
    })?;
    match start.or(last).or(any).filter(|_| known || start.is_some()) {
        Some(now) => Ok(Anchor { now, started: start.is_some() }),
        None => Err(Coded { text: format!("there is no sitting {sitting} in this journal"), code: 4 }.into()),
    }
}

/// Reads `HH:MM[:SS]`, `+MM:SS` or milliseconds.
fn moment(text: &str, anchor: Anchor) -> Result<SiteMs> {
    let unread =
        || bad(format!("`{text}` is no time: give HH:MM, HH:MM:SS, +MM:SS since the start, or site milliseconds"));
    if let Ok(ms) = text.parse() {
        return Ok(SiteMs(ms));
    }
    if let Some(after) = text.strip_prefix('+') {
        let (minutes, seconds) = after.split_once(':').ok_or_else(unread)?;
        let number = |part: &str| part.parse::<u32>().map(u64::from).map_err(|_| unread());
        let ms = (number(minutes)? * 60 + number(seconds)?) * 1000;
        let begun = anchor.started.then(|| anchor.now.at.plus(ms));
        return begun
            .ok_or_else(|| bad("the sitting has not started: give a time of day or site milliseconds".to_owned()));
    }
    let time = Time::strptime("%H:%M:%S", text).or_else(|_| Time::strptime("%H:%M", text)).map_err(|_| unread())?;
    let zone = TimeZone::system();
    let day = stamp(anchor.now.wall).to_zoned_datetime(zone.clone()).date();
    let wall = day.to_datetime(time).to_zoned_datetime(zone).map_err(|_| unread())?.timestamp().as_millisecond();
    let moved = wall.saturating_sub(anchor.now.wall.0);
    Ok(SiteMs(anchor.now.at.0.saturating_add_signed(moved)))
}

fn stamp(wall: WallMs) -> Timestamp {
    Timestamp::from_millisecond(wall.0).unwrap_or_default()
}

/// A moment of the timeline as the time of day it was, counted from one moment where both are known: a wall clock that
/// jumped in between does not bend it.
fn time_of(anchor: Now, at: SiteMs) -> String {
    let moved = if at >= anchor.at { at.since(anchor.at) as i64 } else { -(anchor.at.since(at) as i64) };
    let wall = WallMs(anchor.wall.0.saturating_add(moved));
    stamp(wall).to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S").to_string()
}

fn day_time(wall: WallMs) -> String {
    stamp(wall).to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
