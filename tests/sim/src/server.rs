//! The server's machine: its clock, its disk, and the real server on it, which can be started, killed, cut from power and
//! started again. Never touches what the server has in memory.

use crate::{
    dice::Dice,
    disk::{Disk, Mount, mount},
    net::Net,
    power::Power,
    slow::Slow,
};
use anyhow::{Context, Result};
use exam_protocol::time::WallMs;
use exam_server::{
    clock::MachineClock,
    config::Config,
    net::{self, Counter, ListenError},
    reception::Reception,
    run::{self, Ground},
    site::SiteKeys,
    workers::{Spawn, Work},
};
use quinn::{Endpoint, TokioRuntime};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};

/// Wall time at the beginning of a run: an invented Monday morning.
pub(crate) const WALL_BEGAN_MS: i64 = 1_790_000_000_000;
/// Longest real wait for the remains of a dead process to be gone.
const REMAINS_MAX: Duration = Duration::from_secs(20);

/// The clocks of a simulated machine.
#[derive(Debug)]
pub struct SimClock {
    began: Instant,
    state: Mutex<ClockState>,
}

#[derive(Debug)]
struct ClockState {
    /// When the machine was switched on.
    on_since: Instant,
    starts: u64,
    /// By how much wall time is wrong, milliseconds.
    wrong_by_ms: i64,
}

impl SimClock {
    /// A machine switched on now, with a right clock.
    pub fn new() -> Self {
        let began = Instant::now();
        Self { began, state: Mutex::new(ClockState { on_since: began, starts: 1, wrong_by_ms: 0 }) }
    }

    /// Somebody, or something, sets the wall clock.
    pub fn set_wrong_by(&self, ms: i64) {
        self.state().wrong_by_ms = ms;
    }

    /// How wrong the wall clock is.
    pub fn wrong_by(&self) -> i64 {
        self.state().wrong_by_ms
    }

    fn restart(&self) {
        let mut state = self.state();
        (state.on_since, state.starts) = (Instant::now(), state.starts + 1);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, ClockState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for SimClock {
    fn default() -> Self {
        Self::new()
    }
}

impl MachineClock for SimClock {
    fn start_name(&self) -> String {
        format!("start-{}", self.state().starts)
    }

    fn monotonic_ms(&self) -> u64 {
        5_000 + self.state().on_since.elapsed().as_millis() as u64
    }

    fn wall(&self) -> WallMs {
        let passed = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        WallMs(WALL_BEGAN_MS + passed + self.state().wrong_by_ms)
    }
}

/// How a server goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Fall {
    /// `kill -9`: what was written to files stays, synced or not.
    Killed,
    /// The machine loses its power: what was not synced is lost, and its clocks begin anew.
    PowerCut,
}

/// What stands between the network and the reception: the real thing, or a planted fault.
pub trait Front: Clone + Send + 'static {
    /// Who answers.
    type Counter: Counter;
    /// Puts it before the reception.
    fn before(&self, reception: Reception) -> Self::Counter;
}

/// Nothing stands between.
#[derive(Clone, Copy, Debug)]
pub struct Open;

impl Front for Open {
    type Counter = Reception;
    fn before(&self, reception: Reception) -> Reception {
        reception
    }
}

/// What a server machine is made of.
pub struct Parts {
    /// Its data folder.
    pub folder: PathBuf,
    /// Where it listens.
    pub addr: SocketAddr,
    /// The network.
    pub net: Net,
    /// Chance.
    pub dice: Dice,
    /// How long its disk may take, milliseconds.
    pub slow_ms: u64,
}

/// The machine.
pub struct ServerMachine<F> {
    parts: Parts,
    front: F,
    disk: Disk,
    clock: Arc<SimClock>,
    boots: u64,
    running: Option<Running>,
    _mount: Mount,
}

struct Running {
    power: Power,
    serving: JoinHandle<Result<()>>,
    stop: oneshot::Sender<()>,
    workers: Workers,
}

type Workers = Arc<Mutex<Vec<JoinHandle<()>>>>;

impl<F: Front> ServerMachine<F> {
    /// A machine that is switched on, without a server running.
    pub fn new(parts: Parts, front: F) -> Self {
        let disk = Disk::new(&parts.folder);
        let mount = mount(&disk);
        Self { parts, front, disk, clock: Arc::default(), boots: 0, running: None, _mount: mount }
    }

    /// Its clocks.
    pub fn clock(&self) -> &Arc<SimClock> {
        &self.clock
    }

    /// Its disk.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Its data folder.
    pub fn folder(&self) -> &Path {
        &self.parts.folder
    }

    /// The running process, if it lives.
    pub fn power(&self) -> Option<Power> {
        self.running.as_ref().map(|running| running.power.clone()).filter(Power::is_on)
    }

    /// Whether a server that nobody brought down has ended.
    pub fn ended_by_itself(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.power.is_on() && running.serving.is_finished())
    }

    /// Starts the server.
    ///
    /// # Errors
    /// The server's own.
    pub async fn start(&mut self) -> Result<()> {
        self.boots += 1;
        let (power, workers) = (Power::default(), Workers::default());
        self.disk.used_by(power.clone());
        let ground = Ground {
            clock: self.clock.clone(),
            spawn: self.spawn(workers.clone()),
            listen: self.listen(power.clone()),
        };
        let config = Config { listen: self.parts.addr, ..Config::default() };
        let ready = run::prepare_on(ground, &self.parts.folder, &config).await.context("starting the server")?;
        let (stop, stopped) = oneshot::channel();
        let front = self.front.clone();
        let serving = tokio::spawn(ready.serve_as(move |reception| front.before(reception), async {
            let _ = stopped.await; // dropped or told: it stops
        }));
        self.running = Some(Running { power, serving, stop, workers });
        Ok(())
    }

    /// Stops the server as its administrator would.
    ///
    /// # Errors
    /// The server's own.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(Running { serving, stop, workers, power }) = self.running.take() else { return Ok(()) };
        let _ = stop.send(()); // gone already: then it has stopped
        serving.await??;
        bury(workers, &self.disk).await;
        power.cut();
        Ok(())
    }

    /// Brings it down, in whatever it is doing.
    ///
    /// # Errors
    /// The system's.
    pub async fn fall(&mut self, fall: Fall) -> Result<()> {
        let Some(Running { serving, workers, power, .. }) = self.running.take() else { return Ok(()) };
        power.cut();
        serving.abort();
        let _ = serving.await; // aborted, or ended by itself
        bury(workers, &self.disk).await;
        if fall == Fall::PowerCut {
            let mut dice = self.parts.dice.fork("cut", self.boots);
            self.disk.cut(&mut dice)?;
            let _ = std::fs::remove_file(self.parts.folder.join("journal.db-shm")); // it lay in memory
            self.clock.restart();
        }
        Ok(())
    }

    fn spawn(&self, workers: Workers) -> Spawn {
        let (dice, slow_ms) = (self.parts.dice.fork("workers", self.boots), self.parts.slow_ms);
        Arc::new(move |name, work: Work| {
            let (tell, ended) = oneshot::channel();
            let slow = Slow::new(work, dice.fork(name, 0), slow_ms);
            let task = tokio::spawn(async move {
                slow.await;
                let _ = tell.send(()); // nobody may be waiting for the end
            });
            workers.lock().unwrap_or_else(PoisonError::into_inner).push(task);
            Ok(ended)
        })
    }

    fn listen(&self, power: Power) -> run::Listen {
        let (net, mut dice) = (self.parts.net.clone(), self.parts.dice.fork("listen", self.boots));
        Box::new(move |addr, keys: &SiteKeys| {
            let mut config = net::endpoint_config(keys);
            config.rng_seed(Some(seed(&mut dice)));
            let server = net::server_config(keys)?;
            let socket = net.socket(addr, power);
            let endpoint = Endpoint::new_with_abstract_socket(config, Some(server), socket, Arc::new(TokioRuntime))
                .map_err(|source| ListenError::Bind { addr, source })?;
            Ok(net::Server::over(endpoint))
        })
    }
}

/// Thirty-two bytes for an endpoint.
pub(crate) fn seed(dice: &mut Dice) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.chunks_mut(8).for_each(|part| part.copy_from_slice(&dice.draw().to_le_bytes()));
    bytes
}

/// Waits until nothing of a process is left that holds a file.
async fn bury(workers: Workers, disk: &Disk) {
    let tasks = std::mem::take(&mut *workers.lock().unwrap_or_else(PoisonError::into_inner));
    for task in tasks {
        task.abort();
        let _ = task.await; // aborted, or ended by itself
    }
    gone(disk).await;
}

/// Work of a dead process on other threads ends by itself: it takes real time, of which virtual time knows nothing.
pub(crate) async fn gone(disk: &Disk) {
    let pause = Duration::from_millis(1);
    let mut waited = Duration::ZERO;
    while disk.open_files() > 0 {
        assert!(waited < REMAINS_MAX, "a dead process still holds {} files", disk.open_files());
        let look = move || std::thread::sleep(pause);
        let _ = tokio::task::spawn_blocking(look).await; // stops virtual time meanwhile
        waited += pause;
    }
}
