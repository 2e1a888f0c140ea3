//! The journal's hash chain: how one fact is written as text, and how each hash rests on the one before.
//! The server's journal, the bundle's `journal.jsonl` and HQ's check all use this file. Never repairs, only refuses.

use crate::{
    ids::{Sha256, SiteId, SittingId},
    time::{SiteMs, WallMs},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Longest line of a `journal.jsonl`, in bytes. The largest fact is the import of a package with its whole roster.
pub const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Scope of facts that concern everybody on site.
pub const SITE_SCOPE: &str = "site";

/// Scope of facts that concern one sitting. Ids hold no colon, so no sitting can pass for the site.
pub fn sitting_scope(sitting: &SittingId) -> String {
    format!("sitting:{sitting}")
}

/// One fact as it is hashed: the JSON text of this struct, field order as here, body verbatim.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactText<'a> {
    /// 1 for the first fact, then one more each time, without gaps.
    pub seq: u64,
    /// Moment on the site's timeline.
    pub at: SiteMs,
    /// Which start of the server wrote it.
    pub boot: u64,
    /// Wall time, for people.
    pub wall: WallMs,
    /// [`SITE_SCOPE`] for what concerns all, else [`sitting_scope`].
    pub scope: &'a str,
    /// Name of the fact, e.g. `answer_saved`.
    pub kind: &'a str,
    /// The fact's own fields, JSON.
    #[serde(borrow)]
    pub body: &'a RawValue,
}

impl FactText<'_> {
    /// The exact text that is hashed.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("numbers, texts and verbatim JSON can be written")
    }
}

/// The hash before the first fact: differs from site to site, so that no chain continues another's.
pub fn genesis(site: &SiteId) -> Sha256 {
    Sha256::of(format!("exam journal 1\n{site}").as_bytes())
}

/// `SHA-256(previous hash ‖ SHA-256(text))`: because only the text's hash goes in, a line that concerns another sitting
/// can be withheld from a bundle and the chain still checks.
pub fn next_hash(previous: &Sha256, text_hash: &Sha256) -> Sha256 {
    let mut both = [0_u8; 64];
    both[..32].copy_from_slice(previous.as_bytes());
    both[32..].copy_from_slice(text_hash.as_bytes());
    Sha256::of(&both)
}

/// One line of `journal.jsonl`: `{"hash":…,"fact":{…}}`, or `{"hash":…,"withheld":…}` for what is another sitting's.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line<'a> {
    /// Chain hash after this fact.
    pub hash: Sha256,
    /// The fact's exact text.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<&'a RawValue>,
    /// SHA-256 of the text, where the text itself is withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Sha256>,
}

/// Where and how a chain breaks. `seq` is the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// Not a line of a journal.
    #[error("journal line {seq} cannot be read: {why}")]
    Unreadable {
        /// Line number, from 1.
        seq: u64,
        /// What the reader said.
        why: String,
    },
    /// The number inside the fact is not the line's.
    #[error("journal line {seq} holds fact {found}: lines are missing, doubled or swapped")]
    WrongNumber {
        /// Line number, from 1.
        seq: u64,
        /// Number in the fact.
        found: u64,
    },
    /// The hash does not follow.
    #[error("journal line {seq} was changed: its hash does not follow from the line before")]
    WrongHash {
        /// Line number, from 1.
        seq: u64,
    },
}

/// Walks a chain from its genesis, line by line.
#[derive(Clone, Debug)]
pub struct ChainCheck {
    head: Sha256,
    seq: u64,
}

impl ChainCheck {
    /// A check that begins at the first fact of `site`.
    pub fn new(site: &SiteId) -> Self {
        Self { head: genesis(site), seq: 0 }
    }

    /// Checks the next fact, given as it is stored.
    ///
    /// # Errors
    /// [`ChainBreak`] names the place; the check must not be used any further.
    pub fn fact(&mut self, fact: &FactText<'_>, hash: &Sha256) -> Result<(), ChainBreak> {
        self.number(fact.seq)?;
        self.link(&Sha256::of(fact.text().as_bytes()), hash)
    }

    /// Checks the next line of a `journal.jsonl` and returns its fact, unless it is withheld.
    ///
    /// # Errors
    /// [`ChainBreak`] names the place; the check must not be used any further.
    pub fn line<'a>(&mut self, line: &'a str) -> Result<Option<FactText<'a>>, ChainBreak> {
        let seq = self.seq + 1;
        let unreadable = |why: String| ChainBreak::Unreadable { seq, why };
        if line.len() > LINE_BYTES_MAX {
            return Err(unreadable("longer than 4 MiB".to_owned()));
        }
        let parsed: Line<'a> = serde_json::from_str(line).map_err(|e| unreadable(e.to_string()))?;
        match (parsed.fact, parsed.withheld) {
            (Some(raw), None) => {
                let fact: FactText<'a> = serde_json::from_str(raw.get()).map_err(|e| unreadable(e.to_string()))?;
                self.number(fact.seq)?;
                self.link(&Sha256::of(raw.get().as_bytes()), &parsed.hash)?;
                Ok(Some(fact))
            }
            (None, Some(text_hash)) => {
                self.number(seq)?;
                self.link(&text_hash, &parsed.hash)?;
                Ok(None)
            }
            _ => Err(unreadable("needs either a fact or the hash of a withheld one".to_owned())),
        }
    }

    /// Facts checked so far.
    pub fn facts(&self) -> u64 {
        self.seq
    }

    /// Hash of the last fact checked.
    pub fn head(&self) -> Sha256 {
        self.head
    }

    fn number(&mut self, found: u64) -> Result<(), ChainBreak> {
        let seq = self.seq + 1;
        if found != seq {
            return Err(ChainBreak::WrongNumber { seq, found });
        }
        self.seq = seq;
        Ok(())
    }

    fn link(&mut self, text_hash: &Sha256, hash: &Sha256) -> Result<(), ChainBreak> {
        let follows = next_hash(&self.head, text_hash);
        if follows != *hash {
            return Err(ChainBreak::WrongHash { seq: self.seq });
        }
        self.head = follows;
        Ok(())
    }
}

/// The line of a fact for `journal.jsonl`, without line break.
pub fn fact_line(hash: Sha256, text: &str) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Line { hash, fact: Some(serde_json::from_str(text)?), withheld: None })
}

/// The line of a withheld fact, without line break.
pub fn withheld_line(hash: Sha256, text: &str) -> String {
    let line = Line { hash, fact: None, withheld: Some(Sha256::of(text.as_bytes())) };
    serde_json::to_string(&line).expect("hashes can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(n: u64) -> Vec<String> {
        let site: SiteId = "s1".parse().unwrap();
        let mut head = genesis(&site);
        (1..=n)
            .map(|seq| {
                let body = RawValue::from_string(format!("{{\"n\":{seq}}}")).unwrap();
                let text =
                    FactText { seq, at: SiteMs(seq), boot: 1, wall: WallMs(0), scope: "site", kind: "k", body: &body }
                        .text();
                head = next_hash(&head, &Sha256::of(text.as_bytes()));
                if seq % 3 == 0 { withheld_line(head, &text) } else { fact_line(head, &text).unwrap() }
            })
            .collect()
    }

    fn check(lines: &[String]) -> Result<u64, ChainBreak> {
        let mut check = ChainCheck::new(&"s1".parse().unwrap());
        for line in lines {
            check.line(line)?;
        }
        Ok(check.facts())
    }

    #[test]
    fn an_untouched_chain_checks_withheld_lines_included() {
        assert_eq!(check(&chain(7)), Ok(7));
    }

    #[test]
    fn every_changed_byte_is_found_at_its_line_or_the_next() {
        let lines = chain(5);
        for (index, line) in lines.iter().enumerate() {
            for at in 0..line.len() {
                let mut bytes = line.clone().into_bytes();
                bytes[at] ^= 1;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                let mut all = lines.clone();
                all[index] = changed;
                assert!(check(&all).is_err(), "byte {at} of line {} went unnoticed", index + 1);
            }
        }
    }

    #[test]
    fn a_missing_doubled_or_swapped_line_is_found() {
        let lines = chain(5);
        let mut missing = lines.clone();
        missing.remove(1);
        let mut swapped = lines.clone();
        swapped.swap(1, 3);
        let mut doubled = lines.clone();
        doubled.insert(1, lines[1].clone());
        for changed in [missing, swapped, doubled] {
            assert!(check(&changed).is_err());
        }
    }

    #[test]
    fn another_site_s_chain_is_not_ours() {
        let mut check = ChainCheck::new(&"s2".parse().unwrap());
        assert_eq!(check.line(&chain(1)[0]).map(|_| ()), Err(ChainBreak::WrongHash { seq: 1 }));
    }
}
