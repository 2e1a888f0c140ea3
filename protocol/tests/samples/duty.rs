//! Samples of what staff on duty and seats say while a room runs; one a variant.

use super::{Sample, admission_no, desk, id, now, one_of_each, seat_no};
use exam_protocol::{
    code::SeatState,
    ids::SittingId,
    message::{board::*, duty::*},
    paper::Subject,
    staff::StaffRole,
    tag::{Down, Up},
    time::{SiteMs, WallMs},
};

fn sitting() -> SittingId {
    id("s-theory-am")
}

one_of_each!(hand_kinds: HandKind {
    Machine = HandKind::Machine,
    Question = HandKind::Question,
    Toilet = HandKind::Toilet,
    Ill = HandKind::Ill,
    Other = HandKind::Other,
});

one_of_each!(hand_stages: HandStage {
    Raised = HandStage::Raised,
    Taken = HandStage::Taken,
    Done = HandStage::Done,
    Lowered = HandStage::Lowered,
});

one_of_each!(canned: Canned {
    QuietPlease = Canned::QuietPlease,
    StaySeated = Canned::StaySeated,
    StopAndWait = Canned::StopAndWait,
    GoOn = Canned::GoOn,
    HelpComes = Canned::HelpComes,
    CheckSaved = Canned::CheckSaved,
    RaiseHand = Canned::RaiseHand,
    TimeAdded = Canned::TimeAdded,
});

one_of_each!(recipients: Recipients {
    Seats = Recipients::Seats { sitting: sitting(), seats: vec![seat_no(1), seat_no(999)] },
    Sitting = Recipients::Sitting { sitting: sitting() },
    All = Recipients::All,
});

one_of_each!(visit_parts: VisitPart {
    Start = VisitPart::Start,
    Between = VisitPart::Between,
    End = VisitPart::End,
});

one_of_each!(staff_roles: StaffRole {
    Chief = StaffRole::Chief,
    Deputy = StaffRole::Deputy,
    Proctor = StaffRole::Proctor,
    Inspector = StaffRole::Inspector,
    Admin = StaffRole::Admin,
    Staff = StaffRole::Staff,
});

one_of_each!(stop_causes: StopCause {
    PowerCut = StopCause::PowerCut,
    Machine = StopCause::Machine,
    Network = StopCause::Network,
    Environment = StopCause::Environment,
    Illness = StopCause::Illness,
    Other = StopCause::Other,
});

one_of_each!(time_calls: TimeCall {
    Extend = TimeCall::Extend(ExtendTime {
        sitting: sitting(),
        whose: Whose::Seat(seat_no(13)),
        minutes: 15,
        reason: "换机".to_owned(),
        approvals: vec![
            Approval { account: id("chief"), password: "correct horse".to_owned() },
            Approval { account: id("inspector-1"), password: "battery staple".to_owned() },
        ],
    }),
    ExtendByHq = TimeCall::ExtendByHq(ExtendByHqCode {
        sitting: sitting(),
        whose: Whose::All,
        minutes: 120,
        reason: "停电".to_owned(),
        code: "ABCDEF-GHJKMN-PQRSTV".to_owned(),
    }),
    Stop = stop(StopCause::Other),
    Run = TimeCall::Run(RunClock { sitting: sitting(), whose: Whose::All }),
    StopAll = TimeCall::StopAll(StopEverywhere { cause: StopCause::Environment, reason: "火警演习".to_owned() }),
    RunAll = TimeCall::RunAll,
    DecideCut = TimeCall::DecideCut(CutDecision {
        sitting: sitting(),
        counts: false,
        reason: "停电，考生无法作答".to_owned(),
    }),
    CallOff = TimeCall::CallOff(SittingReason { sitting: sitting(), reason: "暴雨内涝".to_owned() }),
    TakeOut = TimeCall::TakeOut(TakeOutStretch {
        sitting: sitting(),
        whose: Whose::All,
        from: SiteMs(600_000),
        to: SiteMs(1_200_000),
        cause: StopCause::PowerCut,
        reason: "停电".to_owned(),
    }),
});

fn stop(cause: StopCause) -> TimeCall {
    TimeCall::Stop(StopClock {
        sitting: sitting(), whose: Whose::Seat(seat_no(13)), cause, reason: "黑屏".to_owned()
    })
}

fn make(role: StaffRole) -> PeopleCall {
    PeopleCall::Make(MakeAccount {
        account: id("proctor-2"),
        name: "李四".to_owned(),
        role,
        room: Some(id("r1")),
        stands_in_for: Some(id("proctor-1")),
        reason: "身体不适".to_owned(),
        password: "correct horse".to_owned(),
    })
}

one_of_each!(people_calls: PeopleCall {
    Make = make(StaffRole::Proctor),
    SignOn = PeopleCall::SignOn(SignOn { account: id("chief"), password: "correct horse".to_owned() }),
    SignOff = PeopleCall::SignOff,
    List = PeopleCall::List,
    ChangePassword = PeopleCall::ChangePassword(ChangePassword {
        account: id("chief"),
        old: "correct horse".to_owned(),
        new: "battery staple".to_owned(),
    }),
    ResetPassword = PeopleCall::ResetPassword(ResetPassword {
        account: id("proctor-2"),
        new: "battery staple".to_owned(),
    }),
});

one_of_each!(visit_calls: VisitCall {
    Begin = VisitCall::Begin { sitting: sitting() },
    Note = VisitCall::Note { visit: VisitId(2), findings: "秩序良好".to_owned() },
    List = VisitCall::List { sitting: Some(sitting()) },
});

one_of_each!(hand_calls: HandCall {
    List = HandCall::List { sitting: sitting() },
    Take = HandCall::Take { hand: HandId(70_000) },
    Finish = HandCall::Finish { hand: HandId(7) },
});

/// What seats and consoles say.
pub(crate) fn ups() -> Vec<Sample<Up>> {
    let raise = |kind| SeatHand::Raise { kind, text: "键盘失灵".to_owned() };
    let say = |to, canned, text: &str| SendMessage { to, canned, text: text.to_owned() };
    let mut all: Vec<Sample<Up>> = vec![
        ("lower", SeatHand::Lower.into()),
        ("", ReadMessage { message: MessageId(70_000) }.into()),
        ("newest", AskMessages { before: None }.into()),
        ("older", AskMessages { before: Some(MessageId(251)) }.into()),
        ("list_all", VisitCall::List { sitting: None }.into()),
        ("", FindCandidate { query: "张".to_owned() }.into()),
        ("room", WatchBoard { room: Some(id("r1")) }.into()),
        ("site", WatchBoard { room: None }.into()),
    ];
    all.extend(hand_kinds().into_iter().map(|(variant, kind)| (variant, raise(kind).into())));
    all.extend(hand_calls().into_iter().map(|(variant, call)| (variant, call.into())));
    all.extend(recipients().into_iter().map(|(variant, to)| (variant, say(to, None, "请看黑板").into())));
    all.extend(canned().into_iter().map(|(variant, c)| (variant, say(Recipients::All, Some(c), "").into())));
    all.extend(visit_calls().into_iter().map(|(variant, call)| (variant, call.into())));
    all.extend(people_calls().into_iter().map(|(variant, call)| (variant, call.into())));
    all.extend(staff_roles().into_iter().map(|(variant, role)| (variant, make(role).into())));
    all.extend(time_calls().into_iter().map(|(variant, call)| (variant, call.into())));
    let causes = stop_causes().into_iter().filter(|(_, cause)| *cause != StopCause::Other); // that one stands among the calls
    all.extend(causes.map(|(variant, cause)| (variant, stop(cause).into())));
    all
}

/// What the server says.
pub(crate) fn downs() -> Vec<Sample<Down>> {
    let stands = |stage| HandStands { hand: HandId(7), kind: HandKind::Machine, stage, since: SiteMs(5_400_000) };
    let seen = |missing: Vec<VisitPart>, part| Visits { sittings: vec![visited(missing, part)] };
    let mut all: Vec<Sample<Down>> = vec![
        ("", Hands { hands: vec![hand_view()] }.into()),
        ("", SeatMessages { messages: vec![seat_message()] }.into()),
        ("", SentMessages { messages: vec![sent_message()], more: true }.into()),
        ("", Found { candidates: vec![found()], more: false }.into()),
        ("nobody", Found { candidates: Vec::new(), more: false }.into()),
        ("", People { people: vec![person()], own: Some(id("chief")) }.into()),
        ("none_missing", seen(Vec::new(), VisitPart::End).into()),
        ("", MessageOnWay { message: MessageId(70_000) }.into()),
        ("whole", board_news(true, None).into()),
        ("change", board_news(false, Some(false)).into()),
    ];
    all.extend(hand_stages().into_iter().map(|(variant, stage)| (variant, stands(stage).into())));
    all.extend(visit_parts().into_iter().map(|(variant, part)| (variant, seen(vec![part], part).into())));
    all
}

fn board_news(whole: bool, lock_ok: Option<bool>) -> BoardNews {
    let room = RoomNews {
        room: id("r1"),
        name: "第一考场".to_owned(),
        sittings: vec![super::down::sitting_status()],
        hands_open: 2,
        findings_open: 300,
        records: 1,
    };
    let seat = SeatNews {
        seat: desk(),
        state: SeatState::Working,
        connected: true,
        silent_since: Some(SiteMs(5_400_000)),
        unsaved: 3,
        answered: 17,
        ends: Some(SiteMs(10_800_000)),
        lock_ok,
    };
    BoardNews { now: now(), number: 70_000, whole, rooms: vec![room], seats: vec![seat] }
}

fn hand_view() -> HandView {
    HandView {
        hand: HandId(7),
        seat: desk(),
        kind: HandKind::Question,
        text: "第 3 题图片不清".to_owned(),
        stage: HandStage::Done,
        raised_at: SiteMs(5_400_000),
        taken_at: Some(SiteMs(5_460_000)),
        taken_by: Some(id("proctor-1")),
        closed_at: Some(SiteMs(5_520_000)),
    }
}

fn seat_message() -> SeatMessage {
    let text = "请看黑板".to_owned();
    SeatMessage { message: MessageId(3), at: SiteMs(5_400_000), canned: Some(Canned::QuietPlease), text }
}

fn sent_message() -> SentMessage {
    let delivered = |read_at| SeatDelivery { seat: desk(), delivered_at: Some(SiteMs(5_400_010)), read_at };
    SentMessage {
        message: MessageId(3),
        at: SiteMs(5_400_000),
        by: Some(id("proctor-1")),
        to: Recipients::Sitting { sitting: sitting() },
        canned: None,
        text: "请看黑板".to_owned(),
        seats: vec![delivered(None), delivered(Some(SiteMs(5_401_000)))],
    }
}

fn visited(missing: Vec<VisitPart>, part: VisitPart) -> SittingVisits {
    let visit = VisitView {
        visit: VisitId(2),
        part,
        by: Some(id("inspector-1")),
        began_at: SiteMs(5_400_000),
        noted_at: Some(SiteMs(5_500_000)),
        findings: "秩序良好".to_owned(),
    };
    SittingVisits { sitting: sitting(), room: id("r1"), missing, visits: vec![visit] }
}

fn found() -> FoundCandidate {
    FoundCandidate {
        admission_no: admission_no(),
        name: "张三".to_owned(),
        id_masked: "**************002X".to_owned(),
        sitting: sitting(),
        subject: Subject::Practical,
        planned_start: WallMs(1_792_000_000_000),
        room_name: "第一考场".to_owned(),
        seat: desk(),
        state: SeatState::Waiting,
    }
}

fn person() -> Person {
    Person {
        account: id("proctor-2"),
        name: "李四".to_owned(),
        role: StaffRole::Proctor,
        room: Some(id("r1")),
        stands_in_for: Some(id("proctor-1")),
        active: true,
        signed_on: vec![id("console-0001")],
    }
}
