//! Marks: what a machine can judge of one paper, and how two subjects make one result (HB-06).
//! Never gives points for what it does not understand, and never rounds twice.

mod paper;
mod result;

pub use paper::{ItemMark, PaperMark, Reason, mark};
pub use result::{Outcome, PASS_TENTHS, PRACTICAL_WEIGHT, Part, Presence, THEORY_WEIGHT, combine, percent_tenths};
