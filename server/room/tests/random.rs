//! Random days: whatever people and machines ask in whatever order, the core never panics, judging changes nothing, the
//! journal rebuilds the same site, and what must hold holds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod script;

use exam_protocol::{staff::StaffRole, time::Now};
use exam_room::{
    Fact, Site,
    rules::pause::{ClockStopped, StretchTakenOut},
    state::{Authority, End, Stage},
};
use proptest::prelude::*;
use script::{Script, sitting};
use std::collections::BTreeSet;

/// One sentence of a random day; `n` is a seat, `m` another number.
fn act(kind: u8, n: u8, m: u8) -> String {
    match kind {
        0 => format!(
            "package {}m {} hand-in={}",
            [5, 30, 90][m as usize % 3],
            ["automatic", "proctor"][n as usize % 2],
            m
        ),
        1 => format!("code C{m} for {n} until 23:00:00"),
        2 | 3 => format!("machine {n} enrols with C{m}"),
        4 | 5 => format!("machine {n} takes desk {}", if m < 4 { n } else { m }),
        6 => "door opens".to_owned(),
        7 => "admit all".to_owned(),
        8 => format!("admit {n}"),
        9 | 10 => format!("seat {n} signs in"),
        11 => format!("seat {n} signs in as {m}"),
        12 => format!("seat {n} signs in wrongly"),
        13 => "start".to_owned(),
        14..=20 => format!("seat {n} saves q{}/{} v{m}", m % 3, 1 + m % 4),
        21 => "end".to_owned(),
        22 => "export".to_owned(),
        23 => format!("leave {n} with hand"),
        24 => format!("back {n}"),
        25 => format!("swap {n} to {m} since 08:30:00 because dead"),
        26 => format!("machine {m} saves q{}/{} w{n} for {n}", m % 3, 1 + m % 4),
        27 => format!("machine {m} adopts {n} as {} for {n}", m + 4),
        28 => format!("deny {n} because m{m}"),
        29 => format!("end {n} for illness because m{m}"),
        30 => format!("reopen {n} {m} by chief see"),
        31 => format!("consent {n}"),
        32 => format!("check {n} finds signature ticket label"),
        33 => "confirm absent".to_owned(),
        34..=59 => time_and_papers(kind, n, m),
        60..=81 => records_and_duty(kind, n, m),
        // Most of what can happen needs a room at work.
        82.. => [
            "door opens".to_owned(),
            format!("machine {n} enrols with C1"),
            format!("machine {n} takes desk {n}"),
            format!("seat {n} signs in"),
            "admit all".to_owned(),
            "start".to_owned(),
        ][kind as usize % 6]
            .clone(),
    }
}

fn whose(n: u8) -> String {
    if n > 4 { "all".to_owned() } else { n.to_string() }
}

fn time_and_papers(kind: u8, n: u8, m: u8) -> String {
    match kind {
        34 | 35 => {
            format!("pause {} {} because m{m}", whose(n), ["power_cut", "machine", "illness", "other"][m as usize % 4])
        }
        36 | 37 => format!("resume {}", whose(n)),
        38 | 39 => format!("take out {} 08:0{m}:00 to 08:{n}0:30 power_cut", whose(n)),
        40 | 41 => format!("extend {} {m} by chief see", whose(n)),
        42 => format!("extend {} {m} by chief", whose(n)),
        43 => format!("extend {} 20 on HQ code {}", whose(n), ["GOOD", "TWIN", "WRONG"][m as usize % 3]),
        44 => format!("cut {} because m{m}", ["counts", "does-not-count"][n as usize % 2]),
        45 => format!("call off because m{m}"),
        46 => format!("accept {m} {n} by chief see"),
        47 => format!("server v{m} starts"),
        48 => "seal by hand hand".to_owned(),
        49 => format!("confirm power m{m}"),
        50 => format!("machine {n} reports sound"),
        51 => format!("request backup because m{m}"),
        52 => format!("use backup p{m} for {} because m{n}", whose(n)),
        53 => "reset mock".to_owned(),
        54 => format!("seat {n} confirms identity"),
        55 => ["chief signs on", "see signs on", "watch signs on", "signs off"][m as usize % 4].to_owned(),
        56 => format!("server was off since 08:{m}0:00"),
        57 | 58 => format!("machine {m} tells not_running 08:0{n}:00 to 08:{m}0:00 for {n}"),
        _ => "clock".to_owned(),
    }
}

fn records_and_duty(kind: u8, n: u8, m: u8) -> String {
    match kind {
        60 => format!("incident machine at {n} because m{m}"),
        61 => format!("add to {m} x{n}"),
        62 => format!("correct {m} as noise because m{n}"),
        63 => format!("violation {} at {n} because m{m}", ["admonish", "warn", "end_exam", "void"][m as usize % 4]),
        64 => format!("candidate signs {m}"),
        65 => format!("candidate refuses {m} because x"),
        66 => format!("sign {m}"),
        67 => format!("close {m}"),
        68 => format!("deliver {m} as r{n}"),
        69 => format!("notice lost_contact at {n} 08:0{m}:00 to 08:{m}0:00"),
        70 => format!("accept {m}"),
        71 => format!("dismiss {m} because x"),
        72 => format!("seat {n} raises hand machine"),
        73 => format!("seat {n} lowers hand"),
        74 => format!("hand {m} taken"),
        75 => format!("hand {m} done"),
        76 => format!("say {} hello", if n > 4 { "all".to_owned() } else { format!("{n},{m}") }),
        77 => format!("message {m} reaches seat {n}"),
        78 => format!("seat {n} reads message {m}"),
        79 => "visit".to_owned(),
        80 => format!("visit {m} found m{n}"),
        _ => "tick candidates_left".to_owned(),
    }
}

/// What was just written: time has a name and a reason, and nothing typed after an end is applied.
fn written(site: &Site, facts: &[(Now, Fact)]) {
    for (_, fact) in facts {
        match fact {
            Fact::StretchTakenOut(StretchTakenOut { reason, by, .. })
            | Fact::ClockStopped(ClockStopped { reason, by, .. }) => {
                assert!(!reason.is_empty() && site.stations.contains_key(&by.station), "no time without who and why");
            }
            Fact::TimeGranted(granted) => {
                assert!(!granted.reason.is_empty() && granted.ms > 0, "no time without why");
                if let Authority::ChiefAndInspector { chief, inspector } = &granted.authority {
                    let roles = [chief, inspector].map(|account| site.accounts[account].role);
                    assert_eq!(roles, [StaffRole::Chief, StaffRole::Inspector], "no time on one person's word");
                }
            }
            Fact::AnswerSaved(saved) => {
                let attempt = &site.attempts[&saved.attempt];
                if let End::At(end) = site.end(attempt) {
                    assert!(saved.made_at <= end, "no seat writes past its end");
                }
            }
            _ => {}
        }
    }
}

fn holds(site: &Site) {
    let open =
        site.sittings.values().filter(|s| matches!(s.stage, Stage::Admitting { .. } | Stage::Running { .. })).count();
    assert!(open <= 1, "a room has at most one open sitting");
    let desks: BTreeSet<_> = site.stations.values().filter_map(|station| station.seat.as_ref()).collect();
    let seated = site.stations.values().filter(|station| station.seat.is_some()).count();
    assert_eq!(desks.len(), seated, "no two machines at one desk");
    for sitting in site.sittings.values() {
        let out = site.attempts_of(sitting.id()).filter(|attempt| attempt.attendance.out().is_some()).count();
        assert!(out <= 1, "one candidate of a room is out at a time");
    }
    for attempt in site.attempts.values() {
        let twin = site.attempts.values().any(|other| {
            other.id != attempt.id && other.station == attempt.station && other.sitting == attempt.sitting
        });
        assert!(!twin, "one live session a machine");
        let lost = site.sittings[&attempt.sitting].roll.proposals.iter().filter(|lost| lost.attempt == attempt.id);
        let (from, to) = (lost.clone().map(|lost| lost.from).min(), lost.clone().map(|lost| lost.to).max());
        let proposed: u64 = lost.map(|lost| lost.ms).sum();
        let passed = to.unwrap_or_default().since(from.unwrap_or_default());
        assert!(proposed <= passed, "no second is proposed twice: {proposed} of {passed} ms");
        let newest = attempt
            .answers
            .values()
            .all(|log| log.newest.as_ref().map(|v| v.number) == log.versions.keys().last().copied());
        assert!(newest, "the newest version is the one with the highest number");
        assert_eq!(
            attempt.versions as usize,
            attempt.answers.values().map(|log| log.versions.len()).sum::<usize>(),
            "each version once"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_random_day_keeps_what_must_hold(acts in prop::collection::vec((0_u8..112, 1_u8..7, 1_u8..7, 0_u64..400), 1..120)) {
        let mut script = Script::default();
        let mut at = 8 * 3_600_000;
        for people in ["account chief chief", "chief signs on", "account see inspector", "account hand staff", "account watch proctor"] {
            script.play(0, people);
        }
        for (kind, n, m, seconds) in [(0, 1, 2, 0), (1, 6, 1, 0)].into_iter().chain(acts) {
            at += seconds * 1000;
            let sentence = act(kind, n, m);
            let needs_sitting = !script.site.sittings.contains_key(&sitting()) && sentence.contains("saves");
            let writers: Vec<_> = script.site.attempts.values().map(|a| (a.id, a.station.clone(), a.versions)).collect();
            let known = script.facts.len();
            if !needs_sitting {
                script.play(at, &sentence);
            }
            written(&script.site, &script.facts[known..]);
            if kind == 26 {
                let foreign = |(_, writer, _): &&(_, _, _)| *writer != script::station(&m.to_string());
                for (attempt, _, versions) in writers.iter().filter(foreign) {
                    prop_assert_eq!(script.site.attempts[attempt].versions, *versions, "no fenced write is applied");
                }
            }
            holds(&script.site);
        }
        let mut again = Site::new("s1".parse().unwrap());
        for (now, fact) in &script.facts {
            again.apply(*now, fact);
        }
        prop_assert_eq!(format!("{again:?}"), format!("{:?}", script.site), "the journal rebuilds the same site");
    }
}

/// A day with one attempt at work, and the fact of its one answer.
fn worked() -> Script {
    let mut script = Script::default();
    let day = [
        "package 30m automatic",
        "code C1 for 6 until 23:00:00",
        "machine 1 enrols with C1",
        "machine 1 takes desk 1",
        "door opens",
        "seat 1 signs in",
        "start",
        "seat 1 saves q1/1 x",
    ];
    day.iter().for_each(|sentence| assert_eq!(script.play(8 * 3_600_000, sentence), "ok", "{sentence}"));
    script
}

#[test]
#[should_panic(expected = "no seat writes past its end")]
fn an_answer_typed_after_the_end_is_found_out() {
    let mut script = worked();
    let Some((now, Fact::AnswerSaved(saved))) = script.facts.last_mut() else { panic!("the answer was saved") };
    saved.made_at = now.at.plus(31 * 60_000);
    written(&script.site, &script.facts);
}

#[test]
#[should_panic(expected = "no time without who and why")]
fn time_without_a_reason_is_found_out() {
    let mut script = worked();
    assert_eq!(script.play(8 * 3_600_000, "pause all other because noise"), "ok");
    let Some((_, Fact::ClockStopped(stopped))) = script.facts.last_mut() else { panic!("the clock was stopped") };
    stopped.reason.clear();
    written(&script.site, &script.facts);
}

/// What somebody with the disk and the chain's recipe may have done to the facts.
#[derive(Clone, Debug)]
enum Forgery {
    Leave(usize),
    Twice(usize),
    Swap(usize, usize),
}

fn forged(facts: &mut Vec<(Now, Fact)>, forgery: &Forgery) {
    let len = facts.len().max(1);
    match *forgery {
        _ if facts.is_empty() => {}
        Forgery::Leave(at) => drop(facts.remove(at % len)),
        Forgery::Twice(at) => facts.insert(at % len, facts[at % len].clone()),
        Forgery::Swap(a, b) => facts.swap(a % len, b % len),
    }
}

fn any_forgery() -> impl Strategy<Value = Forgery> {
    let at = any::<usize>;
    prop_oneof![
        4 => at().prop_map(Forgery::Leave),
        1 => at().prop_map(Forgery::Twice),
        2 => (at(), at()).prop_map(|(a, b)| Forgery::Swap(a, b)),
    ]
}

/// A day on which most kinds of facts happen.
fn full_day() -> Vec<(Now, Fact)> {
    let mut script = Script::default();
    for people in [
        "account chief chief",
        "chief signs on",
        "account see inspector",
        "account hand staff",
        "account watch proctor",
    ] {
        script.play(0, people);
    }
    let mut at = 8 * 3_600_000;
    for (n, m) in [(1, 2), (2, 1), (3, 4), (4, 3)] {
        let begin = [
            "package 90m automatic".to_owned(),
            format!("code C{n} for 6 until 23:00:00"),
            format!("machine {n} enrols with C{n}"),
        ];
        let enter = [
            format!("machine {n} takes desk {n}"),
            "door opens".to_owned(),
            format!("seat {n} signs in"),
            "start".to_owned(),
        ];
        for sentence in begin.into_iter().chain(enter) {
            script.play(at, &sentence);
        }
        for kind in 0..82 {
            at += 2_000;
            if !matches!(kind, 0 | 21 | 22 | 45 | 53) {
                script.play(at, &act(kind, n, m));
            }
        }
    }
    ["end", "export"].iter().for_each(|sentence| drop(script.play(at, sentence)));
    script.facts
}

#[test]
fn a_journal_whose_facts_were_left_out_doubled_or_swapped_stops_no_server() {
    let day = full_day();
    let kinds: BTreeSet<&str> = day.iter().map(|(_, fact)| fact.kind()).collect();
    assert!(kinds.len() > 30, "the day must be full: {} of {} kinds", kinds.len(), Fact::KINDS.len());
    let config = ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(forgeries in prop::collection::vec(any_forgery(), 1..8))| {
        let mut facts = day.clone();
        forgeries.iter().for_each(|forgery| forged(&mut facts, forgery));
        let mut site = Site::new("s1".parse().unwrap());
        for (now, fact) in &facts {
            // A line that is earlier than the one before is refused by the journal itself.
            let now = Now { at: now.at.max(site.latest), ..*now };
            site.apply(now, fact);
            std::hint::black_box((site.tell(fact), site.next_wake()));
        }
    });
}
