//! One candidate's sitting (一名考生的一场考试): paper, answers, countdown, reconnect, what to show. Pure: no clock, file,
//! socket, thread, randomness or async. Never sends an answer that is not on the seat's own disk, unless that disk fails.
//!
//! [`Session::handle`] takes what happened and the seat's monotonic time and returns what to do; [`Session::next_wake`]
//! says when to call again; [`Session::view`] is all a screen needs. The shell (`exam-seat`) does the doing.

mod account;
mod answers;
mod attempt;
mod clock;
mod event;
pub mod limits;
mod older;
mod orphans;
mod papers;
mod queue;
mod reminder;
mod reply;
mod room;
mod sends;
mod session;
mod view;
mod wishes;

pub use answers::{Evidence, Saved};
pub use clock::{BootId, SeatMs};
pub use event::{Act, AskId, Effect, Event, Note, Record, RecordId};
pub use older::{Lacking, OldVersion};
pub use orphans::{OrphanChoice, OrphanView};
pub use reminder::Reminder;
pub use session::Session;
pub use view::{Closed, HandInView, ItemView, Merge, Notice, PaperView, Screen, View};
pub use wishes::{HandView, MessageView};
