//! What a paper holds, counted: by kind, in points, and what is odd about it.
//! Never shows a question or an answer.

use exam_protocol::{
    key::{ItemKey, KeyedPaper},
    paper::{Item, ItemKind},
};
use serde_json::{Value, json};

/// The kinds in the order papers list them: word for people, word for programs.
const KINDS: [(&str, &str); 5] =
    [("单选", "single"), ("多选", "multiple"), ("判断", "true_false"), ("填空", "fill_in"), ("简答", "short_text")];

/// Index into [`KINDS`].
pub(crate) fn kind_index(kind: &ItemKind) -> usize {
    match kind {
        ItemKind::SingleChoice { .. } => 0,
        ItemKind::MultipleChoice { .. } => 1,
        ItemKind::TrueFalse => 2,
        ItemKind::FillIn { .. } => 3,
        ItemKind::ShortText { .. } => 4,
    }
}

/// The word for people.
pub(crate) fn kind_word(kind: &ItemKind) -> &'static str {
    KINDS[kind_index(kind)].0
}

/// Tenths of a point as people write points.
pub(crate) fn points(tenths: u64) -> String {
    if tenths.is_multiple_of(10) { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
}

/// Items and tenths of a point, by kind.
pub(crate) struct Tally {
    by_kind: [(usize, u64); KINDS.len()],
}

impl Tally {
    /// Counts a paper.
    pub(crate) fn of(keyed: &KeyedPaper) -> Self {
        let mut by_kind = [(0, 0); KINDS.len()];
        for item in &keyed.paper.items {
            let (count, tenths) = &mut by_kind[kind_index(&item.kind)];
            *count += 1;
            *tenths += u64::from(item.points_tenths);
        }
        Self { by_kind }
    }

    /// A few lines for people.
    pub(crate) fn words(&self, keyed: &KeyedPaper) -> String {
        let paper = &keyed.paper;
        let mut text = format!("{} (id {})\n", paper.title, paper.id);
        for ((word, _), (count, tenths)) in KINDS.iter().zip(self.by_kind).filter(|(_, (count, _))| *count > 0) {
            text.push_str(&format!("  {word} {count:>4}   {:>6} points\n", points(tenths)));
        }
        text.push_str(&format!("  合计 {:>4}   {:>6} points\n", paper.items.len(), points(paper.points_tenths())));
        text
    }

    /// The same for programs.
    pub(crate) fn json(&self, keyed: &KeyedPaper) -> Value {
        let kinds: serde_json::Map<String, Value> = KINDS
            .iter()
            .zip(self.by_kind)
            .map(|((_, word), (count, tenths))| {
                ((*word).to_owned(), json!({ "items": count, "points": tenths as f64 / 10.0 }))
            })
            .collect();
        json!({
            "id": keyed.paper.id, "title": keyed.paper.title, "items": keyed.paper.items.len(),
            "points": keyed.paper.points_tenths() as f64 / 10.0, "kinds": kinds,
        })
    }
}

/// What is odd about a paper, for `paper show`.
pub(crate) fn warnings(keyed: &KeyedPaper) -> Vec<String> {
    let mut warnings: Vec<String> =
        keyed.paper.items.iter().filter_map(|item| odd(item, keyed.keys.get(&item.id))).collect();
    let strangers = keyed.keys.keys().filter(|id| keyed.paper.item(id).is_none());
    warnings.extend(strangers.map(|id| format!("there is a key for {id}, which is not in the paper")));
    let by_hand = keyed.keys.values().filter(|key| matches!(key, ItemKey::ByHand { .. })).count();
    if by_hand > 0 {
        warnings.push(format!("{by_hand} items (简答) are marked by people"));
    }
    warnings
}

fn odd(item: &Item, key: Option<&ItemKey>) -> Option<String> {
    let id = &item.id;
    let known = |option| item.kind.options().iter().any(|choice| &choice.id == option);
    match (&item.kind, key) {
        (_, None) => Some(format!("{id} has no key: nobody can get its points")),
        (ItemKind::SingleChoice { .. }, Some(ItemKey::Single { option })) if known(option) => None,
        (ItemKind::MultipleChoice { .. }, Some(ItemKey::Multiple { options })) if options.iter().all(known) => {
            (options.len() < 2).then(|| format!("{id} is a multiple choice with one right option"))
        }
        (ItemKind::TrueFalse, Some(ItemKey::TrueFalse { .. })) => None,
        (ItemKind::FillIn { blanks }, Some(ItemKey::Blanks { accepted, .. }))
            if accepted.len() == usize::from(*blanks) =>
        {
            None
        }
        (ItemKind::ShortText { .. }, Some(ItemKey::ByHand { reference })) => {
            reference.is_empty().then(|| format!("{id} has no reference answer"))
        }
        _ => Some(format!("the key of {id} does not fit its kind")),
    }
}
