//! One candidate's answers against one paper's key.
//! Never looks at positions: answers and keys name items and options by id.

use crate::fold;
use exam_protocol::{
    answer::Answer,
    ids::ItemId,
    key::{ItemKey, KeyedPaper},
    paper::Item,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Why an item got the points it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// All of it is right.
    Right,
    /// Some blanks are right: points in proportion, half up to a tenth.
    Partial,
    /// Something was answered, and it is wrong.
    Wrong,
    /// Nothing was answered.
    NotAnswered,
    /// 简答: people mark it.
    NeedsHand,
    /// The answer does not fit the item (another paper's?): no points, a person should look.
    Misfit,
    /// The paper has no key for this item: no points, a person should look.
    NoKey,
}

/// One item's mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemMark {
    /// Which item.
    pub item: ItemId,
    /// Tenths of a point it got; 0 for what needs a hand.
    pub points_tenths: u32,
    /// Tenths of a point it may get.
    pub max_tenths: u32,
    /// Why.
    pub reason: Reason,
}

/// One paper's marks, items in the author's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaperMark {
    /// Item by item.
    pub items: Vec<ItemMark>,
    /// Tenths of a point given by machine.
    pub points_tenths: u64,
    /// Tenths of a point of the whole paper.
    pub max_tenths: u64,
    /// Of those, tenths that people have to mark; unanswered short texts are not among them.
    pub by_hand_tenths: u64,
}

impl PaperMark {
    /// Whether nothing is left for people to mark or to look at.
    pub fn is_complete(&self) -> bool {
        !self.items.iter().any(|item| matches!(item.reason, Reason::NeedsHand | Reason::Misfit | Reason::NoKey))
    }
}

/// Marks what a machine can mark. Choice: exactly the right set. Judgement: the same. Blanks: equal after folding width,
/// blanks and case, points shared by the blanks in proportion. Short text: by people, nothing for an empty one.
pub fn mark(keyed: &KeyedPaper, answers: &BTreeMap<ItemId, Answer>) -> PaperMark {
    let items: Vec<ItemMark> =
        keyed.paper.items.iter().map(|item| mark_item(item, keyed.keys.get(&item.id), answers.get(&item.id))).collect();
    let by_hand =
        items.iter().filter(|item| item.reason == Reason::NeedsHand).map(|item| u64::from(item.max_tenths)).sum();
    PaperMark {
        points_tenths: items.iter().map(|item| u64::from(item.points_tenths)).sum(),
        max_tenths: items.iter().map(|item| u64::from(item.max_tenths)).sum(),
        by_hand_tenths: by_hand,
        items,
    }
}

fn mark_item(item: &Item, key: Option<&ItemKey>, answer: Option<&Answer>) -> ItemMark {
    let given = answer.filter(|answer| answer.is_given());
    let (points_tenths, reason) = match (key, given) {
        (None, _) => (0, Reason::NoKey),
        (_, None) => (0, Reason::NotAnswered),
        (Some(_), Some(answer)) if answer.fits(item).is_err() => (0, Reason::Misfit),
        (Some(key), Some(answer)) => judge(item.points_tenths, key, answer),
    };
    ItemMark { item: item.id.clone(), points_tenths, max_tenths: item.points_tenths, reason }
}

fn judge(points: u32, key: &ItemKey, answer: &Answer) -> (u32, Reason) {
    let whole = |is_right: bool| if is_right { (points, Reason::Right) } else { (0, Reason::Wrong) };
    match (key, answer) {
        (ItemKey::Single { option }, Answer::Single(chosen)) => whole(option == chosen),
        (ItemKey::Multiple { options }, Answer::Multiple(chosen)) => whole(options == chosen),
        (ItemKey::TrueFalse { right }, Answer::TrueFalse(said)) => whole(right == said),
        (ItemKey::Blanks { accepted, any_order }, Answer::Blanks(texts)) => {
            let right = if *any_order { matched(accepted, texts) } else { in_place(accepted, texts) };
            share(points, right, accepted.len().max(texts.len()))
        }
        (ItemKey::ByHand { .. }, Answer::Text(_)) => (0, Reason::NeedsHand),
        _ => (0, Reason::Misfit),
    }
}

/// Points in proportion to the right blanks, half up to a tenth.
fn share(points: u32, right: usize, blanks: usize) -> (u32, Reason) {
    if right == 0 || blanks == 0 {
        return (0, Reason::Wrong);
    }
    if right >= blanks {
        return (points, Reason::Right);
    }
    let (right, blanks) = (right as u64, blanks as u64);
    let shared = (u64::from(points) * right * 2 + blanks) / (2 * blanks);
    (u32::try_from(shared).unwrap_or(points).min(points), Reason::Partial)
}

fn is_accepted(accepted: &[String], text: &str) -> bool {
    let said = fold::answer(text);
    !said.is_empty() && accepted.iter().any(|right| fold::answer(right) == said)
}

fn in_place(accepted: &[Vec<String>], texts: &[String]) -> usize {
    accepted.iter().zip(texts).filter(|(accepted, text)| is_accepted(accepted, text)).count()
}

/// Any order: the most blanks that can be paired with a text of their own (augmenting paths, Kuhn 1955).
fn matched(accepted: &[Vec<String>], texts: &[String]) -> usize {
    let fits: Vec<Vec<usize>> = texts
        .iter()
        .map(|text| (0..accepted.len()).filter(|blank| is_accepted(&accepted[*blank], text)).collect())
        .collect();
    let mut holder: Vec<Option<usize>> = vec![None; accepted.len()];
    (0..texts.len()).filter(|text| place(*text, &fits, &mut holder, &mut BTreeSet::new())).count()
}

fn place(text: usize, fits: &[Vec<usize>], holder: &mut [Option<usize>], tried: &mut BTreeSet<usize>) -> bool {
    for &blank in &fits[text] {
        if !tried.insert(blank) {
            continue;
        }
        if holder[blank].is_none_or(|other| place(other, fits, holder, tried)) {
            holder[blank] = Some(text);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blanks(list: &[&[&str]]) -> Vec<Vec<String>> {
        list.iter().map(|texts| texts.iter().map(|t| (*t).to_owned()).collect()).collect()
    }

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|t| (*t).to_owned()).collect()
    }

    #[test]
    fn blanks_compare_after_folding_width_blanks_and_case() {
        for (said, is_right) in [("HTML", true), ("ｈｔｍｌ", true), (" h t m l ", true), ("HTML5", false), ("", false)]
        {
            assert_eq!(is_accepted(&texts(&["Html"]), said), is_right, "{said}");
        }
    }

    #[test]
    fn any_order_pairs_each_text_with_one_blank_only() {
        let accepted = blanks(&[&["甲", "乙"], &["甲"]]);
        for (said, right) in
            [(["甲", "乙"], 2), (["乙", "甲"], 2), (["甲", "甲"], 2), (["乙", "乙"], 1), (["丙", ""], 0)]
        {
            assert_eq!(matched(&accepted, &texts(&said)), right, "{said:?}");
        }
        assert_eq!(in_place(&accepted, &texts(&["甲", "乙"])), 1, "in place, 乙 is wrong for the second blank");
    }

    #[test]
    fn points_are_shared_by_blanks_half_up_to_a_tenth() {
        for (points, right, of, got) in
            [(20, 1, 2, 10), (10, 1, 3, 3), (10, 2, 3, 7), (15, 1, 2, 8), (10, 0, 2, 0), (10, 3, 3, 10)]
        {
            assert_eq!(share(points, right, of).0, got, "{right} of {of} blanks of {points} tenths");
        }
    }

    proptest! {
        #[test]
        fn no_share_is_more_than_the_item_carries(points in 0_u32..100_000, right in 0_usize..30, of in 0_usize..30) {
            prop_assert!(share(points, right, of).0 <= points);
        }
    }
}
