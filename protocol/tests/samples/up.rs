//! Samples of what clients say. Never leaves a message of [`Up`] out: a test compares this list with the registry.

use super::{Sample, admission_no, answers, desk, hash, id, item, roles, seat_no};
use exam_protocol::{
    message::{admin::*, attendance::*, candidate::*, duty::Approval, hello::*, transfer::*},
    tag::Up,
    time::{SiteMs, WallMs},
    version::VersionRange,
};

/// Every message of a client, tricky variants one by one.
pub(crate) fn ups() -> Vec<Sample<Up>> {
    let mut all = [first_words(), seats_words(), consoles_words(), bulk()].concat();
    all.extend(attendance());
    all.extend(records_words());
    all.extend(readiness());
    all.extend(super::duty::ups());
    all
}

fn first_words() -> Vec<Sample<Up>> {
    vec![
        ("", Hello { versions: VersionRange { oldest: 1, newest: 300 }, build: "exam-load 0.1.0".to_owned() }.into()),
        (
            "",
            Enrol {
                code: "K7QM-2D4R".to_owned(),
                public_key: vec![0x30, 0x2a, 0x00, 0xff],
                host: "考生机-13".to_owned(),
            }
            .into(),
        ),
    ]
}

fn seats_words() -> Vec<Sample<Up>> {
    let attempt = AttemptId(70_000);
    let newest = |n: u32| Newest { item: item(n), number: n };
    let mut all: Vec<Sample<Up>> = vec![
        ("", TakeSeat { seat: desk() }.into()),
        ("", SignIn { admission_no: admission_no(), password: "123456".to_owned() }.into()),
        ("first_page", FetchAnswers { attempt, after: None }.into()),
        ("next_page", FetchAnswers { attempt, after: Some(item(9)) }.into()),
        ("", HandIn { attempt, newest: vec![newest(1), newest(2)] }.into()),
        ("nothing_answered", HandIn { attempt, newest: Vec::new() }.into()),
        ("idle", Heartbeat::default().into()),
    ];
    let beat = |(variant, lock)| {
        let (item, wall) = (Some(item(18)), Some(WallMs(1_790_000_000_000)));
        let beat = Heartbeat { unsaved: 2, unsaved_age_ms: 1_500, answered: 17, item, wall, lock, lock_for_ms: 60_000 };
        (variant, beat.into())
    };
    all.extend(["no_lock", "locked", "open"].into_iter().zip(LockState::ALL).map(beat));
    let save = |answer| SaveAnswer { attempt, item: item(7), number: 251, answer, made_at: SiteMs(5_400_000) };
    all.extend(answers().into_iter().map(|(variant, answer)| (variant, save(answer).into())));
    all
}

fn consoles_words() -> Vec<Sample<Up>> {
    let sitting = || id("s-theory-am");
    let mut all: Vec<Sample<Up>> = vec![
        ("", OpenAdmission { sitting: sitting() }.into()),
        ("", Admit { sitting: sitting(), seats: vec![seat_no(1), seat_no(999)] }.into()),
        ("all_waiting", Admit { sitting: sitting(), seats: Vec::new() }.into()),
        ("", StartSitting { sitting: sitting(), code: "ABCD-EFGH-JKMN-PQRS-TV".to_owned() }.into()),
        ("", EndSitting { sitting: sitting() }.into()),
        ("", ExportBundle { sitting: sitting() }.into()),
        ("", ImportPackage { package: hash("package") }.into()),
        ("", VerifyJournal.into()),
        ("", BackUp { dir: "D:\\备份\\2026".to_owned() }.into()),
        ("", AskStatus.into()),
    ];
    all.extend(roles().into_iter().map(|(variant, role)| (variant, IssueCodes { role, uses: 40 }.into())));
    all
}

fn bulk() -> Vec<Sample<Up>> {
    vec![
        ("", GetChunk { blob: hash("paper"), offset: 5_000_000_000, bytes_max: CHUNK_BYTES_MAX }.into()),
        ("", PutChunk { blob: hash("package"), total: 300_000, offset: 65_536, bytes: 250 }.into()),
    ]
}

fn attendance() -> Vec<Sample<Up>> {
    let (attempt, reason) = (AttemptId(70_000), || "黑屏".to_owned());
    let sitting = || id("s-theory-am");
    let proofs = || {
        let proof = |account| Approval { account: id(account), password: "Zhong-Guan-7".to_owned() };
        vec![proof("chief"), proof("inspector")]
    };
    let leave = |step| Leave { attempt, step };
    let decide = |decision| DecideAttempt { attempt, decision };
    let end = |why| decide(Decision::End { why, reason: reason() });
    let roll = |entry| RollCall { sitting: sitting(), entry };
    let orphans = |wish| Orphans { attempt, wish };
    let lost = |word| LostTime { sitting: sitting(), word };
    let check = IdentityCheck {
        attempt,
        id_card: true,
        sheet_signed: true,
        ticket: true,
        desk_label: false,
        note: "桌贴缺失".to_owned(),
    };
    let stretch = |why| UnableStretch { from: SiteMs(5_400_000), to: SiteMs(5_430_000), why };
    let stretches = UnableWhy::ALL.map(stretch).to_vec();
    let swap = |trouble_since| SwapMachine { attempt, to: seat_no(41), trouble_since, reason: reason() };
    vec![
        ("", DenyCandidate { attempt, reason: "证件不符".to_owned() }.into()),
        ("", ConfirmIdentity { attempt }.into()),
        ("out", leave(LeaveStep::Out { escort: id("li-proctor"), reason: None }).into()),
        ("out_because", leave(LeaveStep::Out { escort: id("li-proctor"), reason: Some(reason()) }).into()),
        ("back", leave(LeaveStep::Back).into()),
        ("", swap(None).into()),
        ("since", swap(Some(SiteMs(5_400_000))).into()),
        ("violation", end(EndWhy::Violation).into()),
        ("illness", end(EndWhy::Illness).into()),
        ("other", end(EndWhy::Other).into()),
        ("reopen", decide(Decision::Reopen { minutes: 60, reason: reason(), agreed: proofs() }).into()),
        ("all", ConsentHandIn { sitting: sitting(), attempt: None }.into()),
        ("one", ConsentHandIn { sitting: sitting(), attempt: Some(attempt) }.into()),
        ("identity", roll(RollEntry::Identity(check)).into()),
        ("absent", roll(RollEntry::Absent { candidates: vec![admission_no()] }).into()),
        ("list", orphans(OrphanWish::List { after: 0 }).into()),
        ("adopt", orphans(OrphanWish::Adopt { orphan: 1, number: 252 }).into()),
        ("dismiss", orphans(OrphanWish::Dismiss { orphan: 2 }).into()),
        ("accept", lost(LossWord::Accept { proposal: 1, minutes: 5, agreed: proofs() }).into()),
        ("by_hq", lost(LossWord::AcceptByHq { proposal: 1, minutes: 20, code: "ABCD-EFGH".to_owned() }).into()),
        ("dismissed", lost(LossWord::Dismiss { proposal: 1, reason: reason() }).into()),
        ("contest", lost(LossWord::Contest { attempt, text: "少了五分钟".to_owned() }).into()),
        ("answer", lost(LossWord::Answer { attempt, text: "已核实".to_owned() }).into()),
        ("", AskAttendance { sitting: sitting() }.into()),
        ("", SeatUnable { attempt, stretches }.into()),
    ]
}

/// Words of the room record.
fn records_words() -> Vec<Sample<Up>> {
    use exam_protocol::{
        incident::{FindingNo, IncidentCode, Measure, Point, RecordNo, ReportNo, Signature},
        message::incident::*,
    };
    let record = RecordNo(300);
    let point = |x, t_ms| Point { x, y: 40_000, t_ms };
    let strokes = Signature::Strokes(vec![vec![point(1, 0), point(250, 16)], vec![point(u16::MAX, 70_000)]]);
    let incident = RecordIncident {
        sitting: Some(id("s-theory-am")),
        seat: Some(seat_no(13)),
        item: Some(item(7)),
        occurred_at: Some(SiteMs(5_390_000)),
        code: IncidentCode::QuestionComplaint,
        text: "选项重复".to_owned(),
        attachments: vec![hash("photo")],
    };
    let of_site = RecordIncident {
        sitting: None,
        seat: None,
        item: None,
        occurred_at: None,
        code: IncidentCode::Power,
        text: "全校停电".to_owned(),
        attachments: Vec::new(),
    };
    let correct = CorrectIncident {
        record,
        reason: "看错考位".to_owned(),
        seat: Some(seat_no(14)),
        item: None,
        occurred_at: None,
        code: IncidentCode::Machine,
        text: "黑屏".to_owned(),
        attachments: Vec::new(),
    };
    let violation = |measure| RecordViolation {
        sitting: id("s-theory-am"),
        seat: seat_no(13),
        measure,
        facts: "桌下有手机".to_owned(),
        incident: Some(record),
        occurred_at: None,
    };
    let accept = Verdict::Accept { note: "网线松动".to_owned() };
    let dismiss = Verdict::Dismiss { reason: "交换机重启".to_owned() };
    let mut all: Vec<Sample<Up>> = vec![
        ("", incident.into()),
        ("site", of_site.into()),
        ("", AddToIncident { record, text: "已换机".to_owned(), attachments: Vec::new() }.into()),
        ("", correct.into()),
        ("", SignRecord { record, signer: Signer::Candidate, signature: strokes }.into()),
        ("on_paper", SignRecord { record, signer: Signer::Myself, signature: Signature::OnPaper }.into()),
        ("", RefuseSignature { record, reason: "不承认".to_owned() }.into()),
        ("", CloseRecord { record }.into()),
        ("accept", JudgeFinding { finding: FindingNo(3), verdict: accept }.into()),
        ("dismiss", JudgeFinding { finding: FindingNo(3), verdict: dismiss }.into()),
        ("", DeliverReport { report: ReportNo(2), receipt: "电话 09:12".to_owned() }.into()),
        ("", AskRecords { sitting: Some(id("s-theory-am")), after: RecordNo(0) }.into()),
        ("site", AskRecords { sitting: None, after: record }.into()),
    ];
    let names = ["Admonish", "Warn", "EndExam", "Void"];
    all.extend(names.into_iter().zip(Measure::ALL).map(|(name, measure)| (name, violation(measure).into())));
    all
}

use exam_protocol::{checklist::CheckItem, message::readiness::*, seal::SealCheck};

fn readiness() -> Vec<Sample<Up>> {
    let sitting = || id("s-theory-am");
    let report = |lock_ok: Option<bool>| SeatReport {
        outside_reachable: lock_ok.is_none(),
        foreign_programs: 300,
        lock_ok,
        clock_offset_ms: -70_000,
        disk_free_bytes: 5_368_709_120,
        version: "0.1.0".to_owned(),
    };
    let signature = |account| Approval { account: id(account), password: "made-up".to_owned() };
    let (seat, paper, reason) = (Some(seat_no(13)), || id("theory-b"), || "停电".to_owned());
    let code = || "ABCD-EFGH-JKMN-PQRS-TV".to_owned();
    vec![
        ("lock_unknown", report(None).into()),
        ("lock_bad", report(Some(false)).into()),
        ("lock_ok", report(Some(true)).into()),
        ("", AskReadiness { sitting: sitting() }.into()),
        ("room", ConfirmCheck { sitting: sitting(), check: SealCheck::Power, seat: None, note: String::new() }.into()),
        (
            "desk",
            ConfirmCheck { sitting: sitting(), check: SealCheck::LockWorks, seat, note: "已试".to_owned() }.into(),
        ),
        ("room", WithdrawCheck { sitting: sitting(), check: SealCheck::Cameras, seat: None, reason: reason() }.into()),
        ("desk", WithdrawCheck { sitting: sitting(), check: SealCheck::LockWorks, seat, reason: reason() }.into()),
        ("", SealRoom { sitting: sitting(), signatures: vec![signature("adm"), signature("help")] }.into()),
        ("", TickItem { sitting: sitting(), item: CheckItem::MaterialBack, note: "40 份".to_owned() }.into()),
        ("", UntickItem { sitting: sitting(), item: CheckItem::RulesRead, reason: reason() }.into()),
        ("", RequestBackupPaper { sitting: sitting(), reason: reason() }.into()),
        (
            "all",
            UseBackupPaper { sitting: sitting(), seat: None, paper: paper(), code: code(), reason: reason() }.into(),
        ),
        ("one", UseBackupPaper { sitting: sitting(), seat, paper: paper(), code: code(), reason: reason() }.into()),
        ("", ResetMock { sitting: sitting() }.into()),
        ("", AskMockPoints { sitting: sitting() }.into()),
    ]
}
