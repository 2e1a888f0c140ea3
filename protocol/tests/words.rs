//! Every code has words: Chinese that is Chinese, English that is English, and nothing only programmers understand.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod samples;

use exam_protocol::{
    code::Refusal,
    message::duty::STAFF_PASSWORD_CHARS_MIN,
    staff::{Act, StaffRole},
    words::Both,
};
use samples::{errors, package_noes, package_refused, phases, refusals, seat_states};

/// What samples carry into a sentence: ids of people, a reason in words, and names that are the same in both languages.
const PARAMETERS: &[&str] =
    &["s-theory-am", "theory-a", "q07", "r1", "r2", "考位 41 不存在", "JPEG", "PNG", "PDF", "MiB"];

fn is_chinese(c: char) -> bool {
    ('\u{4E00}'..='\u{9FFF}').contains(&c)
}

/// Words that only programmers know.
fn debug_words() -> Vec<String> {
    let acts = Act::ALL.iter().map(|act| format!("{act:?}"));
    let roles = StaffRole::ALL.iter().map(|role| format!("{role:?}"));
    let codes = refusals().into_iter().map(|(name, _)| name.to_owned());
    let states = seat_states().into_iter().map(|(name, _)| name.to_owned());
    let phases = phases().into_iter().map(|(name, _)| name.to_owned());
    let rest = ["Some(", "None", "::", "{", "}", "[", "]", "_", "\""].map(str::to_owned);
    acts.chain(roles).chain(codes).chain(states).chain(phases).chain(rest).collect()
}

/// What is wrong with a text in both languages; nothing when it is fit for people.
fn fault(zh: &str, en: &str) -> Option<String> {
    let bare = |text: &str| PARAMETERS.iter().fold(text.to_owned(), |text, parameter| text.replace(parameter, ""));
    let (own_zh, own_en) = (bare(zh), bare(en));
    if own_zh.chars().filter(|c| is_chinese(*c)).count() < 2 {
        return Some(format!("no Chinese in {zh:?}"));
    }
    if let Some(c) = own_zh.chars().find(char::is_ascii_alphabetic) {
        return Some(format!("{c:?} in the Chinese {zh:?}"));
    }
    if own_en.chars().filter(char::is_ascii_alphabetic).count() < 4 {
        return Some(format!("no English in {en:?}"));
    }
    if let Some(c) = own_en.chars().find(|c| !c.is_ascii()) {
        return Some(format!("{c:?} in the English {en:?}"));
    }
    let debug = debug_words().into_iter().find(|word| own_zh.contains(word) || own_en.contains(word));
    debug.map(|word| format!("{word} in {zh:?} or {en:?}"))
}

fn fit(what: &str, both: &Both) {
    assert_eq!(fault(&both.zh, &both.en), None, "{what}");
    assert_eq!(both.to_string(), format!("{} · {}", both.zh, both.en), "Chinese first, English beside it");
}

#[test]
fn every_refusal_is_a_sentence_in_both_languages() {
    for (name, refusal) in refusals() {
        fit(name, &refusal.both());
        assert_eq!(refusal.to_string(), refusal.both().to_string());
        assert_eq!((refusal.zh(), refusal.en()), (refusal.both().zh, refusal.both().en));
    }
}

#[test]
fn every_refusal_says_something_else() {
    let all = refusals();
    for (index, (name, refusal)) in all.iter().enumerate() {
        for (other, twin) in &all[index + 1..] {
            assert_ne!(refusal.zh(), twin.zh(), "{name} and {other}");
            assert_ne!(refusal.en(), twin.en(), "{name} and {other}");
        }
    }
}

#[test]
fn every_phase_state_role_act_and_fault_inside_a_sentence_is_a_word() {
    for (name, phase) in phases() {
        fit(name, &Refusal::WrongPhase { phase }.both());
    }
    for (name, state) in seat_states() {
        fit(name, &Refusal::WrongSeatState { state }.both());
    }
    for act in Act::ALL {
        fit(&format!("{act:?}"), &Refusal::NotYourAct { act, needs: act.roles().to_vec() }.both());
    }
    for first in StaffRole::ALL {
        for second in StaffRole::ALL {
            fit("two people", &Refusal::SecondPersonMissing { needs: vec![first, second] }.both());
        }
    }
    for (name, why) in package_noes() {
        fit(name, &package_refused(why).both());
    }
    for (name, error) in errors() {
        fit(name, &error.both());
        assert_eq!(error.to_string(), error.both().to_string());
    }
}

#[test]
fn sentences_read_as_people_speak() {
    let act = Act::Export;
    let no = Refusal::NotYourAct { act, needs: act.roles().to_vec() };
    assert_eq!(no.zh(), "你的岗位不能“导出成绩包”，须由主考、副主考或系统管理员操作");
    assert_eq!(no.en(), "your role may not export the bundle; it takes chief, deputy or administrator");
    let two = Refusal::SecondPersonMissing { needs: vec![StaffRole::Chief, StaffRole::Inspector] };
    assert_eq!(two.zh(), "须由主考和巡考员共同批准，各自输入密码");
    let early = |opens_in_s| Refusal::HandInTooEarly { opens_in_s };
    assert_eq!(early(59).both().to_string(), "还不能交卷，59 秒后开放 · hand-in opens in 59 s");
    assert_eq!(early(60).both().to_string(), "还不能交卷，1 分钟后开放 · hand-in opens in 1 min");
    assert_eq!(early(61).both().to_string(), "还不能交卷，1 分 1 秒后开放 · hand-in opens in 1 min 1 s");
    let short = Refusal::PasswordTooShort { min_chars: STAFF_PASSWORD_CHARS_MIN as u32 };
    assert!(short.zh().contains("至少需要 8 个字符"), "{short}");
}

/// The check itself must be able to fail.
#[test]
fn a_text_unfit_for_people_is_found() {
    let fine = ("场次已暂停", "the sitting is paused");
    assert_eq!(fault(fine.0, fine.1), None);
    for (zh, en) in [
        ("", fine.1),
        ("the sitting is paused", fine.1),
        ("场次处于 Paused", fine.1),
        (fine.0, ""),
        (fine.0, "场次已暂停"),
        (fine.0, "not possible while the sitting is Paused"),
        (fine.0, "it takes [Chief]"),
        (fine.0, "HandedIn"),
        (fine.0, "hand_in"),
    ] {
        assert!(fault(zh, en).is_some(), "{zh:?} {en:?}");
    }
}
