//! One run: a site, a script, a day in the room, what is left of it as evidence, and what the checkers say of it. Never changes
//! anything in the day it runs.

use crate::{
    check::{self, Evidence, Fault},
    day::{Day, lock, read_facts, sleep_until},
    net::Traffic,
    outcome,
    plant::{Breaker, Plant},
    runtime::runtime,
    script::Script,
    server::{Front, Open},
    site::{Site, scratch},
};
use anyhow::{Context, Result};
use serde::Serialize;
use std::{
    sync::{
        Arc, Once,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Draws the script and every chance.
    pub seed: u64,
    /// A planted fault, for negative controls.
    pub plant: Option<Plant>,
    /// Another script than the seed's.
    pub script: Option<Script>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Hash of everything that must be the same in every run of the seed.
    pub hash: String,
    /// What must not be.
    pub faults: Vec<Fault>,
    /// What was drawn.
    pub script: Script,
    /// Figures.
    pub figures: Figures,
    /// What is left of it, for whoever looks into a failure.
    #[serde(skip)]
    pub evidence: Evidence,
    /// What the hash is over.
    #[serde(skip)]
    pub lines: Vec<String>,
}

/// Counts of a run.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Figures {
    pub facts: usize,
    pub typed: u64,
    pub acked: usize,
    pub shown_on_seat: usize,
    pub server_starts: usize,
    pub synced_after_ms: Option<u64>,
    pub virtual_ms: u64,
    pub traffic: Traffic,
}

/// Runs one seed. To be called without a runtime around.
///
/// # Errors
/// The simulator itself could not go on; what the product does wrong is in the outcome.
pub fn run(site: &Arc<Site>, plan: &Plan) -> Result<Outcome> {
    let (runtime, panics) = (runtime()?, panics());
    let mut outcome = match plan.plant {
        None => runtime.block_on(day(site, plan, Open)),
        Some(plant) => runtime.block_on(day(site, plan, Breaker::new(plant))),
    };
    runtime.shutdown_timeout(Duration::from_secs(10));
    let panicked = self::panics() - panics;
    if let (Ok(outcome), 1..) = (&mut outcome, panicked) {
        outcome.faults.push(Fault { check: "nothing panics", what: format!("{panicked} panics, see above") });
    }
    outcome.with_context(|| format!("seed {}", plan.seed))
}

/// Panics of this process so far: a task that dies of one is seen by nobody else.
fn panics() -> u64 {
    static PANICS: AtomicU64 = AtomicU64::new(0);
    static COUNTED: Once = Once::new();
    COUNTED.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            told(panic);
        }));
    });
    PANICS.load(Ordering::SeqCst)
}

async fn day<F: Front + Sync>(site: &Arc<Site>, plan: &Plan, front: F) -> Result<Outcome> {
    let script = plan.script.clone().unwrap_or_else(|| Script::draw(plan.seed, site.seats));
    let folder = scratch()?;
    let day = Arc::new(Day::set_up(site, plan, &script, folder.path(), front)?);
    let carrying = tokio::spawn(day.net.clone().carry());
    let before = read_facts(day.server.lock().await.folder())?.len();
    let mut people = day.begin(plan.seed).await?;
    people.push(tokio::spawn(day.clone().look_around()));

    let steps = day.clone().play(&script);
    sleep_until(&day.chronicle, script.heal_at).await;
    let (synced_after_ms, unsynced) = day.heal(steps, plan.plant).await?;
    let exports = if synced_after_ms.is_some() { day.finish(plan.seed).await? } else { Vec::new() };
    people.into_iter().for_each(|task| task.abort());

    let mut evidence = day.collect(&exports).await?;
    (evidence.synced_after_ms, evidence.unsynced) = (synced_after_ms, unsynced);
    carrying.abort();
    let mut faults = std::mem::take(&mut *lock(&day.faults));
    faults.extend(check::check(&evidence));
    let lines = outcome::lines(&evidence, before);
    let figures = Figures {
        facts: evidence.facts.len() - before,
        typed: evidence.kept.typed,
        acked: evidence.kept.acked.len(),
        shown_on_seat: evidence.kept.on_seat.len(),
        server_starts: evidence.timeline.len(),
        synced_after_ms,
        virtual_ms: day.chronicle.now(),
        traffic: day.net.traffic(),
    };
    let hash = outcome::hash(&lines);
    Ok(Outcome { seed: plan.seed, hash, faults, script, figures, evidence, lines })
}

impl Outcome {
    /// What happened, in order.
    pub fn story(&self) -> String {
        let events: Vec<_> = self.evidence.kept.events.iter().map(ToString::to_string).collect();
        events.join("\n")
    }
}
