//! HQ's grants of time (HB-26): codes that follow from one seed a package, so that HQ can give the same code again without
//! keeping a list. Only their hashes go to the site. Never derives a code for minutes or an index that were not prepared.

use anyhow::{Context, Result};
use exam_protocol::{
    grant::{GRANT_MINUTES_MAX, GRANT_MINUTES_STEP, GRANTS_EACH, GRANTS_MAX, commitment},
    ids::{Sha256, SittingId},
};
use exam_sealed::code::{CODE_BYTES, UnlockCode};
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Random bytes of a seed.
const SEED_BYTES: usize = 32;

/// What every grant code of one package follows from; base64 in the secrets file.
#[derive(Clone, Serialize, Deserialize, Zeroize)]
#[serde(transparent)]
pub(crate) struct GrantSeed(#[serde(with = "exam_protocol::ids::base64_text")] Vec<u8>);

impl Drop for GrantSeed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl GrantSeed {
    /// A fresh one.
    pub(crate) fn draw() -> Result<Self> {
        let mut random = vec![0; SEED_BYTES];
        SystemRandom::new().fill(&mut random).ok().context("the system gives no randomness")?;
        Ok(Self(random))
    }

    /// The code number `index` (from 1) for `minutes` in `sitting`; none where HQ prepares no such code.
    pub(crate) fn code(&self, sitting: &SittingId, minutes: u32, index: u32) -> Option<UnlockCode> {
        let prepared = (1..=GRANT_MINUTES_MAX).contains(&minutes)
            && minutes.is_multiple_of(GRANT_MINUTES_STEP)
            && (1..=GRANTS_EACH).contains(&index);
        if !prepared {
            return None;
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&key, format!("exam time grant code 1\n{sitting}\n{minutes}\n{index}").as_bytes());
        Some(UnlockCode::from_random(*tag.as_ref().first_chunk::<CODE_BYTES>()?))
    }

    /// The hashes of every code of a sitting, sorted, so that their order says nothing.
    pub(crate) fn commitments(&self, sitting: &SittingId) -> Vec<Sha256> {
        let minutes = (1..=GRANT_MINUTES_MAX / GRANT_MINUTES_STEP).map(|step| step * GRANT_MINUTES_STEP);
        let each = minutes.flat_map(|minutes| (1..=GRANTS_EACH).map(move |index| (minutes, index)));
        let hash = |(minutes, index)| Some(commitment(sitting, minutes, &self.code(sitting, minutes, index)?.folded()));
        let mut hashes: Vec<Sha256> = each.filter_map(hash).collect();
        debug_assert_eq!(hashes.len(), GRANTS_MAX, "every prepared code has a hash");
        hashes.sort();
        hashes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_of_a_package_differs_and_comes_again_from_its_seed() {
        let seed = GrantSeed(vec![7; SEED_BYTES]);
        let (one, two): (SittingId, SittingId) = ("s1".parse().unwrap(), "s2".parse().unwrap());
        assert_eq!(seed.code(&one, 20, 1).unwrap().to_string(), seed.code(&one, 20, 1).unwrap().to_string());
        let hashes: BTreeSet<Sha256> = [seed.commitments(&one), seed.commitments(&two)].concat().into_iter().collect();
        assert_eq!(hashes.len(), 2 * GRANTS_MAX);
        assert!(seed.commitments(&one).is_sorted());
        assert!(GrantSeed::draw().unwrap().0 != GrantSeed::draw().unwrap().0);
    }

    #[test]
    fn codes_exist_for_prepared_minutes_and_indexes_only() {
        let seed = GrantSeed(vec![7; SEED_BYTES]);
        let sitting: SittingId = "s1".parse().unwrap();
        for (minutes, index, good) in [
            (0, 1, false),
            (5, 1, true),
            (7, 1, false),
            (120, 1, true),
            (125, 1, false),
            (20, 0, false),
            (20, GRANTS_EACH, true),
            (20, GRANTS_EACH + 1, false),
        ] {
            assert_eq!(seed.code(&sitting, minutes, index).is_some(), good, "{minutes} minutes, index {index}");
        }
    }
}
