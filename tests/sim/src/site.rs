//! The site a run begins with: founded, with a package taken in, staff entered and every machine enrolled, all over the
//! simulated wire. Made once a process and copied for each run. Never holds a real name or number.

use crate::{
    dice::Dice,
    net::Net,
    power::Power,
    runtime::runtime,
    server::{Fall, Open, Parts, ServerMachine, seed},
};
use anyhow::{Context, Result, bail, ensure};
use exam_link::{Dial, Identity, Link, MachineKey, Trust, bulk::put_blob, enrol::Enrolment};
use exam_protocol::{
    ids::{AccountId, AdmissionNo, ItemId, SeatNo, SeatRef, Sha256, SittingId},
    message::{
        admin::{ImportPackage, IssueCodes},
        duty::{MakeAccount, PeopleCall, SignOn},
        hello::Role,
    },
    paper::{Choice, Item, ItemKind, PAPER_FORMAT, Paper, Subject},
    plan::{AdmissionPolicy, Place, RoomPlan, RuleOverrides, SittingPlan},
    site::SitePublic,
    staff::StaffRole,
    tag::{Down, Up},
    time::WallMs,
};
use exam_sealed::{
    code::UnlockCode,
    keys::{SealingPair, SigningPair, generate_age, generate_minisign},
    manifest::RosterEntry,
    package::{CandidateInput, PackageInput, PaperInput, build},
};
use exam_server::{init, site::SiteKeys};
use quinn::{Endpoint, EndpointConfig, TokioRuntime};
use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;

/// Length of the sitting, minutes.
pub const SITTING_MIN: u32 = 6;
/// Spare machines of the room.
pub const SPARES: usize = 2;
/// Items of the paper: few enough for a sealed paper of one datagram, whose length age draws anew for each site.
pub const ITEMS: usize = 6;
/// Early hand-in opens so long before the end, minutes.
pub const HAND_IN_MIN: u32 = 2;
/// What everybody's password is.
const PASSWORD: &str = "eight letters and more";

/// Where the server listens.
pub fn server_addr() -> SocketAddr {
    SocketAddr::from(([10, 77, 0, 1], 4_433))
}

/// The machine at desk `index`.
pub fn desk_ip(index: usize) -> IpAddr {
    IpAddr::from([10, 77, 1 + (index / 200) as u8, 1 + (index % 200) as u8])
}

/// The proctors' console.
pub fn console_ip() -> IpAddr {
    IpAddr::from([10, 77, 0, 2])
}

/// The sitting.
pub fn sitting() -> SittingId {
    parsed("s1")
}

/// 考位 of desk `index`, from zero.
pub fn desk(index: usize) -> SeatRef {
    SeatRef { room: parsed("r1"), seat: seat_no(index) }
}

fn seat_no(index: usize) -> SeatNo {
    SeatNo::try_from(index as u16 + 1).expect("a room has fewer desks than numbers")
}

/// The candidate of desk `index`.
pub fn admission_no(index: usize) -> AdmissionNo {
    parsed(&format!("99000000000000000000{:06}", index + 1))
}

/// Items by number.
pub fn item(index: usize) -> ItemId {
    parsed(&format!("q{index}"))
}

/// Accounts of the staff.
pub fn account(name: &str) -> AccountId {
    parsed(name)
}

fn parsed<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("our own ids are well formed")
}

/// Anybody's word for an act that takes two.
pub fn approval(name: &str) -> exam_protocol::message::duty::Approval {
    exam_protocol::message::duty::Approval { account: account(name), password: PASSWORD.to_owned() }
}

/// A site on disk, to be copied, and everybody's keys.
pub struct Site {
    folder: TempDir,
    /// Candidates; spares come on top.
    pub seats: usize,
    /// Whom machines trust.
    pub trust: Trust,
    /// Machines by desk, candidates' first, in the order of their ids: so that what depends on ids is the same in every run.
    pub machines: Vec<Identity>,
    /// The proctors' console.
    pub console: Identity,
    /// HQ's sealing key.
    pub hq: SealingPair,
    /// 启封码.
    pub code: UnlockCode,
}

/// A folder in memory where there is one: nothing here needs a real disk.
pub(crate) fn scratch() -> io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}

/// A machine's way to the server.
pub(crate) struct Caller<'a> {
    pub(crate) net: &'a Net,
    pub(crate) from: SocketAddr,
    pub(crate) power: Power,
    pub(crate) dice: Dice,
}

impl Caller<'_> {
    /// An endpoint on the simulated network.
    pub(crate) fn endpoint(mut self) -> io::Result<Endpoint> {
        let mut config = EndpointConfig::default();
        config.rng_seed(Some(seed(&mut self.dice)));
        let socket = self.net.socket(self.from, self.power);
        Endpoint::new_with_abstract_socket(config, None, socket, Arc::new(TokioRuntime))
    }
}

impl Site {
    /// Founds a site for so many candidates. To be called without a runtime around.
    ///
    /// # Errors
    /// Whatever the product says.
    pub fn found(seats: usize) -> Result<Site> {
        ensure!((1..=400).contains(&seats), "a room has 1 to 400 seats");
        crate::disk::install();
        let folder = scratch()?;
        runtime()?.block_on(founding(folder, seats))
    }

    /// A copy of the server's data folder.
    ///
    /// # Errors
    /// The system's.
    pub fn copy_server(&self, to: &Path) -> io::Result<()> {
        copy_folder(&self.folder.path().join("server"), to)
    }

    /// The site's public line for checking its signatures.
    pub fn minisign(&self) -> &str {
        &self.trust.public().minisign
    }

    /// A dial for a machine.
    pub(crate) fn dial(&self, endpoint: Endpoint, identity: &Identity) -> Dial {
        let (trust, identity) = (self.trust.clone(), Some(identity.clone()));
        Dial { endpoint, trust, identity, addr: server_addr(), build: "sim".to_owned() }
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (entry, to) = match entry {
            Ok(entry) => (entry.path(), to.join(entry.file_name())),
            Err(error) => return Err(error),
        };
        if entry.is_dir() {
            copy_folder(&entry, &to)?;
        } else {
            fs::copy(&entry, &to)?;
        }
    }
    Ok(())
}

async fn founding(folder: TempDir, seats: usize) -> Result<Site> {
    let data = folder.path().join("server");
    init::init(&data, "仿真考点", None)?;
    let (signing, hq, code) =
        (generate_minisign()?, generate_age(), UnlockCode::from_random([2, 7, 1, 8, 2, 8, 1, 8, 2, 8]));
    let net = Net::new(Dice::new(1));
    let carrying = tokio::spawn(net.clone().carry());
    let parts = Parts { folder: data.clone(), addr: server_addr(), net: net.clone(), dice: Dice::new(2), slow_ms: 0 };
    let mut server = ServerMachine::new(parts, Open);
    server.start().await?;

    let trust = SiteKeys::load(&data)?.trust().clone();
    let admin = Identity::load(&data.join("admin"), &trust.public().site)?;
    let from = SocketAddr::new(IpAddr::from([10, 77, 0, 3]), 1_000);
    let endpoint = Caller { net: &net, from, power: Power::default(), dice: Dice::new(3) }.endpoint()?;
    let dial = Dial { endpoint, trust: trust.clone(), identity: Some(admin), addr: server_addr(), build: "sim".into() };
    let (link, _, _pushes) = Link::connect(&dial).await?;
    take_package(&link, folder.path(), package(seats, trust.public(), &signing, &hq, &code)?).await?;
    make_accounts(&link).await?;
    let mut machines = enrolled(&link, &dial, Role::Station, seats + SPARES).await?;
    machines.sort_by(|a, b| a.station.cmp(&b.station));
    let consoles = enrolled(&link, &dial, Role::Console, 1).await?;
    let [console] = <[Identity; 1]>::try_from(consoles).map_err(|_| anyhow::anyhow!("one console was asked for"))?;
    sign_on(&dial, &console).await?;
    link.close();
    server.stop().await?;
    server.fall(Fall::Killed).await?;
    carrying.abort();
    Ok(Site { folder, seats, trust, machines, console, hq, code })
}

async fn done(link: &Link, message: impl Into<Up>) -> Result<()> {
    match link.ask(message).await? {
        Down::Done(_) => Ok(()),
        other => bail!("unexpected answer {}", other.name()),
    }
}

async fn take_package(link: &Link, folder: &Path, bytes: Vec<u8>) -> Result<()> {
    let path: PathBuf = folder.join("sim.exam");
    fs::write(&path, &bytes)?;
    let package = put_blob(link, &path).await.context("bringing the package")?;
    ensure!(package == Sha256::of(&bytes), "the blob has the name of its bytes");
    link.ask(ImportPackage { package }).await.context("importing the package")?;
    Ok(())
}

async fn make_accounts(link: &Link) -> Result<()> {
    for (name, role) in
        [("chief", StaffRole::Chief), ("inspector", StaffRole::Inspector), ("proctor", StaffRole::Proctor)]
    {
        let make = MakeAccount {
            account: account(name),
            name: name.to_owned(),
            role,
            room: None,
            stands_in_for: None,
            reason: String::new(),
            password: PASSWORD.to_owned(),
        };
        done(link, PeopleCall::Make(make)).await.with_context(|| format!("entering {name}"))?;
    }
    Ok(())
}

async fn sign_on(dial: &Dial, console: &Identity) -> Result<()> {
    let dial = Dial { identity: Some(console.clone()), ..dial.clone() };
    let (link, _, _pushes) = Link::connect(&dial).await?;
    done(&link, PeopleCall::SignOn(SignOn { account: account("chief"), password: PASSWORD.to_owned() })).await?;
    link.close();
    Ok(())
}

async fn enrolled(admin: &Link, dial: &Dial, role: Role, count: usize) -> Result<Vec<Identity>> {
    let uses = u16::try_from(count)?;
    let Down::IssuedCode(code) = admin.ask(IssueCodes { role, uses }).await? else { bail!("no code") };
    let mut identities = Vec::new();
    for n in 0..count {
        let enrolment = Enrolment { code: code.code.clone(), key: MachineKey::generate()?, host: format!("pc-{n}") };
        identities.push(exam_link::enrol::enrol(dial, enrolment).await?);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(identities)
}

fn paper() -> Paper {
    let choice = |id: &str| Choice { id: parsed(id), text: format!("选项{id}") };
    let item = |index: usize| {
        let kind = match index {
            0 => ItemKind::SingleChoice { options: vec![choice("A"), choice("B"), choice("C")] },
            1 => ItemKind::TrueFalse,
            2 => ItemKind::FillIn { blanks: 2 },
            _ => ItemKind::ShortText { chars_max: 200 },
        };
        Item { id: item(index), points_tenths: 10, stem: vec![format!("第{index}题")], kind }
    };
    Paper { format: PAPER_FORMAT, id: parsed("p1"), title: "仿真卷".into(), items: (0..ITEMS).map(item).collect() }
}

/// An invented ID number with the right check character (GB 11643).
fn id_number(index: usize) -> String {
    let body = format!("00000019000101{index:03}");
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: usize = body.bytes().zip(weights).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
    format!("{body}{}", ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][sum % 11])
}

fn package(
    seats: usize,
    site: &SitePublic,
    hq: &SigningPair,
    seal: &SealingPair,
    code: &UnlockCode,
) -> Result<Vec<u8>> {
    let entry = |index: usize| RosterEntry {
        admission_no: admission_no(index),
        name: format!("考生{index}"),
        id_number: id_number(index),
        places: vec![Place { sitting: sitting(), seat: seat_no(index) }],
        photo: None,
    };
    let plan = SittingPlan {
        sitting: sitting(),
        title: "仿真场次".into(),
        room: desk(0).room,
        subject: Subject::Theory,
        level: "中级".into(),
        paper: parsed("p1"),
        planned_start: WallMs(1_790_000_000_000),
        duration_min: SITTING_MIN,
        admission: AdmissionPolicy::Automatic,
        hq_grants: Vec::new(),
        group_waits: false,
        mock: false,
    };
    let rules = RuleOverrides {
        seal_required: Some(false),
        early_hand_in_theory_min: Some(HAND_IN_MIN),
        hand_in_needs_consent: Some(false),
        ..RuleOverrides::default()
    };
    let input = PackageInput {
        exam: parsed("sim"),
        exam_title: "仿真考试".into(),
        built_at: WallMs(1_790_000_000_000),
        server_min: "0.1.0".into(),
        site: site.clone(),
        hq_recipient: seal.recipient.clone(),
        hq_secret: hq.secret_file.clone(),
        rooms: vec![RoomPlan {
            room: desk(0).room,
            name: "第一考场".into(),
            seats: (0..seats).map(seat_no).collect(),
            spares: (seats..seats + SPARES).map(seat_no).collect(),
        }],
        sittings: vec![plan],
        rules,
        candidates: (0..seats).map(|index| CandidateInput { entry: entry(index), photo: None }).collect(),
        papers: vec![PaperInput { paper: paper(), code: code.clone(), backup_of: None, mock_key: None }],
    };
    Ok(build(input)?.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_founded_over_the_simulated_wire() {
        let site = Site::found(3).unwrap();
        assert_eq!(site.machines.len(), 3 + SPARES);
        assert!(site.machines.is_sorted_by(|a, b| a.station < b.station));
        assert_eq!(site.console.role, Role::Console);
    }
}
