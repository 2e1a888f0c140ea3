//! One question for every message, and one for every kind of call that takes another act. Ids are those of `site.rs`.

use super::site::{PASSWORD, SPARE, Served, Speaker, desk, hq_code, number, sitting};
use exam_protocol::{
    answer::Answer,
    checklist::CheckItem,
    ids::{AccountId, Sha256},
    incident::{FindingNo, IncidentCode, Measure, Point, RecordNo, ReportNo, Signature},
    message::{
        admin::*, attendance::*, board::*, candidate::*, duty::*, hello::*, incident::*, readiness::*, transfer::*,
    },
    seal::SealCheck,
    tag::Up,
    time::SiteMs,
    version::SPOKEN,
};

/// What is asked; named as its row.
pub(crate) struct Question {
    pub(crate) name: &'static str,
    ask: Box<dyn Fn(u64) -> Up + Send + Sync>,
}

impl Question {
    /// The message, with a number nobody has used yet where it has to be new.
    pub(crate) fn ask(&self, served: &Served) -> Up {
        match (self.ask)(served.fresh()) {
            Up::BackUp(_) => BackUp { dir: served.copy_dir() }.into(),
            other => other,
        }
    }

    pub(crate) fn sample(&self) -> Up {
        (self.ask)(0)
    }
}

/// A question that changes nothing.
pub(crate) fn harmless(speaker: Speaker) -> Up {
    match speaker {
        Speaker::Guest => Enrol { code: "NO-SUCH-CODE".to_owned(), public_key: vec![0], host: "pc".to_owned() }.into(),
        Speaker::Station => Heartbeat::default().into(),
        Speaker::Console(_) | Speaker::Admin(_) => AskAttendance { sitting: sitting() }.into(),
    }
}

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn proof(id: &str) -> Approval {
    Approval { account: account(id), password: PASSWORD.to_owned() }
}

fn reason() -> String {
    "样例原因".to_owned()
}

pub(crate) fn questions() -> Vec<Question> {
    let mut all = Vec::new();
    let mut add = |name, ask: Box<dyn Fn(u64) -> Up + Send + Sync>| all.push(Question { name, ask });
    machines(&mut add);
    offices(&mut add);
    attendances(&mut add);
    records(&mut add);
    duties(&mut add);
    all
}

type Add<'a> = dyn FnMut(&'static str, Box<dyn Fn(u64) -> Up + Send + Sync>) + 'a;

/// A question that is the same each time.
macro_rules! same {
    ($add:ident $name:literal, $message:expr) => {
        $add($name, Box::new(|_| Up::from($message)))
    };
}

fn machines(add: &mut Add) {
    let attempt = AttemptId(1);
    same!(add "Hello", Hello { versions: SPOKEN, build: "matrix".to_owned() });
    same!(add "Enrol", Enrol { code: "NO-SUCH-CODE".to_owned(), public_key: vec![0], host: "pc".to_owned() });
    same!(add "TakeSeat", TakeSeat { seat: desk() });
    same!(add "SignIn", SignIn { admission_no: number(1), password: number(1).initial_password().to_owned() });
    let save = move || SaveAnswer {
        attempt,
        item: "q1".parse().unwrap(),
        number: 1,
        answer: Answer::TrueFalse(true),
        made_at: SiteMs(0),
    };
    add("SaveAnswer", Box::new(move |_| save().into()));
    add("FetchAnswers", Box::new(move |_| FetchAnswers { attempt, after: None }.into()));
    add("HandIn", Box::new(move |_| HandIn { attempt, newest: Vec::new() }.into()));
    same!(add "Heartbeat", Heartbeat::default());
    add("ConfirmIdentity", Box::new(move |_| ConfirmIdentity { attempt }.into()));
    add("Orphans list", Box::new(move |_| Orphans { attempt, wish: OrphanWish::List { after: 0 } }.into()));
    add(
        "Orphans adopt",
        Box::new(move |_| Orphans { attempt, wish: OrphanWish::Adopt { orphan: 1, number: 9 } }.into()),
    );
    add("Orphans dismiss", Box::new(move |_| Orphans { attempt, wish: OrphanWish::Dismiss { orphan: 1 } }.into()));
    let stretches = || vec![UnableStretch { from: SiteMs(0), to: SiteMs(1), why: UnableWhy::NotRunning }];
    add("SeatUnable", Box::new(move |_| SeatUnable { attempt, stretches: stretches() }.into()));
    let report = || SeatReport {
        outside_reachable: false,
        foreign_programs: 0,
        lock_ok: Some(true),
        clock_offset_ms: 0,
        disk_free_bytes: 1 << 40,
        version: "0.1.0".to_owned(),
    };
    add("SeatReport", Box::new(move |_| report().into()));
    same!(add "SeatHand raise", SeatHand::Raise { kind: HandKind::Machine, text: String::new() });
    same!(add "SeatHand lower", SeatHand::Lower);
    same!(add "ReadMessage", ReadMessage { message: MessageId(1) });
    same!(add "GetChunk", GetChunk { blob: Sha256::of(b"p"), offset: 0, bytes_max: 1 });
    same!(add "PutChunk", PutChunk { blob: Sha256::of(b"p"), total: 1, offset: 0, bytes: 0 });
}

fn offices(add: &mut Add) {
    same!(add "IssueCodes", IssueCodes { role: Role::Station, uses: 1 });
    same!(add "OpenAdmission", OpenAdmission { sitting: sitting() });
    same!(add "Admit", Admit { sitting: sitting(), seats: Vec::new() });
    same!(add "StartSitting", StartSitting { sitting: sitting(), code: "mistyped".to_owned() });
    same!(add "EndSitting", EndSitting { sitting: sitting() });
    same!(add "ExportBundle", ExportBundle { sitting: sitting() });
    same!(add "ImportPackage", ImportPackage { package: Sha256::of(b"nowhere") });
    same!(add "VerifyJournal", VerifyJournal);
    same!(add "BackUp", BackUp { dir: String::new() });
    same!(add "AskStatus", AskStatus);
    same!(add "AskReadiness", AskReadiness { sitting: sitting() });
    let check = || ConfirmCheck { sitting: sitting(), check: SealCheck::Power, seat: None, note: String::new() };
    add("ConfirmCheck", Box::new(move |_| check().into()));
    let withdraw = || WithdrawCheck { sitting: sitting(), check: SealCheck::Power, seat: None, reason: reason() };
    add("WithdrawCheck", Box::new(move |_| withdraw().into()));
    same!(add "SealRoom", SealRoom { sitting: sitting(), signatures: vec![proof("admin"), proof("staff")] });
    same!(add "TickItem", TickItem { sitting: sitting(), item: CheckItem::RulesRead, note: String::new() });
    same!(add "UntickItem", UntickItem { sitting: sitting(), item: CheckItem::RulesRead, reason: reason() });
    same!(add "RequestBackupPaper", RequestBackupPaper { sitting: sitting(), reason: reason() });
    let backup = |seat| UseBackupPaper {
        sitting: sitting(),
        seat,
        paper: "p2".parse().unwrap(),
        code: "mistyped".to_owned(),
        reason: reason(),
    };
    add("UseBackupPaper", Box::new(move |_| backup(None).into()));
    add("UseBackupPaper seat", Box::new(move |_| backup(Some(desk().seat)).into()));
    same!(add "AskMockPoints", AskMockPoints { sitting: sitting() });
    same!(add "ResetMock", ResetMock { sitting: sitting() });
    same!(add "WatchBoard", WatchBoard { room: None });
}

fn attendances(add: &mut Add) {
    let attempt = AttemptId(1);
    add("DenyCandidate", Box::new(move |_| DenyCandidate { attempt, reason: reason() }.into()));
    let out = move || LeaveStep::Out { escort: account("staff"), reason: None };
    add("Leave out", Box::new(move |_| Leave { attempt, step: out() }.into()));
    add("Leave back", Box::new(move |_| Leave { attempt, step: LeaveStep::Back }.into()));
    let swap = move || SwapMachine { attempt, to: SPARE.try_into().unwrap(), trouble_since: None, reason: reason() };
    add("SwapMachine", Box::new(move |_| swap().into()));
    let end = || Decision::End { why: EndWhy::Illness, reason: reason() };
    add("DecideAttempt end", Box::new(move |_| DecideAttempt { attempt, decision: end() }.into()));
    let again = || Decision::Reopen { minutes: 5, reason: reason(), agreed: vec![proof("chief"), proof("inspector")] };
    add("DecideAttempt reopen", Box::new(move |_| DecideAttempt { attempt, decision: again() }.into()));
    same!(add "ConsentHandIn", ConsentHandIn { sitting: sitting(), attempt: None });
    let check = move || IdentityCheck {
        attempt,
        id_card: true,
        sheet_signed: true,
        ticket: true,
        desk_label: true,
        note: String::new(),
    };
    let roll = |entry| RollCall { sitting: sitting(), entry };
    add("RollCall identity", Box::new(move |_| roll(RollEntry::Identity(check())).into()));
    add("RollCall absent", Box::new(move |_| roll(RollEntry::Absent { candidates: vec![number(2)] }).into()));
    let lost = |word| Up::from(LostTime { sitting: sitting(), word });
    let agreed = || vec![proof("chief"), proof("inspector")];
    add("LostTime accept", Box::new(move |_| lost(LossWord::Accept { proposal: 1, minutes: 1, agreed: agreed() })));
    let code = || "mistyped".to_owned();
    add(
        "LostTime accept_by_hq",
        Box::new(move |_| lost(LossWord::AcceptByHq { proposal: 1, minutes: 1, code: code() })),
    );
    add("LostTime dismiss", Box::new(move |_| lost(LossWord::Dismiss { proposal: 1, reason: reason() })));
    add("LostTime contest", Box::new(move |_| lost(LossWord::Contest { attempt, text: reason() })));
    add("LostTime answer", Box::new(move |_| lost(LossWord::Answer { attempt, text: reason() })));
    same!(add "AskAttendance", AskAttendance { sitting: sitting() });
}

fn records(add: &mut Add) {
    let incident = || RecordIncident {
        sitting: Some(sitting()),
        seat: None,
        item: None,
        occurred_at: None,
        code: IncidentCode::Machine,
        text: reason(),
        attachments: Vec::new(),
    };
    add("RecordIncident", Box::new(move |_| incident().into()));
    let more = || AddToIncident { record: RecordNo(1), text: reason(), attachments: Vec::new() };
    add("AddToIncident", Box::new(move |_| more().into()));
    let correct = || CorrectIncident {
        record: RecordNo(1),
        reason: reason(),
        seat: None,
        item: None,
        occurred_at: None,
        code: IncidentCode::Machine,
        text: reason(),
        attachments: Vec::new(),
    };
    add("CorrectIncident", Box::new(move |_| correct().into()));
    let violation = |measure| RecordViolation {
        sitting: sitting(),
        seat: desk().seat,
        measure,
        facts: reason(),
        incident: None,
        occurred_at: None,
    };
    add("RecordViolation admonish", Box::new(move |_| violation(Measure::Admonish).into()));
    add("RecordViolation warn", Box::new(move |_| violation(Measure::Warn).into()));
    add("RecordViolation end_exam", Box::new(move |_| violation(Measure::EndExam).into()));
    add("RecordViolation void", Box::new(move |_| violation(Measure::Void).into()));
    let sign = |signer, signature| SignRecord { record: RecordNo(3), signer, signature };
    let drawn = || Signature::Strokes(vec![vec![Point { x: 1, y: 1, t_ms: 0 }, Point { x: 9, y: 9, t_ms: 16 }]]);
    add("SignRecord candidate", Box::new(move |_| sign(Signer::Candidate, drawn()).into()));
    add("SignRecord on_paper", Box::new(move |_| sign(Signer::Candidate, Signature::OnPaper).into()));
    add("SignRecord myself", Box::new(move |_| sign(Signer::Myself, Signature::OnPaper).into()));
    same!(add "RefuseSignature", RefuseSignature { record: RecordNo(3), reason: reason() });
    same!(add "CloseRecord", CloseRecord { record: RecordNo(3) });
    let verdict = || Verdict::Dismiss { reason: reason() };
    add("JudgeFinding", Box::new(move |_| JudgeFinding { finding: FindingNo(1), verdict: verdict() }.into()));
    same!(add "DeliverReport", DeliverReport { report: ReportNo(1), receipt: "09:12".to_owned() });
    same!(add "AskRecords", AskRecords { sitting: None, after: RecordNo(0) });
}

fn duties(add: &mut Add) {
    same!(add "HandCall list", HandCall::List { sitting: sitting() });
    same!(add "HandCall take", HandCall::Take { hand: HandId(1) });
    same!(add "HandCall finish", HandCall::Finish { hand: HandId(1) });
    let say = || SendMessage { to: Recipients::All, canned: Some(Canned::GoOn), text: String::new() };
    add("SendMessage", Box::new(move |_| say().into()));
    same!(add "AskMessages", AskMessages { before: None });
    same!(add "VisitCall begin", VisitCall::Begin { sitting: sitting() });
    same!(add "VisitCall note", VisitCall::Note { visit: VisitId(1), findings: reason() });
    same!(add "VisitCall list", VisitCall::List { sitting: None });
    same!(add "FindCandidate", FindCandidate { query: "灯塔".to_owned() });
    let make = |n: u64| MakeAccount {
        account: account(&format!("new-{n}")),
        name: "李四".to_owned(),
        role: exam_protocol::staff::StaffRole::Staff,
        room: None,
        stands_in_for: None,
        reason: String::new(),
        password: PASSWORD.to_owned(),
    };
    add("PeopleCall make", Box::new(move |n| PeopleCall::Make(make(n)).into()));
    let sign_on = || SignOn { account: account("proctor"), password: PASSWORD.to_owned() };
    add("PeopleCall sign_on", Box::new(move |_| PeopleCall::SignOn(sign_on()).into()));
    same!(add "PeopleCall sign_off", PeopleCall::SignOff);
    same!(add "PeopleCall list", PeopleCall::List);
    let change = || ChangePassword { account: account("proctor"), old: PASSWORD.to_owned(), new: PASSWORD.to_owned() };
    add("PeopleCall change_password", Box::new(move |_| PeopleCall::ChangePassword(change()).into()));
    let reset = || ResetPassword { account: account("absent"), new: PASSWORD.to_owned() };
    add("PeopleCall reset_password", Box::new(move |_| PeopleCall::ResetPassword(reset()).into()));
    let whose = Whose::All;
    let extend = move || ExtendTime {
        sitting: sitting(),
        whose,
        minutes: 1,
        reason: reason(),
        approvals: vec![proof("chief"), proof("inspector")],
    };
    add("TimeCall extend", Box::new(move |_| TimeCall::Extend(extend()).into()));
    let by_hq = move || ExtendByHqCode { sitting: sitting(), whose, minutes: 20, reason: reason(), code: hq_code() };
    add("TimeCall extend_by_hq", Box::new(move |_| TimeCall::ExtendByHq(by_hq()).into()));
    let stop = |whose| StopClock { sitting: sitting(), whose, cause: StopCause::Other, reason: reason() };
    let seat = || Whose::Seat(desk().seat);
    add("TimeCall stop_all", Box::new(move |_| TimeCall::Stop(stop(Whose::All)).into()));
    add("TimeCall stop_seat", Box::new(move |_| TimeCall::Stop(stop(seat())).into()));
    add("TimeCall run_all", Box::new(move |_| TimeCall::Run(RunClock { sitting: sitting(), whose }).into()));
    add("TimeCall run_seat", Box::new(move |_| TimeCall::Run(RunClock { sitting: sitting(), whose: seat() }).into()));
    let out = move || TakeOutStretch {
        sitting: sitting(),
        whose,
        from: SiteMs(0),
        to: SiteMs(0),
        cause: StopCause::PowerCut,
        reason: reason(),
    };
    add("TimeCall take_out", Box::new(move |_| TimeCall::TakeOut(out()).into()));
    let cut = || CutDecision { sitting: sitting(), counts: true, reason: reason() };
    add("TimeCall decide_cut", Box::new(move |_| TimeCall::DecideCut(cut()).into()));
    let off = || SittingReason { sitting: sitting(), reason: reason() };
    add("TimeCall call_off", Box::new(move |_| TimeCall::CallOff(off()).into()));
}
