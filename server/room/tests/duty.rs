//! Random hands, messages and visits: one open hand a desk, waiting in line; nothing unread that was read; the journal
//! rebuilds the same site.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod script;

use exam_room::Site;
use proptest::prelude::*;
use script::{Script, sitting};
use std::collections::BTreeSet;

fn act(kind: u8, n: u8, m: u8) -> String {
    match kind {
        0 => format!("machine {n} takes desk {m}"),
        1 => format!("seat {n} signs in"),
        2 => "start".to_owned(),
        3 => "end".to_owned(),
        4 | 5 => format!("seat {n} raises hand {}", ["machine", "toilet", "other"][m as usize % 3]),
        6 => format!("seat {n} lowers hand"),
        7 => format!("hand {m} taken"),
        8 => format!("hand {m} done"),
        9 => format!("say {n} hello"),
        10 => format!("say {} canned go_on", ["all", "sitting"][m as usize % 2]),
        11 => format!("message {m} reaches seat {n}"),
        12 | 13 => format!("seat {n} reads message {m}"),
        14 => "visit".to_owned(),
        _ => format!("visit {m} found nothing"),
    }
}

fn holds(site: &Site) {
    let sitting = sitting();
    let hands = site.hands(&sitting);
    let open: Vec<_> = hands.iter().filter(|hand| hand.is_open()).collect();
    let desks: BTreeSet<_> = open.iter().map(|hand| &hand.seat).collect();
    assert_eq!(desks.len(), open.len(), "a desk has at most one open hand");
    assert!(open.is_sorted_by_key(|hand| hand.raised_at), "who waits longest is on top");
    for (desk, unread) in &site.messages.unread {
        let waiting = |id| site.messages.by_id[id].seats[desk].read_at.is_none();
        assert!(unread.iter().all(waiting), "what was read is not shown again");
    }
    for message in site.messages.by_id.values() {
        let in_order = message.seats.values().all(|d| d.read_at.is_none() || d.delivered_at <= d.read_at);
        assert!(in_order, "nothing is read before it arrived");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_random_day_of_hands_and_messages_keeps_what_must_hold(
        acts in prop::collection::vec((0_u8..16, 1_u8..5, 1_u8..9, 0_u64..200), 1..100)
    ) {
        let mut script = Script::default();
        let mut at = 8 * 3_600_000;
        script.play(at, "package 90m automatic");
        script.play(at, "code AAA for 9 until 23:00:00");
        for n in 1..=4 {
            script.play(at, &format!("machine {n} enrols with AAA"));
        }
        script.play(at, "door opens");
        for (kind, n, m, seconds) in acts {
            at += seconds * 1000;
            script.play(at, &act(kind, n, m));
            holds(&script.site);
        }
        let mut again = Site::new("s1".parse().unwrap());
        for (now, fact) in &script.facts {
            again.apply(*now, fact);
        }
        prop_assert_eq!(format!("{again:?}"), format!("{:?}", script.site), "the journal rebuilds the same site");
    }
}
