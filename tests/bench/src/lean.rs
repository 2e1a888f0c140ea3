//! Seats that cost nothing themselves, against the limits and against our server: sign-in, acknowledgements, memory, restart.

use crate::{
    Options,
    exam::{Bare, Room, Span, all_in, figure, figures_of},
    figures::Figures,
    proc, profile,
    run::Round,
    seats::Deed,
};
use anyhow::{Context, Result};
use serde_json::Value;
use std::{
    path::Path,
    time::{Instant, UNIX_EPOCH},
};

/// Saves a seat of a paced room makes, milliseconds apart.
pub(crate) const PACE_MS: u64 = 2_000;
/// Pause of a seat that waits for the server to die.
const BUSY_PACE_MS: u64 = 200;

struct Turn<'a> {
    options: &'a Options,
    figures: &'a mut Figures,
    room: Room,
    folder: &'a Path,
}

/// Limits and ours, the first of them changing every round.
pub(crate) fn measure(round: &mut Round<'_>, folder: &Path) -> Result<()> {
    let room = Room::open(folder, round.seats, round.number)?;
    let mut turn = Turn { options: round.options, figures: round.figures, room, folder };
    turn.enrol()?;
    if round.number.is_multiple_of(2) {
        turn.limits()?;
        turn.ours()
    } else {
        turn.ours()?;
        turn.limits()
    }
}

impl Turn<'_> {
    fn enrol(&mut self) -> Result<()> {
        self.figures.note("ours_enrol_all_ms", self.room.enrol()?);
        Ok(())
    }

    fn limits(&mut self) -> Result<()> {
        let echo = self.room.bare(false)?;
        let span = Span::begin(echo.id())?;
        let mut seats = self.room.seats(Deed::Storm, Some(&echo), &[])?;
        let inside = all_in(&mut seats)?;
        let per_seat = span.cpu_us()? / f64::from(self.room.seats);
        self.figures.note("bare_handshake_cpu_us", per_seat);
        self.note("bare_handshake_all_ms", &inside["max"], 1e-3)?;
        drop(seats);
        self.closed("bare_echo", echo.id(), Some(&echo))?;
        drop(echo);
        let commits = self.room.bare(true)?;
        self.closed("bare_commit", commits.id(), Some(&commits))?;
        self.paced("bare_paced", Some(&commits))
    }

    fn ours(&mut self) -> Result<()> {
        let server = self.room.server_id()?;
        let (span, before) = (Span::begin(server)?, proc::used(server)?);
        let mut seats = self.room.seats(Deed::Storm, None, &[])?;
        let inside = all_in(&mut seats)?;
        let (each, after) = (f64::from(self.room.seats), proc::used(server)?);
        self.figures.note("ours_sign_in_cpu_us", span.cpu_us()? / each);
        self.note("ours_sign_in_all_ms", &inside["max"], 1e-3)?;
        self.figures.note("ours_idle_mib", before.resident_kib / 1024.0);
        self.figures.note("ours_kib_per_seat", (after.resident_kib - before.resident_kib).max(0.0) / each);
        drop(seats);
        self.room.start()?;
        self.closed("ours_acks", server, None)?;
        self.paced("ours_paced", None)?;
        self.figures.note("ours_peak_mib", proc::used(server)?.peak_kib / 1024.0);
        self.again()
    }

    /// One save after the other at every seat.
    fn closed(&mut self, name: &str, server: u32, bare: Option<&Bare>) -> Result<()> {
        let seconds = self.options.seconds;
        let mut seats = self.room.seats(Deed::Closed, bare, &[("seconds", &seconds)])?;
        all_in(&mut seats)?;
        let (span, threads) = (Span::begin(server)?, proc::by_thread(server));
        let wanted = self.options.profile && bare.is_none();
        let sampling = wanted.then(|| profile::begin(server, self.folder, seconds.max(2) - 1));
        let figures = figures_of(seats)?;
        let saves = figures["saves"].as_f64().context("saves")?;
        self.note(&format!("{name}_per_s"), &figures["per_s"], 1.0)?;
        self.note(&format!("{name}_p99_ms"), &figures["us"]["p99"], 1e-3)?;
        self.figures.note(&format!("{}_cpu_us", name.trim_end_matches('s')), span.cpu_us()? / saves);
        for (thread, seconds) in proc::by_thread(server) {
            let used = (seconds - threads.get(&thread).copied().unwrap_or(0.0)) * 1e6 / saves;
            self.figures.note(&format!("{name}_thread_{thread}_us"), used);
        }
        if let Some(sampling) = sampling {
            eprintln!("{}", profile::end(sampling, self.folder, &self.folder.join("profile.txt")));
        }
        Ok(())
    }

    /// A room at work: a save a seat every two seconds.
    fn paced(&mut self, name: &str, bare: Option<&Bare>) -> Result<()> {
        let seconds = self.options.seconds.max(PACE_MS / 1_000);
        let seats = self.room.seats(Deed::Paced, bare, &[("seconds", &seconds), ("every", &PACE_MS)])?;
        let figures = figures_of(seats)?;
        self.note(&format!("{name}_p50_ms"), &figures["us"]["p50"], 1e-3)?;
        self.note(&format!("{name}_p99_ms"), &figures["us"]["p99"], 1e-3)
    }

    /// `kill -9`, restart, and everybody saves again.
    fn again(&mut self) -> Result<()> {
        let mut seats = self.room.seats(Deed::Again, None, &[("every", &BUSY_PACE_MS)])?;
        all_in(&mut seats)?;
        self.figures.note("ours_udp_drops", self.room.udp_drops()?);
        let facts = self.room.site.server(["verify"])?.expect_code(0)?.json()?;
        self.room.site.kill_server()?;
        let (killed, begun) = (UNIX_EPOCH.elapsed()?.as_millis() as f64, Instant::now());
        self.room.site.start_server()?;
        let starting_s = begun.elapsed().as_secs_f64();
        let back = figures_of(seats)?;
        self.figures.note("ours_restart_ms", starting_s * 1e3);
        if let Some(facts) = facts["facts"].as_f64() {
            self.figures.note("ours_restart_facts_per_s", facts / starting_s);
        }
        for (name, quantile) in [("p50", "p50"), ("p99", "p99"), ("all", "max")] {
            self.figures.note(&format!("ours_again_{name}_ms"), figure(&back["unix_ms"][quantile])? - killed);
        }
        Ok(())
    }

    fn note(&mut self, name: &str, value: &Value, times: f64) -> Result<()> {
        self.figures.note(name, figure(value).context(name.to_owned())? * times);
        Ok(())
    }
}
