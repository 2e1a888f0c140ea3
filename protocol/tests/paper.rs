//! Papers as candidates see them: the order a seed gives, and the JSON shapes other programs rely on.
//! Never depends on the machine: the frozen order below must come out everywhere.
#![allow(clippy::unwrap_used, reason = "a test that cannot build its own input has failed")]

use exam_protocol::{
    answer::Answer,
    paper::{Choice, Item, ItemKind, PAPER_FORMAT, Paper},
};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

fn options(letters: &str) -> Vec<Choice> {
    letters.chars().map(|l| Choice { id: l.to_string().parse().unwrap(), text: format!("选项 {l}") }).collect()
}

fn kind(n: usize) -> ItemKind {
    match n % 5 {
        0 => ItemKind::SingleChoice { options: options("ABCD") },
        1 => ItemKind::MultipleChoice { options: options("ABCDE") },
        2 => ItemKind::TrueFalse,
        3 => ItemKind::FillIn { blanks: 2 },
        _ => ItemKind::ShortText { chars_max: 400 },
    }
}

fn paper(kinds: impl IntoIterator<Item = usize>) -> Paper {
    let item = |(index, n)| Item {
        id: format!("q{index:03}").parse().unwrap(),
        points_tenths: 25,
        stem: vec![format!("第 {index} 题")],
        kind: kind(n),
    };
    let items = kinds.into_iter().enumerate().map(item).collect();
    Paper { format: PAPER_FORMAT, id: "theory-a".parse().unwrap(), title: "理论 A 卷".to_owned(), items }
}

fn is_permutation(indexes: &[usize], len: usize) -> bool {
    indexes.len() == len && indexes.iter().copied().collect::<BTreeSet<_>>() == (0..len).collect()
}

proptest! {
    #[test]
    fn every_seed_gives_every_item_and_option_once(kinds in prop::collection::vec(0..5_usize, 1..60), seed: u64) {
        let paper = paper(kinds);
        let order = paper.order(seed);
        prop_assert!(is_permutation(&order.items, paper.items.len()));
        for (item, shown) in paper.items.iter().zip(&order.options) {
            prop_assert!(is_permutation(shown, item.kind.options().len()));
        }
        prop_assert_eq!(paper.order(seed), order, "the same seed must give the same order");
    }

    #[test]
    fn items_of_one_kind_stay_together_in_the_author_s_order_of_kinds(kinds in prop::collection::vec(0..5_usize, 1..60), seed: u64) {
        let paper = paper(kinds);
        let name = |index: usize| std::mem::discriminant(&paper.items[index].kind);
        let first_seen = |order: Vec<usize>| {
            let mut seen = Vec::new();
            for index in order {
                if seen.last() != Some(&name(index)) {
                    seen.push(name(index));
                }
            }
            seen
        };
        let shown = first_seen(paper.order(seed).items);
        let mut authored: Vec<_> = Vec::new();
        for index in 0..paper.items.len() {
            if !authored.contains(&name(index)) {
                authored.push(name(index));
            }
        }
        prop_assert_eq!(shown, authored);
    }
}

/// Written down once: an attempt of 2026 must still be shown in its own order when its score is reviewed (HB-46).
#[test]
fn the_order_of_a_seed_is_frozen() {
    let order = paper([0, 0, 0, 0, 1, 1, 2]).order(2026);
    assert_eq!(order.items, [1, 0, 2, 3, 5, 4, 6]);
    let options: [&[usize]; 7] =
        [&[3, 2, 0, 1], &[3, 0, 2, 1], &[2, 0, 3, 1], &[0, 3, 2, 1], &[2, 4, 0, 3, 1], &[4, 3, 2, 0, 1], &[]];
    assert_eq!(order.options, options);
}

#[test]
fn neighbours_with_other_seeds_see_other_orders() {
    let paper = paper((0..30).map(|n| n / 10));
    let orders: BTreeSet<Vec<usize>> = (0..40).map(|seed| paper.order(seed).items).collect();
    assert!(orders.len() > 38, "40 seeds gave only {} orders", orders.len());
}

#[test]
fn a_paper_s_limits_hold_on_both_sides() {
    assert!(paper((0..500).map(|n| n % 5)).check().is_ok());
    assert!(paper((0..501).map(|n| n % 5)).check().is_err());
    assert!(paper([]).check().is_err());
    let newer = Paper { format: PAPER_FORMAT + 1, ..paper([0]) };
    assert!(newer.check().unwrap_err().to_string().contains("install the newer version"));
}

#[test]
fn an_answer_s_json_is_what_bundles_have_always_said() {
    let letter = |l: &str| l.parse().unwrap();
    for (answer, expected) in [
        (Answer::Empty, json!("empty")),
        (Answer::Single(letter("B")), json!({"single": "B"})),
        (Answer::Multiple([letter("D"), letter("A")].into()), json!({"multiple": ["A", "D"]})),
        (Answer::TrueFalse(false), json!({"true_false": false})),
        (Answer::Blanks(vec!["北京".to_owned(), String::new()]), json!({"blanks": ["北京", ""]})),
        (Answer::Text("略".to_owned()), json!({"text": "略"})),
    ] {
        assert_eq!(serde_json::to_value(&answer).unwrap(), expected);
        assert_eq!(serde_json::from_value::<Answer>(expected).unwrap(), answer);
    }
}

#[test]
fn a_paper_s_json_is_what_sealed_papers_have_always_said() {
    let expected = json!({
        "format": 1, "id": "theory-a", "title": "理论 A 卷",
        "items": [
            {"id": "q000", "points_tenths": 25, "stem": ["第 0 题"],
             "kind": {"kind": "single_choice", "options": [
                {"id": "A", "text": "选项 A"}, {"id": "B", "text": "选项 B"}, {"id": "C", "text": "选项 C"}, {"id": "D", "text": "选项 D"}]}},
            {"id": "q001", "points_tenths": 25, "stem": ["第 1 题"], "kind": {"kind": "true_false"}},
            {"id": "q002", "points_tenths": 25, "stem": ["第 2 题"], "kind": {"kind": "fill_in", "blanks": 2}},
            {"id": "q003", "points_tenths": 25, "stem": ["第 3 题"], "kind": {"kind": "short_text", "chars_max": 400}},
        ],
    });
    let paper = paper([0, 2, 3, 4]);
    assert_eq!(serde_json::to_value(&paper).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Paper>(expected).unwrap(), paper);
}
