//! The clerk: the one worker that owns the site and its journal. Takes what is waiting, decides and applies each in turn,
//! commits all their facts in one transaction, and only then lets replies and tells go (DESIGN §3).
//! Nobody ever hears of a fact that is not on disk.

use crate::{
    clock::{SiteClock, WallWatch},
    error_text,
    journal::Journal,
    workers::{Ended, on_thread},
};
use exam_protocol::{
    code::{ErrorCode, Refusal},
    time::Now,
};
use exam_room::{
    Ask, Fact, Reply, Site, Tell,
    rules::{ending::Clock, numbers::WALL_JUMP_MS, wall_clock::ReadClocks},
};
use std::{collections::BTreeSet, time::Duration};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};

/// Asks that may wait; beyond it askers hear `Busy` and come again.
const WAITING_MAX: usize = 8_192;
/// Jobs of one transaction.
const BATCH_MAX: usize = 512;
/// Longest sleep: time may have something to say.
const WAKE_MAX: Duration = Duration::from_secs(1);
/// Pause before what time has to say is tried again on a disk that failed; asks are taken at once.
const SICK_PAUSE: Duration = Duration::from_millis(500);

/// Why an asker does not get what it wants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum No {
    /// A rule said no.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// The world failed.
    #[error(transparent)]
    Error(#[from] ErrorCode),
}

/// What the clerk hands to whoever passes tells on: the site as it stands on disk, and which machines must hear.
pub type Outbox = Box<dyn FnMut(&Site, Now, BTreeSet<Tell>) + Send>;

type Release = Box<dyn FnOnce(bool) + Send>;
type Look = Box<dyn FnOnce(Option<(&Site, Now)>) + Send>;

enum Job {
    Ask(Box<Ask>, oneshot::Sender<Result<Reply, No>>),
    /// Looks at the site as it is on disk after the batch; at nothing when the journal can be neither written nor read.
    Read(Look),
    /// Somebody must hear how things stand though nothing has changed.
    Tell(Tell),
    Stop(Box<Ask>),
}

/// A handle to the clerk; cheap to clone.
#[derive(Clone, Debug)]
pub struct Clerk {
    jobs: mpsc::Sender<Job>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Job::Ask(..) => "Ask",
            Job::Read(_) => "Read",
            Job::Tell(_) => "Tell",
            Job::Stop(_) => "Stop",
        })
    }
}

impl Clerk {
    /// The clerk and its work, for a worker to do: it ends after [`stop`](Self::stop), or when the journal can be neither
    /// written nor read. It blocks on the disk, so it has a thread to itself where others must not wait.
    pub fn new(
        journal: Journal,
        site: Site,
        clock: SiteClock,
        outbox: Outbox,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let wall = clock.wall_watch();
        let desk = Desk { journal, site, clock, wall, outbox, sick: false, lost: false };
        (Self { jobs }, desk.work(waiting))
    }

    /// Starts the clerk on a thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(journal: Journal, site: Site, clock: SiteClock, outbox: Outbox) -> std::io::Result<(Self, Ended)> {
        let (clerk, work) = Self::new(journal, site, clock, outbox);
        Ok((clerk, on_thread("clerk", Box::pin(work))?))
    }

    /// Asks, and returns when everything it caused is on disk.
    ///
    /// # Errors
    /// A rule's refusal, or `Busy` or `Storage`: then nothing has happened.
    pub async fn ask(&self, ask: impl Into<Ask>) -> Result<Reply, No> {
        let (reply, answer) = oneshot::channel();
        self.submit(Job::Ask(Box::new(ask.into()), reply))?;
        answer.await.unwrap_or(Err(No::Error(ErrorCode::Internal)))
    }

    /// Asks and does not wait for the answer: for what the shell has seen happen, from any thread, the clerk's own too.
    ///
    /// # Errors
    /// `Busy`: it was not taken.
    pub fn note(&self, ask: impl Into<Ask>) -> Result<(), No> {
        self.submit(Job::Ask(Box::new(ask.into()), oneshot::channel().0))
    }

    /// Looks at the site as it is on disk.
    ///
    /// # Errors
    /// `Busy`, or `Storage` when the journal can be neither written nor read. A disk that is merely full can still be looked at.
    pub async fn read<T: Send + 'static>(&self, look: impl FnOnce(&Site, Now) -> T + Send + 'static) -> Result<T, No> {
        let (reply, answer) = oneshot::channel();
        self.submit(Job::Read(Box::new(move |site| {
            let seen = site.map(|(site, now)| look(site, now));
            drop(reply.send(seen.ok_or(No::Error(ErrorCode::Storage))));
        })))?;
        answer.await.unwrap_or(Err(No::Error(ErrorCode::Internal)))
    }

    /// Has `tell` heard as things stand on disk once this is reached; whatever becomes of the asks beside it.
    ///
    /// # Errors
    /// `Busy`: then nobody will hear.
    pub fn tell(&self, tell: Tell) -> Result<(), No> {
        self.submit(Job::Tell(tell))
    }

    /// The last ask of this process; the work ends after it.
    pub async fn stop(&self, last: impl Into<Ask>) {
        drop(self.jobs.send(Job::Stop(Box::new(last.into()))).await);
    }

    fn submit(&self, job: Job) -> Result<(), No> {
        self.jobs.try_send(job).map_err(|e| match e {
            TrySendError::Full(_) => No::Error(ErrorCode::Busy),
            TrySendError::Closed(_) => No::Error(ErrorCode::Internal),
        })
    }
}

/// The clerk's desk: everything the worker owns.
struct Desk {
    journal: Journal,
    site: Site,
    clock: SiteClock,
    wall: WallWatch,
    outbox: Outbox,
    sick: bool,
    lost: bool,
}

/// One transaction in the making.
#[derive(Default)]
struct Batch {
    facts: Vec<(Now, Fact)>,
    /// Who hears of the facts.
    tells: BTreeSet<Tell>,
    /// Who hears whether there are new facts or not.
    wanted: BTreeSet<Tell>,
    releases: Vec<Release>,
    /// Who looks at the site when the batch is through: what is seen is on disk, and a write that fails disturbs nobody who only asks.
    looks: Vec<Look>,
}

impl Batch {
    /// Jobs in it.
    fn len(&self) -> usize {
        self.releases.len() + self.looks.len() + self.wanted.len()
    }
}

impl Desk {
    async fn work(mut self, mut waiting: mpsc::Receiver<Job>) {
        loop {
            let mut batch = Batch::default();
            self.stage_clock(&mut batch);
            let wall = self.stage_wall(&mut batch);
            let mut stopping = false;
            match tokio::time::timeout(self.until_wake(), waiting.recv()).await {
                Ok(Some(job)) => stopping |= self.stage(job, &mut batch),
                Ok(None) => stopping = true,
                Err(_) => {} // time may have something to say
            }
            while !stopping && batch.len() < BATCH_MAX {
                match waiting.try_recv() {
                    Ok(job) => stopping |= self.stage(job, &mut batch),
                    Err(_) => break,
                }
            }
            if self.commit(batch) {
                self.wall = wall; // else the jump is seen, and recorded, again
            }
            if stopping || self.lost {
                break;
            }
        }
        if let Err(error) = self.journal.close() {
            tracing::warn!(error = %error_text(&error), "the journal could not be folded; the next start does it");
        }
    }

    fn until_wake(&self) -> Duration {
        if self.sick {
            return SICK_PAUSE;
        }
        let now = self.now().at;
        self.site.next_wake().map_or(WAKE_MAX, |wake| Duration::from_millis(wake.since(now))).min(WAKE_MAX)
    }

    /// Now, never before the last fact.
    fn now(&self) -> Now {
        let now = self.clock.now();
        Now { at: now.at.max(self.site.latest), wall: now.wall }
    }

    /// Whether the clerk has to stop after this batch.
    fn stage(&mut self, job: Job, batch: &mut Batch) -> bool {
        match job {
            Job::Ask(ask, reply) => {
                let result = self.judge(&ask, batch).map_err(No::Refusal);
                batch.releases.push(Box::new(move |kept| {
                    drop(reply.send(if kept { result } else { Err(No::Error(ErrorCode::Storage)) }));
                }));
                false
            }
            Job::Read(look) => {
                batch.looks.push(look);
                false
            }
            Job::Tell(tell) => {
                batch.wanted.insert(tell);
                false
            }
            Job::Stop(last) => {
                drop(self.judge(&last, batch));
                true
            }
        }
    }

    fn stage_clock(&mut self, batch: &mut Batch) {
        let now = self.now();
        if self.site.next_wake().is_some_and(|wake| now.at >= wake) {
            drop(self.judge(&Ask::Clock(Clock), batch));
        }
    }

    /// Looks at both clocks: that wall time has jumped is recorded, and in a quiet sitting that time went on.
    fn stage_wall(&mut self, batch: &mut Batch) -> WallWatch {
        let (by_ms, seen) = self.wall.look(self.clock.now());
        let before = batch.facts.len();
        drop(self.judge(&Ask::ReadClocks(ReadClocks { by_ms }), batch));
        if batch.facts.len() > before && by_ms.unsigned_abs() > WALL_JUMP_MS {
            tracing::warn!(by_ms, "the wall clock jumped; nobody's time changes, but look at the server's clock");
        }
        seen
    }

    fn judge(&mut self, ask: &Ask, batch: &mut Batch) -> Result<Reply, Refusal> {
        let now = self.now();
        match self.site.decide(now, ask) {
            Ok(facts) => {
                self.take(now, facts, batch);
                Ok(self.site.reply(ask))
            }
            Err(refusal) => {
                let trace = self.site.trace(now, ask, &refusal);
                self.take(now, trace, batch);
                Err(refusal)
            }
        }
    }

    fn take(&mut self, now: Now, facts: Vec<Fact>, batch: &mut Batch) {
        for fact in facts {
            self.site.apply(now, &fact);
            batch.tells.extend(self.site.tell(&fact));
            batch.facts.push((now, fact));
        }
    }

    /// On disk first; then, and only then, everybody hears.
    fn commit(&mut self, batch: Batch) -> bool {
        let Batch { facts, mut tells, mut wanted, releases, looks } = batch;
        let kept = facts.is_empty() || self.append(&facts);
        if kept {
            wanted.append(&mut tells);
        }
        if !wanted.is_empty() && !self.lost {
            let now = self.now();
            (self.outbox)(&self.site, now, wanted);
        }
        releases.into_iter().for_each(|release| release(kept));
        let seen = (!self.lost).then(|| (&self.site, self.now()));
        looks.into_iter().for_each(|look| look(seen));
        kept
    }

    fn append(&mut self, facts: &[(Now, Fact)]) -> bool {
        match self.journal.append(facts) {
            Ok(()) => {
                if std::mem::take(&mut self.sick) {
                    tracing::warn!("the journal can be written again");
                }
                true
            }
            Err(error) => {
                tracing::error!(error = %error_text(&error), facts = facts.len(), "the journal cannot be written: nothing was acknowledged");
                self.sick = true;
                self.rebuild();
                false
            }
        }
    }

    /// Memory is ahead of the disk: go back to what the disk says.
    fn rebuild(&mut self) {
        match self.journal.rebuild() {
            Ok(site) => self.site = site,
            // Going on with memory that the disk contradicts would acknowledge lies: the process ends, and the next
            // start reads the disk again. Seats keep their own journals meanwhile.
            Err(error) => {
                tracing::error!(error = %error_text(&error), "the journal can be neither written nor read: the server stops");
                self.lost = true;
            }
        }
    }
}
