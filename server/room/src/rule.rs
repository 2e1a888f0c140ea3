//! The two traits every rule implements, and the word for who must hear. Adding a rule is adding a file that implements
//! them and one line in `ask.rs` and `fact.rs`.

use crate::{Fact, Reply, Scope, Site};
use exam_protocol::{
    code::Refusal,
    ids::StationId,
    time::{Now, SiteMs},
};
use serde::{Serialize, de::DeserializeOwned};

/// Something somebody wants.
pub(crate) trait Wanted {
    /// Judges; changes nothing. No facts means: true already, nothing to do.
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal>;

    /// What the asker hears once the facts are applied and on disk.
    fn reply(&self, _site: &Site) -> Reply {
        Reply::Done
    }

    /// What a refusal leaves in the journal: a wrong password counts, most others do not.
    fn trace(&self, _site: &Site, _now: Now, _refusal: &Refusal) -> Vec<Fact> {
        Vec::new()
    }
}

/// Something that has happened.
pub(crate) trait Happened: Serialize + DeserializeOwned {
    /// Whom it concerns.
    fn scope(&self) -> Scope;

    /// Changes the state; judges nothing and cannot fail.
    fn apply(&self, site: &mut Site, now: Now);

    /// Who must hear of it, asked after it was applied.
    fn tell(&self, _site: &Site) -> Vec<Tell> {
        Vec::new()
    }
}

/// Who must hear that something changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tell {
    /// This machine must get its whole view anew.
    Seat(StationId),
}

/// When a rule has to be asked again though nobody asks.
pub(crate) fn earliest(wakes: impl Iterator<Item = SiteMs>) -> Option<SiteMs> {
    wakes.min()
}
