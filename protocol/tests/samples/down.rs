//! Samples of what the server says. Never leaves a message of [`Down`] out: a test compares this list with the registry.

use super::{Sample, admission_no, answers, desk, hash, id, item, now, one_of_each, roles};
use exam_protocol::{
    code::{ErrorCode, PackageNo, Phase, Refusal, SeatState},
    message::{admin::*, candidate::*, hello::*, transfer::*},
    paper::{SealedPaper, Subject},
    staff::{Act, StaffRole},
    tag::Down,
    time::{SiteMs, WallMs},
    version::SPOKEN,
};

/// Every message of the server, tricky variants one by one.
pub(crate) fn downs() -> Vec<Sample<Down>> {
    [first_words(), to_seats(), to_consoles(), status(), bulk(), super::duty::downs()].concat()
}

one_of_each!(refusals: Refusal {
    VersionUnknown = Refusal::VersionUnknown { server: SPOKEN },
    RoleMayNot = Refusal::RoleMayNot,
    EnrolCodeInvalid = Refusal::EnrolCodeInvalid,
    SeatUnknown = Refusal::SeatUnknown,
    SeatTaken = Refusal::SeatTaken,
    NoSeat = Refusal::NoSeat,
    SeatInUse = Refusal::SeatInUse,
    AdmissionClosed = Refusal::AdmissionClosed,
    WrongNumberOrPassword = Refusal::WrongNumberOrPassword,
    ProctorCalled = Refusal::ProctorCalled,
    NotYourSeat = Refusal::NotYourSeat { yours: desk() },
    AlreadySignedIn = Refusal::AlreadySignedIn,
    LateEntryBarred = Refusal::LateEntryBarred { bar_minutes: 30 },
    WrongPhase = Refusal::WrongPhase { phase: Phase::Admitting },
    WrongSeatState = Refusal::WrongSeatState { state: SeatState::HandedIn },
    SittingUnknown = Refusal::SittingUnknown,
    RoomBusy = Refusal::RoomBusy { open: id("s-theory-am") },
    AttemptUnknown = Refusal::AttemptUnknown,
    TimeOver = Refusal::TimeOver,
    AlreadyHandedIn = Refusal::AlreadyHandedIn,
    AnswerConflict = Refusal::AnswerConflict { item: item(7), number: 3 },
    AnswerTooLarge = Refusal::AnswerTooLarge,
    HandInTooEarly = Refusal::HandInTooEarly { opens_in_s: 1_800 },
    AnswersMissing = Refusal::AnswersMissing { item: item(7), number: 4 },
    WrongUnlockCode = Refusal::WrongUnlockCode { tries: 2 },
    UnlockCodeMistyped = Refusal::UnlockCodeMistyped,
    PaperUnknown = Refusal::PaperUnknown { paper: id("theory-a") },
    SittingBegun = Refusal::SittingBegun { sitting: id("s-theory-am") },
    PackageRefused = package_refused(PackageNo::Plan),
    TooMany = Refusal::TooMany { max: 2_000 },
    NobodySignedOn = Refusal::NobodySignedOn,
    NotYourAct = Refusal::NotYourAct { act: Act::EndAttempt, needs: vec![StaffRole::Chief] },
    WrongAccountOrPassword = Refusal::WrongAccountOrPassword,
    AccountUnknown = Refusal::AccountUnknown,
    AccountExists = Refusal::AccountExists,
    SecondPersonMissing = Refusal::SecondPersonMissing { needs: vec![StaffRole::Chief, StaffRole::Inspector] },
    ReasonMissing = Refusal::ReasonMissing,
    TextTooLong = Refusal::TextTooLong { max_chars: 500 },
    AlreadyPaused = Refusal::AlreadyPaused,
    NotPaused = Refusal::NotPaused,
    PowerCutTooLong = Refusal::PowerCutTooLong { limit_minutes: 60 },
    IntervalImpossible = Refusal::IntervalImpossible,
    ExtensionLimit = Refusal::ExtensionLimit { used_minutes: 10, limit_minutes: 15 },
    HqCodeInvalid = Refusal::HqCodeInvalid,
    HqCodeUsed = Refusal::HqCodeUsed,
    SomebodyAway = Refusal::SomebodyAway { seat: desk() },
    NotAway = Refusal::NotAway,
    Fenced = Refusal::Fenced,
    SpareUnfit = Refusal::SpareUnfit,
    RecordUnknown = Refusal::RecordUnknown,
    AlreadySettled = Refusal::AlreadySettled,
    SealIncomplete = Refusal::SealIncomplete { missing: 2 },
    SignaturesMissing = Refusal::SignaturesMissing { missing: 1 },
    PasswordTooShort = Refusal::PasswordTooShort { min_chars: 8 },
    PasswordPause = Refusal::PasswordPause { wait_s: 30 },
});

one_of_each!(package_noes: PackageNo {
    Damaged = PackageNo::Damaged,
    Signature = PackageNo::Signature,
    OtherSite = PackageNo::OtherSite,
    Newer = PackageNo::Newer,
    Plan = PackageNo::Plan,
});

fn package_refused(why: PackageNo) -> Refusal {
    Refusal::PackageRefused { why, reason: "考位 41 不存在".to_owned() }
}

one_of_each!(errors: ErrorCode {
    Storage = ErrorCode::Storage,
    Busy = ErrorCode::Busy,
    BlobUnknown = ErrorCode::BlobUnknown,
    BlobDamaged = ErrorCode::BlobDamaged,
    OutOfPlace = ErrorCode::OutOfPlace,
    Internal = ErrorCode::Internal,
});

one_of_each!(phases: Phase {
    Prepared = Phase::Prepared,
    Admitting = Phase::Admitting,
    Running = Phase::Running,
    Ended = Phase::Ended,
    Exported = Phase::Exported,
    Sealed = Phase::Sealed,
    Paused = Phase::Paused,
});

one_of_each!(seat_states: SeatState {
    Waiting = SeatState::Waiting,
    SignedIn = SeatState::SignedIn,
    Admitted = SeatState::Admitted,
    Working = SeatState::Working,
    Stopped = SeatState::Stopped,
    HandedIn = SeatState::HandedIn,
    Absent = SeatState::Absent,
    Away = SeatState::Away,
    Paused = SeatState::Paused,
    Terminated = SeatState::Terminated,
    Denied = SeatState::Denied,
});

fn first_words() -> Vec<Sample<Down>> {
    let welcome = |role, station| Welcome {
        version: 1,
        build: "exam-server 0.1.0".to_owned(),
        site: id("site-7f3a"),
        site_name: "示范考点".to_owned(),
        boot: 3,
        now: now(),
        role,
        station,
    };
    let mut all: Vec<Sample<Down>> = vec![
        ("guest", welcome(Role::Guest, None).into()),
        ("station", welcome(Role::Station, Some(id("st-0013"))).into()),
        ("", Done.into()),
    ];
    let enrolled = |role| Enrolled { station: id("st-0013"), role, certificate: vec![0x30, 0x82, 0x01, 0x00] };
    all.extend(roles().into_iter().map(|(variant, role)| (variant, enrolled(role).into())));
    all.extend(refusals().into_iter().map(|(variant, refusal)| (variant, Refused { refusal }.into())));
    let noes = package_noes().into_iter().filter(|(_, why)| *why != PackageNo::Plan); // that one stands among the refusals
    all.extend(noes.map(|(variant, why)| (variant, Refused { refusal: package_refused(why) }.into())));
    all.extend(errors().into_iter().map(|(variant, error)| (variant, Failed { error }.into())));
    all
}

fn to_seats() -> Vec<Sample<Down>> {
    let mut all: Vec<Sample<Down>> = vec![
        ("", Saved { item: item(7), number: 251 }.into()),
        ("", HandedIn { receipt: "7K3M9QXA".to_owned(), at: SiteMs(9_000_000) }.into()),
        ("", Heard { now: now() }.into()),
        ("working", working_view().into()),
    ];
    all.extend(seat_states().into_iter().map(|(variant, state)| (variant, bare_view(state).into())));
    let known = answers().into_iter().map(|(_, answer)| KnownAnswer { item: item(7), number: 2, answer }).collect();
    all.push(("page", Answers { answers: known, more: true }.into()));
    all.push(("none", Answers { answers: Vec::new(), more: false }.into()));
    all
}

fn bare_view(state: SeatState) -> SeatView {
    SeatView {
        now: now(),
        station: id("st-0013"),
        seat: None,
        room_name: String::new(),
        state,
        sitting: None,
        candidate: None,
        attempt: None,
        prefetch: Vec::new(),
    }
}

fn working_view() -> SeatView {
    SeatView {
        seat: Some(desk()),
        room_name: "第一考场".to_owned(),
        sitting: Some(SittingView {
            sitting: id("s-theory-am"),
            title: "中级 理论".to_owned(),
            subject: Subject::Theory,
            phase: Phase::Running,
            planned_start: WallMs(1_792_000_000_000),
            duration_ms: 5_400_000,
            paper: id("theory-a"),
        }),
        candidate: Some(CandidateView {
            admission_no: admission_no(),
            name: "张三".to_owned(),
            id_masked: "**************002X".to_owned(),
        }),
        attempt: Some(AttemptView {
            attempt: AttemptId(13),
            started: Some(SiteMs(600_000)),
            ends: Some(SiteMs(6_000_000)),
            order_seed: u64::MAX,
            release: Some(PaperKey { paper: id("theory-a"), secret: "AGE-SECRET-KEY-1SAMPLE".to_owned() }),
        }),
        prefetch: vec![SealedPaper { paper: id("theory-b"), hash: hash("sealed paper"), bytes: 52_428_800 }],
        ..bare_view(SeatState::Working)
    }
}

fn to_consoles() -> Vec<Sample<Down>> {
    let bundle = BundleReady {
        sealed: hash("sealed bundle"),
        sealed_bytes: 1_234_567,
        content: hash("bundle"),
        file_name: "s-theory-am.zip.age".to_owned(),
        attempts: 40,
        answers: 1_600,
    };
    let imported = PackageImported {
        exam: "2026 秋季".to_owned(),
        hq_key: "E7620F1842B4E81F".to_owned(),
        hq_key_is_new: true,
        sittings: vec![id("s-theory-am"), id("s-practical-pm")],
        candidates: 40,
        changed: false,
    };
    vec![
        ("", IssuedCode { code: "K7QM-2D4R".to_owned(), uses: 40, valid_until: now() }.into()),
        ("", bundle.into()),
        ("", imported.into()),
        ("", JournalVerified { facts: 70_000, head: hash("head") }.into()),
        ("", BackedUp { facts: 70_000, bytes: 5_000_000_000 }.into()),
    ]
}

fn status() -> Vec<Sample<Down>> {
    let mut all = vec![("", site_status(Phase::Prepared, Subject::Practical, Vec::new()))];
    all.extend(
        phases()
            .into_iter()
            .map(|(variant, phase)| (variant, site_status(phase, Subject::Theory, vec![seat_status()]))),
    );
    all.into_iter().map(|(variant, status)| (variant, status.into())).collect()
}

fn seat_status() -> SeatStatus {
    SeatStatus {
        seat: desk(),
        state: SeatState::Working,
        connected: true,
        last_heard: Some(SiteMs(5_399_000)),
        unsaved: 1,
        answered: 17,
        ends: Some(SiteMs(6_000_000)),
    }
}

fn site_status(phase: Phase, subject: Subject, seats: Vec<SeatStatus>) -> SiteStatus {
    SiteStatus {
        now: now(),
        site_name: "示范考点".to_owned(),
        facts: 70_000,
        disk_free_bytes: 5_368_709_120,
        stations_connected: 39,
        stations_enrolled: 40,
        rooms: vec![RoomStatus { room: id("r1"), name: "第一考场".to_owned(), seats }],
        sittings: vec![SittingStatus {
            sitting: id("s-theory-am"),
            title: "中级 理论".to_owned(),
            room: id("r1"),
            subject,
            phase,
            planned_start: WallMs(-1),
            candidates: 40,
            signed_in: 1,
            admitted: 2,
            working: 35,
            handed_in: 1,
            stopped: 0,
            absent: 1,
            answer_versions: 66_000,
            wrong_codes: 1,
        }],
    }
}

fn bulk() -> Vec<Sample<Down>> {
    vec![("", Chunk { total: 5_000_000_000, bytes: 1_048_576 }.into()), ("", ChunkStored { have: 65_536 }.into())]
}
