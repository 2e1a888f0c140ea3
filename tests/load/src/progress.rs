//! How far the seats are: a line on a terminal, plain lines elsewhere, events for an orchestrator. Never on stdout.

use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// Pause between two looks.
const LOOK_MS: u64 = 500;

/// Counters every seat moves on.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) enrolled: AtomicUsize,
    pub(crate) seated: AtomicUsize,
    /// Signed in, or failed for good.
    pub(crate) logins: AtomicUsize,
    pub(crate) logins_failed: AtomicUsize,
    pub(crate) papers: AtomicUsize,
    /// Everything answered.
    pub(crate) answered: AtomicUsize,
    /// Everything acknowledged.
    pub(crate) synced: AtomicUsize,
    pub(crate) handed_in: AtomicUsize,
    pub(crate) acked: Arc<AtomicU64>,
}

impl Progress {
    fn line(&self, seats: usize) -> String {
        let n = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let phases = [
            ("enrol", &self.enrolled),
            ("seat", &self.seated),
            ("sign in", &self.logins),
            ("paper open", &self.papers),
            ("answered", &self.answered),
            ("synced", &self.synced),
            ("handed in", &self.handed_in),
        ];
        let words: Vec<_> = phases.iter().map(|(name, counter)| format!("{name} {}/{seats}", n(counter))).collect();
        format!("{} · acked {}", words.join(" · "), self.acked.load(Ordering::Relaxed))
    }
}

/// Says how far `progress` is until `over` changes or is dropped, and then once more.
pub(crate) async fn show(progress: Arc<Progress>, seats: usize, events: bool, mut over: watch::Receiver<()>) {
    let terminal = std::io::stderr().is_terminal() && !events;
    let bar = terminal.then(ProgressBar::new_spinner);
    if let (Some(bar), Ok(style)) = (&bar, ProgressStyle::with_template("{spinner} {wide_msg}")) {
        bar.set_style(style);
    }
    let mut teller = Teller { seats, ready: false, synced: false, acked: 0 };
    let (mut last, mut looks, mut is_over) = (String::new(), 0_u64, false);
    loop {
        let line = progress.line(seats);
        if events {
            teller.tell(&progress);
        } else if let Some(bar) = &bar {
            bar.set_message(line);
            bar.tick();
        } else if (is_over || looks.is_multiple_of(1_000 / LOOK_MS)) && line != last {
            eprintln!("{line}");
            last = line;
        }
        if is_over {
            return bar.iter().for_each(ProgressBar::finish);
        }
        looks += 1;
        tokio::select! {
            _ = over.changed() => is_over = true,
            () = tokio::time::sleep(Duration::from_millis(LOOK_MS)) => {}
        }
    }
}

/// Tells each turn once.
struct Teller {
    seats: usize,
    ready: bool,
    synced: bool,
    acked: u64,
}

impl Teller {
    fn tell(&mut self, progress: &Progress) {
        let n = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        if !self.ready && n(&progress.logins) == self.seats {
            self.ready = true;
            let failed = n(&progress.logins_failed);
            eprintln!("{}", serde_json::json!({"event": "ready", "seats": self.seats - failed, "failed": failed}));
        }
        let acked = progress.acked.load(Ordering::Relaxed);
        if acked != self.acked {
            self.acked = acked;
            eprintln!("{}", serde_json::json!({"event": "acked", "n": acked}));
        }
        if !self.synced && n(&progress.synced) + n(&progress.logins_failed) >= self.seats {
            self.synced = true;
            eprintln!("{}", serde_json::json!({"event": "synced", "acked": acked}));
        }
    }
}
