//! One exam on this machine, step by step, through the command lines a person would type.
//! Knows every program's options and output; nothing else of the harness does.

use crate::{
    folder::Folder,
    process::{COMMAND_DEADLINE, Finished, Running, run},
    programs::{Program, Programs},
    search::files_under,
};
use anyhow::{Context, Result};
use exam_protocol::ids::{AdmissionNo, RoomId, SeatNo, SittingId};
use exam_sealed::package::Package;
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// What a server gets from its start to listening, recovery of a large journal included.
const START_DEADLINE: Duration = Duration::from_secs(60);
/// What a server gets to end cleanly.
const STOP_DEADLINE: Duration = Duration::from_secs(60);

/// What the sample exam is made of.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Candidates, one a desk.
    pub seats: u16,
    /// Items of the paper.
    pub questions: u16,
    /// Same seed, same files.
    pub seed: u64,
}

/// A candidate's desk, in the shape `exam-load --roster` reads.
#[derive(Clone, Debug, Serialize)]
pub struct Seated {
    /// Who.
    pub admission_no: AdmissionNo,
    /// In which room.
    pub room: RoomId,
    /// At which desk.
    pub seat: SeatNo,
}

/// A site with its server, its HQ, and the folder where everything lies.
#[derive(Debug)]
pub struct Site {
    programs: Programs,
    folder: Folder,
    address: Option<String>,
    server: Option<Running>,
}

impl Site {
    /// Nothing has happened yet.
    pub fn new(programs: Programs, folder: Folder) -> Self {
        Self { programs, folder, address: None, server: None }
    }

    /// Where everything lies.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Runs `exam-hq` with `--json`; any exit code.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn hq<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Result<Finished> {
        self.command(Program::Hq, args)
    }

    /// Runs `exam-server` with `--json` on this site's data folder; any exit code.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn server<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Result<Finished> {
        self.server_at(&self.folder.server(), args)
    }

    /// Runs `exam-server` as people do, without `--json`, and returns what it prints.
    ///
    /// # Errors
    /// It fails.
    pub fn server_in_words(&self, args: &[&str]) -> Result<String> {
        let mut command = self.programs.command(Program::Server);
        command.args(args).arg("--data").arg(self.folder.server());
        Ok(run(command, COMMAND_DEADLINE, &self.folder.command_log())?.expect_code(0)?.stdout)
    }

    /// Runs `exam-server` with `--json` on another data folder, e.g. a backup; any exit code.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn server_at<I: AsRef<OsStr>>(&self, data: &Path, args: impl IntoIterator<Item = I>) -> Result<Finished> {
        let mut command = self.programs.command(Program::Server);
        command.args(args).arg("--data").arg(data).arg("--json");
        run(command, COMMAND_DEADLINE, &self.folder.command_log())
    }

    fn command<I: AsRef<OsStr>>(&self, program: Program, args: impl IntoIterator<Item = I>) -> Result<Finished> {
        let mut command = self.programs.command(program);
        command.args(args).arg("--json");
        run(command, COMMAND_DEADLINE, &self.folder.command_log())
    }

    /// Founds the site; HQ makes its keys and gets the site's public files.
    ///
    /// # Errors
    /// A command fails.
    pub fn found(&self, name: &str) -> Result<()> {
        let keys = self.folder.keys();
        let founded = self.server([OsStr::new("init"), "--site".as_ref(), name.as_ref()])?.expect_code(0)?.json()?;
        self.hq([OsStr::new("keys"), "new".as_ref(), "--out".as_ref(), keys.as_ref()])?.expect_code(0)?;
        for (field, file) in [("site_public", "site-public.json"), ("minisign_public", "site-minisign.pub")] {
            let from = text(&founded, field)?;
            fs::copy(&from, keys.join(file)).with_context(|| format!("{field}: {from}"))?;
        }
        Ok(())
    }

    /// The site's public file, as HQ and every machine have it.
    pub fn public_file(&self) -> PathBuf {
        self.folder.keys().join("site-public.json")
    }

    /// Writes spreadsheets as people have them.
    ///
    /// # Errors
    /// The command fails.
    pub fn write_sample(&self, sample: Sample) -> Result<()> {
        let [seats, questions, seed] =
            [u64::from(sample.seats), u64::from(sample.questions), sample.seed].map(|n| n.to_string());
        let (input, public, keys) = (self.folder.input(), self.public_file(), self.folder.keys());
        let mut args: Vec<&OsStr> = vec!["sample".as_ref(), "--out".as_ref(), input.as_ref()];
        args.extend([OsStr::new("--site"), public.as_ref(), "--keys".as_ref(), keys.as_ref()]);
        args.extend(["--seats", &seats, "--questions", &questions, "--seed", &seed].map(OsStr::new));
        self.hq(args)?.expect_code(0)?;
        Ok(())
    }

    /// The plan among the sample's files.
    pub fn plan(&self) -> PathBuf {
        self.folder.input().join("PLAN.toml")
    }

    /// The paper the plan asks for.
    pub fn paper(&self) -> PathBuf {
        self.folder.input().join("paper.paper")
    }

    /// The question bank among the sample's files.
    pub fn bank(&self) -> PathBuf {
        self.folder.input().join("bank-wide.xlsx")
    }

    /// Imports a question bank into [`paper`](Self::paper).
    ///
    /// # Errors
    /// The command fails.
    pub fn import_paper(&self, bank: &Path, title: &str) -> Result<()> {
        let paper = self.paper();
        let (paper_import, title_option) =
            (["paper", "import", "--in"].map(OsStr::new), ["--title", title, "--out"].map(OsStr::new));
        let args = [&paper_import[..], &[bank.as_os_str()], &title_option[..], &[paper.as_os_str()]].concat();
        self.hq(args)?.expect_code(0)?;
        Ok(())
    }

    /// Builds the sealed package; the site takes it in.
    ///
    /// # Errors
    /// A command fails.
    pub fn deliver_package(&self) -> Result<()> {
        let (plan, package) = (self.plan(), self.folder.package_file());
        let build = [
            "package".as_ref(),
            "build".as_ref(),
            "--plan".as_ref(),
            plan.as_os_str(),
            "--out".as_ref(),
            package.as_ref(),
        ];
        self.hq(build)?.expect_code(0)?;
        self.server(["import".as_ref(), package.as_os_str()])?.expect_code(0)?;
        Ok(())
    }

    /// Everybody with the desk that HQ assigned, as the site reads it in the package.
    ///
    /// # Errors
    /// The package or the site's key cannot be read.
    pub fn seating(&self) -> Result<Vec<Seated>> {
        let mut package = Package::open(fs::File::open(self.folder.package_file())?)?;
        let rooms: BTreeMap<SittingId, RoomId> =
            package.manifest().sittings.iter().map(|plan| (plan.sitting.clone(), plan.room.clone())).collect();
        let roster = package.roster(&self.age_identity()?)?;
        let mut seated = Vec::new();
        for candidate in roster.candidates {
            for place in candidate.places {
                let room = rooms.get(&place.sitting).context("a desk of no sitting")?.clone();
                seated.push(Seated { admission_no: candidate.admission_no.clone(), room, seat: place.seat });
            }
        }
        Ok(seated)
    }

    /// Writes for a spare machine who is moved to it, and returns the file.
    ///
    /// # Errors
    /// As [`seating`](Self::seating); or nobody sits at `from`.
    pub fn write_move(&self, from: SeatNo, to: SeatNo) -> Result<PathBuf> {
        let moved = self.seating()?.into_iter().find(|seated| seated.seat == from).context("nobody sits there")?;
        let path = self.folder.root().join("moves.json");
        fs::write(&path, serde_json::to_vec(&[Seated { seat: to, ..moved }])?)?;
        Ok(path)
    }

    /// Writes who sits where for the seats, and returns the file.
    ///
    /// # Errors
    /// As [`seating`](Self::seating).
    pub fn write_seating(&self) -> Result<PathBuf> {
        let path = self.folder.root().join("seating.json");
        fs::write(&path, serde_json::to_vec(&self.seating()?)?)?;
        Ok(path)
    }

    /// Sealed papers that lie in the seats' folders.
    ///
    /// # Errors
    /// A folder cannot be listed.
    pub fn sealed_papers(&self) -> Result<usize> {
        let files = files_under(&self.folder.seats())?;
        Ok(files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "sealed")).count())
    }

    /// The site's own age identity: what somebody with the server's disk in hand has.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn age_identity(&self) -> Result<String> {
        let path = self.folder.server().join("keys").join("age.key");
        fs::read_to_string(&path).with_context(|| format!("{}", path.display()))
    }

    /// Where the server shall listen when it starts for the first time, instead of on this machine alone. Port 0 lets the system choose.
    pub fn listen_at(&mut self, address: std::net::SocketAddr) {
        self.address = Some(address.to_string());
    }

    /// Starts the server: at a port of the system's choosing the first time, at the same port ever after.
    ///
    /// # Errors
    /// It does not listen in time.
    pub fn start_server(&mut self) -> Result<()> {
        self.start_server_at(&self.folder.server(), &[])
    }

    /// Starts the server on another data folder, or with more options; otherwise as [`start_server`](Self::start_server).
    ///
    /// # Errors
    /// It does not listen in time.
    pub fn start_server_at(&mut self, data: &Path, options: &[&OsStr]) -> Result<()> {
        self.launch(data, |command| {
            command.args(options);
        })
    }

    /// Starts the server in a changed environment, e.g. with a clock of its own; otherwise as [`start_server`](Self::start_server).
    ///
    /// # Errors
    /// It does not listen in time.
    pub fn start_server_with(&mut self, prepare: impl FnOnce(&mut Command)) -> Result<()> {
        self.launch(&self.folder.server(), prepare)
    }

    fn launch(&mut self, data: &Path, prepare: impl FnOnce(&mut Command)) -> Result<()> {
        let mut command = self.programs.command(Program::Server);
        let listen = self.address.as_deref().unwrap_or("127.0.0.1:0");
        command.arg("run").arg("--data").arg(data).args(["--listen", listen, "--json"]);
        prepare(&mut command);
        let mut server = Running::start(command, "server", &self.folder.logs())?;
        let address = server.wait_for("listening", START_DEADLINE, |event| {
            (event["event"] == "listening").then(|| event["address"].as_str().map(str::to_owned)).flatten()
        })?;
        self.address = Some(address);
        self.server = Some(server);
        Ok(())
    }

    /// Where the server listens.
    ///
    /// # Errors
    /// It was never started.
    pub fn address(&self) -> Result<&str> {
        self.address.as_deref().context("the server was never started")
    }

    /// Process id of the server; none while it does not run.
    pub fn server_id(&self) -> Option<u32> {
        self.server.as_ref().map(Running::id)
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// It does not run, or cannot be killed.
    pub fn kill_server(&mut self) -> Result<()> {
        self.server.take().context("the server does not run")?.kill_hard()
    }

    /// Waits until the server has ended by itself. Returns how.
    ///
    /// # Errors
    /// It does not run, or does not end in time.
    pub fn server_ends(&mut self) -> Result<std::process::ExitStatus> {
        Ok(self.server.take().context("the server does not run")?.finish(STOP_DEADLINE)?.0)
    }

    /// Asks the server to end, and expects it to end well.
    ///
    /// # Errors
    /// It does not run, or ends badly or not at all.
    pub fn stop_server(&mut self) -> Result<()> {
        let status = self.server.take().context("the server does not run")?.stop(STOP_DEADLINE)?;
        anyhow::ensure!(status.success() || cfg!(not(unix)), "the server ended with {status}");
        Ok(())
    }

    /// One enrolment code for `uses` stations.
    ///
    /// # Errors
    /// The command fails.
    pub fn enrol_code(&self, uses: u16) -> Result<String> {
        let said =
            self.server(["enrol-code", "--role", "station", "--uses", &uses.to_string()])?.expect_code(0)?.json()?;
        text(&said["codes"][0], "code")
    }

    /// The one sitting of the sample; the first of a large one.
    ///
    /// # Errors
    /// The command fails, or there is no sitting.
    pub fn sitting(&self) -> Result<String> {
        self.sittings()?.into_iter().next().context("no sitting")
    }

    /// All sittings: one a room.
    ///
    /// # Errors
    /// The command fails.
    pub fn sittings(&self) -> Result<Vec<String>> {
        let said = self.server(["sitting", "list"])?.expect_code(0)?.json()?;
        let sittings = said.get("sittings").unwrap_or(&said);
        sittings.as_array().into_iter().flatten().map(|sitting| text(sitting, "sitting")).collect()
    }

    /// An act on a sitting: `admit-open`, `end`.
    ///
    /// # Errors
    /// The command fails.
    pub fn act(&self, act: &str, sitting: &str) -> Result<Value> {
        self.server(["sitting", act, sitting])?.expect_code(0)?.json()
    }

    /// The unlock code, as HQ reads it out.
    ///
    /// # Errors
    /// The command fails.
    pub fn unlock_code(&self, sitting: &str) -> Result<String> {
        let package = self.folder.package_file();
        let args = [
            "code".as_ref(),
            "unlock".as_ref(),
            "--package".as_ref(),
            package.as_os_str(),
            "--sitting".as_ref(),
            sitting.as_ref(),
        ];
        text(&self.hq(args)?.expect_code(0)?.json()?, "code")
    }

    /// Starts the sitting with a code; any exit code.
    ///
    /// # Errors
    /// The command cannot be run.
    pub fn start_sitting(&self, sitting: &str, code: &str) -> Result<Finished> {
        self.server(["sitting", "start", sitting, "--code", code])
    }

    /// Writes the bundle into `out` and returns its file.
    ///
    /// # Errors
    /// The command fails.
    pub fn export(&self, sitting: &str, out: &Path) -> Result<PathBuf> {
        let args = ["export".as_ref(), "--sitting".as_ref(), OsStr::new(sitting), "--out".as_ref(), out.as_os_str()];
        Ok(PathBuf::from(text(&self.server(args)?.expect_code(0)?.json()?, "file")?))
    }

    /// Every answer version in the server's journal, as lines of JSON, straight from its database.
    ///
    /// # Errors
    /// The command fails.
    pub fn journal_answers(&self) -> Result<String> {
        Ok(self.server(["journal", "answers"])?.expect_code(0)?.stdout)
    }

    /// HQ checks a bundle; any exit code.
    ///
    /// # Errors
    /// The command cannot be run.
    pub fn verify_bundle(&self, bundle: &Path) -> Result<Finished> {
        let keys = self.folder.keys();
        self.hq(["bundle".as_ref(), "verify".as_ref(), bundle.as_os_str(), "--keys".as_ref(), keys.as_ref()])
    }

    /// HQ opens a bundle into `out`.
    ///
    /// # Errors
    /// The command fails.
    pub fn open_bundle(&self, bundle: &Path, out: &Path) -> Result<()> {
        let keys = self.folder.keys();
        let open = ["bundle".as_ref(), "open".as_ref(), bundle.as_os_str(), "--keys".as_ref(), keys.as_ref()];
        self.hq([&open[..], &["--out".as_ref(), out.as_os_str()]].concat())?.expect_code(0)?;
        Ok(())
    }

    /// HQ marks an opened bundle.
    ///
    /// # Errors
    /// The command fails.
    pub fn mark(&self, opened: &Path, paper: &Path, out: &Path) -> Result<()> {
        let from = ["mark".as_ref(), "--results".as_ref(), opened.as_os_str(), "--papers".as_ref(), paper.as_os_str()];
        self.hq([&from[..], &["--out".as_ref(), out.as_os_str()]].concat())?.expect_code(0)?;
        Ok(())
    }

    /// A command line of the load program, not yet started.
    pub fn load(&self) -> Command {
        self.programs.command(Program::Load)
    }
}

fn text(value: &Value, field: &str) -> Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("the output has no text `{field}`: {value}"))
}
