//! Walks the one table of who may do what and when (F-29): every act by every role, phase and seat state, against the core
//! and against `tables/authority.txt`, which an examiner can read. Never judges whether the table is wise; people do.
//!
//! A missing table is written with `UPDATE_TABLES=1`; one that differs has to be deleted first, so that nobody changes a
//! rule by accident.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::disallowed_methods, reason = "the crate is pure, its tests read and write their tables")]

mod script;

use exam_protocol::{
    code::{Phase, Refusal, SeatState},
    ids::{RoomId, SealedBytes, SittingId},
    message::{candidate::AttemptId, hello::Role},
    staff::{Act, StaffRole},
    time::SiteMs,
};
use exam_room::{
    Site,
    authority::{Actor, fits_phase, fits_seat},
    state::{Account, Attempt, PauseCause, Removed, Sitting, Stage, Station, Target},
};
use script::{Script, package, sitting, station};
use std::{fmt::Debug, fs, path::PathBuf};

/// Lists every variant of an enum of ours; a new one stops the build here until it is listed.
macro_rules! every {
    ($name:ident: $type:ident { $($variant:ident),* $(,)? }) => {
        const $name: &[$type] = &[$($type::$variant),*];
        const _: fn($type) = |one| match one { $($type::$variant => {})* };
    };
}

every!(ACTS: Act {
    OpenDoor, Admit, Deny, Start, PauseSeat, ResumeSeat, PauseSitting, ResumeSitting, Extend, ExtendByHq, LeaveOut, LeaveBack,
    Swap, ConsentHandIn, EndAttempt, EndSitting, RecordIncident, Admonish, Warn, Void, Sign, JudgeFinding, Seal, Tick,
    CheckIdentity, Message, TakeHand, UseBackupPaper, Export, KeepPeople, Visit, CallOff, UseBackupPaperAtSeat,
});
every!(PHASES: Phase { Prepared, Sealed, Admitting, Running, Paused, Ended, Exported });
every!(STATES: SeatState {
    Waiting, SignedIn, Admitted, Denied, Working, Away, Paused, Stopped, HandedIn, Terminated, Absent,
});
every!(ROLES: StaffRole { Chief, Deputy, Proctor, Inspector, Admin, Staff });

fn word(one: &impl serde::Serialize) -> String {
    serde_json::to_value(one).unwrap().as_str().unwrap().to_owned()
}

/// One part of the table: acts down, columns across.
fn part<C: serde::Serialize>(title: &str, columns: &[C], fits: impl Fn(Act, &C) -> bool) -> String {
    let heads: Vec<String> = columns.iter().map(word).collect();
    let mut text = format!("# {title}\n{:<24}  {}\n", "", heads.join("  "));
    for act in Act::ALL {
        let mut line = format!("{:<24}", word(&act));
        for (column, head) in columns.iter().zip(&heads) {
            let mark = if fits(act, column) { '✓' } else { '·' };
            let (before, after) = (head.len() / 2, head.len() - head.len() / 2 - 1);
            line += &format!("  {}{mark}{}", " ".repeat(before), " ".repeat(after));
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn table() -> String {
    let roles =
        part("Act by role (HB-04): ✓ may, · refused not_your_act", ROLES, |act, role| act.roles().contains(role));
    let phases =
        part("Act by phase of the sitting: ✓ fits, · refused wrong_phase", PHASES, |act, p| fits_phase(act, *p));
    let states =
        part("Act by state of the seat: ✓ fits, · refused wrong_seat_state", STATES, |act, s| fits_seat(act, *s));
    let mut rooms =
        "# Role by room of the account (HB-04): ✓ acts in every room, · refused not_your_room outside it\n".to_owned();
    for role in ROLES {
        rooms += &format!("{:<16}  {}\n", word(role), if role.keeps_to_room() { '·' } else { '✓' });
    }
    [roles, phases, states, rooms].join("\n")
}

/// An account that names a room confines exactly the roles of the table, at every machine.
#[test]
fn the_room_of_an_account_confines_who_the_table_says() {
    let mut site = staffed();
    let own: RoomId = "r2".parse().unwrap();
    site.accounts.values_mut().for_each(|account| account.room = Some(own.clone()));
    for role in ROLES {
        for machine in [Role::Admin, Role::Console] {
            let mut there = Station::new(machine, String::new(), None);
            there.staff = word(role).parse().ok();
            site.stations.insert(station("c"), there);
            assert_eq!(site.own_room(&station("c")), role.keeps_to_room().then_some(&own), "{role:?}");
        }
        site.accounts.get_mut(&word(role).parse().unwrap()).unwrap().room = None;
        assert_eq!(site.own_room(&station("c")), None, "{role:?} of no room is confined to none");
    }
    for machine in [Role::Admin, Role::Console, Role::Station, Role::Guest] {
        site.stations.insert(station("c"), Station::new(machine, String::new(), None));
        assert_eq!(site.own_room(&station("c")), None, "nobody has signed on: {machine:?}");
    }
    assert_eq!(site.own_room(&station("unknown")), None);
}

#[test]
fn the_table_an_examiner_reads_is_the_table_that_rules() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tables/authority.txt");
    if !path.exists() && std::env::var("UPDATE_TABLES").is_ok_and(|v| v == "1") {
        fs::write(&path, table()).unwrap();
    }
    let read = fs::read_to_string(&path).expect("tables/authority.txt is missing: run once with UPDATE_TABLES=1");
    for (n, (read, rules)) in read.lines().zip(table().lines()).enumerate() {
        assert_eq!(read, rules, "authority.txt, line {}: the code says otherwise", n + 1);
    }
    assert_eq!(read, table(), "a line is missing at the end");
}

#[test]
fn every_act_is_in_the_list_consoles_walk() {
    assert_eq!(Act::ALL.as_slice(), ACTS);
    assert_eq!(StaffRole::ALL.as_slice(), ROLES);
}

#[test]
fn every_act_can_be_done_by_somebody_at_some_time_at_some_seat() {
    for act in Act::ALL {
        assert!(!act.roles().is_empty(), "{act:?} has no role");
        assert!(PHASES.iter().any(|phase| fits_phase(act, *phase)), "{act:?} has no phase");
        assert!(STATES.iter().any(|state| fits_seat(act, *state)), "{act:?} has no seat state");
    }
}

/// A site with one person of each role.
fn staffed() -> Site {
    let mut script = Script::default();
    for role in ROLES {
        let account = Account {
            name: word(role),
            role: *role,
            room: None,
            password: SealedBytes(vec![]),
            stands_in_for: None,
            active: true,
        };
        script.site.accounts.insert(word(role).parse().unwrap(), account);
    }
    script.site
}

#[test]
fn every_role_gets_yes_or_not_your_act_for_every_act() {
    let mut site = staffed();
    for role in ROLES {
        let account = word(role).parse().ok();
        for machine in [Role::Admin, Role::Console] {
            let mut own = Station::new(machine, String::new(), None);
            own.staff.clone_from(&account);
            site.stations.insert(station("c"), own);
            for act in Act::ALL {
                let expected = match act.roles().contains(role) {
                    true => Ok(Actor { station: station("c"), account: account.clone() }),
                    false => Err(Refusal::NotYourAct { act, needs: act.roles().to_vec() }),
                };
                assert_eq!(site.actor(&station("c"), act), expected, "{role:?} {act:?}");
            }
        }
    }
}

#[test]
fn a_machine_without_a_person_does_nothing_that_takes_one() {
    let mut site = staffed();
    for act in Act::ALL {
        for machine in [Role::Console, Role::Station, Role::Guest] {
            site.stations.insert(station("c"), Station::new(machine, String::new(), None));
            assert_eq!(site.actor(&station("c"), act), Err(Refusal::NobodySignedOn), "{machine:?} {act:?}");
        }
        let own = site.actor(&station("admin"), act).is_ok();
        assert_eq!(
            own,
            act.roles().contains(&StaffRole::Admin),
            "with people on site the machine is an administrator: {act:?}"
        );
        let alone = Script::default().site;
        let stands_in = act.roles().iter().any(|role| matches!(role, StaffRole::Chief | StaffRole::Admin));
        assert_eq!(
            alone.actor(&station("admin"), act).is_ok(),
            stands_in,
            "without people it stands in for the chief: {act:?}"
        );
        assert_eq!(alone.actor(&station("unknown"), act), Err(Refusal::RoleMayNot));
    }
    let machine = site.stations.get_mut(&station("c")).unwrap();
    machine.staff = "chief".parse().ok();
    site.accounts.get_mut(&"chief".parse().unwrap()).unwrap().active = false;
    assert_eq!(site.actor(&station("c"), Act::Tick), Err(Refusal::AccountUnknown), "who was replaced acts no more");
}

fn pause(target: Target) -> Removed {
    let by = Actor { station: station("admin"), account: None };
    Removed { target, from: SiteMs(5_000), to: None, cause: PauseCause::Other, reason: "x".to_owned(), by }
}

/// The sitting of the script in this phase; none for a phase that other rules than the clock's make.
fn in_phase(site: &Site, phase: Phase) -> Option<Sitting> {
    let own: SittingId = sitting();
    let mut sitting = site.sittings[&own].clone();
    let (started, ended) = (SiteMs(1_000), SiteMs(2_000));
    sitting.stage = match phase {
        Phase::Prepared => Stage::Prepared,
        Phase::Sealed => return None,
        Phase::Admitting => Stage::Admitting { since: SiteMs(0) },
        Phase::Running | Phase::Paused => Stage::Running { started },
        Phase::Ended | Phase::Exported => Stage::Ended { started, ended },
    };
    match phase {
        Phase::Paused => sitting.removed.push(pause(Target::Sitting)),
        Phase::Exported => sitting.exports = 1,
        Phase::Prepared | Phase::Sealed | Phase::Admitting | Phase::Running | Phase::Ended => {}
    }
    Some(sitting)
}

fn with_package() -> Script {
    let mut script = Script::default();
    script.ask(package("90m", "proctor", &[], 4)).unwrap();
    script
}

#[test]
fn every_phase_gets_yes_or_wrong_phase_for_every_act() {
    let site = with_package().site;
    for phase in PHASES {
        let Some(sitting) = in_phase(&site, *phase) else { continue };
        assert_eq!(sitting.phase(), *phase, "the sitting is where the test means it to be");
        for act in Act::ALL {
            let expected = if fits_phase(act, *phase) { Ok(()) } else { Err(Refusal::WrongPhase { phase: *phase }) };
            assert_eq!(site.fits_phase(&sitting, act), expected, "{phase:?} {act:?}");
        }
    }
}

/// A candidate's attempt in this state, in a sitting that makes it possible; none for a state that no attempt has, or that
/// other rules make.
fn in_state(site: &mut Site, state: SeatState) -> Option<Attempt> {
    let phase = match state {
        SeatState::SignedIn | SeatState::Admitted => Phase::Admitting,
        SeatState::Working | SeatState::HandedIn | SeatState::Terminated => Phase::Running,
        SeatState::Paused => Phase::Paused,
        SeatState::Stopped => Phase::Ended,
        SeatState::Waiting | SeatState::Absent | SeatState::Away | SeatState::Denied => return None,
    };
    let own = in_phase(site, phase)?;
    site.sittings.insert(sitting(), own);
    let mut attempt = site.attempts[&AttemptId(1)].clone();
    attempt.admitted_at = (state != SeatState::SignedIn).then_some(SiteMs(900));
    attempt.handed_in = (state == SeatState::HandedIn).then(|| (SiteMs(3_000), "R".to_owned()));
    attempt.terminated_at = (state == SeatState::Terminated).then_some(SiteMs(3_000));
    Some(attempt)
}

#[test]
fn every_seat_state_gets_yes_or_wrong_seat_state_for_every_act() {
    let mut script = with_package();
    for line in [
        "code AAA for 1 until 12:00:00",
        "machine 1 enrols with AAA",
        "machine 1 takes desk 1",
        "door opens",
        "seat 1 signs in",
    ] {
        assert_eq!(script.play(0, line), "ok");
    }
    let prepared = script.site;
    for state in STATES {
        let mut site = prepared.clone();
        let Some(attempt) = in_state(&mut site, *state) else { continue };
        let at = SiteMs(6_000);
        assert_eq!(site.attempt_state(&attempt, at), *state, "the seat is how the test means it to be");
        for act in Act::ALL {
            let expected = if fits_seat(act, *state) { Ok(()) } else { Err(Refusal::WrongSeatState { state: *state }) };
            assert_eq!(site.fits_seat(&attempt, act, at), expected, "{state:?} {act:?}");
        }
    }
}

/// What the handbook says of single cells; both sides of each.
#[test]
fn the_table_says_what_the_handbook_says() {
    fn says<C: Debug + PartialEq>(rule: &str, act: Act, got: impl Fn(Act, &C) -> bool, yes: &[C], no: &[C]) {
        yes.iter().for_each(|c| assert!(got(act, c), "{rule}: {act:?} {c:?} must be possible"));
        no.iter().for_each(|c| assert!(!got(act, c), "{rule}: {act:?} {c:?} must be refused"));
    }
    let role = |act: Act, role: &StaffRole| act.roles().contains(role);
    let phase = |act: Act, phase: &Phase| fits_phase(act, *phase);
    let state = |act: Act, state: &SeatState| fits_seat(act, *state);
    use StaffRole::{Admin, Chief, Deputy, Inspector, Proctor, Staff};
    says("HB-11", Act::Seal, role, &[Admin, Staff], &[Proctor, Inspector]);
    says("HB-11, HB-29, HB-44", Act::Sign, role, ROLES, &[]);
    says("HB-23", Act::ConsentHandIn, role, &[Chief, Deputy], &[Proctor, Inspector, Admin, Staff]);
    says("HB-26", Act::Extend, role, &[Chief, Inspector], &[Deputy, Proctor, Admin, Staff]);
    says("HB-27", Act::PauseSitting, role, &[Chief, Deputy], &[Proctor, Inspector, Admin, Staff]);
    says("HB-29", Act::EndAttempt, role, &[Chief, Deputy], &[Proctor, Inspector, Admin, Staff]);
    says("HB-29", Act::Void, role, &[Chief, Deputy], &[Proctor, Inspector, Admin, Staff]);
    says("HB-27", Act::EndSitting, role, &[Chief, Deputy], &[Proctor, Inspector, Admin, Staff]);
    says("HB-32", Act::CallOff, role, &[Chief, Deputy], &[Proctor, Inspector, Admin, Staff]);
    says("HB-32", Act::CallOff, phase, &[Phase::Admitting], &[Phase::Prepared, Phase::Sealed, Phase::Running]);
    says("HB-33", Act::Visit, role, &[Inspector], &[Chief, Deputy, Proctor, Admin, Staff]);
    says("HB-22", Act::Extend, phase, &[Phase::Running, Phase::Paused], &[Phase::Admitting, Phase::Ended]);
    says("HB-27", Act::LeaveOut, phase, &[Phase::Running], &[Phase::Paused, Phase::Admitting, Phase::Ended]);
    says("HB-24", Act::LeaveBack, phase, &[Phase::Running, Phase::Paused, Phase::Ended], &[Phase::Admitting]);
    says("HB-24", Act::LeaveOut, state, &[SeatState::Working], &[SeatState::Away, SeatState::Paused]);
    says("HB-25", Act::Swap, state, &[SeatState::Working, SeatState::Paused], &[SeatState::HandedIn]);
    says("HB-32", Act::UseBackupPaper, phase, &[Phase::Admitting, Phase::Paused], &[Phase::Running, Phase::Ended]);
    let (seat, open) = (Act::UseBackupPaperAtSeat, [Phase::Admitting, Phase::Running, Phase::Paused]);
    says("HB-32", seat, phase, &open, &[Phase::Prepared, Phase::Ended]);
    says("HB-32", seat, state, &[SeatState::SignedIn, SeatState::Admitted, SeatState::Paused], &[SeatState::Working]);
    says("HB-34", Act::RecordIncident, state, STATES, &[]);
    says("HB-34", Act::RecordIncident, phase, PHASES, &[]);
    says("HB-41", Act::Export, phase, &[Phase::Ended, Phase::Exported], &[Phase::Running, Phase::Paused]);
}

#[test]
fn a_pause_that_the_end_overtook_is_not_resumed() {
    let mut script = with_package();
    for (at, line, outcome) in [
        (0, "code AAA for 1 until 12:00:00", "ok"),
        (0, "machine 1 enrols with AAA", "ok"),
        (0, "machine 1 takes desk 1", "ok"),
        (0, "door opens", "ok"),
        (0, "seat 1 signs in", "ok"),
        (0, "admit all", "ok"),
        (1_000, "start", "ok"),
        (2_000, "pause all environment because noise", "ok"),
        (3_000, "end", "ok"),
        (4_000, "resume all", "refused wrong_phase"),
    ] {
        assert_eq!(script.play(at, line), outcome, "{line}");
    }
}

/// Every ask that names the machine of a person says so in the registry, or is one of these, so that no rule forgets the room.
#[test]
fn every_ask_with_a_person_behind_it_is_confined_or_named_here() {
    let free = [
        "people::MakeAccount",       // concerns the site
        "password::ResetPassword",   // concerns the site
        "extension::Extend",         // two named people agree
        "lost_time::AcceptProposal", // two named people agree, or HQ
    ];
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let registry = fs::read_to_string(folder.join("ask.rs")).unwrap();
    let (mut asks, mut confined) = (0, 0);
    for entry in fs::read_dir(folder.join("rules")).unwrap().map(|entry| entry.unwrap().path()) {
        let (module, text) =
            (entry.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&entry).unwrap());
        for part in text.split("pub struct ").skip(1) {
            let (name, fields) = part.split_once(" {").unwrap_or((part, ""));
            let fields = fields.split("\n}").next().unwrap();
            let Some(ask) = registry.lines().map(str::trim).find(|line| {
                line.strip_prefix(&format!("{module}::{name}")).is_some_and(|rest| rest.starts_with(['(', ',']))
            }) else {
                continue;
            };
            asks += 1;
            confined += usize::from(ask.contains('('));
            let person = fields.contains("pub by: StationId");
            let known = free.contains(&format!("{module}::{name}").as_str());
            assert!(
                !person || known != ask.contains('('),
                "{ask} names a person: confine it to their room, or say why not"
            );
        }
    }
    assert!(asks > 50 && confined > 30, "the sources are where this test looks: {asks}, {confined}");
}
