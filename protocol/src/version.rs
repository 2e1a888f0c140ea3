//! Which protocol versions a program speaks, and the one two programs agree on.
//! Never guesses: no common version is a refusal that names both ranges.

use serde::{Deserialize, Serialize};

/// The versions this build speaks.
pub const SPOKEN: VersionRange = VersionRange { oldest: 1, newest: 1 };

/// An inclusive range of protocol versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRange {
    /// Oldest version spoken.
    pub oldest: u16,
    /// Newest version spoken.
    pub newest: u16,
}

/// The newest version both sides speak, or `None`.
pub fn agree(ours: VersionRange, theirs: VersionRange) -> Option<u16> {
    let newest = ours.newest.min(theirs.newest);
    (newest >= ours.oldest.max(theirs.oldest)).then_some(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_programs_agree_on_the_newest_common_version() {
        let range = |oldest, newest| VersionRange { oldest, newest };
        for (ours, theirs, agreed) in [
            (range(1, 1), range(1, 1), Some(1)),
            (range(1, 3), range(2, 5), Some(3)),
            (range(2, 5), range(1, 3), Some(3)),
            (range(1, 1), range(2, 2), None),
            (range(3, 4), range(1, 2), None),
            (range(2, 1), range(1, 9), None),
        ] {
            assert_eq!(agree(ours, theirs), agreed, "{ours:?} with {theirs:?}");
        }
    }
}
