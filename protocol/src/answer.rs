//! An answer (作答) to one item: what a candidate gave, named by ids, never by positions.
//! Never says whether it is right.

use crate::{
    ids::OptionId,
    paper::{Item, ItemKind},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Largest encoded answer, in bytes: 8,000 characters of four bytes, and room for the frame around them.
pub const ANSWER_BYTES_MAX: usize = 40_000;
/// Longest text of one blank, in characters.
pub const BLANK_CHARS_MAX: usize = 500;

/// What a candidate gave for one item. An answer may be emptied again: that is a version like any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing (taken back).
    Empty,
    /// 单选.
    Single(OptionId),
    /// 多选: the chosen options; a set, so that order of clicking says nothing.
    Multiple(BTreeSet<OptionId>),
    /// 判断.
    TrueFalse(bool),
    /// 填空: one text a blank, in the order of the blanks; untouched blanks are empty texts.
    Blanks(Vec<String>),
    /// 简答.
    Text(String),
}

/// Why an answer does not fit its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Misfit {
    /// E.g. a text for a choice item.
    #[error("the answer is of another kind than the item")]
    OtherKind,
    /// Names an option the item does not have.
    #[error("the answer names an option the item does not have")]
    UnknownOption,
    /// More or fewer texts than blanks.
    #[error("the answer has another number of blanks than the item")]
    BlankCount,
    /// Longer than the item allows.
    #[error("the answer is longer than the item allows")]
    TooLong,
}

impl Answer {
    /// Whether this answer can be an answer to `item`.
    pub fn fits(&self, item: &Item) -> Result<(), Misfit> {
        let known = |option: &OptionId| item.kind.options().iter().any(|o| &o.id == option);
        match (self, &item.kind) {
            (Answer::Empty, _) | (Answer::TrueFalse(_), ItemKind::TrueFalse) => Ok(()),
            (Answer::Single(option), ItemKind::SingleChoice { .. }) => {
                known(option).then_some(()).ok_or(Misfit::UnknownOption)
            }
            (Answer::Multiple(options), ItemKind::MultipleChoice { .. }) => {
                options.iter().all(known).then_some(()).ok_or(Misfit::UnknownOption)
            }
            (Answer::Blanks(texts), ItemKind::FillIn { blanks }) => {
                if texts.len() != usize::from(*blanks) {
                    return Err(Misfit::BlankCount);
                }
                let short = texts.iter().all(|t| t.chars().count() <= BLANK_CHARS_MAX);
                // Twenty full blanks of rare characters weigh more than the server takes.
                (short && self.weight_bytes() <= ANSWER_BYTES_MAX).then_some(()).ok_or(Misfit::TooLong)
            }
            (Answer::Text(text), ItemKind::ShortText { chars_max }) => {
                (text.chars().count() <= *chars_max as usize).then_some(()).ok_or(Misfit::TooLong)
            }
            _ => Err(Misfit::OtherKind),
        }
    }

    /// Whether a candidate would call this item answered.
    pub fn is_given(&self) -> bool {
        match self {
            Answer::Empty => false,
            Answer::Single(_) | Answer::TrueFalse(_) => true,
            Answer::Multiple(options) => !options.is_empty(),
            Answer::Blanks(texts) => texts.iter().any(|t| !t.trim().is_empty()),
            Answer::Text(text) => !text.trim().is_empty(),
        }
    }

    /// Bytes of text and option ids this answer carries: what the server checks against [`ANSWER_BYTES_MAX`], since it
    /// has no paper to check against before the release.
    pub fn weight_bytes(&self) -> usize {
        match self {
            Answer::Empty | Answer::TrueFalse(_) => 1,
            Answer::Single(option) => option.as_str().len(),
            Answer::Multiple(options) => options.iter().map(|o| o.as_str().len() + 1).sum(),
            Answer::Blanks(texts) => texts.iter().map(|t| t.len() + 1).sum(),
            Answer::Text(text) => text.len(),
        }
    }
}
