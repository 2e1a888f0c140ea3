//! Negative controls: a run with a planted fault, and the checker that must find it. A checker that finds nothing here would
//! prove nothing elsewhere.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use exam_sim::{
    plant::Plant,
    run::{Outcome, Plan, run},
    script::{START_AT, Script, Step},
    server::Fall,
    site::Site,
};
use std::sync::Arc;

const SEATS: usize = 3;

/// A quiet day with these steps in it, over at two minutes.
fn day(steps: Vec<(u64, Step)>) -> Script {
    Script { faulty: 0, server_slow_ms: 20, seat_slow_ms: 0, steps, heal_at: START_AT + 120_000 }
}

fn at(second: u64) -> u64 {
    START_AT + second * 1_000
}

fn planted(plant: Option<Plant>, steps: Vec<(u64, Step)>) -> Outcome {
    let site = Arc::new(Site::found(SEATS).unwrap());
    run(&site, &Plan { seed: 1, plant, script: Some(day(steps)) }).unwrap()
}

fn found(outcome: &Outcome, check: &str) -> bool {
    outcome.faults.iter().any(|fault| fault.check == check)
}

fn cuts() -> Vec<(u64, Step)> {
    let cut = |ms| Step::ServerFall { fall: Fall::PowerCut, in_operation: None, ms };
    [20, 40, 60, 80].map(|second| (at(second), cut(3_000))).to_vec()
}

/// The candidate types on at the old machine, cut off, until it is swapped.
fn swap() -> Vec<(u64, Step)> {
    vec![(at(30), Step::Swap { desk: 0, spare: SEATS, cut_off_ms: 20_000 })]
}

#[test]
fn the_same_days_without_a_planted_fault_are_fine() {
    for steps in [cuts(), swap()] {
        let outcome = planted(None, steps);
        assert!(outcome.faults.is_empty(), "{:#?}", outcome.faults);
    }
}

#[test]
fn a_disk_that_lies_about_syncing_is_found_out() {
    let outcome = planted(Some(Plant::LyingDisk), cuts());
    assert!(found(&outcome, "no acknowledged answer is lost"), "{:#?}", outcome.faults);
}

#[test]
fn an_acknowledgement_before_the_commit_is_found_out() {
    let full = |second| (at(second), Step::ServerFull { ms: 5_000 });
    let outcome = planted(Some(Plant::HastyAck), [10, 30, 50, 70].map(full).to_vec());
    assert!(found(&outcome, "no acknowledged answer is lost"), "{:#?}", outcome.faults);
}

#[test]
fn a_replaced_machine_that_is_heard_is_found_out() {
    let outcome = planted(Some(Plant::OpenFence), swap());
    assert!(found(&outcome, "a replaced machine is silent"), "{:#?}", outcome.faults);
}

#[test]
fn a_network_that_does_not_heal_is_found_out() {
    let rain = exam_sim::net::Weather { loss: 900, ..exam_sim::net::Weather::clear() };
    let outcome = planted(Some(Plant::DeafNetwork), vec![(at(60), Step::Weather(rain))]);
    assert!(found(&outcome, "everything is synced five seconds after healing"), "{:#?}", outcome.faults);
}
