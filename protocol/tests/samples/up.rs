//! Samples of what clients say. Never leaves a message of [`Up`] out: a test compares this list with the registry.

use super::{Sample, admission_no, answers, desk, hash, id, item, roles, seat_no};
use exam_protocol::{
    message::{admin::*, candidate::*, hello::*, transfer::*},
    tag::Up,
    time::SiteMs,
    version::VersionRange,
};

/// Every message of a client, tricky variants one by one.
pub(crate) fn ups() -> Vec<Sample<Up>> {
    [first_words(), seats_words(), consoles_words(), bulk(), super::duty::ups()].concat()
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
        ("", Heartbeat { unsaved: 2, unsaved_age_ms: 1_500, answered: 17, item: Some(item(18)) }.into()),
        ("idle", Heartbeat::default().into()),
    ];
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
