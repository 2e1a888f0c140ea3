//! Whether a process on a simulated machine is alive. Everything it touches (files, sockets) asks here first, so that a dead
//! process neither writes nor speaks, whatever its remains still do in memory.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use tokio::sync::Notify;

/// The life of one process. Clones share it.
#[derive(Clone, Debug)]
pub struct Power {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    on: AtomicBool,
    /// Disk operations until the cut; zero: no cut is planned.
    fuse: AtomicU64,
    full: AtomicBool,
    cut: Notify,
}

impl Default for Power {
    fn default() -> Self {
        let (on, fuse, full) = (AtomicBool::new(true), AtomicU64::new(0), AtomicBool::new(false));
        Self { inner: Arc::new(Inner { on, fuse, full, cut: Notify::new() }) }
    }
}

impl Power {
    /// Whether the process lives.
    pub fn is_on(&self) -> bool {
        self.inner.on.load(Ordering::SeqCst)
    }

    /// Ends it now.
    pub fn cut(&self) {
        self.inner.on.store(false, Ordering::SeqCst);
        self.inner.cut.notify_one();
    }

    /// Ends it in the middle of the `operations`-th disk operation from now.
    pub fn cut_after(&self, operations: u64) {
        self.inner.fuse.store(operations.max(1), Ordering::SeqCst);
    }

    /// Resolves when it has ended.
    pub async fn is_cut(&self) {
        while self.is_on() {
            self.inner.cut.notified().await;
        }
    }

    /// A disk that takes nothing more, or takes again.
    pub fn set_full(&self, full: bool) {
        self.inner.full.store(full, Ordering::SeqCst);
    }

    /// Whether the disk takes nothing more.
    pub fn is_full(&self) -> bool {
        self.inner.full.load(Ordering::SeqCst)
    }

    /// One more disk operation begins. False when the process did not live to see it.
    pub(crate) fn operate(&self) -> bool {
        let burnt = self.inner.fuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if burnt == Ok(1) {
            self.cut();
        }
        self.is_on()
    }
}
