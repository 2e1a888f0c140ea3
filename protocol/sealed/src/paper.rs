//! Sealing a paper (试卷) and opening it: the paper to a key of its own; that key to the unlock code, then to the site. So the
//! sealed paper may lie on every disk of the room beforehand, and the start sends one small secret (DESIGN §8).
//! A paper never holds an answer key ([`exam_protocol::paper::Paper`] has none); a mock paper's key is a file of its own, sealed
//! to the same paper key, and whether a paper is a mock one is judged by [`exam_protocol::plan::check`].

use crate::{
    code::UnlockCode,
    json::{self, JsonFault},
    seal::{self, SealError},
};
use exam_protocol::{
    ids::PaperId,
    key::{ItemKeys, KeyedPaper},
    paper::{PAPER_FORMAT, Paper, PaperFault},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// Largest paper, opened.
pub const PAPER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// scrypt work of the unlock code, log₂ N: 16 MiB and some 50 ms. More would buy nothing: the code has 80 random bits.
const WORK_LOG_N: u8 = 14;
/// Most work we accept from a file.
const WORK_LOG_N_MAX: u8 = 16;
const _: () = assert!(WORK_LOG_N <= WORK_LOG_N_MAX);
/// Largest wrapped key, and largest text inside.
const KEY_BYTES_MAX: u64 = 4096;

/// A paper as the package carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedPaperParts {
    /// age file with the paper's JSON, sealed to the paper key.
    pub sealed: Vec<u8>,
    /// age file to the site, holding an age file to the unlock code, holding the paper key.
    pub wrapped_key: Vec<u8>,
    /// age file with the answer key of a mock paper, sealed to the paper key too: readable from the same moment on.
    pub mock_key: Option<Vec<u8>>,
}

/// The answer key of a mock paper as it is sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MockKey {
    format: u32,
    paper: PaperId,
    keys: ItemKeys,
}

/// A paper key (`AGE-SECRET-KEY-1…`), released at the start.
#[derive(Clone, PartialEq, Eq)]
pub struct PaperSecret(Zeroizing<String>);

impl PaperSecret {
    /// The identity as text: for [`open_paper`] and the message that releases it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PaperSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaperSecret(…)")
    }
}

/// Why a wrapped key stays shut.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// A code, but not this paper's.
    #[error("the unlock code is wrong")]
    Wrong,
    /// Sealed for another site.
    #[error("the paper's key is sealed for another site")]
    OtherSite,
    /// Cut, changed, or never a wrapped key.
    #[error("the paper's key is damaged: import the package again")]
    Damaged,
    /// The site's own identity cannot be read.
    #[error("the site's age identity cannot be read")]
    BadIdentity,
}

/// Why a sealed paper cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The seal does not open.
    #[error("the sealed paper cannot be opened")]
    Seal(#[from] SealError),
    /// Not a paper inside.
    #[error("the paper cannot be read")]
    Json(#[from] JsonFault),
    /// A paper that breaks its own rules.
    #[error("the paper is not usable")]
    Fault(#[from] PaperFault),
    /// An answer key beside a paper it does not belong to.
    #[error("the answer key is another paper's")]
    OtherPaper,
}

/// Seals `paper` so that `site_recipient` and `code` together open it, and with it the answer key of a mock paper.
///
/// # Errors
/// [`SealError::BadKey`] if the recipient is none.
pub fn seal_paper(
    paper: &Paper,
    mock_key: Option<&ItemKeys>,
    code: &UnlockCode,
    site_recipient: &str,
) -> Result<SealedPaperParts, SealError> {
    let paper_key = age::x25519::Identity::generate();
    let json = serde_json::to_vec(paper).expect("a paper is texts and numbers");
    let sealed = seal::seal_with(&json, &paper_key.to_public())?;
    let seal_key = |keys: &ItemKeys| {
        let key = MockKey { format: PAPER_FORMAT, paper: paper.id.clone(), keys: keys.clone() };
        let json = serde_json::to_vec(&key).expect("a key is texts and numbers");
        seal::seal_with(&json, &paper_key.to_public())
    };
    let mock_key = mock_key.map(seal_key).transpose()?;

    let mut by_code = age::scrypt::Recipient::new(passphrase(code));
    by_code.set_work_factor(WORK_LOG_N);
    let inner = seal::seal_with(seal::identity_text(&paper_key).as_bytes(), &by_code)?;
    let wrapped_key = seal::seal(&inner, site_recipient)?;
    Ok(SealedPaperParts { sealed, wrapped_key, mock_key })
}

/// Takes the paper key out of its two wrappings. Takes some 50 ms of scrypt: not for a thread that must answer.
///
/// # Errors
/// [`UnlockError`]; a wrong code is told apart from damage, because the outer wrapping authenticates the inner one.
pub fn unwrap_key(wrapped: &[u8], site_identity: &str, code: &UnlockCode) -> Result<PaperSecret, UnlockError> {
    let identity = seal::parse_identity(site_identity).map_err(|_| UnlockError::BadIdentity)?;
    let inner = seal::open_with(wrapped, &identity, KEY_BYTES_MAX).map_err(|e| match e {
        SealError::OtherKey => UnlockError::OtherSite,
        SealError::BadKey(_) | SealError::Damaged | SealError::TooLarge { .. } | SealError::TooMuchWork => {
            UnlockError::Damaged
        }
    })?;
    let mut by_code = age::scrypt::Identity::new(passphrase(code));
    by_code.set_max_work_factor(WORK_LOG_N_MAX);
    let secret = seal::open_with(&inner, &by_code, KEY_BYTES_MAX).map_err(|e| match e {
        SealError::OtherKey => UnlockError::Wrong,
        SealError::BadKey(_) | SealError::Damaged | SealError::TooLarge { .. } | SealError::TooMuchWork => {
            UnlockError::Damaged
        }
    })?;
    let text = String::from_utf8(secret).map_err(|_| UnlockError::Damaged)?;
    Ok(PaperSecret(Zeroizing::new(text)))
}

/// Opens a sealed paper with its key and checks it: the candidate's app does this at the start.
///
/// # Errors
/// [`OpenError`]; never quotes the paper.
pub fn open_paper(sealed: &[u8], secret: &str) -> Result<Paper, OpenError> {
    let json = seal::open(sealed, secret, PAPER_BYTES_MAX)?;
    let paper: Paper = json::read_versioned(&json, PAPER_FORMAT)?;
    paper.check()?;
    Ok(paper)
}

/// Opens the answer key of a mock paper and joins it to the paper, for marking.
///
/// # Errors
/// [`OpenError`]; never quotes the key.
pub fn open_mock_key(sealed: &[u8], secret: &str, paper: Paper) -> Result<KeyedPaper, OpenError> {
    let json = seal::open(sealed, secret, PAPER_BYTES_MAX)?;
    let MockKey { paper: of, keys, .. } = json::read_versioned(&json, PAPER_FORMAT)?;
    if of == paper.id { Ok(KeyedPaper { paper, keys }) } else { Err(OpenError::OtherPaper) }
}

/// The code as printed is the passphrase: stock `age -d` takes it too.
fn passphrase(code: &UnlockCode) -> SecretString {
    SecretString::from(code.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::generate_age;
    use exam_protocol::{
        key::ItemKey,
        paper::{Item, ItemKind},
    };

    fn paper() -> Paper {
        let item = Item {
            id: "q1".parse().unwrap(),
            points_tenths: 10,
            stem: vec!["天空是蓝色的".into()],
            kind: ItemKind::TrueFalse,
        };
        Paper { format: PAPER_FORMAT, id: "p1".parse().unwrap(), title: "模拟卷".into(), items: vec![item] }
    }

    fn code(n: u8) -> UnlockCode {
        UnlockCode::from_random([n; 10])
    }

    #[test]
    fn code_and_site_together_open_a_paper() {
        let site = generate_age();
        let parts = seal_paper(&paper(), None, &code(1), &site.recipient).unwrap();
        let secret = unwrap_key(&parts.wrapped_key, &site.identity_file, &code(1)).unwrap();
        assert_eq!(open_paper(&parts.sealed, secret.expose()).unwrap(), paper());
        assert_eq!(format!("{secret:?}"), "PaperSecret(…)");
    }

    #[test]
    fn a_mock_papers_key_opens_with_the_papers_own_and_joins_no_other_paper() {
        let site = generate_age();
        let keys = ItemKeys::from([("q1".parse().unwrap(), ItemKey::TrueFalse { right: true })]);
        let parts = seal_paper(&paper(), Some(&keys), &code(1), &site.recipient).unwrap();
        let sealed = parts.mock_key.unwrap();
        let secret = unwrap_key(&parts.wrapped_key, &site.identity_file, &code(1)).unwrap();
        let keyed = open_mock_key(&sealed, secret.expose(), paper()).unwrap();
        assert_eq!(keyed, KeyedPaper { paper: paper(), keys });
        let other = Paper { id: "p2".parse().unwrap(), ..paper() };
        assert!(matches!(open_mock_key(&sealed, secret.expose(), other), Err(OpenError::OtherPaper)));
        assert!(open_mock_key(&sealed, &site.identity_file, paper()).is_err(), "the site alone does not open it");
    }

    #[test]
    fn a_wrong_code_another_site_and_damage_are_told_apart() {
        let (site, other) = (generate_age(), generate_age());
        let parts = seal_paper(&paper(), None, &code(1), &site.recipient).unwrap();
        let unwrap = |bytes: &[u8], identity: &str, c: u8| unwrap_key(bytes, identity, &code(c)).unwrap_err();
        assert!(matches!(unwrap(&parts.wrapped_key, &site.identity_file, 2), UnlockError::Wrong));
        assert!(matches!(unwrap(&parts.wrapped_key, &other.identity_file, 1), UnlockError::OtherSite));
        assert!(matches!(unwrap(&parts.wrapped_key[..90], &site.identity_file, 1), UnlockError::Damaged));
        assert!(matches!(unwrap(&parts.wrapped_key, "", 1), UnlockError::BadIdentity));
    }

    #[test]
    fn a_file_cannot_ask_for_endless_work() {
        let site = generate_age();
        let mut greedy = age::scrypt::Recipient::new(passphrase(&code(1)));
        greedy.set_work_factor(WORK_LOG_N_MAX + 1);
        let inner = seal::seal_with(b"x", &greedy).unwrap();
        let wrapped = seal::seal(&inner, &site.recipient).unwrap();
        assert!(matches!(unwrap_key(&wrapped, &site.identity_file, &code(1)).unwrap_err(), UnlockError::Damaged));
    }

    #[test]
    fn neither_sealed_part_shows_a_sentence_of_the_paper() {
        let site = generate_age();
        let parts = seal_paper(&paper(), None, &code(1), &site.recipient).unwrap();
        for bytes in [&parts.sealed, &parts.wrapped_key] {
            assert!(!bytes.windows("天空".len()).any(|w| w == "天空".as_bytes()));
        }
    }

    #[test]
    fn a_paper_of_a_newer_format_or_against_the_rules_is_refused_in_words() {
        let key = generate_age();
        let seal_json = |paper: &Paper| seal::seal(&serde_json::to_vec(paper).unwrap(), &key.recipient).unwrap();
        let newer = Paper { format: PAPER_FORMAT + 1, ..paper() };
        let empty = Paper { items: vec![], ..paper() };
        assert!(matches!(
            open_paper(&seal_json(&newer), &key.identity_file),
            Err(OpenError::Json(JsonFault::NewerFormat { .. }))
        ));
        assert!(matches!(open_paper(&seal_json(&empty), &key.identity_file), Err(OpenError::Fault(_))));
        assert!(matches!(open_paper(b"nonsense", &key.identity_file), Err(OpenError::Seal(SealError::Damaged))));
    }
}
