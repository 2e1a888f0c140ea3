//! What a candidate may rely on when the clock runs out, stops and goes on (HB-22, HB-24, HB-27). Never looks inside.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::*;
use exam_protocol::{code::SeatState, time::SiteMs};
use exam_session::{Act, Closed, Notice, Record, Screen};

const MINUTE: u64 = 60_000;

/// Passes `ms` second by second; the reminders that fire on the way, each with the milliseconds left.
fn watch(world: &mut World, ms: u64) -> Vec<(u32, u64)> {
    let mut fired = Vec::new();
    let mut last = world.view().reminder;
    for _ in 0..ms / 1_000 {
        world.pass(1_000);
        world.hear_all();
        let view = world.view();
        if let Some(reminder) = view.reminder.filter(|reminder| Some(*reminder) != last) {
            fired.push((reminder.minutes, view.left_ms.unwrap()));
        }
        last = view.reminder;
    }
    fired
}

/// At work with so much time left.
fn with_left(ms: u64) -> World {
    let mut world = World::working();
    let left = world.view().left_ms.unwrap();
    world.pass(left - ms);
    world
}

fn minutes_of(fired: &[(u32, u64)]) -> Vec<u32> {
    fired.iter().map(|(minutes, _)| *minutes).collect()
}

#[test]
fn the_candidate_is_reminded_at_15_5_and_1_minutes_once_each() {
    let mut world = World::working();
    let fired = watch(&mut world, 60 * MINUTE);
    assert_eq!(minutes_of(&fired), [15, 5, 1]);
    for (minutes, left) in fired {
        assert!(u64::from(minutes) * MINUTE - left <= 1_000, "{minutes} fired with {left} ms left");
    }
    assert_eq!((world.view().screen, world.view().reminder), (Screen::Over, None));
}

#[test]
fn the_session_wakes_for_a_reminder_in_time() {
    let mut world = with_left(15 * MINUTE + 400);
    assert_eq!(world.view().reminder, None, "both sides of the limit");
    assert!(world.session.next_wake().0 <= world.now + 400);
    world.pass(400);
    assert_eq!(world.view().reminder.map(|reminder| reminder.minutes), Some(15));
}

#[test]
fn a_reminder_stays_until_it_is_read() {
    let mut world = with_left(15 * MINUTE);
    world.pass(90_000);
    assert_eq!(world.view().reminder.map(|reminder| reminder.minutes), Some(15));
    world.act(Act::DismissReminder);
    assert_eq!(world.view().reminder, None);
    assert_eq!(watch(&mut world, MINUTE), [], "and does not come back by itself");
}

#[test]
fn reminders_follow_the_real_end_when_time_is_granted() {
    let mut world = with_left(6 * MINUTE);
    assert_eq!(minutes_of(&watch(&mut world, MINUTE + 1_000)), [5]);
    world.grant(15 * MINUTE);
    assert_eq!(world.view().reminder, None, "five minutes are no longer true");
    assert_eq!(minutes_of(&watch(&mut world, 20 * MINUTE)), [15, 5, 1]);
}

#[test]
fn a_small_grant_fires_only_what_lies_ahead_again() {
    let mut world = with_left(2 * MINUTE);
    assert_eq!(minutes_of(&watch(&mut world, 90_000)), [1]);
    world.grant(2 * MINUTE);
    assert_eq!(minutes_of(&watch(&mut world, 3 * MINUTE)), [1], "five minutes before the end lie behind");
}

#[test]
fn nothing_fires_while_the_clock_stands_still() {
    let mut world = with_left(15 * MINUTE + 30_000);
    world.pause();
    assert_eq!(watch(&mut world, 40 * MINUTE), []);
    world.resume();
    assert_eq!(minutes_of(&watch(&mut world, MINUTE)), [15]);
}

#[test]
fn a_reminder_fires_while_cut_off_and_not_again_after_a_restart() {
    let mut world = with_left(15 * MINUTE + 5_000);
    world.unlink();
    assert_eq!(minutes_of(&watch(&mut world, 10_000)), [15]);
    world.sync();
    assert!(world.disk.iter().any(|record| matches!(record, Record::Reminded { minutes: 15, .. })));
    world.restart(0);
    assert_eq!(watch(&mut world, 5_000), []);
    world.link();
    world.settle();
    assert_eq!(minutes_of(&watch(&mut world, 10 * MINUTE)), [5]);
}

#[test]
fn the_countdown_stands_still_while_paused_and_goes_on_after() {
    let mut world = with_left(30 * MINUTE);
    world.pause();
    for _ in 0..3 {
        world.pass(7 * MINUTE);
        assert_eq!(world.view().left_ms, Some(30 * MINUTE));
        assert_eq!(world.view().screen, Screen::Paused);
    }
    world.unlink();
    world.pass(60 * MINUTE);
    assert_eq!((world.view().left_ms, world.view().screen), (Some(30 * MINUTE), Screen::Paused), "cut off as well");
    world.link();
    world.resume();
    assert_eq!((world.view().left_ms, world.view().screen), (Some(30 * MINUTE), Screen::Working));
    world.pass(MINUTE);
    assert_eq!(world.view().left_ms, Some(29 * MINUTE));
}

#[test]
fn a_paused_seat_that_is_started_again_without_the_server_stays_covered_with_its_time() {
    let mut world = with_left(30 * MINUTE);
    world.pause();
    world.sync();
    world.unlink();
    world.restart(0);
    world.pass(5 * MINUTE);
    assert_eq!((world.view().screen, world.view().left_ms), (Screen::Paused, Some(30 * MINUTE)));
    assert!(world.view().paper.is_none(), "the paper is covered");
}

#[test]
fn what_was_typed_before_the_pause_is_saved_at_once_and_typing_is_refused_until_it_ends() {
    let mut world = World::working();
    world.act(Act::Show(item(2)));
    world.type_in(2, "half a wor");
    let typed_at = world.server.now_ms;
    world.pause();
    assert_eq!(world.writing.iter().filter(|(_, r)| matches!(r, Record::Answered { .. })).count(), 1, "flushed");
    world.type_in(2, "half a word more");
    assert_eq!(world.view().notice, Some(Notice::Closed(Closed::Paused)));
    world.act(Act::HandIn);
    assert_eq!(world.view().notice, Some(Notice::Closed(Closed::Paused)));
    world.settle();
    assert_eq!(world.server.saved.get(&(item(2), 1)), Some(&text("half a wor")), "answers keep syncing");
    let made = world.disk.iter().find_map(|record| match record {
        Record::Answered { made_at, .. } => Some(*made_at),
        _ => None,
    });
    assert!(made.unwrap() <= SiteMs(typed_at), "made before the pause, so it carries no mark");
    world.act(Act::DismissNotice);
    world.resume();
    let view = world.view();
    assert_eq!((view.screen, view.on_screen, view.notice), (Screen::Working, Some(item(2)), None), "the same question");
    world.type_in(2, "half a word more");
    world.settle();
    assert_eq!(world.server.saved.get(&(item(2), 2)), Some(&text("half a word more")));
}

#[test]
fn what_waits_on_the_seat_s_disk_is_sent_in_the_pause() {
    let mut world = World::working();
    world.unlink();
    world.type_in(0, "a");
    world.act(Act::Leave(item(0)));
    world.sync();
    world.server.left_ms = Some(MINUTE);
    world.server.state = SeatState::Paused;
    world.link();
    world.settle();
    assert_eq!((world.view().screen, world.server.saved.len()), (Screen::Paused, 1));
}

#[test]
fn away_denied_and_terminated_have_their_screens_and_refuse_typing_with_their_reason() {
    for (state, screen, closed) in [
        (SeatState::Away, Screen::Away, Closed::Away),
        (SeatState::Denied, Screen::Denied, Closed::Denied),
        (SeatState::Terminated, Screen::Terminated, Closed::Terminated),
    ] {
        let mut world = World::working();
        world.type_in(0, "before");
        world.say(state);
        world.type_in(1, "after");
        let view = world.view();
        assert_eq!((view.screen, view.closed, view.notice), (screen, Some(closed), Some(Notice::Closed(closed))));
        assert!(view.paper.is_none(), "the paper is covered");
        world.settle();
        assert_eq!(world.server.saved.len(), 1, "what was typed before {state:?} is saved, nothing after it");
    }
}

#[test]
fn the_clock_runs_on_while_the_candidate_is_out() {
    let mut world = with_left(6 * MINUTE);
    world.act(Act::Show(item(3)));
    world.say(SeatState::Away);
    world.pass(2 * MINUTE);
    let view = world.view();
    assert_eq!((view.screen, view.left_ms), (Screen::Away, Some(4 * MINUTE)));
    assert_eq!(view.reminder.map(|reminder| reminder.minutes), Some(5));
    world.say(SeatState::Working);
    assert_eq!((world.view().screen, world.view().on_screen), (Screen::Working, Some(item(3))));
    world.say(SeatState::Away);
    world.pass(5 * MINUTE);
    assert_eq!((world.view().screen, world.view().closed), (Screen::Over, Some(Closed::TimeOver)), "HB-24");
}

#[test]
fn an_empty_seat_is_covered_without_the_paper_s_key_also_after_a_restart() {
    let mut world = World::working();
    world.say(SeatState::Away);
    world.settle();
    let view = world.view();
    assert_eq!((view.screen, view.closed), (Screen::Away, Some(Closed::Away)));
    assert!(view.paper.is_none() && view.items.is_empty());
    world.unlink();
    world.restart(0);
    assert_eq!((world.view().screen, world.view().paper.is_none()), (Screen::Away, true), "without the server");
    let mut fresh = World::new();
    fresh.server.state = SeatState::Away;
    fresh.link();
    fresh.settle();
    assert_eq!(fresh.view().screen, Screen::Away, "a machine that never had the key");
    fresh.say(SeatState::Working);
    fresh.settle();
    assert_eq!(fresh.view().screen, Screen::Working);
}
