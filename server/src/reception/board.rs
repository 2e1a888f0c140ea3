//! The board consoles watch: every look is compared with the one before, and whoever watches gets the rows that differ. Nothing
//! is queued for a slow console: it gets everything since its last row in one, so it can neither hold up the clerk nor fall
//! behind. What seats say of themselves is passed on at most once a second a seat. Nothing here is a fact.

use super::{Presence, Reception};
use crate::{clerk::No, watch::CONTACT_YELLOW_MS};
use exam_protocol::{
    code::{ErrorCode, Refusal, SeatState},
    ids::{RoomId, SeatRef, StationId},
    message::{
        admin::SittingStatus,
        board::{BOARD_SEATS_MAX, BoardNews, RoomNews, SeatNews, WatchBoard},
        hello::Done,
    },
    plan::RoomPlan,
    tag::Down,
    time::{Now, SiteMs, seconds},
};
use exam_room::Site;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::MissedTickBehavior,
};

/// Shortest time between two looks, and between two messages to one console.
const PACE: Duration = Duration::from_millis(200);
/// A look is taken at least so often while somebody watches: time passes, and not every fact is told to a seat.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often what a seat says of itself may change its row.
const QUIET_MS: u64 = seconds(1);

/// How everything stands at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Looked {
    now: Now,
    rooms: BTreeMap<RoomId, RoomNews>,
    seats: BTreeMap<SeatRef, SeatNews>,
}

/// What was last told, and since when.
#[derive(Debug)]
pub(super) struct Board {
    table: Mutex<Table>,
    /// Newest number.
    news: watch::Sender<u64>,
    stirred: Notify,
}

#[derive(Debug, Default)]
struct Table {
    now: Now,
    number: u64,
    /// Who knows less than this has to forget rows that are gone.
    whole_from: u64,
    rooms: BTreeMap<RoomId, Row<RoomNews>>,
    seats: BTreeMap<SeatRef, Row<SeatNews>>,
}

#[derive(Debug)]
struct Row<T> {
    value: T,
    /// Number of its last change.
    number: u64,
    changed_at: SiteMs,
}

/// A row of the board.
trait Shown: PartialEq + Clone {
    /// Whether what differs may wait for its second.
    fn may_wait(&self, newer: &Self) -> bool;
}

impl Shown for SeatNews {
    fn may_wait(&self, newer: &Self) -> bool {
        let SeatNews { connected, silent_since, unsaved, answered, .. } = newer.clone();
        SeatNews { connected, silent_since, unsaved, answered, ..self.clone() } == *newer
    }
}

impl Shown for RoomNews {
    fn may_wait(&self, newer: &Self) -> bool {
        let loud = |room: &RoomNews| {
            let quiet = |sitting: &SittingStatus| SittingStatus { answer_versions: 0, ..sitting.clone() };
            RoomNews { sittings: room.sittings.iter().map(quiet).collect(), ..room.clone() }
        };
        loud(self) == loud(newer)
    }
}

impl Default for Board {
    fn default() -> Self {
        Self { table: Mutex::default(), news: watch::channel(0).0, stirred: Notify::new() }
    }
}

impl Board {
    /// Something may have changed.
    pub(super) fn stir(&self) {
        self.stirred.notify_one();
    }

    /// Takes a look in; who watches hears of what differs.
    pub(super) fn take(&self, looked: Looked) {
        let mut table = self.table();
        let next = table.number + 1;
        let at = looked.now.at;
        table.now = looked.now;
        let (rooms, rooms_gone) = renewed(&mut table.rooms, looked.rooms, next, at);
        let (seats, seats_gone) = renewed(&mut table.seats, looked.seats, next, at);
        if rooms_gone || seats_gone {
            table.whole_from = next;
        }
        if rooms || seats || rooms_gone || seats_gone {
            table.number = next;
            drop(table);
            self.news.send_replace(next);
        }
    }

    /// Everything that changed after `known`, for one room or all; none when nothing did. 0 knows nothing.
    fn since(&self, known: u64, room: Option<&RoomId>) -> (u64, Vec<BoardNews>) {
        let table = self.table();
        let whole = known < table.whole_from.max(1);
        let known = if whole { 0 } else { known };
        let here = |id: &RoomId| room.is_none_or(|room| room == id);
        let rooms = table.rooms.iter().filter(|(id, row)| row.number > known && here(id));
        let mut rooms: Vec<_> = rooms.map(|(_, row)| row.value.clone()).collect();
        let seats = table.seats.iter().filter(|(seat, row)| row.number > known && here(&seat.room));
        let seats: Vec<_> = seats.map(|(_, row)| row.value.clone()).collect();
        if !whole && rooms.is_empty() && seats.is_empty() {
            return (table.number, Vec::new());
        }
        let page = |(index, seats): (usize, &[SeatNews])| BoardNews {
            now: table.now,
            number: table.number,
            whole: whole && index == 0,
            rooms: std::mem::take(&mut rooms),
            seats: seats.to_vec(),
        };
        let pages = seats.chunks(BOARD_SEATS_MAX).chain(seats.is_empty().then_some(&[] as &[_]));
        (table.number, pages.enumerate().map(page).collect())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a row has changed, and whether one is gone.
fn renewed<K: Ord, T: Shown>(
    rows: &mut BTreeMap<K, Row<T>>,
    seen: BTreeMap<K, T>,
    number: u64,
    at: SiteMs,
) -> (bool, bool) {
    let before = rows.len();
    rows.retain(|key, _| seen.contains_key(key));
    let (gone, mut changed) = (rows.len() < before, false);
    for (key, value) in seen {
        let same = rows.get(&key).is_some_and(|row| {
            let waits = row.value.may_wait(&value) && at.since(row.changed_at) < QUIET_MS;
            row.value == value || waits
        });
        if !same {
            changed = true;
            rows.insert(key, Row { value, number, changed_at: at });
        }
    }
    (changed, gone)
}

/// Tells one console, as fast as it listens, until its connection is gone. A place in its queue is waited for before the rows
/// are gathered, so that what it gets is new.
async fn tell(board: Arc<Board>, room: Option<RoomId>, outbox: mpsc::Sender<Down>) {
    let (mut news, mut known) = (board.news.subscribe(), 0);
    loop {
        let Ok(place) = outbox.reserve().await else { return };
        let (number, pages) = board.since(known, room.as_ref());
        known = number;
        let mut pages = pages.into_iter();
        if let Some(first) = pages.next() {
            place.send(first.into());
        }
        for page in pages {
            if outbox.send(page.into()).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(PACE).await;
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return },
            () = outbox.closed() => return,
        }
    }
}

/// Keeps the board while the server runs; looks only while somebody watches.
pub(crate) async fn keep(reception: Reception) {
    let board = reception.inner.board.clone();
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = board.stirred.notified() => {}
            _ = every.tick() => {}
        }
        if board.news.receiver_count() == 0 {
            continue;
        }
        if let Err(no) = reception.look_at_board().await {
            tracing::debug!(%no, "the board is looked at again in a moment");
        }
        tokio::time::sleep(PACE).await;
    }
}

impl Reception {
    pub(super) async fn watch_board(&self, station: StationId, wanted: WatchBoard) -> Result<Down, No> {
        let room = wanted.room.clone();
        let known = self.inner.clerk.read(move |site, _| room.is_none_or(|room| site.rooms.contains_key(&room)));
        if !known.await? {
            return Err(Refusal::SeatUnknown.into());
        }
        self.look_at_board().await?;
        let board = self.inner.board.clone();
        let telling = |outbox| tokio::spawn(tell(board, wanted.room, outbox)).abort_handle();
        let heard = self.inner.presence.watching(&station, telling);
        if heard { Ok(Done.into()) } else { Err(ErrorCode::OutOfPlace.into()) }
    }

    async fn look_at_board(&self) -> Result<(), No> {
        let presence = self.inner.presence.clone();
        let looked = self.inner.clerk.read(move |site, now| look(site, now, &presence)).await?;
        self.inner.board.take(looked);
        Ok(())
    }
}

fn look(site: &Site, now: Now, presence: &Presence) -> Looked {
    let seat = |(seat, station): (&SeatRef, &StationId)| {
        Some((seat.clone(), seat_news(site, now, seat.clone(), station, presence)?))
    };
    Looked {
        now,
        rooms: site.rooms.values().map(|room| (room.room.clone(), room_news(site, now, room))).collect(),
        seats: site.desks.iter().filter_map(seat).collect(),
    }
}

fn room_news(site: &Site, now: Now, room: &RoomPlan) -> RoomNews {
    let sittings: Vec<_> = site.sittings.values().filter(|sitting| sitting.plan.room == room.room).collect();
    let here = |id: &_| sittings.iter().any(|sitting| sitting.id() == id);
    let hands = site.hands.by_id.values().filter(|hand| hand.seat.room == room.room && hand.is_open());
    let findings = site.records.findings.values().filter(|finding| !finding.judged && here(&finding.subject.sitting));
    let incidents = site.records.incidents.values().filter(|incident| incident.sitting.as_ref().is_some_and(here));
    let violations = site.records.violations.values().filter(|violation| here(&violation.sitting));
    RoomNews {
        room: room.room.clone(),
        name: room.name.clone(),
        hands_open: hands.count() as u32,
        findings_open: findings.count() as u32,
        records: (incidents.count() + violations.count()) as u32,
        sittings: sittings.iter().map(|sitting| site.sitting_status(sitting, now.at)).collect(),
    }
}

fn seat_news(site: &Site, now: Now, seat: SeatRef, station: &StationId, presence: &Presence) -> Option<SeatNews> {
    let desk = site.desk(station, now.at)?;
    let heard = presence.heard(station);
    let attempt = desk.attempt.as_ref().and_then(|view| site.attempts.get(&view.attempt));
    let silent = heard.as_ref().map(|heard| heard.at).filter(|at| now.at.since(*at) > CONTACT_YELLOW_MS);
    Some(SeatNews {
        seat,
        state: attempt.map_or(SeatState::Waiting, |attempt| site.attempt_state(attempt, now.at)),
        connected: heard.as_ref().is_some_and(|heard| heard.connected),
        silent_since: silent,
        unsaved: heard.map_or(0, |heard| heard.unsaved),
        answered: attempt.map_or(0, |attempt| attempt.answered() as u32),
        ends: attempt.and_then(|attempt| site.ends(attempt)),
        lock_ok: site.readiness.reports.get(station).and_then(|report| report.lock_ok),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(no: u16) -> SeatRef {
        SeatRef { room: "r1".parse().unwrap(), seat: no.try_into().unwrap() }
    }

    fn row(no: u16, state: SeatState, unsaved: u32) -> SeatNews {
        SeatNews {
            seat: seat(no),
            state,
            connected: true,
            silent_since: None,
            unsaved,
            answered: 0,
            ends: None,
            lock_ok: None,
        }
    }

    fn looked(at: u64, rows: &[SeatNews]) -> Looked {
        let now = Now { at: SiteMs(at), ..Now::default() };
        Looked { now, seats: rows.iter().map(|row| (row.seat.clone(), row.clone())).collect(), ..Looked::default() }
    }

    fn told(board: &Board, known: u64) -> (u64, bool, Vec<u16>) {
        let (number, pages) = board.since(known, None);
        let seats = pages.iter().flat_map(|page| &page.seats).map(|row| row.seat.seat.get()).collect();
        (number, pages.iter().any(|page| page.whole), seats)
    }

    #[test]
    fn only_rows_that_differ_are_told_and_a_newcomer_gets_all() {
        let board = Board::default();
        board.take(looked(0, &[row(1, SeatState::Waiting, 0), row(2, SeatState::Waiting, 0)]));
        assert_eq!(told(&board, 0), (1, true, vec![1, 2]));
        board.take(looked(10, &[row(1, SeatState::Waiting, 0), row(2, SeatState::Waiting, 0)]));
        assert_eq!(told(&board, 1), (1, false, vec![]), "nothing has changed");
        board.take(looked(20, &[row(1, SeatState::Waiting, 0), row(2, SeatState::SignedIn, 0)]));
        assert_eq!(told(&board, 1), (2, false, vec![2]));
        assert_eq!(told(&board, 0), (2, true, vec![1, 2]));
        let other: RoomId = "r2".parse().unwrap();
        assert!(board.since(1, Some(&other)).1.is_empty(), "another room's console hears nothing");
    }

    #[test]
    fn what_a_seat_says_of_itself_waits_for_its_second_and_is_not_lost() {
        let board = Board::default();
        board.take(looked(0, &[row(1, SeatState::Working, 0)]));
        board.take(looked(QUIET_MS - 1, &[row(1, SeatState::Working, 3)]));
        assert_eq!(told(&board, 1), (1, false, vec![]), "too soon");
        board.take(looked(QUIET_MS, &[row(1, SeatState::Working, 3)]));
        assert_eq!(told(&board, 1), (2, false, vec![1]));
        board.take(looked(QUIET_MS + 1, &[row(1, SeatState::Away, 4)]));
        assert_eq!(told(&board, 2), (3, false, vec![1]), "a fact waits for nothing");
    }

    #[test]
    fn a_desk_that_is_gone_makes_everybody_begin_anew() {
        let board = Board::default();
        board.take(looked(0, &[row(1, SeatState::Waiting, 0), row(2, SeatState::Waiting, 0)]));
        board.take(looked(1, &[row(2, SeatState::Waiting, 0)]));
        assert_eq!(told(&board, 1), (2, true, vec![2]));
        assert_eq!(told(&board, 2), (2, false, vec![]));
    }

    #[test]
    fn a_board_of_any_size_fits_its_pages() {
        let board = Board::default();
        let rows: Vec<_> = (1..=999).map(|no| row(no, SeatState::Waiting, 0)).collect();
        let mut many = looked(0, &rows);
        for row in &rows {
            let seat = SeatRef { room: "r2".parse().unwrap(), seat: row.seat.seat };
            many.seats.insert(seat.clone(), SeatNews { seat, ..row.clone() });
        }
        board.take(many);
        let pages = board.since(0, None).1;
        assert_eq!(pages.iter().map(|page| page.seats.len()).collect::<Vec<_>>(), [BOARD_SEATS_MAX, 998]);
        assert_eq!(pages.iter().map(|page| page.whole).collect::<Vec<_>>(), [true, false], "one beginning");
    }

    #[tokio::test]
    async fn a_console_that_does_not_listen_holds_up_nobody_and_gets_everything_in_one() {
        let board = Arc::new(Board::default());
        board.take(looked(0, &[row(1, SeatState::Waiting, 0), row(2, SeatState::Waiting, 0)]));
        let (outbox, mut heard) = mpsc::channel(1);
        let telling = tokio::spawn(tell(board.clone(), None, outbox));
        let states = [SeatState::SignedIn, SeatState::Admitted, SeatState::Working, SeatState::HandedIn];
        tokio::task::yield_now().await; // the first rows are on their way, and nobody takes them
        for (step, state) in (1_u64..).zip(states.repeat(50)) {
            board.take(looked(step, &[row(1, state, 0), row(2, state, 0)]));
        }
        let mut rows = BTreeMap::new();
        let mut messages = 0;
        while rows.get(&seat(1)) != Some(&SeatState::HandedIn) {
            let Some(Down::BoardNews(news)) = heard.recv().await else { panic!("no news") };
            messages += 1;
            rows.extend(news.seats.into_iter().map(|row| (row.seat, row.state)));
        }
        assert!(messages <= 3, "200 changes came in {messages} messages");
        assert_eq!(rows.get(&seat(2)), Some(&SeatState::HandedIn), "nothing is missing");
        drop(heard);
        telling.await.unwrap();
    }
}
