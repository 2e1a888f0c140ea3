//! What the replaced machine had typed and not sent (旧机未传答案, HB-25): listed beside the current answers until the candidate
//! has chosen about each. Never chooses by itself, and never forgets a choice before the server has it.

use crate::limits::ORPHANS_LISTED_MAX;
use exam_protocol::{
    answer::Answer,
    ids::ItemId,
    message::attendance::{OrphanAnswer, OrphanPage},
    time::SiteMs,
};
use std::{collections::BTreeMap, sync::Arc};

/// What the candidate did about an answer of the old machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrphanChoice {
    /// Nothing yet.
    Open,
    /// Takes it; the server does not have that yet.
    Adopting,
    /// Keeps the current answer; the server does not have that yet.
    Dismissing,
}

/// One answer of the old machine beside the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanView {
    /// Its number, for the choice.
    pub orphan: u32,
    /// Which item.
    pub item: ItemId,
    /// What the old machine had.
    pub theirs: Arc<Answer>,
    /// When it was typed there.
    pub typed_at: SiteMs,
    /// The answer on screen here.
    pub mine: Arc<Answer>,
    /// When that was typed, if it was typed here.
    pub mine_typed_at: Option<SiteMs>,
    /// What the candidate chose.
    pub choice: OrphanChoice,
}

/// An answer of the old machine that the candidate takes: it becomes a version as soon as the item's last one is on disk.
#[derive(Clone, Debug)]
pub(crate) struct Adoption {
    pub(crate) orphan: u32,
    pub(crate) item: ItemId,
    pub(crate) answer: Arc<Answer>,
    /// When the candidate chose.
    pub(crate) at: SiteMs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Listing {
    Idle,
    Due {
        after: u32,
    },
    /// `again`: the server told of a change meanwhile.
    Asked {
        after: u32,
        again: bool,
    },
}

/// One attempt's orphans as this seat knows them.
#[derive(Debug)]
pub(crate) struct Orphans {
    listed: BTreeMap<u32, Listed>,
    incoming: BTreeMap<u32, Listed>,
    listing: Listing,
    /// Chosen, and not yet a version.
    adopting: Vec<Adoption>,
    /// Chosen: whether it is on the wire.
    dismissing: BTreeMap<u32, bool>,
}

#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) item: ItemId,
    pub(crate) answer: Arc<Answer>,
    pub(crate) made_at: SiteMs,
}

impl Default for Orphans {
    fn default() -> Self {
        let (listed, incoming, dismissing) = Default::default();
        Self { listed, incoming, listing: Listing::Idle, adopting: Vec::new(), dismissing }
    }
}

impl Orphans {
    /// The server says how many wait for a choice: where that is not what is listed, the list is asked for.
    pub(crate) fn noted(&mut self, count: u32) {
        if count == 0 {
            self.listed.clear();
            self.listing = Listing::Idle;
        } else if self.listed.len() != (count as usize).min(ORPHANS_LISTED_MAX) {
            self.refresh();
        }
    }

    /// The list may be out of date.
    pub(crate) fn refresh(&mut self) {
        self.listing = match self.listing {
            Listing::Asked { after, .. } => Listing::Asked { after, again: true },
            Listing::Idle | Listing::Due { .. } => Listing::Due { after: 0 },
        };
    }

    /// A connection began: the list may be another server's. Choices stay.
    pub(crate) fn linked(&mut self) {
        self.listed.clear();
    }

    /// The connection is gone: nothing that was asked will be answered.
    pub(crate) fn unlinked(&mut self) {
        self.dismissing.values_mut().for_each(|sent| *sent = false);
        if matches!(self.listing, Listing::Asked { .. }) {
            self.listing = Listing::Due { after: 0 };
        }
    }

    /// After which one the next page is to be asked for, if it is.
    pub(crate) fn ask(&mut self) -> Option<u32> {
        let Listing::Due { after } = self.listing else { return None };
        if after == 0 {
            self.incoming.clear();
        }
        self.listing = Listing::Asked { after, again: false };
        Some(after)
    }

    /// A page came.
    pub(crate) fn page(&mut self, page: OrphanPage) {
        let Listing::Asked { again, .. } = self.listing else { return };
        let last = page.orphans.last().map(|orphan| orphan.orphan);
        for OrphanAnswer { orphan, item, answer, made_at } in page.orphans {
            if self.incoming.len() < ORPHANS_LISTED_MAX {
                self.incoming.insert(orphan, Listed { item, answer: Arc::new(answer), made_at });
            }
        }
        self.listing = match last {
            _ if again => Listing::Due { after: 0 },
            Some(after) if page.more && self.incoming.len() < ORPHANS_LISTED_MAX => Listing::Due { after },
            _ => {
                self.listed = std::mem::take(&mut self.incoming);
                Listing::Idle
            }
        };
    }

    /// The server will not list them.
    pub(crate) fn not_listed(&mut self) {
        self.listing = Listing::Idle;
    }

    /// One that waits for a choice.
    pub(crate) fn open(&self, orphan: u32) -> Option<&Listed> {
        let chosen = self.dismissing.contains_key(&orphan) || self.adopting.iter().any(|one| one.orphan == orphan);
        self.listed.get(&orphan).filter(|_| !chosen)
    }

    /// The candidate takes one that is [`open`](Self::open).
    pub(crate) fn adopt(&mut self, orphan: u32, at: SiteMs) {
        if let Some(Listed { item, answer, .. }) = self.open(orphan).cloned() {
            self.adopting.push(Adoption { orphan, item, answer, at });
        }
    }

    /// The next one to make a version of, among items that are `ready`.
    pub(crate) fn adoption(&mut self, ready: impl Fn(&ItemId) -> bool) -> Option<Adoption> {
        let place = self.adopting.iter().position(|one| ready(&one.item))?;
        Some(self.adopting.remove(place))
    }

    /// Whether something the candidate took is no version yet.
    pub(crate) fn is_adopting(&self) -> bool {
        !self.adopting.is_empty()
    }

    /// The candidate keeps the current answer.
    pub(crate) fn dismiss(&mut self, orphan: u32) {
        self.dismissing.insert(orphan, false);
    }

    /// The next dismissal to send: only of what the server still lists.
    pub(crate) fn dismissal(&mut self) -> Option<u32> {
        let listed = &self.listed;
        let mut due = self.dismissing.iter_mut().filter(|(orphan, sent)| !**sent && listed.contains_key(orphan));
        let (orphan, sent) = due.next()?;
        *sent = true;
        Some(*orphan)
    }

    /// The server failed: it is sent again.
    pub(crate) fn dismiss_again(&mut self, orphan: u32) {
        if let Some(sent) = self.dismissing.get_mut(&orphan) {
            *sent = false;
        }
    }

    /// The server knows the choice, or has no such orphan.
    pub(crate) fn settled(&mut self, orphan: u32) {
        self.listed.remove(&orphan);
        self.dismissing.remove(&orphan);
    }

    /// Those listed, each with what was chosen; `sent` says which are versions on their way already.
    pub(crate) fn listed(&self, sent: impl Fn(u32) -> bool) -> impl Iterator<Item = (u32, &Listed, OrphanChoice)> {
        self.listed.iter().map(move |(orphan, listed)| {
            let choice = if self.dismissing.contains_key(orphan) {
                OrphanChoice::Dismissing
            } else if sent(*orphan) || self.open(*orphan).is_none() {
                OrphanChoice::Adopting
            } else {
                OrphanChoice::Open
            };
            (*orphan, listed, choice)
        })
    }
}
