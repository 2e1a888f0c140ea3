//! The threads that touch the disk, shared by all seats of a process: they write what many seats wait for and sync file by
//! file. Never on a thread that serves the network, and never reports a record before it is durable.

use crate::journal::{Files, Journal, JournalError, Place, Recovery, SystemFiles};
use exam_link::private_file;
use exam_protocol::{
    ids::Sha256,
    message::candidate::PaperKey,
    paper::{Paper, SealedPaper},
};
use exam_session::{Lacking, OldVersion, Record};
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait for one thread; a seat has at most a few under way.
const JOBS_MAX: usize = 1_024;
/// Jobs taken at once: their writes go first, then their syncs, so that one sync of the system serves many.
const BATCH_MAX: usize = 64;
/// Largest sealed paper that is opened.
const SEALED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The result of an append; the journal comes back.
pub(crate) struct Appended {
    pub(crate) journal: Box<Journal>,
    pub(crate) result: io::Result<()>,
}

/// What was read back; the journal comes back.
pub(crate) struct ReadBack {
    pub(crate) journal: Box<Journal>,
    pub(crate) result: io::Result<(Vec<OldVersion>, bool)>,
}

pub(crate) type Opened = Result<(Box<Journal>, Vec<Record>, Recovery), JournalError>;

enum Job {
    Open { place: Place, reply: oneshot::Sender<Opened> },
    Append { journal: Box<Journal>, records: Vec<Record>, reply: oneshot::Sender<Appended> },
    ReadBack { journal: Box<Journal>, lacking: Lacking, reply: oneshot::Sender<ReadBack> },
    OpenPaper { path: PathBuf, sealed: SealedPaper, key: PaperKey, reply: oneshot::Sender<Result<Arc<Paper>, String>> },
    Check { path: PathBuf, hash: Sha256, reply: oneshot::Sender<bool> },
}

/// The disk threads of a process. They end when the last copy is gone.
#[derive(Clone, Debug)]
pub struct Disk {
    lanes: Arc<[Lane]>,
    next: Arc<AtomicUsize>,
}

/// One of the threads.
#[derive(Clone, Debug)]
pub(crate) struct Lane(mpsc::Sender<Job>);

impl Disk {
    /// Starts `threads` of them: one is enough for a seat, a few share the syncs of many.
    ///
    /// # Errors
    /// The system's, when there are no more threads.
    pub fn start(threads: usize) -> io::Result<Self> {
        let lanes = (0..threads.max(1)).map(|_| Lane::start()).collect::<io::Result<_>>()?;
        Ok(Self { lanes, next: Arc::default() })
    }

    /// One lane on `files`, and its work for whoever wants to do it elsewhere than on a thread. It ends with the last copy.
    pub fn on(files: Arc<dyn Files>) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (lane, jobs) = Lane::new();
        (Self { lanes: [lane].into(), next: Arc::default() }, work(files, jobs))
    }

    /// The thread of the next seat. A seat stays with its own, so that its records stay in order.
    pub(crate) fn lane(&self) -> Lane {
        self.lanes[self.next.fetch_add(1, Ordering::Relaxed) % self.lanes.len()].clone()
    }
}

impl Lane {
    fn new() -> (Lane, mpsc::Receiver<Job>) {
        let (send, jobs) = mpsc::channel(JOBS_MAX);
        (Lane(send), jobs)
    }

    fn start() -> io::Result<Lane> {
        let (lane, jobs) = Lane::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let work = work(Arc::new(SystemFiles), jobs);
        std::thread::Builder::new().name("seat-disk".into()).spawn(move || runtime.block_on(work))?;
        Ok(lane)
    }

    /// Opens a journal; none when the process is ending.
    pub(crate) async fn open(&self, place: Place) -> Option<Opened> {
        self.ask(|reply| Job::Open { place, reply }).await
    }

    /// Appends records and makes them durable; none when the process is ending.
    pub(crate) async fn append(&self, journal: Box<Journal>, records: Vec<Record>) -> Option<Appended> {
        self.ask(|reply| Job::Append { journal, records, reply }).await
    }

    /// Reads versions back from a journal; none when the process is ending.
    pub(crate) async fn read_back(&self, journal: Box<Journal>, lacking: Lacking) -> Option<ReadBack> {
        self.ask(|reply| Job::ReadBack { journal, lacking, reply }).await
    }

    /// Opens a sealed paper in memory.
    pub(crate) async fn open_paper(
        &self,
        path: PathBuf,
        sealed: SealedPaper,
        key: PaperKey,
    ) -> Result<Arc<Paper>, String> {
        let opened = self.ask(|reply| Job::OpenPaper { path, sealed, key, reply }).await;
        opened.unwrap_or_else(|| Err("the app is ending".to_owned()))
    }

    /// Whether the file holds the bytes of this hash.
    pub(crate) async fn holds(&self, path: PathBuf, hash: Sha256) -> bool {
        self.ask(|reply| Job::Check { path, hash, reply }).await.unwrap_or(false)
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.0.send(job(reply)).await.ok()?;
        answer.await.ok()
    }
}

async fn work(files: Arc<dyn Files>, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while jobs.recv_many(&mut batch, BATCH_MAX).await > 0 {
        // Whoever asked may be gone; then nobody wants the answer.
        let mut written = Vec::new();
        for job in batch.drain(..) {
            match job {
                Job::Open { place, reply } => {
                    let opened = Journal::open_on(&*files, place);
                    let _ =
                        reply.send(opened.map(|(journal, records, recovery)| (Box::new(journal), records, recovery)));
                }
                Job::Append { mut journal, records, reply } => {
                    let result = journal.write(&records);
                    written.push((journal, reply, result));
                }
                Job::ReadBack { mut journal, lacking, reply } => {
                    let result = journal.read_again().map(|records| lacking.pick(&records));
                    let _ = reply.send(ReadBack { journal, result });
                }
                Job::OpenPaper { path, sealed, key, reply } => {
                    let _ = reply.send(open_paper(&path, &sealed, &key));
                }
                Job::Check { path, hash, reply } => {
                    let bytes = private_file::read_limited(&path, SEALED_BYTES_MAX);
                    let _ = reply.send(bytes.is_ok_and(|bytes| Sha256::of(&bytes) == hash));
                }
            }
        }
        for (mut journal, reply, result) in written {
            let result = result.and_then(|()| journal.sync());
            let _ = reply.send(Appended { journal, result });
        }
    }
}

fn open_paper(path: &std::path::Path, sealed: &SealedPaper, key: &PaperKey) -> Result<Arc<Paper>, String> {
    let bytes = private_file::read_limited(path, SEALED_BYTES_MAX)
        .map_err(|e| format!("the sealed paper cannot be read: {e}"))?;
    if Sha256::of(&bytes) != sealed.hash {
        return Err("the sealed paper on this disk has changed: it is fetched again".to_owned());
    }
    let paper = exam_sealed::paper::open_paper(&bytes, &key.secret).map_err(|e| e.to_string())?;
    if paper.id != key.paper {
        return Err("the sealed paper is another one than was released".to_owned());
    }
    Ok(Arc::new(paper))
}
