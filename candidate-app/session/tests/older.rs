//! When another disk takes over at the server: what the seats' journals bring back, claim by claim. Never looks inside the session.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::*;
use exam_protocol::{code::SeatState, ids::ItemId, tag::Up};
use exam_session::{Act, Merge, Saved};

fn saved(world: &World, index: usize) -> Saved {
    world.view().items.into_iter().find(|view| view.item == item(index)).unwrap().saved
}

/// Types so many versions of an item's answer; all are acknowledged.
fn versions(world: &mut World, index: usize, count: u32) {
    for number in 1..=count {
        world.type_in(index, &format!("{index}/{number}"));
        world.act(Act::Leave(item(index)));
        world.settle();
    }
}

fn numbers(world: &World) -> Vec<(ItemId, u32)> {
    world.server.saved.keys().cloned().collect()
}

#[test]
fn a_server_that_lost_its_disk_gets_every_version_back() {
    let mut world = World::working();
    versions(&mut world, 0, 3);
    versions(&mut world, 1, 2);
    world.server.backup = world.server.saved.clone();
    versions(&mut world, 2, 4);
    let all = world.server.saved.clone();
    world.burn();
    world.link();
    world.settle();
    assert_eq!(world.server.saved, all, "superseded versions come back too");
    assert_eq!(world.server.applied as usize, all.len(), "each once");
    world.server.backup.clear();
    world.burn();
    world.restart(0);
    world.link();
    world.settle();
    assert_eq!(world.server.saved, all, "also to a server that has nothing, from a seat that was started again");
}

#[test]
fn gaps_that_a_cut_left_are_filled_at_the_next_connection() {
    let mut world = World::working();
    versions(&mut world, 0, 5);
    let all = world.server.saved.clone();
    world.server.backup =
        all.iter().filter(|((_, number), _)| matches!(number, 2 | 5)).map(|(k, v)| (k.clone(), v.clone())).collect();
    world.burn();
    world.link();
    world.settle();
    assert_eq!(world.server.saved, all);
}

#[test]
fn a_fresh_answer_does_not_wait_for_old_ones() {
    let mut world = World::working();
    versions(&mut world, 0, 30);
    world.burn();
    world.link();
    while world.view().merge != Merge::Done {
        world.server_hears();
        world.seat_hears(0);
    }
    world.type_in(1, "fresh");
    world.act(Act::Leave(item(1)));
    world.sync();
    let before = world.sent().iter().position(|up| matches!(up, Up::SaveAnswer(save) if save.item == item(1))).unwrap();
    assert!(before <= exam_session::limits::OLDER_IN_FLIGHT_MAX + 1, "{before} words go before it");
    world.settle();
    assert_eq!(numbers(&world).len(), 31);
}

#[test]
fn nobody_hands_in_before_the_old_versions_are_back() {
    let mut world = World::working();
    versions(&mut world, 0, 20);
    world.unlink();
    world.act(Act::HandIn);
    world.burn();
    world.link();
    world.settle();
    assert!(world.server.handed_in.is_some());
    assert_eq!(numbers(&world).len(), 20, "after the hand-in they would have been refused");
}

#[test]
fn a_refused_old_version_is_evidence_and_disturbs_nobody() {
    let mut world = World::working();
    versions(&mut world, 0, 3);
    let (other, newest) = (text("another's"), world.server.saved[&(item(0), 3)].clone());
    world.server.backup = [((item(0), 2), other), ((item(0), 3), newest)].into();
    world.burn();
    world.link();
    world.settle();
    let view = world.view();
    assert_eq!((view.evidence.len(), view.notice.clone()), (1, None));
    assert_eq!((saved(&world, 0), numbers(&world).len()), (Saved::OnServer, 3));
    world.unlink();
    let refusals = world.server.refusals;
    world.link();
    world.settle();
    assert_eq!(world.server.refusals, refusals, "it is not tried for ever");
}

#[test]
fn old_versions_still_count_as_made_before_the_end() {
    let mut world = World::working();
    versions(&mut world, 0, 4);
    world.unlink();
    let left = world.server.ends - world.server.now_ms;
    world.pass(left + 60_000);
    world.server.state = SeatState::Stopped;
    world.burn();
    world.link();
    world.settle();
    assert_eq!((numbers(&world).len(), world.server.refusals), (4, 0));
}

#[test]
fn a_backup_from_before_the_start_gets_nothing_before_it_begins_and_everything_then() {
    let mut world = World::working();
    versions(&mut world, 0, 3);
    world.server.begun = false;
    world.server.state = SeatState::Admitted;
    world.burn();
    world.link();
    for _ in 0..50 {
        world.pass(100);
        world.hear_all();
    }
    assert_eq!(
        (world.server.refusals, numbers(&world).len()),
        (0, 0),
        "it would refuse them, and they would be evidence"
    );
    world.server.begun = true;
    world.say(SeatState::Working);
    world.settle();
    assert_eq!((numbers(&world).len(), world.view().evidence.len()), (3, 0));
}

/// Found by `model.rs`: the journal was read while its disk failed, and the version was thought to be nowhere.
#[test]
fn what_a_failing_disk_has_not_taken_yet_is_read_back_when_it_has() {
    let mut world = World::working();
    world.disk_fails = true;
    world.type_in(0, "one");
    world.act(Act::Leave(item(0)));
    world.sync();
    world.hear_all();
    assert_eq!(saved(&world, 0), Saved::OnServer, "it went to the server alone");
    world.type_in(0, "two");
    world.act(Act::Leave(item(0)));
    world.burn();
    world.link();
    for _ in 0..20 {
        world.pass(100);
        world.hear_all();
    }
    world.disk_fails = false;
    world.settle();
    assert_eq!(numbers(&world).len(), 2);
}
