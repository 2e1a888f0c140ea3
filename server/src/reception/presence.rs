//! Who is connected now, and what each seat last said of itself. Gone with the process: nothing here is a fact.

use exam_protocol::{
    ids::StationId,
    message::{candidate::Heartbeat, hello::Role},
    tag::Down,
    time::SiteMs,
};
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
    /// Whether it is connected.
    pub connected: bool,
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
    pub fn beat(&self, station: &StationId, at: SiteMs, beat: &Heartbeat) {
        let mut table = self.table();
        let last = table.last.entry(station.clone()).or_default();
        (last.at, last.unsaved) = (at, beat.unsaved);
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
