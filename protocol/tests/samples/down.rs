//! Samples of what the server says. Never leaves a message of [`Down`] out: a test compares this list with the registry.

use super::{Sample, admission_no, answers, desk, hash, id, item, now, one_of_each, roles};
use exam_protocol::{
    code::{ErrorCode, PackageNo, Phase, Refusal, SeatState},
    message::{admin::*, attendance::*, candidate::*, hello::*, transfer::*},
    paper::{SealedPaper, Subject},
    staff::{Act, StaffRole},
    tag::Down,
    time::{SiteMs, WallMs},
    version::SPOKEN,
};

/// Every message of the server, tricky variants one by one.
pub(crate) fn downs() -> Vec<Sample<Down>> {
    let mut all = [first_words(), to_seats(), to_consoles(), status(), bulk()].concat();
    all.extend(attendance());
    all.extend(records_words());
    all.extend(readiness());
    all.extend(super::duty::downs());
    all
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
    ConsentMissing = Refusal::ConsentMissing,
    CheckMeasured = Refusal::CheckMeasured,
    MockSitting = Refusal::MockSitting,
    NotMockSitting = Refusal::NotMockSitting,
    PasswordTooShort = Refusal::PasswordTooShort { min_chars: 8 },
    PasswordPause = Refusal::PasswordPause { wait_s: 30 },
    MarkedAtHq = Refusal::MarkedAtHq,
    AttachmentUnfit = Refusal::AttachmentUnfit { max_mib: 16 },
    AttachmentsFull = Refusal::AttachmentsFull { max_files: 1_000, max_mib: 256 },
    NotYourRoom = Refusal::NotYourRoom { yours: id("r2") },
    OldPasswordMissing = Refusal::OldPasswordMissing,
    NothingRuns = Refusal::NothingRuns,
});

one_of_each!(package_noes: PackageNo {
    Damaged = PackageNo::Damaged,
    Signature = PackageNo::Signature,
    OtherSite = PackageNo::OtherSite,
    Newer = PackageNo::Newer,
    Plan = PackageNo::Plan,
});

pub(crate) fn package_refused(why: PackageNo) -> Refusal {
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
        ("frozen", frozen_view().into()),
    ];
    all.extend(seat_states().into_iter().map(|(variant, state)| (variant, bare_view(state).into())));
    let known = answers().into_iter().map(|(_, answer)| KnownAnswer { item: item(7), number: 2, answer }).collect();
    let gaps = vec![Gap { item: item(7), from: 1, to: 1 }];
    all.push(("page", Answers { answers: known, gaps, more: true }.into()));
    all.push(("none", Answers { answers: Vec::new(), gaps: Vec::new(), more: false }.into()));
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
            left_ms: None,
        }),
        prefetch: vec![SealedPaper { paper: id("theory-b"), hash: hash("sealed paper"), bytes: 52_428_800 }],
        ..bare_view(SeatState::Working)
    }
}

/// HB-27: the clock stands still, the paper is covered, and the time left is said.
fn frozen_view() -> SeatView {
    let mut view = working_view();
    view.state = SeatState::Paused;
    if let Some(attempt) = &mut view.attempt {
        (attempt.ends, attempt.release, attempt.left_ms) = (None, None, Some(1_234_567));
    }
    view
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
        backup: Some(StandingBackup {
            dir: "E:\\backup".to_owned(),
            taken: Some(SiteMs(5_300_000)),
            facts: 69_000,
            failing: true,
        }),
        stations_connected: 39,
        stations_enrolled: 40,
        rooms: vec![RoomStatus { room: id("r1"), name: "第一考场".to_owned(), seats }],
        sittings: vec![SittingStatus { subject, phase, ..sitting_status() }],
    }
}

pub(crate) fn sitting_status() -> SittingStatus {
    SittingStatus {
        sitting: id("s-theory-am"),
        title: "中级 理论".to_owned(),
        room: id("r1"),
        subject: Subject::Theory,
        phase: Phase::Running,
        planned_start: WallMs(-1),
        candidates: 40,
        signed_in: 1,
        admitted: 2,
        working: 35,
        handed_in: 1,
        stopped: 0,
        undecided_cut_ms: Some(61_000),
        absent: 1,
        answer_versions: 66_000,
        wrong_codes: 1,
    }
}

fn bulk() -> Vec<Sample<Down>> {
    vec![("", Chunk { total: 5_000_000_000, bytes: 1_048_576 }.into()), ("", ChunkStored { have: 65_536 }.into())]
}

fn attendance() -> Vec<Sample<Down>> {
    let notes = |hand_in_opens, wait_until| SeatNotes {
        attempt: AttemptId(13),
        identity_confirmed: true,
        hand_in_opens,
        consent_missing: true,
        wait_until,
        orphans: 2,
        resume_at: Some(item(7)),
    };
    let orphan = OrphanAnswer { orphan: 1, item: item(7), answer: answers().remove(1).1, made_at: SiteMs(5_400_000) };
    let list = |present, absent, proposals| AttendanceList {
        now: now(),
        sitting: id("s-theory-am"),
        entry_closed_at: Some(SiteMs(2_400_001)),
        hand_in_consented: false,
        present,
        absent,
        proposals,
    };
    let proposal = |evidence| ProposalNote {
        proposal: 1,
        attempt: AttemptId(13),
        from: SiteMs(5_100_000),
        to: SiteMs(5_400_000),
        ms: 300_000,
        evidence,
    };
    let evidence = [LossEvidence::Declared, LossEvidence::LastContact, LossEvidence::SeatAccount];
    let proposals = evidence.into_iter().map(proposal).collect();
    let confirmed = vec![AbsenceRound::EntryClosed, AbsenceRound::End];
    let absent = vec![AbsentNote { admission_no: admission_no(), confirmed }];
    vec![
        ("working", notes(Some(SiteMs(5_100_000)), None).into()),
        ("waiting", notes(None, Some(SiteMs(6_000_000))).into()),
        ("", OrphanPage { orphans: vec![orphan], more: true }.into()),
        ("", list(vec![present_note()], absent, proposals).into()),
        ("empty", list(Vec::new(), Vec::new(), Vec::new()).into()),
    ]
}

fn present_note() -> PresentNote {
    PresentNote {
        attempt: AttemptId(13),
        admission_no: admission_no(),
        seat: desk().seat,
        station: id("st-0041"),
        state: SeatState::Away,
        identity_confirmed: true,
        first_round: true,
        second_round: false,
        denied: Some("证件不符".to_owned()),
        out: Some((SiteMs(5_400_000), id("li-proctor"))),
        leaves: 1,
        hand_in_consented: true,
        wait_until: Some(SiteMs(6_000_000)),
        ended: Some(EndWhy::Illness),
        former: vec![id("st-0013")],
        orphans: 2,
        contested: Some("少了五分钟".to_owned()),
    }
}

/// Words of the room record. One page freezes the number of every code, finding, duty and report.
fn records_words() -> Vec<Sample<Down>> {
    use exam_protocol::{
        incident::{FindingKind, FindingNo, IncidentCode, Measure, RecordNo, ReportNo, Severity},
        message::{candidate::AttemptId, incident::*},
    };
    let record = |(n, code): (usize, &IncidentCode)| RecordView {
        number: RecordNo(n as u32 + 1),
        sitting: None,
        seat: None,
        attempt: None,
        admission_no: None,
        item: None,
        recorded_at: now(),
        occurred_at: SiteMs(5_390_000),
        code: *code,
        text: "施工".to_owned(),
        attachments: Vec::new(),
        by: "主考 张三".to_owned(),
        follow_ups: Vec::new(),
        corrects: None,
        corrected_by: None,
        violation: None,
    };
    let violation = ViolationView {
        incident: RecordNo(29),
        measure: Measure::EndExam,
        candidate_signed: false,
        refused: true,
        proctors_signed: 1,
        missing: 2,
        closed: false,
    };
    let full = RecordView {
        sitting: Some(id("s-theory-am")),
        seat: Some(desk().seat),
        attempt: Some(AttemptId(70_000)),
        admission_no: Some(admission_no()),
        item: Some(item(7)),
        attachments: vec![hash("photo")],
        follow_ups: vec![FollowUp {
            at: now(),
            by: "监考员 李四".to_owned(),
            text: "已换机".to_owned(),
            attachments: vec![hash("scan")],
        }],
        corrects: Some(RecordNo(28)),
        corrected_by: Some(RecordNo(31)),
        violation: Some(violation),
        ..record((29, &IncidentCode::Violation))
    };
    let finding = |(n, kind): (usize, FindingKind)| FindingView {
        number: FindingNo(n as u32 + 1),
        kind,
        sitting: id("s-theory-am"),
        seat: Some(desk().seat),
        noticed_at: now(),
        stretches: vec![(SiteMs(5_384_000), SiteMs(5_400_000))],
    };
    let report = |n, about, severity| ReportView {
        number: ReportNo(n),
        sitting: Some(id("s-theory-am")),
        about,
        severity,
        queued_at: now(),
    };
    let page = Records {
        now: now(),
        records: IncidentCode::ALL.iter().enumerate().map(record).chain([full]).collect(),
        more: true,
        duties: vec![
            Duty::Sign { record: RecordNo(30), missing: 2 },
            Duty::Close { record: RecordNo(14) },
            Duty::Report { report: ReportNo(1), severity: Severity::Record },
            Duty::Judge { finding: FindingNo(4) },
        ],
        findings: FindingKind::ALL.into_iter().enumerate().map(finding).collect(),
        reports: vec![
            report(1, About::Incident(RecordNo(6)), Severity::ReportAfter),
            report(2, About::Violation(RecordNo(30)), Severity::ReportAtOnce),
            report(3, About::Extension(1), Severity::ReportAfter),
            report(4, About::BackupRequest(2), Severity::ReportAtOnce),
            report(5, About::Illness(AttemptId(7)), Severity::ReportAfter),
        ],
    };
    let none = Records {
        now: now(),
        records: Vec::new(),
        more: false,
        duties: Vec::new(),
        findings: Vec::new(),
        reports: Vec::new(),
    };
    vec![("", Recorded { record: RecordNo(300) }.into()), ("page", page.into()), ("none", none.into())]
}

use exam_protocol::{checklist::*, message::readiness::*, seal::*};

one_of_each!(check_standings: CheckStanding {
    Missing = CheckStanding::Missing,
    Bad = CheckStanding::Bad,
    Measured = CheckStanding::Measured,
    Confirmed = CheckStanding::Confirmed,
});

one_of_each!(seal_breaks: SealBreak {
    MachineChanged = SealBreak::MachineChanged { seat: desk().seat },
    PackageChanged = SealBreak::PackageChanged,
    ServerChanged = SealBreak::ServerChanged,
    ClientChanged = SealBreak::ClientChanged { seat: desk().seat },
    ReportBad = SealBreak::ReportBad { seat: desk().seat, check: SealCheck::NoOutsideNetwork },
    CheckWithdrawn = SealBreak::CheckWithdrawn { check: SealCheck::Cameras },
});

one_of_each!(item_standings: ItemStanding {
    NotYet = ItemStanding::NotYet,
    Due = ItemStanding::Due,
    Overdue = ItemStanding::Overdue,
    Done = ItemStanding::Done,
});

/// A room in every stage of its seal; all checks and all items stand in it, so that their numbers are frozen too.
fn readiness() -> Vec<Sample<Down>> {
    let bare = |seal| Readiness {
        now: now(),
        sitting: id("s-theory-am"),
        phase: Phase::Prepared,
        mock: true,
        seal,
        items: Vec::new(),
        backup_papers: Vec::new(),
        backup_in_use: None,
        backup_requests: Vec::new(),
    };
    let open = SealView { required: false, signed: None, broken: None, seats: 0, checks: Vec::new(), missing: 0 };
    let signed = SealSigned { administrator: id("adm"), staff: id("help"), at: SiteMs(5_400_000) };
    let whole = Readiness {
        phase: Phase::Sealed,
        mock: false,
        items: all_items(),
        backup_papers: vec![id("theory-b")],
        backup_in_use: Some(id("theory-b")),
        backup_requests: vec![BackupRequestView { at: SiteMs(70_000), reason: "停电".to_owned() }],
        ..bare(SealView {
            required: true,
            signed: Some(signed),
            broken: None,
            seats: 42,
            checks: all_checks(),
            missing: 2,
        })
    };
    let points = Points { points_tenths: 645, max_tenths: 1_000, by_hand_tenths: 200, right: 31, items: 40 };
    let row = |n: u16, state, points: Option<Points>| {
        let attempt = points.map(|_| AttemptId(u64::from(n)));
        MockRow { admission_no: admission_no(), seat: super::seat_no(n), attempt, state, points }
    };
    let rows = vec![row(1, SeatState::HandedIn, Some(points)), row(2, SeatState::Absent, None)];
    let table = MockPoints { now: now(), sitting: id("s-mock"), has_key: true, rows };
    let empty = MockPoints { has_key: false, rows: Vec::new(), ..table.clone() };
    let mut all: Vec<Sample<Down>> = vec![("mock", bare(open.clone()).into()), ("sealed", whole.into())];
    all.push(("", SeatPoints { attempt: AttemptId(300), points }.into()));
    all.extend([("", table.into()), ("no_key", empty.into())]);
    all.extend(seal_breaks().into_iter().map(|(variant, why)| {
        let broken = Some(SealBroken { why, at: SiteMs(5_400_000) });
        (variant, bare(SealView { required: true, broken, ..open.clone() }).into())
    }));
    all
}

fn all_checks() -> Vec<SealCheckView> {
    let standings = check_standings().into_iter().map(|(_, standing)| standing).cycle();
    let of_room = SealCheck::OF_ROOM.into_iter().map(|check| (check, None));
    let of_seat = SealCheck::OF_SEAT.into_iter().map(|check| (check, Some(desk().seat)));
    let checks = of_room.chain(of_seat).zip(standings);
    checks
        .map(|((check, seat), standing)| {
            let by = (standing == CheckStanding::Confirmed).then(|| id("adm"));
            SealCheckView { check, seat, standing, by }
        })
        .collect()
}

fn all_items() -> Vec<ItemView> {
    let standings = item_standings().into_iter().map(|(_, standing)| standing).cycle();
    let due_since_s = |standing| match standing {
        ItemStanding::NotYet => None,
        ItemStanding::Due => Some(-1),
        ItemStanding::Overdue | ItemStanding::Done => Some(70_000),
    };
    let item = |(item, standing): (&CheckItem, ItemStanding)| ItemView {
        item: *item,
        standing,
        by: (standing == ItemStanding::Done).then(|| id("adm")),
        at: (standing == ItemStanding::Done).then_some(SiteMs(5_400_000)),
        due_since_s: due_since_s(standing),
    };
    CheckItem::ALL.iter().zip(standings).map(item).collect()
}
