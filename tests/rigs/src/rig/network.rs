//! The network between server and seats loses, doubles, chokes, hears one way only, and is pulled, also while seats are killed and started
//! again (P4, P3). When it is whole again everything typed meanwhile must be on the server within 5 s, and nobody does anything for
//! that. Control: while it is pulled nothing may be acknowledged, and a network that stays pulled must be told from one that came back.

use super::goes_on;
use crate::{
    acks::now_ms,
    chance::Chance,
    report::{Report, Times},
    room::{Given, Room},
    wire::{Way, Weather, Wire},
};
use anyhow::{Result, bail};
use std::{
    thread,
    time::{Duration, Instant},
};

/// P4: everything is synced so long after the network is whole again, milliseconds.
const SYNCED_MS: u64 = 5_000;
/// P3: saves on a good network, and with one packet of ten lost each way: almost all of them within this, milliseconds.
const GOOD_P99_MS: u64 = 250;
const LOSSY_P99_MS: u64 = 1_000;
const LOSSY_OF_THOUSAND: u64 = 100;
/// How long each of those is looked at.
const STRETCH: Duration = Duration::from_secs(6);
/// What was on its way when the cable was pulled has arrived after this.
const SETTLED: Duration = Duration::from_millis(500);

/// What happens to the network in one round.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// The cable is pulled; seats may be killed and started again meanwhile.
    Pulled { restart: bool },
    /// One direction only is silent.
    OneWay(Way),
    /// Packets are lost and doubled.
    Lossy { lost: u64, doubled: u64 },
    /// A bottleneck, with losses.
    Choked { kbit: u64, lost: u64 },
}

impl Trouble {
    /// Every sort in turn, the rest by chance. For how long: a second at least, 20 when pulled and 8 otherwise at most, and rather short than
    /// long, so that a run sees many.
    fn draw(chance: &mut Chance, round: u64) -> (Self, Duration) {
        let trouble = match round % 5 {
            0 => Trouble::Choked { kbit: 1_000 + chance.below(9_000), lost: chance.below(101) },
            1 => Trouble::Pulled { restart: false },
            2 => Trouble::Lossy { lost: chance.below(301), doubled: chance.below(501) },
            3 => Trouble::Pulled { restart: true },
            _ => Trouble::OneWay(if chance.below(2) == 0 { Way::ToServer } else { Way::ToSeats }),
        };
        let most = if matches!(trouble, Trouble::Pulled { .. }) { 20_000 } else { 8_000 };
        let longest = chance.below(most - 1_000);
        let within = chance.below(longest + 1);
        (trouble, Duration::from_millis(1_000 + within))
    }

    fn begin(self, wire: &Wire) -> Result<()> {
        match self {
            Trouble::Pulled { .. } => wire.plugged(false),
            Trouble::OneWay(way) => wire.set(Weather { cut: Some(way), ..Weather::default() }),
            Trouble::Lossy { lost, doubled } => {
                wire.set(Weather { lost_of_thousand: lost, doubled_of_thousand: doubled, ..Weather::default() })
            }
            Trouble::Choked { kbit, lost } => {
                wire.set(Weather { kbit: Some(kbit), lost_of_thousand: lost, ..Weather::default() })
            }
        }
    }

    /// Whether nothing can be acknowledged while it lasts.
    fn is_silent(self) -> bool {
        match self {
            Trouble::Pulled { .. } | Trouble::OneWay(_) => true,
            Trouble::Lossy { .. } | Trouble::Choked { .. } => false,
        }
    }
}

/// What the rounds leave to be judged when everything is acknowledged.
#[derive(Default)]
struct Seen {
    healed_ms: Vec<u64>,
    back: Times,
    silent: u64,
    longest_pulled_ms: u64,
}

pub(crate) fn run(given: &Given, report: &mut Report) -> Result<()> {
    let wire = Wire::lay()?;
    let mut room = Room::found_across(given, "network", 0)?;
    room.admit()?;
    room.begin()?;
    let good = stretch(&wire, Weather::default())?;
    let lossy = stretch(&wire, Weather { lost_of_thousand: LOSSY_OF_THOUSAND, ..Weather::default() })?;
    let (mut chance, mut seen, begun) = (Chance::new(given.seed), Seen::default(), Instant::now());
    while goes_on(given, begun, report.rounds) {
        report.rounds += 1;
        let (trouble, lasts) = Trouble::draw(&mut chance, report.rounds);
        round(&mut room, &wire, (trouble, lasts), &mut seen, report)?;
    }
    let told_apart = stays_pulled(&mut room, &wire)?;
    report.control_found = told_apart && seen.silent > 0;
    report.figure("control_told_apart", told_apart);
    report.figure("silent_rounds", seen.silent);
    report.figure("longest_pulled_ms", seen.longest_pulled_ms);
    report.figure("kills_of_the_seats", room.seat_kills);
    report.figure("whole_again_to_a_save_of_every_seat_ms", seen.back.figures());
    let (end, acks) = room.end_and_acks()?;
    end.check(report, given.seats);
    report.figure("reconnects", end.reconnects);
    let mut synced = Times::default();
    seen.healed_ms.iter().for_each(|healed| synced.add_ms(acks.synced_after(*healed)));
    let slowest = synced.within(100).unwrap_or(0);
    report.figure("whole_again_to_all_synced_ms", synced.figures());
    report.within(slowest <= SYNCED_MS, || format!("it took {slowest} ms until everything was synced"));
    for (name, (from, to), most) in
        [("save_good_ms", good, GOOD_P99_MS), ("save_at_10_percent_loss_ms", lossy, LOSSY_P99_MS)]
    {
        let mut times = acks.made_between(from, to);
        let p99 = times.within(99);
        report.within(p99.is_some_and(|p99| p99 <= most), || format!("{name}: p99 {p99:?}, more than {most}"));
        report.figure(name, times.figures());
    }
    Ok(())
}

/// Looks at the network in some weather for a while; when that was.
fn stretch(wire: &Wire, weather: Weather) -> Result<(u64, u64)> {
    wire.set(weather)?;
    let from = now_ms();
    thread::sleep(STRETCH);
    let to = now_ms();
    wire.set(Weather::default())?;
    Ok((from, to))
}

fn round(
    room: &mut Room,
    wire: &Wire,
    (trouble, lasts): (Trouble, Duration),
    seen: &mut Seen,
    report: &mut Report,
) -> Result<()> {
    let number = report.rounds;
    let begun = Instant::now();
    trouble.begin(wire)?;
    if trouble.is_silent() {
        thread::sleep(SETTLED);
        room.acks.read()?;
        let before = room.acks.len();
        if matches!(trouble, Trouble::Pulled { restart: true }) {
            room.kill_seats()?;
            room.start_seats(|_| {})?;
        }
        thread::sleep(lasts.saturating_sub(begun.elapsed()));
        room.acks.read()?;
        let came = room.acks.len() - before;
        seen.silent += 1;
        report.check(came == 0, || format!("round {number}: {came} acknowledgements came through a cut ({trouble:?})"));
    } else {
        thread::sleep(lasts);
    }
    wire.set(Weather::default())?;
    if matches!(trouble, Trouble::Pulled { .. }) {
        wire.plugged(true)?;
        seen.longest_pulled_ms = seen.longest_pulled_ms.max(u64::try_from(begun.elapsed().as_millis())?);
    }
    let healed = Instant::now();
    seen.healed_ms.push(now_ms());
    match room.all_back() {
        Ok(took) => seen.back.add(took),
        Err(error) => bail!("{trouble:?}: {error:#}"),
    }
    room.lost_now()?.check(report, number);
    // The next trouble must not hide that this one is not over yet.
    thread::sleep(Duration::from_millis(SYNCED_MS).saturating_sub(healed.elapsed()));
    Ok(())
}

/// Control: a cable that is not put back.
fn stays_pulled(room: &mut Room, wire: &Wire) -> Result<bool> {
    wire.plugged(false)?;
    thread::sleep(SETTLED);
    room.acks.read()?;
    let seats = room.seats_wanted();
    let back = room.acks.wait_every_seat(seats, Duration::from_millis(SYNCED_MS));
    wire.plugged(true)?;
    room.all_back()?;
    Ok(back.is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_rounds_bring_every_sort_of_trouble_within_its_bounds() {
        let mut chance = Chance::new(3);
        let drawn: Vec<_> = (1..=500).map(|round| Trouble::draw(&mut chance, round)).collect();
        let silent = |from: usize| drawn[from..from + 5].iter().filter(|(trouble, _)| trouble.is_silent()).count();
        assert!((0..drawn.len() - 5).all(|from| silent(from) == 3), "pulled twice and one way once in any five");
        for (trouble, lasts) in drawn {
            assert!((Duration::from_secs(1)..=Duration::from_secs(20)).contains(&lasts));
            match trouble {
                Trouble::Lossy { lost, doubled } => assert!(lost <= 300 && doubled <= 500),
                Trouble::Choked { kbit, .. } => assert!((1_000..=10_000).contains(&kbit)),
                Trouble::Pulled { .. } | Trouble::OneWay(_) => {}
            }
        }
    }
}
