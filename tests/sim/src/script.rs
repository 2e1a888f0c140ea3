//! What a seed draws: how faulty the world is, what fails when, and what the staff do. Never draws anything twice: the same
//! seed and number of seats give the same script.

use crate::{
    dice::Dice,
    net::Weather,
    server::Fall,
    site::{SITTING_MIN, SPARES},
};
use exam_protocol::time::{minutes, seconds};
use serde::Serialize;

/// The door opens, milliseconds of the run.
pub const DOOR_AT: u64 = seconds(2);
/// The sitting starts.
pub const START_AT: u64 = seconds(30);
/// When it would end if nothing happened.
pub const PLANNED_END: u64 = START_AT + minutes(SITTING_MIN as u64);
/// P6: wall clocks jump by up to so much.
const WALL_JUMP_MS_MAX: u64 = minutes(24 * 60);
/// A jump while the machine is off must not look like the time it was off (DESIGN §5): smaller ones are believed.
const WALL_JUMP_MS_MIN: u64 = minutes(61);
/// Time a seat or all may be paused, and a candidate away.
const PAUSE_MS_MAX: u64 = seconds(60);

/// P4: a network may be away so long.
const OUTAGE_MS_MAX: u64 = minutes(180);

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Step {
    /// From now on the network is like this.
    Weather(Weather),
    /// These desks, or all, are cut off for so long.
    CutOff {
        /// Which; all if empty.
        desks: Vec<usize>,
        /// How long.
        ms: u64,
    },
    /// The server goes down, at once or in the middle of a disk operation, and comes back.
    ServerFall {
        /// How.
        fall: Fall,
        /// In the middle of this disk operation from now.
        in_operation: Option<u64>,
        /// Away for so long.
        ms: u64,
    },
    /// A seat goes down, at once or in the middle of a disk operation, and comes back.
    SeatFall {
        /// Which.
        desk: usize,
        /// How.
        fall: Fall,
        /// In the middle of this disk operation from now.
        in_operation: Option<u64>,
        /// Away for so long.
        ms: u64,
    },
    /// The server's disk takes nothing for so long.
    ServerFull {
        /// How long.
        ms: u64,
    },
    /// A seat's disk takes nothing for so long.
    SeatFull {
        /// Which.
        desk: usize,
        /// How long.
        ms: u64,
    },
    /// The server's wall clock is wrong by so much from now on.
    WallWrong {
        /// By how much.
        by_ms: i64,
    },
    /// A candidate goes out, somebody else wants to, the candidate comes back.
    Leave {
        /// Who goes.
        desk: usize,
        /// Who may not.
        other: usize,
        /// Out for so long.
        ms: u64,
    },
    /// A candidate moves to a spare machine; the old one stays on, cut off or not.
    Swap {
        /// From here.
        desk: usize,
        /// To here.
        spare: usize,
        /// The old machine was cut off for so long before.
        cut_off_ms: u64,
    },
    /// Minutes are granted.
    Extend {
        /// To whom; all if none.
        desk: Option<usize>,
        /// How many.
        minutes: u32,
    },
    /// The clock stands still for so long.
    Pause {
        /// Whose; everybody's if none.
        desk: Option<usize>,
        /// How long.
        ms: u64,
    },
}

/// A whole day, as drawn.
#[derive(Clone, Debug, Serialize)]
pub struct Script {
    /// How faulty the world is, in thousandths.
    pub faulty: u64,
    /// How long the server's disk may take, milliseconds.
    pub server_slow_ms: u64,
    /// How long seats' disks may take, milliseconds.
    pub seat_slow_ms: u64,
    /// What happens, in order.
    pub steps: Vec<(u64, Step)>,
    /// When all faults are over.
    pub heal_at: u64,
}

impl Script {
    /// What `seed` draws for a room of so many seats.
    pub fn draw(seed: u64, seats: usize) -> Self {
        let mut dice = Dice::new(seed).fork("script", 0);
        let faulty = if dice.chance(100) { 0 } else { dice.between(100, 1_000) };
        let heal_at = match dice.chance(500) {
            true => dice.between(seconds(120), PLANNED_END - seconds(60)),
            false => dice.between(PLANNED_END + seconds(5), PLANNED_END + minutes(2)),
        };
        let mut long = Dice::new(seed).fork("long outage", 0);
        let away_ms = if faulty > 0 && long.chance(40) { long.between(minutes(5), OUTAGE_MS_MAX) } else { 0 };
        let heal_at = heal_at + away_ms;
        let server_slow_ms = *dice.one_of(&[0, 0, 3, 20]);
        let seat_slow_ms = *dice.one_of(&[0, 0, 3, 30]);
        let mut drawing = Drawing { dice, faulty, seats: seats as u64, heal_at, steps: Vec::new() };
        drawing.weather();
        if away_ms > 0 {
            let desks = if long.chance(500) { Vec::new() } else { vec![long.below(seats as u64) as usize] };
            drawing.steps.push((heal_at - away_ms, Step::CutOff { desks, ms: away_ms }));
        }
        drawing.outages();
        drawing.falls();
        drawing.disks_and_clocks();
        drawing.staff();
        let mut steps = drawing.steps;
        steps.sort_by_key(|(at, _)| *at);
        Self { faulty, server_slow_ms, seat_slow_ms, steps, heal_at }
    }
}

struct Drawing {
    dice: Dice,
    faulty: u64,
    seats: u64,
    heal_at: u64,
    steps: Vec<(u64, Step)>,
}

impl Drawing {
    /// Up to `most` in the faultiest of worlds.
    fn count(&mut self, most: u64) -> u64 {
        let most = (most * self.faulty).div_ceil(1_000);
        if self.faulty == 0 { 0 } else { self.dice.below(most + 1) }
    }

    /// A moment, and how long what begins there may last.
    fn moment(&mut self, least: u64, longest_ms: u64) -> (u64, u64) {
        let at = self.dice.between(least, self.heal_at - seconds(6));
        let rest = self.heal_at - at;
        let to_the_end = rest <= longest_ms && self.dice.chance(300);
        let ms = if to_the_end { rest } else { self.dice.between(200, longest_ms).min(rest) };
        (at, ms)
    }

    fn desk(&mut self) -> usize {
        self.dice.below(self.seats) as usize
    }

    fn fall(&mut self) -> Fall {
        *self.dice.one_of(&[Fall::Killed, Fall::PowerCut])
    }

    fn weather(&mut self) {
        let share = |dice: &mut Dice, most: u64, faulty: u64| dice.below(most * faulty / 1_000 + 1);
        for _ in 0..self.dice.between(1, 3) {
            let (faulty, at) = (self.faulty, self.dice.between(0, self.heal_at - seconds(6)));
            let dice = &mut self.dice;
            let weather = Weather {
                loss: share(dice, 300, faulty),
                twice: share(dice, 500, faulty),
                flipped: share(dice, 20, faulty),
                late: share(dice, 300, faulty),
                delay_ms: 1 + share(dice, 30, faulty),
            };
            self.steps.push((at, Step::Weather(weather)));
        }
    }

    fn outages(&mut self) {
        for _ in 0..self.count(4) {
            let desks: Vec<usize> = match self.dice.chance(300) {
                true => Vec::new(),
                false => (0..self.dice.between(1, 3)).map(|_| self.desk()).collect(),
            };
            let longest = *self.dice.one_of(&[seconds(3), seconds(28), seconds(40), minutes(4)]);
            let (at, ms) = self.moment(seconds(3), longest);
            self.steps.push((at, Step::CutOff { desks, ms }));
        }
    }

    fn falls(&mut self) {
        for _ in 0..self.count(4) {
            let (at, ms) = self.moment(seconds(3), seconds(40));
            let in_operation = self.dice.chance(600).then(|| self.dice.between(1, 40));
            let fall = self.fall();
            self.steps.push((at, Step::ServerFall { fall, in_operation, ms }));
        }
        for _ in 0..self.count(2 + self.seats / 2) {
            let (at, ms) = self.moment(seconds(3), seconds(60));
            let (desk, fall) = (self.desk(), self.fall());
            let in_operation = self.dice.chance(600).then(|| self.dice.between(1, 6));
            self.steps.push((at, Step::SeatFall { desk, fall, in_operation, ms }));
        }
    }

    fn disks_and_clocks(&mut self) {
        for _ in 0..self.count(2) {
            let (at, ms) = self.moment(START_AT, seconds(20));
            self.steps.push((at, Step::ServerFull { ms }));
        }
        for _ in 0..self.count(2) {
            let (at, ms) = self.moment(START_AT, seconds(40));
            let desk = self.desk();
            self.steps.push((at, Step::SeatFull { desk, ms }));
        }
        for _ in 0..self.count(3) {
            let (at, _) = self.moment(seconds(3), seconds(1));
            let by = self.dice.between(WALL_JUMP_MS_MIN, WALL_JUMP_MS_MAX) as i64;
            let by_ms = if self.dice.chance(500) { by } else { -by };
            self.steps.push((at, Step::WallWrong { by_ms }));
        }
    }

    fn staff(&mut self) {
        let from = START_AT + seconds(10);
        for _ in 0..self.dice.below(3) {
            let (at, ms) = self.moment(from, PAUSE_MS_MAX);
            let (desk, other) = (self.desk(), self.desk());
            self.steps.push((at, Step::Leave { desk, other, ms }));
        }
        for _ in 0..self.dice.below(3) {
            let (at, ms) = self.moment(from, PAUSE_MS_MAX);
            let desk = self.dice.chance(600).then(|| self.desk());
            self.steps.push((at, Step::Pause { desk, ms }));
        }
        for _ in 0..self.dice.below(3) {
            let (at, _) = self.moment(from, seconds(1));
            let (desk, minutes) = (self.dice.chance(600).then(|| self.desk()), self.dice.between(1, 2) as u32);
            self.steps.push((at, Step::Extend { desk, minutes }));
        }
        for spare in 0..self.dice.below(SPARES as u64 + 1) {
            let (at, _) = self.moment(from, seconds(1));
            let cut_off_ms = if self.dice.chance(500) { self.dice.between(1_000, seconds(20)) } else { 0 };
            let (desk, spare) = (self.desk(), (self.seats + spare) as usize);
            self.steps.push((at, Step::Swap { desk, spare, cut_off_ms }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_one_script_and_another_seed_another() {
        let drawn = |seed| serde_json::to_string(&Script::draw(seed, 8)).unwrap();
        assert_eq!(drawn(4), drawn(4));
        assert_ne!(drawn(4), drawn(5));
    }

    #[test]
    fn in_a_hundred_seeds_everything_happens_and_nothing_after_the_healing() {
        let scripts: Vec<_> = (0..100).map(|seed| Script::draw(seed, 8)).collect();
        for script in &scripts {
            assert!(script.steps.iter().all(|(at, _)| *at < script.heal_at), "{script:?}");
        }
        let text = serde_json::to_string(&scripts).unwrap();
        for word in ["CutOff", "PowerCut", "Killed", "SeatFall", "ServerFull", "SeatFull", "WallWrong", "Leave", "Swap"]
        {
            assert!(text.contains(word), "{word} is never drawn");
        }
        assert!(scripts.iter().any(|script| script.faulty == 0), "quiet days happen too");
    }
}
