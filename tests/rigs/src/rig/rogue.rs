//! Eight servers that are not the site's stand where the site's is expected, and real seats with an enrolment code, or enrolled and about to
//! sign in, call them again and again (P9): nothing of a code, an admission number or a password may be in what they read, nor on the cable.
//! Control: the same rogue with the site's stolen CA is believed, and everything is found in what it read.

use super::goes_on;
use crate::{
    report::Report,
    rogue::{Means, Rogue, overhear, papers::Papers},
    room::{DEADLINE, Given, Room},
    tap::Tap,
    wire::{self, Place, Wire},
};
use anyhow::{Context, Result, bail, ensure};
use exam_e2e::{process::Running, search, site::Seated};
use exam_link::Trust;
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// Seats of each sort: with a code and not enrolled, and enrolled and waiting to sign in.
const SEATS_OF_A_SORT: u16 = 4;
/// So often the enrolled seats must have called a rogue before its case counts. One with a code gives up when it is shown wrong papers.
const CALLS: u32 = 2;
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Who stands there, one a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// A server of another site, with good papers of that site.
    AnotherSite,
    /// A server with a certificate signed by itself.
    SelfSigned,
    /// A certificate of a CA with the same name as the site's.
    Namesake,
    /// A candidate's machine of this site with its own certificate.
    Machine,
    /// A certificate signed by a candidate's machine of this site.
    SignedByMachine,
    /// The true server's certificate, without its key.
    WithoutKey,
    /// The true server's packets, recorded and sent again.
    Recording,
    /// Other versions, plain text, noise.
    Noise,
}

const CASES: [Who; 8] = [
    Who::AnotherSite,
    Who::SelfSigned,
    Who::Namesake,
    Who::Machine,
    Who::SignedByMachine,
    Who::WithoutKey,
    Who::Recording,
    Who::Noise,
];

/// The site, the seats that call, and what must not be heard.
struct Scene {
    room: Room,
    wire: Wire,
    trust: Trust,
    server: SocketAddr,
    seating: PathBuf,
    code: String,
    secrets: Secrets,
    /// Of them, those of the seats that are not enrolled.
    of_guests: Secrets,
    home: PathBuf,
}

/// What nobody but the true server may read.
struct Secrets {
    /// Long enough to be looked for in every disguise.
    sentences: Vec<String>,
    passwords: Vec<String>,
}

/// What a search found.
#[derive(Debug, Default)]
struct Found {
    sentences: Vec<String>,
    passwords: usize,
}

impl Found {
    fn count(&self) -> usize {
        self.sentences.len() + self.passwords
    }
}

pub(crate) fn run(given: &Given, report: &mut Report) -> Result<()> {
    let scene = Scene::set(given)?;
    let begun = Instant::now();
    let (mut seen, mut calls, mut on_the_cable) = (Vec::new(), 0, 0);
    while goes_on(given, begun, report.rounds) {
        let who = CASES[usize::try_from((given.seed + report.rounds) % CASES.len() as u64)?];
        report.rounds += 1;
        let case = scene.meet(scene.means(who)?, &format!("{}-{who:?}", report.rounds), |rogue| {
            let heard = rogue.heard();
            let often = heard.calls.values().filter(|calls| **calls >= CALLS).count();
            heard.calls.len() >= usize::from(2 * SEATS_OF_A_SORT) && often >= usize::from(SEATS_OF_A_SORT)
        })?;
        report.check(case.read.count() == 0, || format!("{who:?} read {:?}", case.read));
        report.check(case.cable.count() == 0, || format!("{who:?}: on the cable {:?}", case.cable));
        report.check(case.believed == 0, || format!("{} seats believed {who:?}", case.believed));
        calls += case.calls;
        on_the_cable += case.cable_bytes;
        seen.push(who);
    }
    let missed: Vec<_> = CASES.iter().filter(|who| !seen.contains(who)).map(|who| format!("{who:?}")).collect();
    report.check(missed.is_empty(), || format!("no time for {}", missed.join(", ")));
    report.figure("calls_of_seats", calls);
    report.figure("bytes_on_the_cable", on_the_cable);
    control(&scene, report)
}

/// The stolen CA: believed, and every secret of every seat is found in what it read; the cable shows none even now.
fn control(scene: &Scene, report: &mut Report) -> Result<()> {
    let means = Means::Papers(Papers::stolen(&scene.trust, &scene.room.site.folder().server())?);
    // Machines that were enrolled before the theft are known to the true server by keys the rogue has not: they get no further through him.
    let wanted = &scene.of_guests;
    let case = scene.meet(means, "control", |rogue| wanted.all_in(&rogue.heard().read));
    let case = case.context("control: the rogue with the site's own CA did not hear everything")?;
    report.figure("control_secrets_read", case.read.count());
    report.check(case.cable.count() == 0, || format!("secrets in the clear on the cable: {:?}", case.cable));
    let found = wanted.sentences.iter().all(|secret| case.read.sentences.contains(secret));
    report.control_found = found && case.read.passwords >= wanted.passwords.len() && case.cable_bytes > 0;
    Ok(())
}

/// What became of one meeting.
struct Case {
    read: Found,
    cable: Found,
    cable_bytes: usize,
    calls: u32,
    believed: u32,
}

impl Scene {
    /// A site whose seats 1 to 4 are enrolled and not signed in, and whose door is open.
    fn set(given: &Given) -> Result<Self> {
        let wire = Wire::lay()?;
        let given =
            Given { seats: 2 * SEATS_OF_A_SORT, programs: given.programs.clone(), home: given.home.clone(), ..*given };
        let room = Room::found_across(&given, "rogue", 0)?;
        let server: SocketAddr = room.site.address()?.parse()?;
        let (trust, seating) = (Trust::load(&room.site.public_file())?, room.site.write_seating()?);
        let code = room.site.enrol_code(SEATS_OF_A_SORT)?;
        let people = room.site.seating()?;
        let secrets = Secrets::of(people.iter(), &code);
        let of_guests = Secrets::of(people.iter().filter(|seated| seated.seat.get() > SEATS_OF_A_SORT), &code);
        let scene = Self { room, wire, trust, server, seating, code, secrets, of_guests, home: given.home };
        let honest = scene.room.site.enrol_code(SEATS_OF_A_SORT)?;
        let seats = scene.seats("enrolled", 1, &honest)?;
        scene.wait_until("four machines enrolled", || Ok(scene.identities()?.len() == usize::from(SEATS_OF_A_SORT)))?;
        seats.kill_hard()?;
        scene.room.site.act("admit-open", &scene.room.sitting)?;
        Ok(scene)
    }

    fn data(&self, sort: &str) -> PathBuf {
        self.room.site.folder().seats().join(sort)
    }

    /// Folders of the enrolled machines.
    fn identities(&self) -> Result<Vec<PathBuf>> {
        let folder = self.data("enrolled");
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let files = search::files_under(&folder)?.into_iter().filter(|file| file.ends_with("identity.json"));
        Ok(files.filter_map(|file| Some(file.parent()?.to_path_buf())).collect())
    }

    /// Four seats from this desk on, with their own folder.
    fn seats(&self, sort: &str, first: u16, code: &str) -> Result<Running> {
        let folder = self.room.site.folder();
        let mut command = self.room.site.load();
        command.args(["--server", &self.server.to_string(), "--enrol", code, "--endless", "--json", "--events"]);
        command.args(["--seats", &SEATS_OF_A_SORT.to_string(), "--first-seat", &first.to_string()]);
        for (option, path) in
            [("--trust", &self.room.site.public_file()), ("--roster", &self.seating), ("--data", &self.data(sort))]
        {
            command.arg(option).arg(path);
        }
        Running::start(Place::Seats.of(&command), sort, &folder.logs())
    }

    fn means(&self, who: Who) -> Result<Means> {
        let (trust, machine) = (&self.trust, || self.identities()?.pop().context("an enrolled machine"));
        let papers = match who {
            Who::AnotherSite => {
                let folder = tempfile::tempdir_in(&self.home)?;
                Papers::of_another_site(trust, folder.path())?
            }
            Who::SelfSigned => Papers::self_signed(trust)?,
            Who::Namesake => Papers::of_a_namesake(trust)?,
            Who::Machine => Papers::of_a_machine(trust, &machine()?)?,
            Who::SignedByMachine => Papers::signed_by_a_machine(trust, &machine()?)?,
            Who::WithoutKey => Papers::without_the_key(trust, overhear(self.server, trust)?.1)?,
            Who::Recording => return Ok(Means::Recording(overhear(self.server, trust)?.0)),
            Who::Noise => return Ok(Means::Noise),
        };
        Ok(Means::Papers(papers))
    }

    /// All seats call, and the rogue answers in the server's place, until `enough`. What it read and what was on the cable is searched.
    fn meet(&self, means: Means, name: &str, enough: impl Fn(&Rogue) -> bool) -> Result<Case> {
        let rogue = Rogue::begin(wire::SERVER.into(), self.server, means)?;
        let tap = Tap::begin()?;
        self.wire.divert(self.server.port(), rogue.at().port())?;
        let seats = [self.seats("guests", 1 + SEATS_OF_A_SORT, &self.code)?, self.seats("enrolled", 1, &self.code)?];
        let met = self.wait_until("every seat has called", || Ok(enough(&rogue)));
        seats.into_iter().try_for_each(Running::kill_hard)?;
        self.wire.divert_nothing()?;
        let cable = tap.end()?;
        let heard = rogue.heard();
        let calls = heard.calls.values().sum();
        met.with_context(|| format!("{name}: {calls} calls of {} seats", heard.calls.len()))?;
        ensure!(!cable.is_empty(), "nothing was on the cable: this proves nothing");
        let at = |kind: &str| self.home.join("heard").join(format!("{name}-{kind}"));
        let read = self.secrets.find(&heard.read, &at("read"))?;
        let found = self.secrets.find(&cable, &at("cable"))?;
        Ok(Case { read, cable: found, cable_bytes: cable.len(), calls, believed: heard.believed })
    }

    fn wait_until(&self, what: &str, there: impl Fn() -> Result<bool>) -> Result<()> {
        let begun = Instant::now();
        while !there()? {
            if begun.elapsed() > DEADLINE {
                bail!("{what}: not within {} s", DEADLINE.as_secs());
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }
}

impl Secrets {
    /// Looks for every secret in what was heard, which is left in `folder`. A password is too short to be looked for in disguise: noise
    /// would have it too.
    fn find(&self, heard: &[u8], folder: &Path) -> Result<Found> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("heard"), heard)?;
        let (leaks, _) = search::search(folder, &self.sentences)?;
        let mut sentences: Vec<_> = leaks.into_iter().map(|leak| leak.sentence).collect();
        sentences.dedup();
        let passwords = self.passwords.iter().filter(|password| contains(heard, password.as_bytes())).count();
        Ok(Found { sentences, passwords })
    }

    fn of<'a>(people: impl Iterator<Item = &'a Seated>, code: &str) -> Self {
        let numbers: Vec<_> = people.map(|seated| seated.admission_no.clone()).collect();
        let passwords = numbers.iter().map(|number| number.initial_password().to_owned()).collect();
        Self {
            sentences: numbers.iter().map(|no| no.as_str().to_owned()).chain([code.to_owned()]).collect(),
            passwords,
        }
    }

    /// Whether all of them are there in plain text.
    fn all_in(&self, heard: &[u8]) -> bool {
        self.sentences.iter().chain(&self.passwords).all(|secret| contains(heard, secret.as_bytes()))
    }
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_plain_text_and_in_disguise_and_not_where_they_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Secrets { sentences: vec!["110000000001".to_owned()], passwords: vec!["000001".to_owned()] };
        let found = |text: &str| secrets.find(text.as_bytes(), dir.path()).unwrap().count();
        assert_eq!(found("Hello 110000000001"), 2, "the number, and the password in it");
        assert_eq!(found("password 000001"), 1);
        assert_eq!(found(&data_encoding::BASE64.encode(b"110000000001")), 1);
        assert_eq!(found("110000000002"), 0);
    }
}
