//! The board: how every seat of a room stands, told to a console that asked for it whenever something changes, so that no window
//! has to ask again and again. A change carries the rows that differ; what is slow to listen gets them merged, not queued.
//! Never holds a name or an answer.

use crate::{
    code::SeatState,
    ids::{RoomId, SeatRef},
    message::admin::SittingStatus,
    time::{Now, SiteMs},
};
use serde::{Deserialize, Serialize};

/// Most seats of one [`BoardNews`]; more follow in the next one.
pub const BOARD_SEATS_MAX: usize = 1_000;

/// Console → server: from now on, tell this connection how its room stands. Another one takes the place of the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchBoard {
    /// Which room; every room of the site when left out.
    pub room: Option<RoomId>,
}

/// Server → console, unasked: what changed since the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardNews {
    /// The server's time.
    pub now: Now,
    /// Grows with every change of the board.
    pub number: u64,
    /// Whether a whole board begins here: what was known before is to be forgotten.
    pub whole: bool,
    /// Rooms that changed.
    pub rooms: Vec<RoomNews>,
    /// Seats that changed.
    pub seats: Vec<SeatNews>,
}

/// How a room stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomNews {
    /// Which.
    pub room: RoomId,
    /// Its name.
    pub name: String,
    /// Its sittings in numbers.
    pub sittings: Vec<SittingStatus>,
    /// Raised hands nobody has finished.
    pub hands_open: u32,
    /// What the system found and nobody has judged.
    pub findings_open: u32,
    /// Incidents and violations on record.
    pub records: u32,
}

/// How a desk with a machine stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatNews {
    /// Which desk.
    pub seat: SeatRef,
    /// How it stands.
    pub state: SeatState,
    /// Whether its machine is connected.
    pub connected: bool,
    /// Since when nothing has been heard of it (F-33); none while it is heard of.
    pub silent_since: Option<SiteMs>,
    /// Answers the seat holds that the server has not acknowledged, as the seat says.
    pub unsaved: u32,
    /// Items answered, as the server knows.
    pub answered: u32,
    /// End of the attempt.
    pub ends: Option<SiteMs>,
    /// Whether the lockdown held when the machine last reported; none when it has not said.
    pub lock_ok: Option<bool>,
}
