//! The steps of a script, done to the room. Each leaves the room as it found it when its time is over, except for what the
//! staff decided.

use crate::{
    day::Day,
    power::Power,
    script::Step,
    server::{Fall, Front},
    site::desk_ip,
    staff::Said,
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// A process that is to die in the middle of a disk operation dies without one after this.
const OPERATION_WAIT: Duration = Duration::from_secs(3);

/// The room, in the hands of fate.
pub(crate) struct World<F>(pub(crate) Arc<Day<F>>);

impl<F: Front + Sync> World<F> {
    /// Does one step to its end.
    pub(crate) async fn take(&self, step: Step) {
        let day = &*self.0;
        match step {
            Step::Weather(weather) => {
                day.chronicle.note(format!("weather: {weather:?}"));
                day.net.set_weather(weather);
            }
            Step::CutOff { desks, ms } => self.cut_off(desks, ms).await,
            Step::ServerFall { fall, in_operation, ms } => self.server_fall(fall, in_operation, ms).await,
            Step::SeatFall { desk, fall, in_operation, ms } => self.seat_fall(desk, fall, in_operation, ms).await,
            Step::ServerFull { ms } => self.server_full(ms).await,
            Step::SeatFull { desk, ms } => {
                day.chronicle.note(format!("the disk of desk {desk} is full for {ms} ms"));
                day.machines[desk].lock().await.set_full(true);
                sleep(Duration::from_millis(ms)).await;
                day.machines[desk].lock().await.set_full(false);
            }
            Step::WallWrong { by_ms } => {
                day.chronicle.note(format!("the server's wall clock is wrong by {by_ms} ms"));
                day.server.lock().await.clock().set_wrong_by(by_ms);
            }
            Step::Leave { desk, other, ms } => self.leave(desk, other, ms).await,
            Step::Swap { desk, spare, cut_off_ms } => self.swap(desk, spare, cut_off_ms).await,
            Step::Extend { desk, minutes } => {
                day.staff.extend(desk, minutes).await;
            }
            Step::Pause { desk, ms } => {
                day.staff.stop_clock(desk).await;
                sleep(Duration::from_millis(ms)).await;
                day.staff.run_clock(desk).await;
            }
        }
    }

    async fn cut_off(&self, desks: Vec<usize>, ms: u64) {
        let day = &*self.0;
        let desks = if desks.is_empty() { (0..day.machines.len()).collect() } else { desks };
        day.chronicle.note(format!("desks {desks:?} are cut off for {ms} ms"));
        desks.iter().for_each(|desk| day.net.cut_off(desk_ip(*desk), true));
        sleep(Duration::from_millis(ms)).await;
        desks.iter().for_each(|desk| day.net.cut_off(desk_ip(*desk), false));
    }

    async fn server_fall(&self, fall: Fall, in_operation: Option<u64>, ms: u64) {
        let day = &*self.0;
        let Some(power) = day.server.lock().await.power() else { return };
        dies(&power, in_operation).await;
        let mut server = day.server.lock().await;
        day.chronicle.note(format!("the server falls ({fall:?}), operation {in_operation:?}, for {ms} ms"));
        day.must("bringing the server down", server.fall(fall).await);
        drop(server);
        sleep(Duration::from_millis(ms)).await;
        let mut server = day.server.lock().await;
        if server.power().is_none() {
            day.must("the server starts again", day.start_server(&mut server).await);
        }
    }

    async fn seat_fall(&self, desk: usize, fall: Fall, in_operation: Option<u64>, ms: u64) {
        let day = &*self.0;
        let Some(power) = day.machines[desk].lock().await.power() else { return };
        dies(&power, in_operation).await;
        let mut machine = day.machines[desk].lock().await;
        day.chronicle.note(format!("desk {desk} falls ({fall:?}), operation {in_operation:?}, for {ms} ms"));
        day.must("bringing a seat down", machine.fall(fall).await);
        drop(machine);
        sleep(Duration::from_millis(ms)).await;
        day.must("a seat starts again", day.machines[desk].lock().await.start().await);
    }

    async fn server_full(&self, ms: u64) {
        let day = &*self.0;
        let Some(power) = day.server.lock().await.power() else { return };
        day.chronicle.note(format!("the server's disk is full for {ms} ms"));
        power.set_full(true);
        sleep(Duration::from_millis(ms)).await;
        power.set_full(false);
    }

    async fn leave(&self, desk: usize, other: usize, ms: u64) {
        let staff = &self.0.staff;
        if staff.leave(desk, true).await == Said::Yes && desk != other {
            staff.leave(other, true).await;
        }
        sleep(Duration::from_millis(ms)).await;
        staff.leave(desk, false).await;
    }

    /// The staff move a candidate; with no answer they look where the candidate is now.
    async fn swap(&self, desk: usize, spare: usize, cut_off_ms: u64) {
        let day = &*self.0;
        let Some(candidate) = day.machines[desk].lock().await.candidate() else { return };
        if cut_off_ms > 0 {
            day.chronicle.note(format!("desk {desk} is cut off for {cut_off_ms} ms, then swapped"));
            day.net.cut_off(desk_ip(desk), true);
            sleep(Duration::from_millis(cut_off_ms)).await;
        }
        let said = day.staff.swap(desk, spare).await;
        let moved = match said {
            Said::Yes => true,
            Said::No(_) => false,
            Said::Unknown => day.staff.at_desk(spare).await.is_some(),
        };
        if moved {
            day.machines[spare].lock().await.takes(candidate);
            day.places[candidate].store(spare, Ordering::SeqCst);
        }
        if cut_off_ms > 0 {
            day.net.cut_off(desk_ip(desk), false);
        }
    }
}

/// Waits for the disk operation in which a process is to die; one with nothing to write dies all the same.
async fn dies(power: &Power, in_operation: Option<u64>) {
    if let Some(operations) = in_operation {
        power.cut_after(operations);
        let _ = timeout(OPERATION_WAIT, power.is_cut()).await;
    }
}
