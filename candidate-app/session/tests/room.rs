//! What a candidate may rely on about the room: confirming who they are, hands, messages, what the machine says of itself, and
//! the account of when nobody could work. Never looks inside the session.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::*;
use exam_protocol::{
    code::SeatState,
    message::{
        attendance::UnableWhy,
        candidate::LockState,
        duty::{HandKind, HandStage, MessageId, SeatHand, SeatMessage},
        readiness::SeatReport,
    },
    tag::Up,
    time::SiteMs,
};
use exam_session::{Act, Event, Record, Screen};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

fn raise(world: &mut World, kind: HandKind) {
    world.act(Act::RaiseHand { kind, text: String::new() });
}

fn write(world: &mut World, words: &[&str]) {
    for words in words {
        let message = MessageId(world.server.messages.len() as u64 + 1);
        world.server.messages.push(SeatMessage {
            message,
            at: SiteMs(STARTS),
            canned: None,
            text: (*words).to_owned(),
        });
    }
    world.tell();
}

/// Texts of the messages on screen, those read in brackets.
fn messages(world: &World) -> Vec<String> {
    let view = world.view().messages;
    view.iter().map(|one| if one.read { format!("({})", one.message.text) } else { one.message.text.clone() }).collect()
}

#[test]
fn a_machine_that_takes_over_goes_on_at_the_same_item_and_never_leads_back() {
    let mut world = World::working();
    assert_eq!(world.view().on_screen, None);
    world.server.resume_at = Some(item(2));
    world.tell();
    assert_eq!(world.view().on_screen, Some(item(2)), "where the candidate was");
    world.act(Act::Show(item(1)));
    world.tell();
    assert_eq!(world.view().on_screen, Some(item(1)), "the candidate has moved on");
}

#[test]
fn the_notes_of_the_server_are_on_screen_and_identity_is_confirmed_once() {
    let mut world = World::working();
    let notes = world.view().notes.unwrap();
    assert_eq!(
        (notes.identity_confirmed, notes.consent_missing, notes.wait_until, notes.orphans),
        (false, true, None, 0)
    );
    assert_eq!(notes.hand_in_opens, Some(SiteMs(world.server.ends - 900_000)));
    world.unlink();
    world.act(Act::ConfirmIdentity);
    world.act(Act::ConfirmIdentity);
    world.link();
    let confirmations = |world: &World| world.sent().iter().filter(|up| matches!(up, Up::ConfirmIdentity(_))).count();
    assert_eq!(confirmations(&world), 1);
    world.settle();
    world.tell();
    assert!(world.view().notes.unwrap().identity_confirmed);
    world.act(Act::ConfirmIdentity);
    assert_eq!(confirmations(&world), 0, "the server knows");
}

#[test]
fn a_hand_goes_up_while_cut_off_and_is_heard_once_the_server_is_back() {
    let mut world = World::working();
    world.unlink();
    raise(&mut world, HandKind::Machine);
    raise(&mut world, HandKind::Machine);
    assert!(matches!(world.view().hand.sending, Some(SeatHand::Raise { .. })), "the screen says that it waits");
    world.link();
    world.settle();
    assert_eq!(world.server.hands, [(HandKind::Machine, HandStage::Raised)]);
    world.server.hands[0].1 = HandStage::Taken;
    world.tell();
    let hand = world.view().hand;
    assert_eq!((hand.stands.unwrap().stage, hand.sending), (HandStage::Taken, None));
    world.act(Act::LowerHand);
    world.settle();
    assert_eq!(world.server.hands, [(HandKind::Machine, HandStage::Lowered)]);
}

#[test]
fn a_hand_whose_answer_was_lost_is_not_raised_again_though_somebody_came_and_went() {
    let mut world = World::working();
    raise(&mut world, HandKind::Toilet);
    world.server_hears();
    world.unlink(); // the answer is lost
    world.server.hands[0].1 = HandStage::Done;
    world.link();
    world.settle();
    assert_eq!((world.server.hands.len(), world.view().hand.sending), (1, None));
    raise(&mut world, HandKind::Toilet);
    world.settle();
    assert_eq!(world.server.hands.len(), 2, "a new wish is a new hand");
}

#[test]
fn the_last_wish_about_a_hand_holds() {
    let mut world = World::working();
    world.unlink();
    raise(&mut world, HandKind::Machine);
    world.act(Act::LowerHand);
    raise(&mut world, HandKind::Ill);
    world.link();
    world.settle();
    assert_eq!(world.server.hands, [(HandKind::Ill, HandStage::Raised)]);
}

#[test]
fn a_busy_server_hears_a_hand_a_moment_later() {
    let mut world = World::working();
    world.server.busy = true;
    raise(&mut world, HandKind::Other);
    world.server_hears();
    world.seat_hears(0);
    world.server.busy = false;
    world.pass(5_000);
    world.settle();
    assert_eq!(world.server.hands.len(), 1);
}

#[test]
fn unread_messages_come_first_and_reading_is_told_once_over_a_lost_link() {
    let mut world = World::working();
    write(&mut world, &["one", "two", "three"]);
    assert_eq!(messages(&world), ["one", "two", "three"]);
    world.act(Act::ReadMessage(MessageId(2)));
    assert_eq!(messages(&world), ["one", "three", "(two)"]);
    world.unlink(); // it was on the wire
    world.act(Act::ReadMessage(MessageId(1)));
    world.act(Act::ReadMessage(MessageId(1)));
    world.link();
    world.settle();
    assert_eq!(world.server.read, [MessageId(1), MessageId(2)]);
    world.tell();
    assert_eq!(messages(&world), ["three", "(two)", "(one)"]);
    world.settle();
    assert_eq!(world.server.read.len(), 2, "never doubled");
}

#[test]
fn a_server_that_forgot_that_a_message_was_read_is_told_again_and_the_candidate_is_not() {
    let mut world = World::working();
    write(&mut world, &["one"]);
    world.act(Act::ReadMessage(MessageId(1)));
    world.settle();
    world.server.read.clear();
    world.tell();
    assert_eq!(messages(&world), ["(one)"]);
    world.settle();
    assert_eq!(world.server.read, [MessageId(1)]);
}

#[test]
fn the_next_sitting_does_not_see_the_last_one_s_hand_and_messages() {
    let mut world = World::working();
    write(&mut world, &["for the morning"]);
    raise(&mut world, HandKind::Ill);
    world.settle();
    world.tell();
    world.server.hands.clear();
    world.server.messages.clear();
    world.server.next_sitting = true;
    write(&mut world, &["for the afternoon"]);
    assert_eq!(messages(&world), ["for the afternoon"]);
    assert_eq!(world.view().hand, exam_session::HandView::default());
}

#[test]
fn the_machine_s_report_goes_after_every_connect_and_when_it_changes() {
    let report = |foreign_programs| SeatReport {
        outside_reachable: false,
        foreign_programs,
        lock_ok: Some(true),
        clock_offset_ms: 0,
        disk_free_bytes: 1 << 40,
        version: "1".into(),
    };
    let counts = |world: &World| world.server.reports.iter().map(|report| report.foreign_programs).collect::<Vec<_>>();
    let mut world = World::new();
    world.event(Event::Probed(Box::new(report(0))));
    world.link();
    world.settle();
    assert_eq!(counts(&world), [0]);
    world.event(Event::Probed(Box::new(report(0))));
    world.settle();
    assert_eq!(counts(&world), [0], "nothing new");
    world.event(Event::Probed(Box::new(report(1))));
    world.settle();
    world.unlink();
    world.link();
    world.settle();
    assert_eq!(counts(&world), [0, 1, 1]);
}

#[test]
fn beats_say_how_the_lock_was_read_back_and_for_how_long() {
    let mut world = World::working();
    let said = |world: &mut World| {
        world.settle();
        world.pass(1_000);
        world.settle();
        let beat = world.server.beats.last().unwrap();
        (beat.lock, u64::from(beat.lock_for_ms) / SECOND)
    };
    assert_eq!(said(&mut world).0, LockState::NotAvailable);
    world.event(Event::LockRead(LockState::Verified));
    world.pass(30 * SECOND);
    world.event(Event::LockRead(LockState::Verified));
    let (state, seconds) = said(&mut world);
    assert!(state == LockState::Verified && (30..=32).contains(&seconds), "read back again is no change: {seconds} s");
    world.event(Event::LockRead(LockState::NotVerified));
    let (state, seconds) = said(&mut world);
    assert!(state == LockState::NotVerified && seconds <= 2, "{seconds} s");
}

// When nobody could work.

/// Why and for how many seconds, as the server was told.
fn told(world: &World) -> Vec<(UnableWhy, u64)> {
    world.server.unable.iter().map(|told| (told.why, told.to.since(told.from) / SECOND)).collect()
}

fn live(world: &mut World, seconds: u64) {
    for _ in 0..seconds {
        world.pass(SECOND);
        world.sync();
    }
}

#[test]
fn an_app_that_was_not_running_tells_since_when_from_its_journal() {
    let mut world = World::working();
    live(&mut world, 60);
    world.unlink();
    world.now += 120 * SECOND; // nobody is there
    world.server.now_ms += 120 * SECOND;
    world.restart(0);
    world.link();
    world.settle();
    let told = told(&world);
    assert_eq!(told.len(), 1);
    assert!(told[0].0 == UnableWhy::NotRunning && (120..=131).contains(&told[0].1), "{told:?}");
    assert_eq!(world.server.ends, STARTS + 60 * MINUTE, "nobody's clock moves by it");
}

#[test]
fn a_machine_that_was_started_again_tells_in_the_server_s_time_once_it_knows_it() {
    let mut world = World::working();
    live(&mut world, 60);
    world.unlink();
    world.now = 50;
    world.boot = 2;
    world.server.now_ms += 300 * SECOND;
    world.restart(0);
    live(&mut world, 30);
    assert!(world.view().time_uncertain && !world.disk.iter().any(|record| matches!(record, Record::Unable(_))));
    world.link();
    world.settle();
    let told = told(&world);
    assert!(told.len() == 1 && (300..=311).contains(&told[0].1), "{told:?}");
}

#[test]
fn what_is_shorter_than_fifteen_seconds_is_not_told() {
    for (away, stretches) in [(3, 0), (16, 1)] {
        let mut world = World::working();
        live(&mut world, 20);
        world.act(Act::Show(item(0)));
        world.type_in(0, "a");
        world.act(Act::Leave(item(0)));
        world.sync();
        world.unlink();
        world.now += away * SECOND;
        world.server.now_ms += away * SECOND;
        world.restart(0);
        world.link();
        world.settle();
        assert_eq!(told(&world).len(), stretches, "{away} s away");
    }
}

#[test]
fn a_paper_that_does_not_open_and_a_disk_that_keeps_nothing_are_told() {
    let mut world = World::working();
    world.unlink();
    world.disk_fails = true;
    world.type_in(0, "a");
    world.act(Act::Leave(item(0)));
    world.sync();
    world.pass(40 * SECOND);
    world.disk_fails = false;
    world.sync();
    world.pass(SECOND);
    world.link();
    world.settle();
    let kept_nowhere = told(&world);
    assert!(matches!(kept_nowhere[..], [(UnableWhy::NotKept, 40..=42)]), "{kept_nowhere:?}");

    let mut world = World::new();
    world.server.state = SeatState::Admitted;
    world.link();
    world.settle();
    world.hold_papers = true;
    world.say(SeatState::Working);
    world.pass(25 * SECOND);
    assert_eq!(world.view().screen, Screen::OpeningPaper);
    world.release_papers();
    world.settle();
    assert_eq!(world.view().screen, Screen::Working);
    world.settle();
    let told = told(&world);
    assert!(matches!(told[..], [(UnableWhy::PaperClosed, 25..=26)]), "{told:?}");
}

#[test]
fn a_full_disk_is_nothing_to_tell_while_the_server_takes_every_answer() {
    let mut world = World::working();
    world.disk_fails = true;
    world.type_in(0, "a");
    world.act(Act::Leave(item(0)));
    world.sync();
    world.pass(60 * SECOND);
    world.disk_fails = false;
    world.settle();
    assert_eq!(told(&world), []);
}

#[test]
fn nothing_is_told_of_time_that_did_not_run_or_was_over() {
    let mut world = World::working();
    world.pause();
    world.settle();
    world.now += 300 * SECOND;
    world.server.now_ms += 300 * SECOND;
    world.restart(0);
    world.link();
    world.settle();
    assert_eq!(told(&world), [], "a pause");
    world.resume();
    world.act(Act::HandIn);
    world.settle();
    world.now += 300 * SECOND;
    world.server.now_ms += 300 * SECOND;
    world.restart(0);
    world.link();
    world.settle();
    assert_eq!(told(&world), [], "handed in");
}

#[test]
fn the_account_waits_for_the_server_and_survives_a_restart() {
    let mut world = World::working();
    live(&mut world, 30);
    world.unlink();
    world.now += 60 * SECOND;
    world.server.now_ms += 60 * SECOND;
    world.restart(0);
    world.sync();
    live(&mut world, 30);
    world.restart(0);
    world.link();
    world.server.busy = true;
    for _ in 0..20 {
        world.server_hears();
        world.seat_hears(0);
    }
    world.server.busy = false;
    world.pass(6_000);
    world.settle();
    world.settle();
    let told = told(&world);
    assert!(matches!(told[..], [(UnableWhy::NotRunning, 60..=71)]), "{told:?}");
}
