//! A room in which a sitting runs: one server, many headless seats, everything in one folder. Never compares what the seats were
//! told with anything but what is on a disk.

use crate::{
    acks::Acks,
    wire::{self, Place},
};
use anyhow::{Context, Result, ensure};
use exam_e2e::{
    answers::{self, Account},
    folder::Folder,
    process::Running,
    programs::Programs,
    site::{Sample, Site},
};
use exam_protocol::site::SitePublic;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// What anything in a rig may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);
/// All seats must be saved again after a restart within this; far more than is promised, because the figure is what is reported.
pub(crate) const BACK_DEADLINE: Duration = Duration::from_secs(60);
/// Items of the paper.
const QUESTIONS: u16 = 40;
/// Mean pause of a candidate between two changes, milliseconds.
const THINK_MS: u64 = 100;

/// What a rig is given.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) programs: Programs,
    pub(crate) home: PathBuf,
    pub(crate) seats: u16,
    pub(crate) seed: u64,
    pub(crate) rounds: u64,
    /// No further round begins after this.
    pub(crate) time: Duration,
}

/// The room.
pub(crate) struct Room {
    pub(crate) site: Site,
    pub(crate) sitting: String,
    pub(crate) acks: Acks,
    seats: Option<Running>,
    enrol: String,
    given: (u16, u64),
    /// Where the seats' machines are; none is the server's own.
    place: Option<Place>,
    starts: u32,
    pub(crate) server_kills: u64,
    pub(crate) seat_kills: u64,
}

/// A network between server and seats.
#[derive(Clone, Copy)]
struct Across {
    place: Place,
    /// Desks for whom the rig brings itself.
    desks_more: u16,
}

/// What the end of the sitting showed.
pub(crate) struct End {
    pub(crate) acked: usize,
    pub(crate) lost: usize,
    pub(crate) unacked: u64,
    pub(crate) refused: u64,
    pub(crate) sign_ins: u64,
    /// Connections the seats lost and made again, since they were last started.
    pub(crate) reconnects: u64,
    /// Starts of the server without a stop before them.
    pub(crate) kills: u64,
    pub(crate) bundle_differs: usize,
}

impl Room {
    /// A founded site with a package and a running server, in a folder under the rig's home. The server's data lies in `data`, which
    /// may be another disk.
    ///
    /// # Errors
    /// A command fails.
    pub(crate) fn found(given: &Given, name: &str, data: Option<&Path>) -> Result<Room> {
        Self::found_at(given, name, data, None)
    }

    /// As [`found`](Self::found), with a network between the server and its seats, and so many desks more than seats.
    ///
    /// # Errors
    /// A command fails.
    pub(crate) fn found_across(given: &Given, name: &str, desks_more: u16) -> Result<Room> {
        Self::found_at(given, name, None, Some(Across { place: Place::Seats, desks_more }))
    }

    fn found_at(given: &Given, name: &str, data: Option<&Path>, across: Option<Across>) -> Result<Room> {
        let folder = Folder::fresh(&given.home.join(name))?;
        let mut site = Site::new(given.programs.clone(), folder);
        site.found("压力考点")?;
        if let Some(data) = data {
            settle(&site.folder().server(), data)?;
        }
        let desks = given.seats + across.map_or(0, |across| across.desks_more);
        site.write_sample(Sample { seats: desks, questions: QUESTIONS, seed: given.seed })?;
        site.import_paper(&site.bank(), "压力试卷")?;
        let place = across.map(|across| across.place);
        if place.is_some() {
            site.listen_at(wire::SERVER.into());
        }
        site.start_server()?;
        site.deliver_package()?;
        let sitting = site.sitting()?;
        let enrol = site.enrol_code(given.seats)?;
        let (acks, seats, given) = (Acks::default(), None, (given.seats, given.seed));
        Ok(Self { site, sitting, acks, seats, enrol, given, place, starts: 0, server_kills: 0, seat_kills: 0 })
    }

    /// All seats sign in; nothing has started yet.
    ///
    /// # Errors
    /// Not in time, or one of them could not.
    pub(crate) fn admit(&mut self) -> Result<()> {
        self.site.act("admit-open", &self.sitting)?;
        self.start_seats(|_| {})?;
        let ready = |event: &Value| (event["event"] == "ready").then(|| event["failed"].as_u64()).flatten();
        let failed = self.seats()?.wait_for("ready", DEADLINE, ready)?;
        ensure!(failed == 0, "{failed} seats could not sign in");
        Ok(())
    }

    /// The unlock code is typed; every seat has an answer acknowledged.
    ///
    /// # Errors
    /// Not in time.
    pub(crate) fn begin(&mut self) -> Result<()> {
        let code = self.site.unlock_code(&self.sitting)?;
        self.site.start_sitting(&self.sitting, &code)?.expect_code(0)?;
        self.acks.wait_every_seat(usize::from(self.given.0), DEADLINE)?;
        Ok(())
    }

    /// Starts the seats, the first time or again.
    ///
    /// # Errors
    /// They cannot be started.
    pub(crate) fn start_seats(&mut self, prepare: impl FnOnce(&mut Command)) -> Result<()> {
        let folder = self.site.folder().clone();
        let log = folder.logs().join(format!("acks-{:04}.jsonl", self.starts));
        self.starts += 1;
        let mut command = self.site.load();
        command.args(["--server", self.site.address()?, "--enrol", &self.enrol, "--endless", "--json", "--events"]);
        command.args(["--seats", &self.given.0.to_string(), "--think", &THINK_MS.to_string()]);
        // Started again, candidates type something else than before.
        command.args(["--seed", &(self.given.1 ^ u64::from(self.starts)).to_string()]);
        let (trust, roster, data) = (self.site.public_file(), self.site.write_seating()?, folder.seats());
        for (option, path) in [("--trust", &trust), ("--roster", &roster), ("--data", &data), ("--ack-log", &log)] {
            command.arg(option).arg(path);
        }
        prepare(&mut command);
        if let Some(place) = self.place {
            command = place.of(&command);
        }
        self.seats = Some(Running::start(command, "seats", &folder.logs())?);
        self.acks.follow(&log);
        Ok(())
    }

    /// `kill -9` of all seats. What they were told until then stays known.
    ///
    /// # Errors
    /// They do not run.
    pub(crate) fn kill_seats(&mut self) -> Result<()> {
        self.seats.take().context("the seats do not run")?.kill_hard()?;
        self.seat_kills += 1;
        self.acks.read().map(|_| ())
    }

    /// `kill -9` of the server.
    ///
    /// # Errors
    /// It does not run.
    pub(crate) fn kill_server(&mut self) -> Result<()> {
        self.server_kills += 1;
        self.site.kill_server()
    }

    /// Versions that seats were shown as kept and `data` does not hold, with the first of them in words. The journal is read first: what
    /// the seats hear later cannot hide a loss, because a dead server says nothing.
    ///
    /// # Errors
    /// The journal cannot be read: it is damaged.
    pub(crate) fn lost_at(&mut self, data: &Path) -> Result<Lost> {
        let told = self.site.server_at(data, ["journal", "answers"])?.expect_code(0)?.stdout;
        let journal = answers::from_lines(&told)?;
        Lost::of(self.acks.read()?, &journal)
    }

    /// As [`lost_at`](Self::lost_at), at the running server: the acknowledgements are read first, because more of them come.
    ///
    /// # Errors
    /// As [`lost_at`](Self::lost_at).
    pub(crate) fn lost_now(&mut self) -> Result<Lost> {
        let acked = self.acks.read()?.clone();
        let journal = answers::from_lines(&self.site.journal_answers()?)?;
        Lost::of(&acked, &journal)
    }

    /// Versions acknowledged from now on until all seats have one: how long that took.
    ///
    /// # Errors
    /// Not in time.
    pub(crate) fn all_back(&mut self) -> Result<Duration> {
        self.acks.wait_every_seat(usize::from(self.given.0), BACK_DEADLINE)
    }

    /// How many seats there are.
    pub(crate) fn seats_wanted(&self) -> usize {
        usize::from(self.given.0)
    }

    /// As [`end`](Self::end), and hands the acknowledgements on, all of them.
    ///
    /// # Errors
    /// As [`end`](Self::end).
    pub(crate) fn end_and_acks(mut self) -> Result<(End, Acks)> {
        let end = self.end_here()?;
        Ok((end, self.acks))
    }

    /// The sitting ends, everything is compared: acknowledgements, journal, bundle.
    ///
    /// # Errors
    /// A command fails, or the seats do not end.
    pub(crate) fn end(mut self) -> Result<End> {
        self.end_here()
    }

    fn end_here(&mut self) -> Result<End> {
        self.site.act("end", &self.sitting)?;
        let (_, printed) = self.seats.take().context("the seats do not run")?.finish(DEADLINE)?;
        let figures: Value = serde_json::from_str(&printed).context("the seats printed no figures")?;
        let folder = self.site.folder().clone();
        let bundle = self.site.export(&self.sitting, &folder.bundle())?;
        self.site.stop_server()?;
        self.site.verify_bundle(&bundle)?.expect_code(0)?;
        self.site.open_bundle(&bundle, &folder.opened())?;
        let public: SitePublic = serde_json::from_slice(&fs::read(self.site.public_file())?)?;
        let facts = answers::from_journal(&folder.opened(), &public.site)?;
        let in_bundle = answers::from_bundle(&folder.opened())?;
        let journal = answers::from_lines(&self.site.journal_answers()?)?;
        let acked = self.acks.read()?;
        let count = |name: &str| figures[name].as_u64().with_context(|| format!("the seats' figures have no {name}"));
        Ok(End {
            acked: acked.len(),
            lost: answers::missing(acked, &journal).len(),
            unacked: count("unacked")?,
            refused: count("refused")?,
            sign_ins: facts.sign_ins,
            reconnects: count("reconnects")?,
            kills: u64::from(facts.starts.saturating_sub(1 + facts.stops)),
            bundle_differs: answers::missing(&journal, &in_bundle).len() + answers::missing(&in_bundle, &journal).len(),
        })
    }

    fn seats(&mut self) -> Result<&mut Running> {
        self.seats.as_mut().context("the seats do not run")
    }
}

impl End {
    /// What every rig expects of the end.
    pub(crate) fn check(&self, report: &mut crate::report::Report, seats: u16) {
        let Self { acked, lost, unacked, refused, sign_ins, bundle_differs, .. } = self;
        report.figure("acked", *acked);
        report.figure("lost_at_end", *lost);
        report.figure("sign_ins", *sign_ins);
        report.check(*lost == 0, || format!("{lost} acknowledged versions are not in the journal at the end"));
        report.check(*bundle_differs == 0, || format!("journal and bundle differ in {bundle_differs} versions"));
        report.check(*unacked == 0, || format!("{unacked} versions were never acknowledged"));
        // Typed after the end that the seat had not yet heard of: refused by the rules, and never acknowledged.
        report.figure("typed_after_the_end", *refused);
        report.check(*sign_ins == u64::from(seats), || format!("{sign_ins} sign-ins by {seats} candidates"));
    }
}

/// What a comparison found.
pub(crate) struct Lost {
    pub(crate) versions: usize,
    pub(crate) first: String,
}

impl Lost {
    fn of(acked: &Account, journal: &Account) -> Result<Self> {
        let missing = answers::missing(acked, journal);
        let first = missing.first().map_or_else(String::new, |key| format!("{}/{}", key.item, key.number));
        Ok(Self { versions: missing.len(), first })
    }

    /// Notes a loss of this round.
    pub(crate) fn check(&self, report: &mut crate::report::Report, round: u64) {
        let Self { versions, first } = self;
        report.check(*versions == 0, || {
            format!("round {round}: {versions} acknowledged versions are gone, e.g. {first}")
        });
    }
}

/// The new site's data folder goes to another disk; a link stands where it was.
fn settle(from: &Path, to: &Path) -> Result<()> {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().context("cp")?;
    ensure!(copied.success(), "the server's data could not be put on the other disk");
    // What was copied is no server's to sync; a cut would take it.
    ensure!(Command::new("sync").status().context("sync")?.success(), "sync failed");
    fs::remove_dir_all(from)?;
    link(to, from)
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> Result<()> {
    std::os::unix::fs::symlink(to, at).with_context(|| format!("{}", at.display()))
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> Result<()> {
    anyhow::bail!("another disk for the server is made on Linux only")
}
