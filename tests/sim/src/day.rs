//! A day in the room: everything is set up and switched on, lives through its script, heals, ends, and is read back from where it
//! lies. Never judges: that is the checkers' business.

use crate::{
    candidate::{Candidate, Machines},
    check::{self, Evidence, Fault, Timeline},
    chronicle::{Chronicle, Glance},
    dice::Dice,
    model::{Model, Told},
    net::Net,
    plant::Plant,
    run::Plan,
    script::{DOOR_AT, START_AT, Script},
    seat::{Room, SeatMachine},
    server::{Fall, Front, Parts, ServerMachine, WALL_BEGAN_MS},
    site::{SITTING_MIN, SPARES, Site, server_addr},
    staff::Staff,
    steps::World,
};
use anyhow::{Context, Result};
use exam_protocol::message::admin::BundleReady;
use exam_room::{Fact, rules::founding::ServerEvent};
use exam_sealed::bundle;
use exam_server::journal::JournalReader;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Mutex, task::JoinHandle, time::sleep};

/// How often the screens are looked at.
const GLANCE_EVERY: Duration = Duration::from_secs(1);
/// How long after the healing clocks must be right.
const SETTLED_AFTER_MS: u64 = 6_000;
/// Longest wait for seats to be synced, milliseconds: far beyond what is promised, so that the report can say how late.
const SYNC_WAIT_MS_MAX: u64 = 90_000;
/// Candidates go on typing so long after the end: none of it may count.
const TYPED_ON: Duration = Duration::from_secs(5);
/// A sitting that lasts so long after the healing has no end, milliseconds.
const END_WAIT_MS_MAX: u64 = 3_600_000;

/// A room with everything in it.
pub(crate) struct Day<F> {
    pub(crate) site: Arc<Site>,
    pub(crate) net: Net,
    pub(crate) server: Mutex<ServerMachine<F>>,
    pub(crate) machines: Machines,
    pub(crate) places: Vec<Arc<AtomicUsize>>,
    pub(crate) staff: Staff,
    pub(crate) chronicle: Chronicle,
    pub(crate) timeline: std::sync::Mutex<Vec<Timeline>>,
    /// What went wrong on the way.
    pub(crate) faults: std::sync::Mutex<Vec<Fault>>,
    hold: Arc<AtomicBool>,
    healed_at: std::sync::Mutex<Option<u64>>,
}

pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

pub(crate) async fn sleep_until(chronicle: &Chronicle, at: u64) {
    sleep(Duration::from_millis(at.saturating_sub(chronicle.now()))).await;
}

impl<F: Front + Sync> Day<F> {
    pub(crate) fn set_up(site: &Arc<Site>, plan: &Plan, script: &Script, folder: &Path, front: F) -> Result<Self> {
        let dice = Dice::new(plan.seed);
        let data = folder.join("server");
        site.copy_server(&data)?;
        let (net, chronicle) = (Net::new(dice.fork("net", 0)), Chronicle::begin());
        let parts = Parts {
            folder: data,
            addr: server_addr(),
            net: net.clone(),
            dice: dice.fork("server", 0),
            slow_ms: script.server_slow_ms,
        };
        let server = ServerMachine::new(parts, front);
        if plan.plant == Some(Plant::LyingDisk) {
            server.disk().lie();
        }
        let room = Room {
            folder: folder.to_owned(),
            net: net.clone(),
            site: site.clone(),
            chronicle: chronicle.clone(),
            dice: dice.clone(),
            slow_ms: script.seat_slow_ms,
        };
        let machines = (0..site.seats + SPARES).map(|index| Mutex::new(SeatMachine::new(&room, index))).collect();
        let staff = Staff::at_console(site, &net, dice.fork("console", 0), chronicle.clone())?;
        Ok(Day {
            site: site.clone(),
            net,
            server: Mutex::new(server),
            machines: Arc::new(machines),
            places: (0..site.seats).map(|index| Arc::new(AtomicUsize::new(index))).collect(),
            staff,
            chronicle,
            timeline: std::sync::Mutex::default(),
            faults: std::sync::Mutex::default(),
            hold: Arc::default(),
            healed_at: std::sync::Mutex::default(),
        })
    }

    /// Everything is switched on, candidates come, the staff do what a day needs.
    pub(crate) async fn begin(self: &Arc<Self>, seed: u64) -> Result<Vec<JoinHandle<()>>> {
        let dice = Dice::new(seed);
        self.start_server(&mut *self.server.lock().await).await?;
        let mut people = Vec::new();
        for index in 0..self.machines.len() {
            let (day, mut dice) = (self.clone(), dice.fork("switch on", index as u64));
            people.push(tokio::spawn(async move {
                sleep(Duration::from_millis(dice.below(3_000))).await;
                let started = day.machines[index].lock().await.start().await;
                day.must("starting a seat", started);
            }));
        }
        for index in 0..self.site.seats {
            let candidate = Candidate {
                index,
                at: self.places[index].clone(),
                hold: self.hold.clone(),
                machines: self.machines.clone(),
                chronicle: self.chronicle.clone(),
                dice: dice.fork("candidate", index as u64),
            };
            people.push(tokio::spawn(candidate.sit()));
        }
        let day = self.clone();
        people.push(tokio::spawn(async move {
            sleep_until(&day.chronicle, DOOR_AT).await;
            day.must("opening the door", day.staff.open_door().await);
            sleep_until(&day.chronicle, START_AT).await;
            day.must("starting the sitting", day.staff.start().await);
            day.chronicle.note("staff: the sitting has started");
        }));
        Ok(people)
    }

    /// What must go well whatever happens.
    pub(crate) fn must<T>(&self, doing: &'static str, result: Result<T>) {
        if let Err(error) = result {
            lock(&self.faults).push(Fault { check: doing, what: format!("{error:#}") });
        }
    }

    /// Starts the server, keeps how its timeline goes on, and looks whether all that was acknowledged is in its journal.
    pub(crate) async fn start_server(&self, server: &mut ServerMachine<F>) -> Result<()> {
        let at = self.chronicle.now();
        server.start().await?;
        self.chronicle.note("the server is up");
        let facts = read_facts(server.folder())?;
        let started = |told: &Told| matches!(&told.fact, Fact::ServerNoted(f) if f.event == ServerEvent::Started);
        let index = facts.iter().rposition(started).context("a start is journalled")?;
        let offset = facts[index].now.at.0 as i64 - at as i64;
        let mut timeline = lock(&self.timeline);
        let doubtful = timeline.last().zip(facts[..index].last()).is_some_and(|(line, last)| {
            let then = last.now.wall.0 - WALL_BEGAN_MS - (last.now.at.0 as i64 - line.offset);
            then.abs_diff(server.clock().wrong_by()) > 10
        });
        timeline.push(Timeline { from: at, offset, doubtful });
        let kept = self.chronicle.lock().clone();
        let evidence = Evidence { facts, kept, ..Evidence::default() };
        lock(&self.faults).extend(check::check_only(&evidence, "no acknowledged answer is lost"));
        Ok(())
    }

    pub(crate) fn play(self: Arc<Self>, script: &Script) -> Vec<JoinHandle<()>> {
        let steps = script.steps.iter().cloned().map(|(at, step)| {
            let day = self.clone();
            tokio::spawn(async move {
                sleep_until(&day.chronicle, at).await;
                World(day).take(step).await;
            })
        });
        steps.collect()
    }

    /// All faults are over. Returns how long it took until everything was synced, and what was late.
    pub(crate) async fn heal(
        &self,
        steps: Vec<JoinHandle<()>>,
        plant: Option<Plant>,
    ) -> Result<(Option<u64>, Vec<String>)> {
        for step in steps {
            step.await.context("a step of the script")?;
        }
        self.hold.store(true, Ordering::SeqCst);
        if plant != Some(Plant::DeafNetwork) {
            self.net.heal();
        }
        {
            let mut server = self.server.lock().await;
            if server.ended_by_itself() {
                self.must("the server runs on", Err::<(), _>(anyhow::anyhow!("it ended by itself")));
                server.fall(Fall::Killed).await?;
            }
            match server.power() {
                Some(power) => power.set_full(false),
                None => self.start_server(&mut server).await?,
            }
        }
        for machine in self.machines.iter() {
            let mut machine = machine.lock().await;
            machine.set_full(false);
            machine.start().await?;
        }
        self.chronicle.note("everything is healed");
        let (healed, mut late) = (self.chronicle.now(), Vec::new());
        *lock(&self.healed_at) = Some(healed);
        let synced = self.synced(healed, &mut late).await;
        self.hold.store(false, Ordering::SeqCst);
        Ok((synced, late))
    }

    /// Waits until every seat shows that everything is saved; `late` becomes what was missing when it should have been.
    async fn synced(&self, since: u64, late: &mut Vec<String>) -> Option<u64> {
        loop {
            let waiting = self.unsynced().await;
            let passed = self.chronicle.now() - since;
            if waiting.is_empty() {
                return Some(passed);
            }
            tracing::debug!(passed, ?waiting);
            if late.is_empty() && passed > check::SYNCED_WITHIN_MS {
                *late = waiting;
            }
            if passed > SYNC_WAIT_MS_MAX {
                return None;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn unsynced(&self) -> Vec<String> {
        let mut waiting = Vec::new();
        for machine in self.machines.iter() {
            let machine = machine.lock().await;
            let Some(view) = machine.view() else { continue };
            let merged = view.candidate.is_none() || view.merge == exam_session::Merge::Done;
            let pending = view.hand_in == exam_session::HandInView::Pending;
            if !view.linked || view.unsaved > 0 || !merged || pending {
                let (linked, unsaved, screen) = (view.linked, view.unsaved, &view.screen);
                waiting.push(format!(
                    "desk {}: linked {linked}, unsaved {unsaved}, merged {merged}, hand-in pending {pending}, {screen:?}",
                    machine.index
                ));
            }
        }
        waiting
    }

    /// From the healing to the bundle: the sitting ends by its clock, everything arrives, and is exported before and after
    /// another restart.
    pub(crate) async fn finish(&self, seed: u64) -> Result<Vec<BundleReady>> {
        self.staff.tidy_up(seed.is_multiple_of(2)).await?;
        self.end().await?;
        sleep(TYPED_ON).await;
        self.hold.store(true, Ordering::SeqCst);
        let mut late = Vec::new();
        if self.synced(self.chronicle.now(), &mut late).await.is_none() {
            let never = anyhow::anyhow!("never; waiting: {}", late.join("; "));
            self.must("everything is synced after the end", Err::<(), _>(never));
        }
        let first = self.staff.export().await?;
        {
            let mut server = self.server.lock().await;
            server.fall(Fall::PowerCut).await?;
            self.chronicle.note("the server loses power after the export");
            self.start_server(&mut server).await?;
        }
        let second = self.staff.export().await?;
        Ok(vec![first, second])
    }

    /// Waits until the journal says that the sitting has ended.
    async fn end(&self) -> Result<()> {
        let healed = self.chronicle.now();
        loop {
            let mut model = Model::new(SITTING_MIN);
            read_facts(self.server.lock().await.folder())?.iter().for_each(|told| model.hear(told));
            if model.ended.is_some() {
                return Ok(());
            }
            if self.chronicle.now() > healed + END_WAIT_MS_MAX {
                self.must("the sitting ends by its clock", Err::<(), _>(anyhow::anyhow!("it had to be ended by hand")));
                return self.staff.end().await;
            }
            let last = model.attempts.values().map(|attempt| model.end(*attempt)).collect::<Option<Vec<_>>>();
            let offset = lock(&self.timeline).last().map_or(0, |line| line.offset);
            let ends = last.and_then(|ends| ends.into_iter().max()).map(|end| end.0.saturating_add_signed(-offset));
            let look = ends.map_or(0, |ends| ends + 1_000).max(self.chronicle.now() + 5_000);
            sleep_until(&self.chronicle, look).await;
        }
    }

    pub(crate) async fn look_around(self: Arc<Self>) {
        loop {
            sleep(GLANCE_EVERY).await;
            let healed_at = *lock(&self.healed_at);
            let up = self.server.lock().await.power().is_some();
            for machine in self.machines.iter() {
                let machine = machine.lock().await;
                let (Some(view), Some(candidate)) = (machine.view(), machine.candidate()) else { continue };
                if self.places[candidate].load(Ordering::SeqCst) != machine.index || !up {
                    continue;
                }
                let at = self.chronicle.now();
                let calm = healed_at.is_some_and(|healed| at > healed + SETTLED_AFTER_MS);
                let glance = Glance {
                    at,
                    desk: machine.index,
                    candidate,
                    screen: view.screen.clone(),
                    closed: view.closed,
                    left_ms: view.left_ms,
                    settled: calm && view.linked && !view.time_uncertain,
                };
                let on_seat = view.items.iter().filter(|item| item.saved == exam_session::Saved::OnSeat);
                let mut kept = self.chronicle.lock();
                kept.on_seat.extend(on_seat.map(|item| (machine.index, item.item.clone(), item.number)));
                kept.glances.push(glance);
            }
        }
    }

    /// Everything is switched off, and read back from where it lies.
    pub(crate) async fn collect(&self, exports: &[BundleReady]) -> Result<Evidence> {
        let mut evidence = Evidence {
            stations: self.site.machines.iter().map(|machine| machine.station.clone()).collect(),
            exports: exports.iter().map(|ready| ready.content).collect(),
            timeline: lock(&self.timeline).clone(),
            ..Evidence::default()
        };
        for machine in self.machines.iter() {
            let mut machine = machine.lock().await;
            machine.stop().await?;
            evidence.journals.insert(machine.index, machine.journal()?);
        }
        let mut server = self.server.lock().await;
        evidence.facts = read_facts(server.folder())?;
        server.stop().await?;
        if let Some(ready) = exports.last() {
            let sealed = std::fs::read(server.folder().join("bundles").join(ready.sealed.hex()))?;
            let zip = bundle::open(&sealed, &self.site.hq.identity_file)?;
            let report = bundle::verify(&zip, self.site.minisign(), &self.site.trust.public().site)?;
            evidence.bundle = report.attempts;
        }
        evidence.kept = self.chronicle.lock().clone();
        Ok(evidence)
    }
}

/// The journal of a data folder whose server runs.
pub(crate) fn read_facts(folder: &Path) -> Result<Vec<Told>> {
    let mut facts = Vec::new();
    JournalReader::open(folder)?.each(u64::MAX, |row| {
        facts.push(Told { seq: row.seq, now: row.now, fact: row.fact()? });
        Ok(())
    })?;
    Ok(facts)
}
