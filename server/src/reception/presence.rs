//! Who is connected now, and what each seat last said of itself. Gone with the process: nothing here is a fact.

use exam_protocol::{
    ids::{ItemId, StationId},
    message::{
        candidate::{Heartbeat, LockState},
        hello::Role,
    },
    tag::Down,
    time::{Now, SiteMs},
};
use exam_room::rules::numbers::SEAT_CLOCK_OFF_MAX_MS;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::{sync::mpsc, task::AbortHandle};

/// All connected machines.
#[derive(Debug, Default)]
pub struct Presence {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next_ticket: u64,
    lines: BTreeMap<StationId, Line>,
    last: BTreeMap<StationId, Heard>,
}

#[derive(Debug)]
struct Line {
    ticket: u64,
    role: Role,
    outbox: mpsc::Sender<Down>,
    watching: Option<Watching>,
}

/// The task that tells a console of the board; ends with its line, whose queue it would else keep open.
#[derive(Debug)]
struct Watching(AbortHandle);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a seat last said of itself.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// When.
    pub at: SiteMs,
    /// Answers it holds that were not acknowledged.
    pub unsaved: u32,
    /// The item on its screen.
    pub item: Option<ItemId>,
    /// Whether it is connected.
    pub connected: bool,
    /// Since when its wall clock has been off in every beat.
    pub clock_off_since: Option<SiteMs>,
    /// Since when it claims a lock and cannot confirm it.
    pub lock_open_since: Option<SiteMs>,
    /// It has said that a lock holds here, in a report or a beat: from then on "no lock here" means that it is gone.
    pub claims_lock: bool,
}

impl Heard {
    /// A beat came at `now`. What it says of clock and lock is evidence; the room's time never follows from it.
    fn beat(&mut self, now: Now, beat: &Heartbeat) {
        (self.at, self.unsaved) = (now.at, beat.unsaved);
        self.item.clone_from(&beat.item);
        let off = beat.wall.is_some_and(|wall| wall.0.abs_diff(now.wall.0) > SEAT_CLOCK_OFF_MAX_MS);
        self.clock_off_since = off.then(|| self.clock_off_since.unwrap_or(now.at));
        self.claims_lock |= beat.lock == LockState::Verified;
        let open = match beat.lock {
            LockState::Verified => false,
            LockState::NotVerified => true,
            LockState::NotAvailable => self.claims_lock,
        };
        let said = now.at.minus(u64::from(beat.lock_for_ms));
        self.lock_open_since = open.then(|| self.lock_open_since.unwrap_or(said));
    }
}

impl Presence {
    /// A machine connected; an older connection of the same machine loses its line and is closed with it.
    pub fn joined(&self, station: &StationId, role: Role, outbox: mpsc::Sender<Down>, at: SiteMs) -> u64 {
        let mut table = self.table();
        table.next_ticket += 1;
        let ticket = table.next_ticket;
        table.lines.insert(station.clone(), Line { ticket, role, outbox, watching: None });
        table.last.entry(station.clone()).or_default().at = at;
        ticket
    }

    /// A connection ended; only the newest one counts.
    pub fn gone(&self, station: &StationId, ticket: u64) {
        let mut table = self.table();
        if table.lines.get(station).is_some_and(|line| line.ticket == ticket) {
            table.lines.remove(station);
        }
    }

    /// A seat is alive.
    pub fn beat(&self, station: &StationId, now: Now, beat: &Heartbeat) {
        self.table().last.entry(station.clone()).or_default().beat(now, beat);
    }

    /// A machine's trial lock held: it is one that locks.
    pub fn claims_lock(&self, station: &StationId) {
        self.table().last.entry(station.clone()).or_default().claims_lock = true;
    }

    /// Sends to a machine if it is connected, and says whether it was handed over; a machine that does not take its messages
    /// is cut off and comes back whole.
    pub fn push(&self, station: &StationId, message: Down) -> bool {
        let mut table = self.table();
        let handed = table.lines.get(station).map(|line| line.outbox.try_send(message).is_ok());
        if handed == Some(false) {
            table.lines.remove(station);
        }
        handed == Some(true)
    }

    /// Has a console told of the board from now on, in the place of what told it before; false when it is not connected.
    pub(super) fn watching(
        &self,
        station: &StationId,
        telling: impl FnOnce(mpsc::Sender<Down>) -> AbortHandle,
    ) -> bool {
        let mut table = self.table();
        let Some(line) = table.lines.get_mut(station) else { return false };
        line.watching = Some(Watching(telling(line.outbox.clone())));
        true
    }

    /// What is known of a machine.
    pub fn heard(&self, station: &StationId) -> Option<Heard> {
        let table = self.table();
        let connected = table.lines.contains_key(station);
        table.last.get(station).map(|heard| Heard { connected, ..heard.clone() })
    }

    /// Stations connected now.
    pub fn stations_connected(&self) -> usize {
        self.table().lines.values().filter(|line| line.role == Role::Station).count()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exam_protocol::time::WallMs;

    const WALL: i64 = 1_790_000_000_000;

    fn heard(beats: &[(u64, Heartbeat)]) -> Heard {
        let mut heard = Heard::default();
        for (at, beat) in beats {
            heard.beat(Now { at: SiteMs(*at), wall: WallMs(WALL) }, beat);
        }
        heard
    }

    fn clock(off_ms: i64) -> Heartbeat {
        Heartbeat { wall: Some(WallMs(WALL + off_ms)), ..Heartbeat::default() }
    }

    fn lock(lock: LockState, lock_for_ms: u32) -> Heartbeat {
        Heartbeat { lock, lock_for_ms, ..Heartbeat::default() }
    }

    #[test]
    fn a_wall_clock_is_off_beyond_five_seconds_on_either_side_and_one_good_beat_ends_it() {
        for (off_ms, since) in [(5_000, None), (5_001, Some(70_000)), (-5_000, None), (-5_001, Some(70_000))] {
            let beats = [(70_000, clock(off_ms)), (71_000, clock(off_ms))];
            assert_eq!(heard(&beats).clock_off_since, since.map(SiteMs), "{off_ms} ms off");
        }
        let late_beats_then_a_fresh_one = [(70_000, clock(-8_000)), (70_000, clock(-7_000)), (70_010, clock(0))];
        assert_eq!(heard(&late_beats_then_a_fresh_one).clock_off_since, None);
        assert_eq!(heard(&[(70_000, Heartbeat::default())]).clock_off_since, None, "who says nothing is not off");
    }

    #[test]
    fn only_a_machine_that_claims_a_lock_can_lack_it() {
        use LockState::{NotAvailable, NotVerified, Verified};
        assert_eq!(heard(&[(70_000, lock(NotAvailable, 9_000))]).lock_open_since, None);
        assert_eq!(heard(&[(70_000, lock(NotVerified, 9_000))]).lock_open_since, Some(SiteMs(61_000)));
        let gone =
            [(70_000, lock(Verified, 9_000)), (71_000, lock(NotAvailable, 500)), (72_000, lock(NotVerified, 10))];
        assert_eq!(heard(&gone[..2]).lock_open_since, Some(SiteMs(70_500)), "it had one, so it is gone");
        assert_eq!(heard(&gone).lock_open_since, Some(SiteMs(70_500)), "still the same stretch");
        let back = [gone.as_slice(), &[(73_000, lock(Verified, 0))]].concat();
        assert_eq!(heard(&back).lock_open_since, None);
    }
}
