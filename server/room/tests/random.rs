//! Random days: whatever people and machines ask in whatever order, the core never panics, judging changes nothing, the
//! journal rebuilds the same site, and what must hold holds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod script;

use exam_room::{Site, state::Stage};
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
        _ => "clock".to_owned(),
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
    fn a_random_day_keeps_what_must_hold(acts in prop::collection::vec((0_u8..35, 1_u8..7, 1_u8..7, 0_u64..400), 1..120)) {
        let mut script = Script::default();
        let mut at = 8 * 3_600_000;
        for people in ["account chief chief", "chief signs on", "account see inspector", "account hand staff"] {
            script.play(0, people);
        }
        for (kind, n, m, seconds) in [(0, 1, 2, 0), (1, 6, 1, 0)].into_iter().chain(acts) {
            at += seconds * 1000;
            let sentence = act(kind, n, m);
            let needs_sitting = !script.site.sittings.contains_key(&sitting()) && sentence.contains("saves");
            let writers: Vec<_> = script.site.attempts.values().map(|a| (a.id, a.station.clone(), a.versions)).collect();
            if !needs_sitting {
                script.play(at, &sentence);
            }
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
