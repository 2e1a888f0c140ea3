//! A seat as its owner holds it: start it, act, look at its view, stop it. Never blocks its owner.

use crate::{
    clock::SeatClock,
    controller::Controller,
    disk::Disk,
    vault::{self, Vault},
};
use exam_link::Dial;
use exam_protocol::{
    ids::SeatRef,
    message::{candidate::LockState, readiness::SeatReport},
};
use exam_session::{Act, Event, Note, SeatMs, View};
use std::{io, path::PathBuf, sync::Arc};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

/// Acts that may wait: a person does not type faster than the seat takes.
const ACTS_MAX: usize = 64;

/// Sixty-four random bits for each call.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The system's randomness. Without it all machines wait alike: slower, not wrong.
pub fn system_random() -> Random {
    Arc::new(|| u64::from_le_bytes(vault::random().unwrap_or_default()))
}

/// What a seat needs.
#[derive(Clone)]
pub struct SeatConfig {
    /// Whom to call; its identity is this machine's.
    pub dial: Dial,
    /// The seat's own folder: key, journals, sealed papers.
    pub folder: PathBuf,
    /// The desk to take, if it is known beforehand.
    pub desk: Option<SeatRef>,
    /// The disk threads.
    pub disk: Disk,
    /// The clock.
    pub clock: SeatClock,
    /// The random part of the waits between attempts to connect.
    pub random: Random,
    /// Who wants to know what happens, if anybody; it must be read, or the seat waits.
    pub news: Option<mpsc::Sender<News>>,
    /// Names this seat in [`News`].
    pub index: usize,
}

impl SeatConfig {
    /// Where the journals of a seat with this folder are.
    pub fn journal_folder(&self) -> PathBuf {
        self.folder.join("journal")
    }

    pub(crate) fn paper_path(&self, hash: &exam_protocol::ids::Sha256) -> PathBuf {
        self.folder.join("papers").join(format!("{}.sealed", hash.hex()))
    }
}

/// Something happened at a seat.
#[derive(Clone, Debug)]
pub struct News {
    /// Which seat.
    pub index: usize,
    /// When, by its clock.
    pub at: SeatMs,
    /// What.
    pub kind: NewsKind,
}

/// What may happen at a seat.
#[derive(Clone, Debug)]
pub enum NewsKind {
    /// A connection stands.
    Linked,
    /// The connection is gone.
    Unlinked,
    /// The paper is open.
    PaperOpened,
    /// What the session notes.
    Noted(Note),
}

/// Starts seats.
pub struct Seat;

impl Seat {
    /// Starts a seat: from now on it connects, journals and answers by itself.
    ///
    /// # Errors
    /// The system's, when the seat's key cannot be read or made.
    pub async fn start(config: SeatConfig) -> io::Result<SeatHandle> {
        let (folder, journals) = (config.folder.clone(), config.journal_folder());
        let look = move || {
            exam_link::private_file::private_folder(&folder.join("papers"))?;
            Ok::<_, io::Error>((Vault::load_or_create(&folder)?, crate::journal::newest(&journals)))
        };
        let (vault, newest) = tokio::task::spawn_blocking(look).await.map_err(io::Error::other)??;
        let (owner, taken) = mpsc::channel(ACTS_MAX);
        let (stop, stopped) = watch::channel(false);
        let (controller, views) = Controller::new(config, Arc::new(vault));
        let task = tokio::spawn(controller.run(newest, taken, stopped));
        Ok(SeatHandle { owner, views, stop, task })
    }
}

/// A running seat. Dropped, the seat stops.
pub struct SeatHandle {
    owner: mpsc::Sender<Event>,
    views: watch::Receiver<Arc<View>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl SeatHandle {
    /// The candidate does something.
    pub async fn act(&self, act: Act) {
        self.tell(Event::Acted(act)).await;
    }

    /// The machine has looked at itself: the server hears of it, now and after every reconnect.
    pub async fn probed(&self, report: SeatReport) {
        self.tell(Event::Probed(Box::new(report))).await;
    }

    /// The lock of the desktop was read back; to be said again and again, because only what was read back counts.
    pub async fn lock_read(&self, state: LockState) {
        self.tell(Event::LockRead(state)).await;
    }

    async fn tell(&self, event: Event) {
        // The seat ends only with its handle; a late word has nobody to hear it.
        let _ = self.owner.send(event).await;
    }

    /// All that a screen needs, again whenever it changes.
    pub fn views(&self) -> watch::Receiver<Arc<View>> {
        self.views.clone()
    }

    /// Ends the seat after what its disk has in hand.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        drop(self.owner);
        // A seat that panicked has said so already.
        let _ = self.task.await;
    }
}
