//! What goes into a session and what comes out: events, effects, and the records of the seat's journal. Never does anything.

use crate::{
    clock::{BootId, SeatMs},
    older::{Lacking, OldVersion},
};
use exam_protocol::{
    answer::Answer,
    code::Refusal,
    ids::{AdmissionNo, ItemId, SeatRef, Sha256},
    message::{
        attendance::UnableStretch,
        candidate::{AttemptId, HandedIn, KnownAnswer, LockState, PaperKey, SeatView},
        duty::{HandKind, MessageId},
        hello::Welcome,
        readiness::SeatReport,
    },
    paper::{Paper, SealedPaper},
    tag::{Down, Up},
    time::SiteMs,
};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Ties the server's answer to what was asked. Never used twice in one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// Counts the records a session hands to its journal: durable up to this one means all before it are durable too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u64);

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The app began. `newest` is the newest attempt the seat's disk has a journal of.
    Started {
        /// It is read back first, so that a candidate goes on even without the server.
        newest: Option<AttemptId>,
    },
    /// The journal of an attempt was read; empty if there was none.
    Restored {
        /// Whose.
        attempt: AttemptId,
        /// In the order of writing.
        records: Vec<Record>,
        /// What was wrong with the file, in words.
        trouble: Option<String>,
    },
    /// What the journal holds of the versions that [`Effect::ReadBack`] named: its [`Lacking::pick`].
    ReadBack {
        /// Whose.
        attempt: AttemptId,
        /// A portion of them; none if the journal cannot be read.
        versions: Vec<OldVersion>,
        /// Whether the journal holds more.
        more: bool,
    },
    /// Connected, and the server said this.
    Linked(Box<Welcome>),
    /// The connection is gone: nothing that was asked will be answered.
    Unlinked,
    /// The server refuses this machine altogether (version, role).
    TurnedAway(Refusal),
    /// An answer to [`Effect::Send`].
    Reply {
        /// To which one.
        ask: AskId,
        /// What the server said.
        down: Box<Down>,
    },
    /// The server said something unasked.
    Push(Box<Down>),
    /// Every record up to and including this one is durable.
    Journalled {
        /// The last of them.
        through: RecordId,
    },
    /// The journal cannot be written (disk full …); the shell keeps the records and tries again.
    JournalFailing {
        /// In words, for the screen.
        why: String,
    },
    /// The sealed paper is on the seat's disk, its hash checked.
    PaperFetched {
        /// Which sealed bytes.
        hash: Sha256,
    },
    /// It could not be fetched; the session asks again later.
    PaperNotFetched {
        /// Which sealed bytes.
        hash: Sha256,
    },
    /// The paper was opened, and is sound.
    PaperOpened(Arc<Paper>),
    /// It could not be opened.
    PaperNotOpened {
        /// Which sealed bytes.
        hash: Sha256,
        /// In words, for the screen.
        why: String,
    },
    /// The machine has looked at itself (F-69).
    Probed(Box<SeatReport>),
    /// The lock of the desktop was read back.
    LockRead(LockState),
    /// The candidate did something.
    Acted(Act),
    /// Time passed.
    Tick,
}

/// What a candidate does.
#[derive(Clone, PartialEq, Eq)]
pub enum Act {
    /// Says at which desk the machine stands.
    ChooseSeat(SeatRef),
    /// HB-15.
    SignIn {
        /// 准考证号.
        admission_no: AdmissionNo,
        /// As typed.
        password: String,
    },
    /// An item comes on screen; the one before is left.
    Show(ItemId),
    /// Changed an answer: the whole new answer.
    Type {
        /// To which item.
        item: ItemId,
        /// As it now stands.
        answer: Answer,
    },
    /// Left an item's field: what is typed is saved at once.
    Leave(ItemId),
    /// 交卷.
    HandIn,
    /// Has read the notice.
    DismissNotice,
    /// Has read the reminder.
    DismissReminder,
    /// HB-15: the data on screen are mine.
    ConfirmIdentity,
    /// 举手.
    RaiseHand {
        /// Why.
        kind: HandKind,
        /// In words, or empty.
        text: String,
    },
    /// 取消举手.
    LowerHand,
    /// Has read a message.
    ReadMessage(MessageId),
    /// HB-25: takes an answer of the replaced machine.
    AdoptOrphan {
        /// Which one.
        orphan: u32,
    },
    /// Keeps the current answer instead.
    DismissOrphan {
        /// Which one.
        orphan: u32,
    },
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Act::ChooseSeat(seat) => write!(f, "ChooseSeat({seat})"),
            Act::SignIn { .. } => f.write_str("SignIn(…)"),
            Act::Show(item) => write!(f, "Show({item})"),
            Act::Type { item, .. } => write!(f, "Type({item}, …)"),
            Act::Leave(item) => write!(f, "Leave({item})"),
            Act::HandIn => f.write_str("HandIn"),
            Act::DismissNotice => f.write_str("DismissNotice"),
            Act::DismissReminder => f.write_str("DismissReminder"),
            Act::ConfirmIdentity => f.write_str("ConfirmIdentity"),
            Act::RaiseHand { kind, .. } => write!(f, "RaiseHand({kind:?}, …)"),
            Act::LowerHand => f.write_str("LowerHand"),
            Act::ReadMessage(message) => write!(f, "ReadMessage({})", message.0),
            Act::AdoptOrphan { orphan } => write!(f, "AdoptOrphan({orphan})"),
            Act::DismissOrphan { orphan } => write!(f, "DismissOrphan({orphan})"),
        }
    }
}

/// What the shell must do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read this attempt's journal and report [`Event::Restored`].
    Restore(AttemptId),
    /// Read these versions back from the attempt's journal and report [`Event::ReadBack`]: the server has lost them.
    ReadBack {
        /// Whose journal.
        attempt: AttemptId,
        /// Which versions.
        lacking: Lacking,
    },
    /// Append this record to the attempt's journal and report [`Event::Journalled`].
    Journal {
        /// Whose journal.
        attempt: AttemptId,
        /// Counts up by one.
        id: RecordId,
        /// What to write.
        record: Box<Record>,
    },
    /// Send this over the connection there is; [`Event::Reply`] or [`Event::Unlinked`] follows.
    Send {
        /// Names the answer.
        ask: AskId,
        /// What to say.
        up: Box<Up>,
    },
    /// Have these sealed bytes on disk and report [`Event::PaperFetched`].
    Fetch(SealedPaper),
    /// Open the sealed bytes in memory and report [`Event::PaperOpened`].
    OpenPaper {
        /// Which bytes.
        sealed: SealedPaper,
        /// With what.
        key: PaperKey,
    },
    /// Something worth measuring happened; nothing has to be done.
    Note(Note),
    /// The server has been silent for too long: end the connection and report [`Event::Unlinked`].
    HangUp,
}

/// What a measuring shell may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A paper key arrived: the sitting has started for this seat.
    Released,
    /// The server has this version on its disk.
    Acked {
        /// Which item.
        item: ItemId,
        /// Which version.
        number: u32,
        /// What was given.
        answer: Arc<Answer>,
        /// When this seat made the version.
        made: SeatMs,
        /// When it was last sent.
        sent: SeatMs,
    },
}

/// One record of the seat's own journal. Variants are only ever added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// What the server last said of this seat, so that a restarted app can go on without it.
    Seen {
        /// The view.
        view: SeatView,
        /// The site's time when it was written …
        site: SiteMs,
        /// … at this moment of the seat's clock …
        seat: SeatMs,
        /// … in this run of it.
        boot: BootId,
    },
    /// A version of an answer.
    Answered {
        /// Which item.
        item: ItemId,
        /// Which version.
        number: u32,
        /// What was given.
        answer: Answer,
        /// The last keystroke of it, on the site's timeline as the seat knew it.
        made_at: SiteMs,
    },
    /// The server has it. Need not be durable: without it the version is sent again, which is harmless.
    Acked {
        /// Which item.
        item: ItemId,
        /// Which version.
        number: u32,
    },
    /// A version the server had and this seat did not.
    Known(KnownAnswer),
    /// The server refused it: kept as evidence.
    Refused {
        /// Which item.
        item: ItemId,
        /// Which version.
        number: u32,
        /// Which rule.
        refusal: Refusal,
    },
    /// The candidate pressed 交卷.
    HandInAsked {
        /// When.
        at: SiteMs,
    },
    /// The server refused the hand-in: the candidate goes on.
    HandInRefused {
        /// Which rule.
        refusal: Refusal,
    },
    /// Handed in, on the server's disk.
    HandedIn(HandedIn),
    /// The candidate was reminded of the end: after a restart it is not said again.
    Reminded {
        /// Which reminder.
        minutes: u32,
        /// Of which end.
        ends: SiteMs,
    },
    /// The version that follows is an answer of the replaced machine, taken by the candidate (HB-25).
    Adopting {
        /// Which one.
        orphan: u32,
        /// Which item.
        item: ItemId,
        /// Which version it becomes.
        number: u32,
    },
    /// The candidate keeps the current answer (HB-25).
    OrphanDismissed {
        /// Which one.
        orphan: u32,
    },
    /// This machine was replaced: what it has goes to the server once, and the candidate goes on elsewhere.
    Fenced {
        /// When it heard of it.
        at: SiteMs,
    },
    /// The candidate was at work.
    Alive {
        /// When.
        at: SiteMs,
    },
    /// Nobody could work here.
    Unable(UnableStretch),
}

impl Record {
    /// Whether something rests on this record being durable. The others may wait for the next one that must be.
    pub fn must_be_durable(&self) -> bool {
        match self {
            // A refused hand-in that is forgotten would go again by itself after a power cut.
            Record::Answered { .. }
            | Record::HandInAsked { .. }
            | Record::HandInRefused { .. }
            | Record::Adopting { .. }
            | Record::Fenced { .. }
            | Record::Seen { .. } => true,
            Record::Acked { .. }
            | Record::Known(_)
            | Record::Refused { .. }
            | Record::HandedIn(_)
            | Record::Reminded { .. }
            | Record::OrphanDismissed { .. }
            | Record::Alive { .. }
            | Record::Unable(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_cut_never_hands_in_by_itself() {
        let refused = Record::HandInRefused { refusal: Refusal::HandInTooEarly { opens_in_s: 60 } };
        assert!(refused.must_be_durable(), "else only the wish to hand in would be left");
    }
}
