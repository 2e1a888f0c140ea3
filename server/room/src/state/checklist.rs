//! How the check-list of a sitting stands (N-06): what people ticked, what the site knows by itself, what is due.
//! Wall time shows what is due before the start; it decides nothing.

use super::{End, Site, Sitting, Stage};
use crate::{authority::Actor, rules::numbers::CHECK_OVERDUE_MS};
use exam_protocol::{
    checklist::{CheckItem, Checkpoint, ItemStanding, Reference, TickedBy},
    time::{Now, SiteMs, minutes},
};

/// An item a person ticked.
#[derive(Clone, Debug)]
pub struct Ticked {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: SiteMs,
    /// What was seen.
    pub note: String,
}

/// One item as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemNow {
    /// Which.
    pub item: CheckItem,
    /// How it stands.
    pub standing: ItemStanding,
    /// Milliseconds since it became due, negative before; none while that cannot be known.
    pub due_since_ms: Option<i64>,
}

impl Site {
    /// The whole check-list of a sitting as it stands.
    pub fn checklist(&self, sitting: &Sitting, now: Now) -> Vec<ItemNow> {
        let stands = |item: &CheckItem| {
            let due_since_ms = self.due_since_ms(sitting, item.checkpoint(), now);
            let standing = match due_since_ms {
                _ if self.item_done(sitting, *item, now) => ItemStanding::Done,
                Some(late) if late >= CHECK_OVERDUE_MS as i64 => ItemStanding::Overdue,
                Some(late) if late >= 0 => ItemStanding::Due,
                Some(_) | None => ItemStanding::NotYet,
            };
            ItemNow { item: *item, standing, due_since_ms }
        };
        CheckItem::ALL.iter().map(stands).collect()
    }

    /// What is due or overdue and not done.
    pub fn due(&self, sitting: &Sitting, now: Now) -> Vec<ItemNow> {
        let open = |one: &ItemNow| matches!(one.standing, ItemStanding::Due | ItemStanding::Overdue);
        self.checklist(sitting, now).into_iter().filter(open).collect()
    }

    /// Whether an item is done: by a person's tick, or because the site knows it.
    pub fn item_done(&self, sitting: &Sitting, item: CheckItem, now: Now) -> bool {
        match item.ticked_by() {
            TickedBy::Person => sitting.ticked.contains_key(&item),
            TickedBy::System => self.known(sitting, item, now),
        }
    }

    fn known(&self, sitting: &Sitting, item: CheckItem, now: Now) -> bool {
        let ended = matches!(sitting.stage, Stage::Ended { .. });
        match item {
            CheckItem::ServerOn => self.server_starts > 0,
            CheckItem::SeatsOn => {
                let desk = |seat| exam_protocol::ids::SeatRef { room: sitting.plan.room.clone(), seat };
                let mut wanted = self.expected_candidates(sitting.id()).filter_map(|(_, c)| c.places.get(sitting.id()));
                wanted.all(|seat| self.desks.contains_key(&desk(*seat)))
            }
            CheckItem::Sealed => sitting.seal.is_intact() || !self.seal_required(sitting),
            CheckItem::DoorOpened => sitting.stage != Stage::Prepared,
            CheckItem::Started => sitting.started().is_some(),
            CheckItem::EntryClosed => {
                let bar = self.numbers(sitting).late_entry_bar_ms;
                ended || sitting.started().is_some_and(|started| now.at.since(started) > bar)
            }
            CheckItem::AbsencesRecorded => {
                let known = |no| sitting.attempts.contains_key(no) || sitting.absent.contains(no);
                sitting.started().is_some() && self.expected(sitting.id()).all(known)
            }
            CheckItem::Ended => ended,
            CheckItem::Exported => sitting.exports > 0 || (sitting.plan.mock && ended),
            CheckItem::ConsoleOn
            | CheckItem::WaitingScreens
            | CheckItem::SparesOn
            | CheckItem::MachinesChecked
            | CheckItem::EntryIdentity
            | CheckItem::DataChecked
            | CheckItem::RulesRead
            | CheckItem::SecondIdentity
            | CheckItem::Reminded
            | CheckItem::CandidatesLeft
            | CheckItem::AbsencesCheckedAgain
            | CheckItem::MaterialBack
            | CheckItem::ReceiptConfirmed
            | CheckItem::DataKept
            | CheckItem::Closed => false,
        }
    }

    /// Milliseconds since a checkpoint came, negative before it; none while its moment cannot be known.
    pub fn due_since_ms(&self, sitting: &Sitting, checkpoint: Checkpoint, now: Now) -> Option<i64> {
        let ms = |min: i64| min.signum() * minutes(min.unsigned_abs()) as i64;
        let since = |moment: SiteMs| now.at.0 as i64 - moment.0 as i64;
        match checkpoint.reference() {
            Reference::Start(min) => match sitting.started() {
                Some(started) => Some(since(started) - ms(min)),
                None if min <= 0 => {
                    Some(now.wall.0.saturating_sub(sitting.plan.planned_start.0).saturating_sub(ms(min)))
                }
                None => None,
            },
            Reference::End(min) => Some(since(self.end_or_expected(sitting)?) - ms(min)),
        }
    }

    /// When the sitting ended, or will by its time account; none before the start and while the clock stands still.
    fn end_or_expected(&self, sitting: &Sitting) -> Option<SiteMs> {
        match (sitting.stage, self.natural_end(sitting, None)) {
            (Stage::Ended { ended, .. }, _) => Some(ended),
            (_, End::At(at)) => Some(at),
            (_, End::Frozen(_) | End::NotBegun) => None,
        }
    }
}
