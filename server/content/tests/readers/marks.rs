//! Marking of whole papers.

use exam_content::mark::{Reason, mark};
use exam_protocol::{
    answer::Answer,
    ids::{ItemId, OptionId},
    key::{ItemKey, KeyedPaper},
    paper::{Choice, Item, ItemKind, PAPER_FORMAT, Paper},
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn option(letter: &str) -> OptionId {
    letter.parse().unwrap()
}

fn options(letters: &str) -> BTreeSet<OptionId> {
    letters.chars().map(|letter| option(&letter.to_string())).collect()
}

fn choices() -> Vec<Choice> {
    ["A", "B", "C"].map(|letter| Choice { id: option(letter), text: letter.to_owned() }).to_vec()
}

fn id(number: usize) -> ItemId {
    format!("q{number:03}").parse().unwrap()
}

/// Five items, one of each kind, with 10, 20, 10, 20 and 40 tenths.
fn keyed() -> KeyedPaper {
    let parts = [
        (10, ItemKind::SingleChoice { options: choices() }, ItemKey::Single { option: option("B") }),
        (20, ItemKind::MultipleChoice { options: choices() }, ItemKey::Multiple { options: options("AC") }),
        (10, ItemKind::TrueFalse, ItemKey::TrueFalse { right: false }),
        (
            20,
            ItemKind::FillIn { blanks: 2 },
            ItemKey::Blanks { accepted: vec![vec!["甲".into()], vec!["HTML".into()]], any_order: false },
        ),
        (40, ItemKind::ShortText { chars_max: 100 }, ItemKey::ByHand { reference: String::new() }),
    ];
    let mut keys = BTreeMap::new();
    let items = parts.into_iter().enumerate().map(|(index, (points_tenths, kind, key))| {
        keys.insert(id(index + 1), key);
        Item { id: id(index + 1), points_tenths, stem: vec!["题".into()], kind }
    });
    let items = items.collect();
    KeyedPaper { paper: Paper { format: PAPER_FORMAT, id: "p".parse().unwrap(), title: "t".into(), items }, keys }
}

fn one(number: usize, answer: Answer) -> (u32, Reason) {
    let marked = mark(&keyed(), &BTreeMap::from([(id(number), answer)]));
    (marked.items[number - 1].points_tenths, marked.items[number - 1].reason)
}

#[test]
fn every_kind_is_judged_by_its_own_rule() {
    let blanks = |one: &str, two: &str| Answer::Blanks(vec![one.to_owned(), two.to_owned()]);
    for (number, answer, wanted) in [
        (1, Answer::Single(option("B")), (10, Reason::Right)),
        (1, Answer::Single(option("A")), (0, Reason::Wrong)),
        (1, Answer::Single(option("Z")), (0, Reason::Misfit)),
        (1, Answer::TrueFalse(true), (0, Reason::Misfit)),
        (1, Answer::Empty, (0, Reason::NotAnswered)),
        (2, Answer::Multiple(options("AC")), (20, Reason::Right)),
        (2, Answer::Multiple(options("A")), (0, Reason::Wrong)),
        (2, Answer::Multiple(options("ABC")), (0, Reason::Wrong)),
        (2, Answer::Multiple(options("")), (0, Reason::NotAnswered)),
        (3, Answer::TrueFalse(false), (10, Reason::Right)),
        (4, blanks("甲", " ｈtml"), (20, Reason::Right)),
        (4, blanks("甲", "xml"), (10, Reason::Partial)),
        (4, blanks("HTML", "甲"), (0, Reason::Wrong)),
        (4, blanks(" ", ""), (0, Reason::NotAnswered)),
        (5, Answer::Text("说明".into()), (0, Reason::NeedsHand)),
        (5, Answer::Text("  ".into()), (0, Reason::NotAnswered)),
    ] {
        assert_eq!(one(number, answer.clone()), wanted, "item {number}: {answer:?}");
    }
}

#[test]
fn an_unanswered_paper_is_complete_with_no_points() {
    let marked = mark(&keyed(), &BTreeMap::new());
    assert_eq!(
        (marked.points_tenths, marked.max_tenths, marked.by_hand_tenths, marked.is_complete()),
        (0, 100, 0, true)
    );
}

#[test]
fn a_short_text_waits_for_a_hand() {
    let marked = mark(&keyed(), &BTreeMap::from([(id(5), Answer::Text("说明".into()))]));
    assert_eq!((marked.by_hand_tenths, marked.is_complete()), (40, false));
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        Just(Answer::Empty),
        "[A-D]".prop_map(|letter| Answer::Single(option(&letter))),
        "[A-D]{0,4}".prop_map(|letters| Answer::Multiple(options(&letters))),
        any::<bool>().prop_map(Answer::TrueFalse),
        prop::collection::vec("甲|HTML|html|x", 0..4).prop_map(Answer::Blanks),
        ".{0,20}".prop_map(Answer::Text),
    ]
}

proptest! {
    #[test]
    fn no_paper_gets_more_than_its_points(answers in prop::collection::btree_map((1_usize..8).prop_map(id), any_answer(), 0..8)) {
        let marked = mark(&keyed(), &answers);
        prop_assert!(marked.points_tenths + marked.by_hand_tenths <= marked.max_tenths);
        prop_assert!(marked.items.iter().all(|item| item.points_tenths <= item.max_tenths));
    }
}
