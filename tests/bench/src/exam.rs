//! A room for the bench: a site with its package, the real server's process, and the seats' process against it or against
//! the bare server. Everything lies in one folder that vanishes.

use crate::{proc, seats::Deed, udp};
use anyhow::{Context, Result};
use clap::ValueEnum;
use exam_e2e::{
    folder::Folder,
    load::{Load, Orders},
    process::Running,
    programs::Programs,
    site::{Sample, Site},
};
use serde_json::Value;
use std::{
    env,
    fmt::Display,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// What anything of a round may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(300);
/// Items of the sample's paper.
const QUESTIONS: u16 = 60;

/// A site whose package is in, whose admission is open, and whose server runs.
pub(crate) struct Room {
    pub(crate) site: Site,
    /// One a room; more than a thousand seats need several.
    pub(crate) sittings: Vec<String>,
    pub(crate) seats: u16,
    roster: PathBuf,
    round: u64,
    /// What the seats have done so far: each deed answers items of its own.
    deeds: u32,
}

/// A server that is only a limit.
pub(crate) struct Bare {
    process: Running,
    pub(crate) address: String,
}

impl Bare {
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Room {
    pub(crate) fn open(folder: &Path, seats: u16, round: u64) -> Result<Self> {
        let mut site = Site::new(Programs::beside_us()?, Folder::fresh(folder)?);
        site.found("测速考点")?;
        site.write_sample(Sample { seats, questions: QUESTIONS, seed: round })?;
        site.import_paper(&site.bank(), "测速试卷")?;
        site.start_server()?;
        site.deliver_package()?;
        let (sittings, roster) = (site.sittings()?, site.write_seating()?);
        for sitting in &sittings {
            site.act("admit-open", sitting)?;
        }
        Ok(Self { site, sittings, seats, roster, round, deeds: 0 })
    }

    pub(crate) fn server_id(&self) -> Result<u32> {
        self.site.server_id().context("the server runs")
    }

    /// Starts the sittings, each with its code.
    pub(crate) fn start(&self) -> Result<()> {
        for sitting in &self.sittings {
            let code = self.site.unlock_code(sitting)?;
            self.site.start_sitting(sitting, &code)?.expect_code(0)?;
        }
        Ok(())
    }

    /// Ends them.
    pub(crate) fn end(&self) -> Result<()> {
        self.sittings.iter().try_for_each(|sitting| self.site.act("end", sitting).map(drop))
    }

    /// Exports the first sitting, and returns its bundle.
    pub(crate) fn export(&self) -> Result<PathBuf> {
        let sitting = self.sittings.first().context("a sitting")?;
        self.site.export(sitting, &self.site.folder().bundle())
    }

    /// A limit beside this room's server: the same keys and the same disk.
    pub(crate) fn bare(&self, commits: bool) -> Result<Bare> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["bare", "--data"]).arg(self.site.folder().server());
        if commits {
            let name = format!("bare-{}-{}.db", self.seats, self.round);
            command.arg("--commit").arg(self.site.folder().root().join(name));
        }
        let mut process = Running::start(command, "bare", &self.site.folder().logs())?;
        let address = process.wait_for("listening", DEADLINE, |event| {
            (event["event"] == "listening").then(|| event["address"].as_str().map(str::to_owned)).flatten()
        })?;
        Ok(Bare { process, address })
    }

    /// The seats' process, doing one thing; against `bare`, or else against this room's server.
    pub(crate) fn seats(
        &mut self,
        deed: Deed,
        bare: Option<&Bare>,
        options: &[(&str, &dyn Display)],
    ) -> Result<Running> {
        let mut command = Command::new(env::current_exe()?);
        let deed_name = deed.to_possible_value().context("every deed has a name")?.get_name().to_owned();
        let server = bare.map_or(self.site.address()?, |bare| &bare.address);
        command.args(["seats", "--deed", &deed_name, "--server", server, "--nth", &self.deeds.to_string()]);
        command.arg("--trust").arg(self.site.public_file()).arg("--roster").arg(&self.roster);
        let machines = if deed == Deed::SignOn { "consoles" } else { "machines" };
        command.arg("--data").arg(self.site.folder().root().join(machines)).args(bare.map(|_| "--bare"));
        if deed == Deed::Enrol {
            command.args(["--code", &self.site.enrol_code(self.seats)?]);
        }
        for (option, value) in options {
            command.args([format!("--{option}"), value.to_string()]);
        }
        if bare.is_none() {
            self.deeds += 1;
        }
        Running::start(command, &format!("seats-{deed_name}"), &self.site.folder().logs())
    }

    /// All of them with certificates. Returns after how long.
    pub(crate) fn enrol(&mut self) -> Result<f64> {
        figure(&figures_of(self.seats(Deed::Enrol, None, &[])?)?["all_ms"])
    }

    /// What the server's socket had no room for so far.
    pub(crate) fn udp_drops(&self) -> Result<f64> {
        udp::drops(self.site.address()?)
    }

    /// Headless candidates with journals and papers, started and signed in; returns after how long everybody was in.
    pub(crate) fn candidates(&self, think_ms: u64, seconds: u64) -> Result<Load> {
        let folder = self.site.folder();
        let orders = Orders {
            server: self.site.address()?.to_owned(),
            trust: self.site.public_file(),
            enrol: self.site.enrol_code(self.seats)?,
            seats: self.seats,
            stand_by: false,
            think_ms,
            seed: self.round,
            roster: self.roster.clone(),
            data: folder.seats(),
            ack_log: folder.ack_log(),
        };
        let mut command = self.site.load();
        command.args(["--duration", &seconds.to_string()]);
        let mut load = Load::start(command, &orders, &folder.logs())?;
        anyhow::ensure!(load.wait_ready(DEADLINE)? == 0, "a candidate could not sign in");
        Ok(load)
    }
}

/// Waits until the seats say that something has come to pass, and returns what they say.
pub(crate) fn hear(seats: &mut Running, name: &str) -> Result<Value> {
    seats.wait_for(name, DEADLINE, |event| (event["event"] == name).then(|| event.clone()))
}

/// Waits until the seats are in, and returns when each was.
pub(crate) fn all_in(seats: &mut Running) -> Result<Value> {
    Ok(hear(seats, "in")?["us"].clone())
}

/// A figure of what a program said.
pub(crate) fn figure(value: &Value) -> Result<f64> {
    value.as_f64().with_context(|| format!("no figure: {value}"))
}

/// The seats' last word.
pub(crate) fn figures_of(seats: Running) -> Result<Value> {
    let (status, printed) = seats.finish(DEADLINE)?;
    anyhow::ensure!(status.success(), "the seats ended with {status}; see their log");
    serde_json::from_str(printed.trim()).context("the seats printed no figures")
}

/// What a process used while something was done.
pub(crate) struct Span {
    pid: u32,
    cpu_s: f64,
    begun: Instant,
}

impl Span {
    pub(crate) fn begin(pid: u32) -> Result<Self> {
        Ok(Self { pid, cpu_s: proc::used(pid)?.cpu_s, begun: Instant::now() })
    }

    pub(crate) fn cpu_us(&self) -> Result<f64> {
        Ok((proc::used(self.pid)?.cpu_s - self.cpu_s) * 1e6)
    }

    pub(crate) fn ms(&self) -> f64 {
        self.begun.elapsed().as_secs_f64() * 1e3
    }
}
