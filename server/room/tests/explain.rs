//! A complaint three weeks later: what a journal says of a seat at a moment, in sentences with who and why.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod script;

use exam_protocol::{code::Refusal, time::SiteMs};
use exam_room::{
    Site,
    explain::{self, Explanation, Question, Told},
};
use script::{Script, sitting};

const DAY: &str = "
08:00:00  package 90m automatic
08:00:00  code AAA for 9 until 12:00:00
08:00:00  machine 1 enrols with AAA
08:00:00  machine 2 enrols with AAA
08:00:00  machine 1 takes desk 1
08:00:00  machine 2 takes desk 2
08:30:00  door opens
08:31:00  seat 1 signs in
08:31:00  account chief chief
08:31:00  chief signs on
08:31:00  account see inspector
09:00:00  start
09:05:00  seat 2 signs in
09:10:00  pause 1 machine because 黑屏
09:20:00  resume 1
09:30:00  pause all power_cut because 停电
09:40:00  resume all
09:45:00  take out 1 09:35:00 to 09:43:00 network
09:50:00  extend 1 5 by chief see
09:50:30  seat 1 saves q1/1 甲
09:51:00  extend 2 20 on HQ code GOOD
10:00:00  seat 2 saves q1/1 乙
10:10:00  pause 2 illness because 头晕
";

fn ms(time: &str) -> u64 {
    time.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap()) * 1000
}

fn clock(at: SiteMs) -> String {
    format!("{:02}:{:02}:{:02}", at.0 / 3_600_000, at.0 / 60_000 % 60, at.0 / 1000 % 60)
}

fn ask(seat: u16, at: &str) -> Result<Explanation, Refusal> {
    let mut day = Script::default();
    for line in DAY.lines().filter(|line| !line.is_empty()) {
        let (time, act) = line.split_once(' ').unwrap();
        assert_eq!(day.play(ms(time), act.trim()), "ok", "{line}");
    }
    let at = SiteMs(ms(at));
    let mut site = Site::new(day.site.id.clone());
    let told = (1..).zip(day.facts).map(|(seq, (now, fact))| Told { seq, now, fact });
    let told: Vec<Told> = told.filter(|one| one.now.at <= at).collect();
    told.iter().for_each(|one| site.apply(one.now, &one.fact));
    explain::why(&site, &Question { sitting: sitting(), seat: seat.try_into().unwrap(), at }, &told, &clock)
}

fn said(explanation: &Explanation) -> String {
    explanation.lines.iter().map(|line| format!("{}\n{}\n", line.zh, line.en)).collect()
}

fn says(explanation: &Explanation, sentences: &[&str]) {
    let said = said(explanation);
    for sentence in sentences {
        assert!(said.contains(sentence), "`{sentence}` is not said:\n{said}");
    }
}

#[test]
fn every_interval_and_every_grant_is_told_with_who_and_why() {
    let found = ask(1, "09:55:00").unwrap();
    says(
        &found,
        &[
            "09:55:00，场次 t1（考试中）考位 1：答题中。",
            "09:00:00 开考，计划 90 分钟。",
            "本考位停表 09:10:00 至 09:20:00，补回 0:10:00：设备故障，黑屏；张chief（主考）。",
            "全场停表 09:30:00 至 09:40:00，补回 0:10:00：停电，停电；张chief（主考）。",
            "Clock stopped for this seat from 09:35:00 to 09:43:00, 0:03:00 given back (the rest overlaps",
            "09:50:00 为本考位延时 5 分钟：换机；张chief（主考） 与 张see（巡考员） 共同决定。",
            "因此 10:58:00 结束，剩余 1:03:00（计划 + 补回 0:23:00 + 延时 0:05:00）。",
            "服务器已存 1 题、1 个版本（0 个有标记），最后一个 09:50:30：q1 第 1 版。",
            "the clock was stopped: 黑屏; by 张chief (chief)",
        ],
    );
    assert_eq!((found.ends, found.left_ms), (Some(SiteMs(ms("10:58:00"))), Some(63 * 60_000)));
    assert!(!said(&found).contains("头晕"), "what concerns another seat is not told");
}

#[test]
fn the_same_seat_is_explained_as_it_was_at_each_moment() {
    says(&ask(1, "08:30:30").unwrap(), &["考位 1：等待登录，尚无人登录。"]);
    says(&ask(1, "08:45:00").unwrap(), &["已准入", "尚未开始计时；计划 90 分钟。"]);
    says(&ask(1, "09:09:59").unwrap(), &["答题中", "因此 10:30:00 结束，剩余 1:20:01", "服务器尚无答案。"]);
    says(&ask(1, "09:15:00").unwrap(), &["已暂停", "至 （尚未恢复），补回 0:05:00", "时钟停止，剩余 1:20:00"]);
    says(&ask(1, "10:57:59").unwrap(), &["答题中", "剩余 0:00:01"]);
    says(&ask(1, "10:58:00").unwrap(), &["已结束", "剩余 0:00:00"]);
}

#[test]
fn a_late_comer_and_hq_s_code_are_told() {
    let found = ask(2, "10:20:00").unwrap();
    says(
        &found,
        &[
            "09:00:00 开考，计划 90 分钟；09:05:00 才准入，仍与全场同时结束（HB-20）。",
            "09:51:00 为本考位延时 20 分钟：停电；评价组织授权码，张chief（主考） 录入。",
            "停表 10:10:00 至 （尚未恢复），补回 0:10:00：身体不适，头晕",
            "时钟停止，剩余 0:50:00",
        ],
    );
    assert_eq!((found.ends, found.left_ms), (None, Some(50 * 60_000)));
}

#[test]
fn a_seat_or_a_sitting_that_is_not_there_is_refused() {
    assert_eq!(ask(7, "09:00:00").unwrap_err(), Refusal::SeatUnknown);
    says(&ask(6, "09:00:00").unwrap(), &["考位 6：等待登录，尚无人登录。"]);
}
