//! The answer key of a paper: HQ's secret, in `FILE.paper`; on site only that of a mock paper (HB-05), sealed beside it.
//! Never travels over the room's wire.

use crate::{
    ids::{ItemId, OptionId},
    paper::Paper,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is right for one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ItemKey {
    /// 单选: the right option.
    Single {
        /// Its id.
        option: OptionId,
    },
    /// 多选: exactly these options.
    Multiple {
        /// Their ids.
        options: BTreeSet<OptionId>,
    },
    /// 判断.
    TrueFalse {
        /// Whether the statement is true.
        right: bool,
    },
    /// 填空: for each blank the texts that count as right.
    Blanks {
        /// Accepted texts, blank by blank.
        accepted: Vec<Vec<String>>,
        /// Whether the blanks may be given in any order.
        any_order: bool,
    },
    /// 简答: marked by people; the reference answer helps them.
    ByHand {
        /// Reference answer, may be empty.
        reference: String,
    },
}

/// One key an item.
pub type ItemKeys = BTreeMap<ItemId, ItemKey>;

/// `FILE.paper`: a paper with its key, HQ only. JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedPaper {
    /// What candidates will see.
    pub paper: Paper,
    /// One key an item.
    pub keys: ItemKeys,
}
