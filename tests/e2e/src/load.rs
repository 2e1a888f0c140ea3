//! The headless seats, as a process of their own: started, listened to, awaited.
//! Knows the events `exam-load --json` prints; nothing else of the harness does.

use crate::process::Running;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::Duration,
};

/// What the seats are told.
#[derive(Clone, Debug)]
pub struct Orders {
    /// `HOST:PORT` of the server.
    pub server: String,
    /// The site's public file.
    pub trust: PathBuf,
    /// Enrolment code for all of them.
    pub enrol: String,
    /// How many seats.
    pub seats: u16,
    /// Spare machines: they wait for candidates who are moved.
    pub stand_by: bool,
    /// Pause between two answers, milliseconds.
    pub think_ms: u64,
    /// Of their answers and pauses.
    pub seed: u64,
    /// Who sits where: [`crate::site::Site::write_seating`].
    pub roster: PathBuf,
    /// Where the seats keep their data.
    pub data: PathBuf,
    /// One line for every answer acknowledged.
    pub ack_log: PathBuf,
}

/// The running seats.
#[derive(Debug)]
pub struct Load {
    process: Running,
}

impl Load {
    /// Starts the seats.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start(mut command: Command, orders: &Orders, logs: &Path) -> Result<Self> {
        command.args(["--server", &orders.server, "--enrol", &orders.enrol, "--json", "--events"]);
        command.args(["--seats", &orders.seats.to_string(), "--think", &orders.think_ms.to_string()]);
        command.args(["--seed", &orders.seed.to_string()]);
        command.args(orders.stand_by.then_some("--stand-by"));
        for (option, path) in [
            ("--trust", &orders.trust),
            ("--roster", &orders.roster),
            ("--data", &orders.data),
            ("--ack-log", &orders.ack_log),
        ] {
            command.arg(option).arg(path);
        }
        let name = if orders.stand_by { "spares" } else { "seats" };
        Ok(Self { process: Running::start(command, name, logs)? })
    }

    /// Waits until every seat has enrolled and signed in. Returns how many could not.
    ///
    /// # Errors
    /// Not in time.
    pub fn wait_ready(&mut self, deadline: Duration) -> Result<u64> {
        let failed = |event: &Value| named(event, "ready").map(|ready| ready["failed"].as_u64().unwrap_or(0));
        self.process.wait_for("ready", deadline, failed)
    }

    /// Waits until at least `answers` have been acknowledged; `seen` hears every report on the way.
    ///
    /// # Errors
    /// Not in time.
    pub fn wait_acked(&mut self, answers: u64, deadline: Duration, mut seen: impl FnMut(u64)) -> Result<()> {
        self.process.wait_for("acked", deadline, |event| {
            let acked = named(event, "acked")?["n"].as_u64()?;
            seen(acked);
            (acked >= answers).then_some(())
        })
    }

    /// Waits until every seat has answered everything and the server has acknowledged it all.
    ///
    /// # Errors
    /// Not in time.
    pub fn wait_synced(&mut self, deadline: Duration, mut seen: impl FnMut(u64)) -> Result<Value> {
        self.process.wait_for("synced", deadline, |event| {
            named(event, "acked").and_then(|acked| acked["n"].as_u64()).into_iter().for_each(&mut seen);
            named(event, "synced")
        })
    }

    /// Waits for the seats to end by themselves, whatever they say.
    ///
    /// # Errors
    /// Not in time.
    pub fn wait_end(self, deadline: Duration) -> Result<ExitStatus> {
        Ok(self.process.finish(deadline)?.0)
    }

    /// Waits for the seats to end well, and returns their figures.
    ///
    /// # Errors
    /// Not in time, or something was wrong: the figures say what.
    pub fn wait_figures(self, deadline: Duration) -> Result<Value> {
        let (status, printed) = self.process.finish(deadline)?;
        let figures: Value = serde_json::from_str(&printed).context("the seats printed no figures; see their log")?;
        ensure!(status.success(), "the seats ended with {status}: {figures}");
        Ok(figures)
    }
}

fn named(event: &Value, name: &str) -> Option<Value> {
    (event["event"] == name).then(|| event.clone())
}
