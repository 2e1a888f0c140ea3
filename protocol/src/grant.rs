//! HQ's grants of time (HB-26): a code that works offline. HQ makes the codes with the package and puts only their hashes
//! into the signed manifest; whoever types a code that hashes to one of them proves that HQ said it. A hash is bound to one
//! sitting and one number of minutes, and each works once. Never holds a secret.

use crate::ids::{Sha256, SittingId};

/// Most minutes one grant may give.
pub const GRANT_MINUTES_MAX: u32 = 120;
/// Grants come in steps of so many minutes.
pub const GRANT_MINUTES_STEP: u32 = 5;
/// Codes HQ prepares for each sitting and number of minutes: a room may need the same grant more than once.
pub const GRANTS_EACH: u32 = 4;
/// Most hashes of one sitting.
pub const GRANTS_MAX: usize = (GRANT_MINUTES_MAX / GRANT_MINUTES_STEP * GRANTS_EACH) as usize;

/// The hash of a grant code, given in its folded form (upper-case characters of the code alone, no separators).
pub fn commitment(sitting: &SittingId, minutes: u32, folded_code: &str) -> Sha256 {
    Sha256::of(format!("exam time grant 1\n{sitting}\n{minutes}\n{folded_code}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_bound_to_sitting_and_minutes() {
        let sitting = |id: &str| id.parse::<SittingId>().unwrap();
        let own = commitment(&sitting("t1"), 20, "ABC");
        assert_ne!(own, commitment(&sitting("t2"), 20, "ABC"));
        assert_ne!(own, commitment(&sitting("t1"), 25, "ABC"));
        assert_ne!(own, commitment(&sitting("t1"), 20, "ABD"));
        assert_eq!(own, commitment(&sitting("t1"), 20, "ABC"));
    }
}
