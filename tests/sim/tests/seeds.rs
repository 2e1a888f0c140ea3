//! Twenty seeds, each run twice: nothing is lost, nobody gains or loses time, everything is synced in time, and the second run is
//! the first again.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use exam_sim::{
    run::{Plan, run},
    site::Site,
};
use std::sync::Arc;

const SEEDS: u64 = 20;
const SEATS: usize = 4;

/// Runs every seed of `part` twice. Four parts, so that the machine's cores share them.
fn seeds(part: u64) {
    let site = Arc::new(Site::found(SEATS).unwrap());
    let (mut acked, mut on_seat) = (0, 0);
    for seed in (1..=SEEDS).filter(|seed| seed % 4 == part) {
        let plan = Plan { seed, plant: None, script: None };
        let (first, second) = (run(&site, &plan).unwrap(), run(&site, &plan).unwrap());
        assert!(first.faults.is_empty(), "seed {seed}: {:#?}\n{}", first.faults, first.story());
        let apart = first.lines.iter().zip(&second.lines).find(|(a, b)| a != b);
        assert_eq!(first.hash, second.hash, "seed {seed}: the second run is another one, first at {apart:?}");
        acked += first.figures.acked;
        on_seat += first.figures.shown_on_seat;
    }
    assert!(acked > 500, "candidates wrote something: {acked} answers");
    assert!(on_seat > 20, "some of it while they were cut off: {on_seat} answers");
}

#[test]
fn seeds_of_the_first_quarter_hold_and_repeat() {
    seeds(0);
}

#[test]
fn seeds_of_the_second_quarter_hold_and_repeat() {
    seeds(1);
}

#[test]
fn seeds_of_the_third_quarter_hold_and_repeat() {
    seeds(2);
}

#[test]
fn seeds_of_the_fourth_quarter_hold_and_repeat() {
    seeds(3);
}
