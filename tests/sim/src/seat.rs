//! A seat's machine: the real seat on a simulated disk and network, which can be killed, cut from power and started again.
//! Never asks the seat anything that its screen does not show.

use crate::{
    chronicle::{Acked, Chronicle},
    dice::Dice,
    disk::{Disk, SimFiles},
    net::Net,
    power::Power,
    server::{Fall, gone},
    site::{Caller, Site, desk, desk_ip},
    slow::Slow,
};
use anyhow::{Context, Result};
use exam_seat::{
    News, NewsKind, Seat, SeatConfig, SeatHandle,
    clock::SeatClock,
    journal::{self, Journal},
    vault::Vault,
};
use exam_session::{Act, BootId, Note, Record, View};
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, timeout},
};

/// News that may wait.
const NEWS_MAX: usize = 1_024;
/// A seat that was told to end must have ended within this, by its own clock.
const END_MAX: Duration = Duration::from_secs(30);

/// A machine at a desk.
pub struct SeatMachine {
    /// Which desk.
    pub index: usize,
    /// Whose answers it holds.
    candidate: Arc<Mutex<Option<usize>>>,
    folder: PathBuf,
    disk: Disk,
    net: Net,
    site: Arc<Site>,
    chronicle: Chronicle,
    dice: Dice,
    slow_ms: u64,
    starts: u64,
    boot: u64,
    on_since: Instant,
    running: Option<Running>,
}

struct Running {
    power: Power,
    handle: SeatHandle,
    lane: JoinHandle<()>,
    news: JoinHandle<()>,
}

/// What all seats of a run share.
#[derive(Clone)]
pub struct Room {
    /// Where seats' folders are.
    pub folder: PathBuf,
    /// The network.
    pub net: Net,
    /// The site.
    pub site: Arc<Site>,
    /// The record.
    pub chronicle: Chronicle,
    /// Chance.
    pub dice: Dice,
    /// How long a seat's disk may take, milliseconds.
    pub slow_ms: u64,
}

impl SeatMachine {
    /// The machine at desk `index`, switched on, without its program running.
    pub fn new(room: &Room, index: usize) -> Self {
        let folder = room.folder.join(format!("seat-{index}"));
        Self {
            index,
            candidate: Arc::new(Mutex::new((index < room.site.seats).then_some(index))),
            disk: Disk::new(&folder),
            folder,
            net: room.net.clone(),
            site: room.site.clone(),
            chronicle: room.chronicle.clone(),
            dice: room.dice.fork("seat", index as u64),
            slow_ms: room.slow_ms,
            starts: 0,
            boot: 1,
            on_since: Instant::now(),
            running: None,
        }
    }

    /// Whose answers it holds.
    pub fn candidate(&self) -> Option<usize> {
        *self.candidate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A candidate moves here.
    pub fn takes(&self, candidate: usize) {
        *self.candidate.lock().unwrap_or_else(PoisonError::into_inner) = Some(candidate);
    }

    /// The running program, if it lives.
    pub fn power(&self) -> Option<Power> {
        self.running.as_ref().map(|running| running.power.clone()).filter(Power::is_on)
    }

    /// Its screen.
    pub fn view(&self) -> Option<Arc<View>> {
        self.running.as_ref().map(|running| running.handle.views().borrow().clone())
    }

    /// Its screen, whenever it changes.
    pub fn views(&self) -> Option<watch::Receiver<Arc<View>>> {
        self.running.as_ref().map(|running| running.handle.views())
    }

    /// The candidate does something.
    pub async fn act(&self, act: Act) {
        if let Some(running) = &self.running {
            running.handle.act(act).await;
        }
    }

    /// A disk that takes nothing more, or takes again.
    pub fn set_full(&self, full: bool) {
        if let Some(running) = &self.running {
            running.power.set_full(full);
        }
        if full {
            self.chronicle.lock().disk_troubled.insert(self.index);
        }
    }

    /// Starts its program.
    ///
    /// # Errors
    /// The seat's own.
    pub async fn start(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        self.starts += 1;
        let dice = self.dice.fork("start", self.starts);
        let power = Power::default();
        self.disk.used_by(power.clone());
        let (disk, work) = exam_seat::disk::Disk::on(Arc::new(SimFiles(self.disk.clone())));
        let lane = tokio::spawn(Slow::new(Box::pin(work), dice.fork("lane", 0), self.slow_ms));
        let (tell, hear) = mpsc::channel(NEWS_MAX);
        let news = tokio::spawn(self.listen(hear));
        let from = SocketAddr::new(desk_ip(self.index), 10_000 + self.starts as u16);
        let caller = Caller { net: &self.net, from, power: power.clone(), dice: dice.fork("endpoint", 0) };
        let on_ms = 1_000 + self.on_since.elapsed().as_millis() as u64;
        let config = SeatConfig {
            dial: self.site.dial(caller.endpoint()?, &self.site.machines[self.index]),
            folder: self.folder.clone(),
            desk: Some(desk(self.index)),
            disk,
            clock: SeatClock::on(on_ms, BootId(self.boot)),
            random: drawn(dice.fork("waits", 0)),
            news: Some(tell),
            index: self.index,
        };
        let handle = Seat::start(config).await.context("starting a seat")?;
        self.running = Some(Running { power, handle, lane, news });
        Ok(())
    }

    /// Brings its program down.
    ///
    /// # Errors
    /// The system's, or a seat that does not end.
    pub async fn fall(&mut self, fall: Fall) -> Result<()> {
        let Some(Running { power, handle, lane, news }) = self.running.take() else { return Ok(()) };
        power.cut();
        self.end(handle, lane, news).await?;
        if fall == Fall::PowerCut {
            self.disk.cut(&mut self.dice.fork("cut", self.starts))?;
            (self.boot, self.on_since) = (self.boot + 1, Instant::now());
        }
        Ok(())
    }

    /// Ends its program as a person would.
    ///
    /// # Errors
    /// A seat that does not end.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(Running { power, handle, lane, news }) = self.running.take() else { return Ok(()) };
        let ended = self.end(handle, lane, news).await;
        power.cut();
        ended
    }

    async fn end(&self, handle: SeatHandle, lane: JoinHandle<()>, news: JoinHandle<()>) -> Result<()> {
        let ending = async {
            handle.stop().await;
            let _ = lane.await; // a panic in it has said so already
            let _ = news.await;
        };
        timeout(END_MAX, ending).await.with_context(|| format!("the seat at desk {} does not end", self.index))?;
        gone(&self.disk).await;
        Ok(())
    }

    fn listen(&self, mut news: mpsc::Receiver<News>) -> impl Future<Output = ()> + Send + 'static {
        let (chronicle, desk, holder) = (self.chronicle.clone(), self.index, self.candidate.clone());
        async move {
            while let Some(News { kind, .. }) = news.recv().await {
                let candidate = *holder.lock().unwrap_or_else(PoisonError::into_inner);
                if let (NewsKind::Noted(Note::Acked { item, number, answer, .. }), Some(candidate)) = (kind, candidate)
                {
                    let at = chronicle.now();
                    let acked = Acked { at, desk, candidate, item, number, answer: (*answer).clone() };
                    chronicle.lock().acked.push(acked);
                }
            }
        }
    }

    /// What its own journal holds, read back from its disk; the program must not run.
    ///
    /// # Errors
    /// The journal's own.
    pub fn journal(&self) -> Result<Vec<Record>> {
        let folder = self.folder.join("journal");
        let Some(attempt) = journal::newest(&folder) else { return Ok(Vec::new()) };
        let vault = Arc::new(Vault::load_or_create(&self.folder)?);
        let site = self.site.trust.public().site.clone();
        let place = journal::Place { folder, site, attempt, vault };
        let (_, records, recovery) = Journal::open(place)?;
        if let Some(words) = recovery.in_words() {
            anyhow::bail!("the journal at desk {}: {words}", self.index);
        }
        Ok(records)
    }
}

fn drawn(dice: Dice) -> exam_seat::Random {
    let dice = Mutex::new(dice);
    Arc::new(move || dice.lock().unwrap_or_else(PoisonError::into_inner).draw())
}
