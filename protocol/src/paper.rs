//! A paper (试卷) as a candidate may see it: items, options, points, and the order each candidate sees them in.
//! Never holds an answer key: keys stay at HQ (DESIGN §8) and live in [`crate::key`].

use crate::ids::{ItemId, OptionId, PaperId, Sha256};
use serde::{Deserialize, Serialize};

/// Newest paper format this build reads and writes.
pub const PAPER_FORMAT: u32 = 1;
/// Most items of a paper.
pub const ITEMS_MAX: usize = 500;
/// Most options of an item: A to Z.
pub const OPTIONS_MAX: usize = 26;
/// Most blanks of a fill-in item.
pub const BLANKS_MAX: usize = 20;
/// Longest stem or option, in characters.
pub const TEXT_CHARS_MAX: usize = 8_000;

/// 考核科目 of one level (HB-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// 理论: 30 % of the result.
    Theory,
    /// 实操: 70 % of the result.
    Practical,
}

/// A paper without its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// [`PAPER_FORMAT`] at the time of writing; a newer one is refused in words.
    pub format: u32,
    /// The paper's id.
    pub id: PaperId,
    /// Title shown above the paper.
    pub title: String,
    /// Items in the author's order.
    pub items: Vec<Item>,
}

/// 试题 (item).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Unique in the paper.
    pub id: ItemId,
    /// Tenths of a point (`25` = 2.5 points), so that sums are exact.
    pub points_tenths: u32,
    /// What is asked, as paragraphs of plain text; the author's markup never reaches a candidate.
    pub stem: Vec<String>,
    /// What kind of answer is wanted.
    pub kind: ItemKind,
}

/// What kind of answer an item wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ItemKind {
    /// 单选: exactly one option.
    SingleChoice {
        /// In the author's order.
        options: Vec<Choice>,
    },
    /// 多选: any number of options.
    MultipleChoice {
        /// In the author's order.
        options: Vec<Choice>,
    },
    /// 判断: true or false.
    TrueFalse,
    /// 填空: one text a blank.
    FillIn {
        /// Number of blanks, 1 to [`BLANKS_MAX`].
        blanks: u8,
    },
    /// 简答: a text, marked by people or by keywords.
    ShortText {
        /// Most characters a candidate may type.
        chars_max: u32,
    },
}

/// An option of a choice item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Unique in the item; the author's letter.
    pub id: OptionId,
    /// What the option says.
    pub text: String,
}

/// The order in which one candidate sees a paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Indexes into [`Paper::items`].
    pub items: Vec<usize>,
    /// For each item (same index as in [`Paper::items`]), indexes into its options; empty where there are none.
    pub options: Vec<Vec<usize>>,
}

impl Paper {
    /// The order that `seed` gives: the same seed always gives the same order, on every machine (F-06, HB-46).
    /// Items of one kind stay together, as candidates expect: kinds keep the author's first appearance.
    pub fn order(&self, seed: u64) -> Order {
        let mut groups: Vec<(u8, Vec<usize>)> = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            let rank = item.kind.rank();
            match groups.iter_mut().find(|(r, _)| *r == rank) {
                Some((_, group)) => group.push(index),
                None => groups.push((rank, vec![index])),
            }
        }
        let mut dice = SplitMix64(seed);
        let items = groups.into_iter().flat_map(|(_, group)| dice.shuffled(group)).collect();
        let options = self.items.iter().map(|item| dice.shuffled((0..item.kind.options().len()).collect())).collect();
        Order { items, options }
    }

    /// The item with this id.
    pub fn item(&self, id: &ItemId) -> Option<&Item> {
        self.items.iter().find(|item| &item.id == id)
    }

    /// Sum of all points, in tenths.
    pub fn points_tenths(&self) -> u64 {
        self.items.iter().map(|item| u64::from(item.points_tenths)).sum()
    }

    /// Says what is wrong with this paper, if anything: a paper from a file is believed only after this.
    pub fn check(&self) -> Result<(), PaperFault> {
        if self.format > PAPER_FORMAT {
            return Err(PaperFault::NewerFormat { found: self.format, known: PAPER_FORMAT });
        }
        if self.items.is_empty() || self.items.len() > ITEMS_MAX {
            return Err(PaperFault::ItemCount { found: self.items.len() });
        }
        for (index, item) in self.items.iter().enumerate() {
            if self.items[..index].iter().any(|other| other.id == item.id) {
                return Err(PaperFault::DuplicateItem(item.id.clone()));
            }
            item.check()?;
        }
        Ok(())
    }
}

impl Item {
    fn check(&self) -> Result<(), PaperFault> {
        let fault = |rule| Err(PaperFault::Item { item: self.id.clone(), rule });
        if self.stem.iter().map(|p| p.chars().count()).sum::<usize>() > TEXT_CHARS_MAX {
            return fault("its stem is longer than 8000 characters");
        }
        if self.stem.iter().all(|p| p.trim().is_empty()) {
            return fault("its stem is empty");
        }
        let options = self.kind.options();
        match self.kind {
            ItemKind::SingleChoice { .. } | ItemKind::MultipleChoice { .. } => {
                if !(2..=OPTIONS_MAX).contains(&options.len()) {
                    return fault("a choice item needs 2 to 26 options");
                }
                for (index, option) in options.iter().enumerate() {
                    if options[..index].iter().any(|other| other.id == option.id) {
                        return fault("two of its options have the same id");
                    }
                    if option.text.chars().count() > TEXT_CHARS_MAX {
                        return fault("an option is longer than 8000 characters");
                    }
                }
                Ok(())
            }
            ItemKind::FillIn { blanks } if blanks == 0 || usize::from(blanks) > BLANKS_MAX => {
                fault("a fill-in item needs 1 to 20 blanks")
            }
            ItemKind::ShortText { chars_max } if chars_max == 0 || chars_max as usize > TEXT_CHARS_MAX => {
                fault("a short text may have 1 to 8000 characters")
            }
            ItemKind::TrueFalse | ItemKind::FillIn { .. } | ItemKind::ShortText { .. } => Ok(()),
        }
    }
}

impl ItemKind {
    /// The options of a choice item; empty for the others.
    pub fn options(&self) -> &[Choice] {
        match self {
            ItemKind::SingleChoice { options } | ItemKind::MultipleChoice { options } => options,
            ItemKind::TrueFalse | ItemKind::FillIn { .. } | ItemKind::ShortText { .. } => &[],
        }
    }

    fn rank(&self) -> u8 {
        match self {
            ItemKind::SingleChoice { .. } => 0,
            ItemKind::MultipleChoice { .. } => 1,
            ItemKind::TrueFalse => 2,
            ItemKind::FillIn { .. } => 3,
            ItemKind::ShortText { .. } => 4,
        }
    }
}

/// What makes a paper unusable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaperFault {
    /// Written by a newer program.
    #[error("the paper has format {found}, this program reads up to {known}: install the newer version")]
    NewerFormat {
        /// Format of the file.
        found: u32,
        /// Newest format known here.
        known: u32,
    },
    /// No items, or too many.
    #[error("a paper needs 1 to 500 items, this one has {found}")]
    ItemCount {
        /// Items in the paper.
        found: usize,
    },
    /// Two items share an id.
    #[error("item {0} appears twice")]
    DuplicateItem(ItemId),
    /// One item breaks a rule.
    #[error("item {item}: {rule}")]
    Item {
        /// Which item.
        item: ItemId,
        /// Which rule.
        rule: &'static str,
    },
}

/// A paper as it waits on site: where the sealed bytes are and how large.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedPaper {
    /// Which paper.
    pub paper: PaperId,
    /// SHA-256 of the sealed bytes.
    pub hash: Sha256,
    /// Size of the sealed bytes.
    pub bytes: u64,
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere. For orders only, never for secrets.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Fisher–Yates; the bias of the modulo is below 2⁻⁵⁵ for our sizes.
    fn shuffled(&mut self, mut indexes: Vec<usize>) -> Vec<usize> {
        for last in (1..indexes.len()).rev() {
            indexes.swap(last, (self.next() % (last as u64 + 1)) as usize);
        }
        indexes
    }
}
