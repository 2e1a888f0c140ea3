//! Negative control in a process of its own, because panics are counted by process: a server that panics at answers is found out.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use exam_sim::{
    plant::Plant,
    run::{Plan, run},
    script::{START_AT, Script},
    site::Site,
};
use std::sync::Arc;

#[test]
fn a_server_that_panics_at_an_answer_is_found_out() {
    let site = Arc::new(Site::found(1).unwrap());
    let script =
        Script { faulty: 0, server_slow_ms: 0, seat_slow_ms: 0, steps: Vec::new(), heal_at: START_AT + 30_000 };
    let outcome = run(&site, &Plan { seed: 1, plant: Some(Plant::Panic), script: Some(script) }).unwrap();
    assert!(outcome.faults.iter().any(|fault| fault.check == "nothing panics"), "{:#?}", outcome.faults);
}
