//! A small exam for tests: a site with its server running, a package taken in, and seats when asked for.
//! Never shared between tests: each has a folder and a server of its own.
#![allow(dead_code, reason = "each test program uses its own part")]

use anyhow::{Result, ensure};
use exam_e2e::{
    folder::Folder,
    load::{Load, Orders},
    programs::Programs,
    site::{Sample, Site},
};
use serde_json::Value;
use std::{path::Path, time::Duration};
use tempfile::TempDir;

/// What anything in these small exams may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// Pause of a candidate who hardly thinks.
const QUICK_MS: u64 = 5;

/// A site in a folder that vanishes with it.
pub(crate) struct Small {
    // Before the folder, so that the server ends before its folder vanishes.
    pub(crate) site: Site,
    pub(crate) sitting: String,
    _folder: TempDir,
}

/// A fresh site whose server runs and has taken in a sample package; `bank` replaces the sample's question bank.
pub(crate) fn small_exam(sample: Sample, bank: Option<&str>) -> Result<Small> {
    let (site, folder) = founded()?;
    site.write_sample(sample)?;
    let bank_file = match bank {
        Some(text) => {
            let file = site.folder().input().join("bank.csv");
            std::fs::write(&file, text)?;
            file
        }
        None => site.bank(),
    };
    site.import_paper(&bank_file, "测试试卷")?;
    delivered(site, folder)
}

/// As [`small_exam`], but its sitting is a mock one whose paper carries its answer key.
pub(crate) fn small_mock_exam(sample: Sample) -> Result<Small> {
    let (site, folder) = founded()?;
    site.write_sample(sample)?;
    let plan = std::fs::read_to_string(site.plan())?;
    let mock = plan.replacen("minutes = 30\n", "minutes = 30\nmock = true\n", 1);
    let keyed = mock.replacen("file = \"paper.paper\"\n", "file = \"paper.paper\"\nwith_key = true\n", 1);
    ensure!(mock != plan && keyed != mock, "the sample's plan is another than this test knows");
    std::fs::write(site.plan(), keyed)?;
    site.import_paper(&site.bank(), "模拟试卷")?;
    delivered(site, folder)
}

/// The server runs, the package is taken in.
fn delivered(mut site: Site, folder: TempDir) -> Result<Small> {
    site.start_server()?;
    site.deliver_package()?;
    let sitting = site.sitting()?;
    Ok(Small::new(site, sitting, folder))
}

/// A founded site, nothing more.
pub(crate) fn founded() -> Result<(Site, TempDir)> {
    let folder = tempfile::tempdir()?;
    let site = Site::new(Programs::beside_us()?, Folder::fresh(folder.path())?);
    site.found("测试考点")?;
    Ok((site, folder))
}

impl Small {
    /// A site that was prepared otherwise.
    pub(crate) fn new(site: Site, sitting: String, folder: TempDir) -> Self {
        Self { site, sitting, _folder: folder }
    }

    /// Seats that enrol, take their desks and wait for the door to open.
    pub(crate) fn seats_waiting(&self, seats: u16) -> Result<Load> {
        self.start_seats(seats, &self.site.public_file(), QUICK_MS)
    }

    /// Seats that have enrolled and signed in, and will answer as fast as they can.
    pub(crate) fn seats_ready(&self, seats: u16) -> Result<Load> {
        self.thoughtful_seats_ready(seats, QUICK_MS)
    }

    /// Seats that have enrolled and signed in, and will pause between two answers.
    pub(crate) fn thoughtful_seats_ready(&self, seats: u16, think_ms: u64) -> Result<Load> {
        self.site.act("admit-open", &self.sitting)?;
        let mut load = self.start_seats(seats, &self.site.public_file(), think_ms)?;
        ensure!(load.wait_ready(DEADLINE)? == 0, "a seat could not sign in");
        Ok(load)
    }

    /// Seats that trust the site of `trust`, just started.
    pub(crate) fn seats_trusting(&self, seats: u16, trust: &Path) -> Result<Load> {
        self.start_seats(seats, trust, QUICK_MS)
    }

    fn start_seats(&self, seats: u16, trust: &Path, think_ms: u64) -> Result<Load> {
        let folder = self.site.folder();
        let orders = Orders {
            server: self.site.address()?.to_owned(),
            trust: trust.to_path_buf(),
            enrol: self.site.enrol_code(seats)?,
            seats,
            stand_by: false,
            think_ms,
            seed: 1,
            roster: self.site.write_seating()?,
            data: folder.seats(),
            ack_log: folder.ack_log(),
        };
        Load::start(self.site.load(), &orders, &folder.logs())
    }

    /// The whole exam: seats answer everything, the sitting ends, the bundle lies in the folder, the server has ended.
    pub(crate) fn hold(&mut self, seats: u16) -> Result<std::path::PathBuf> {
        let mut load = self.seats_ready(seats)?;
        let code = self.site.unlock_code(&self.sitting)?;
        self.site.start_sitting(&self.sitting, &code)?.expect_code(0)?;
        load.wait_synced(DEADLINE, |_| {})?;
        self.site.act("end", &self.sitting)?;
        load.wait_figures(DEADLINE)?;
        let bundle = self.site.export(&self.sitting, &self.site.folder().bundle())?;
        self.site.stop_server()?;
        Ok(bundle)
    }

    /// `exam-server status`.
    pub(crate) fn status(&self) -> Result<Value> {
        self.site.server(["status"])?.expect_code(0)?.json()
    }
}
