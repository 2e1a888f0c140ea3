//! What a candidate may rely on after a machine swap (HB-25): nothing the old machine had is lost, nothing is chosen for the
//! candidate, and a machine that was replaced hands over what it has and stops. Never looks inside the session.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::*;
use exam_protocol::{
    code::{Refusal, SeatState},
    message::attendance::{OrphanWish, Orphans},
    tag::Up,
};
use exam_session::{Act, Closed, HandInView, ItemView, Merge, Notice, OrphanChoice, Record, Saved, Screen};

/// At work at the new machine; the old one had these answers to the first items.
fn at_the_spare(answers: &[&str]) -> World {
    let mut world = World::working();
    come_back(&mut world, answers);
    world
}

/// The old machine hands over what it had.
fn come_back(world: &mut World, answers: &[&str]) {
    for (index, words) in answers.iter().enumerate() {
        let number = world.server.orphans.len() as u32 + 1;
        world.server.orphans.insert(number, (item(index), text(words), None));
    }
    world.tell();
    world.settle();
}

fn adopt(world: &mut World, orphan: u32) {
    world.act(Act::AdoptOrphan { orphan });
}

fn dismiss(world: &mut World, orphan: u32) {
    world.act(Act::DismissOrphan { orphan });
}

/// Number, old answer, current answer, choice of each.
fn shown(world: &World) -> Vec<(u32, String, String, OrphanChoice)> {
    let words = |answer: &exam_protocol::answer::Answer| match answer {
        exam_protocol::answer::Answer::Text(words) => words.clone(),
        _ => String::new(),
    };
    let views = world.view().orphans;
    let mut rows: Vec<_> =
        views.iter().map(|view| (view.orphan, words(&view.theirs), words(&view.mine), view.choice)).collect();
    rows.sort_by_key(|row| row.0); // on screen they are in the order of the paper
    rows
}

/// An item as it is on screen.
fn on_screen(world: &World, index: usize) -> ItemView {
    world.view().items.into_iter().find(|view| view.item == item(index)).unwrap()
}

fn adoptions_sent(world: &World) -> Vec<(u32, u32)> {
    let sent = world.sent().into_iter().filter_map(|up| match up {
        Up::Orphans(Orphans { wish: OrphanWish::Adopt { orphan, number }, .. }) => Some((*orphan, *number)),
        _ => None,
    });
    sent.collect()
}

#[test]
fn answers_of_the_old_machine_are_shown_beside_the_current_ones_and_change_nothing() {
    let mut world = World::working();
    world.type_in(1, "mine");
    world.settle();
    come_back(&mut world, &["old a", "old b", "old c"]); // two pages
    let open = OrphanChoice::Open;
    let row = |n: u32, theirs: &str, mine: &str| (n, theirs.to_owned(), mine.to_owned(), open);
    assert_eq!(shown(&world), [row(1, "old a", ""), row(2, "old b", "mine"), row(3, "old c", "")]);
    let view = world.view();
    assert_eq!(view.notes.unwrap().orphans, 3);
    let typed_here = view.orphans.iter().filter(|view| view.mine_typed_at.is_some()).map(|view| view.orphan);
    assert_eq!(typed_here.collect::<Vec<_>>(), [2]);
    assert_eq!(world.server.saved.len(), 1, "nothing was taken by itself");
}

#[test]
fn an_adopted_answer_is_a_new_version_journalled_before_it_is_sent() {
    let mut world = at_the_spare(&["old a"]);
    world.type_in(0, "mine");
    world.settle();
    adopt(&mut world, 1);
    assert_eq!(adoptions_sent(&world), [], "not before it is on the seat's disk");
    assert_eq!(shown(&world)[0].3, OrphanChoice::Adopting);
    assert_eq!(*on_screen(&world, 0).answer, *world.view().orphans[0].theirs, "it stands on screen at once");
    world.sync();
    assert_eq!(adoptions_sent(&world), [(1, 2)]);
    world.settle();
    assert_eq!(world.server.orphans[&1].2, Some(Some(2)));
    assert_eq!(
        (&world.server.saved[&(item(0), 1)], &world.server.saved[&(item(0), 2)]),
        (&text("mine"), &text("old a"))
    );
    assert_eq!(shown(&world), [], "settled");
    assert_eq!(world.server.saved, world.journalled());
}

#[test]
fn what_is_half_typed_is_a_version_of_its_own_before_an_answer_is_adopted() {
    let mut world = at_the_spare(&["old a"]);
    world.type_in(0, "half typed");
    adopt(&mut world, 1);
    world.settle();
    assert_eq!(world.server.saved[&(item(0), 1)], text("half typed"));
    assert_eq!(world.server.saved[&(item(0), 2)], text("old a"));
}

#[test]
fn typing_after_an_adoption_is_newer() {
    let mut world = at_the_spare(&["old a"]);
    adopt(&mut world, 1);
    world.type_in(0, "old a, and more");
    world.settle();
    assert_eq!(world.server.saved[&(item(0), 1)], text("old a"));
    assert_eq!(world.server.saved[&(item(0), 2)], text("old a, and more"));
    assert_eq!(*on_screen(&world, 0).answer, text("old a, and more"));
}

#[test]
fn a_dismissed_answer_is_not_shown_again() {
    let mut world = at_the_spare(&["old a", "old b"]);
    dismiss(&mut world, 2);
    assert_eq!(shown(&world)[1].3, OrphanChoice::Dismissing);
    dismiss(&mut world, 2);
    world.settle();
    assert_eq!(world.server.orphans[&2].2, Some(None));
    assert_eq!(shown(&world).len(), 1);
    assert_eq!(world.server.saved.len(), 0);
}

#[test]
fn choices_made_while_cut_off_are_heard_once_the_server_is_back() {
    let mut world = at_the_spare(&["old a", "old b"]);
    world.unlink();
    adopt(&mut world, 1);
    dismiss(&mut world, 2);
    world.sync();
    world.pass(5_000);
    assert_eq!((world.view().unsaved, on_screen(&world, 0).saved), (1, Saved::OnSeat));
    world.link();
    world.settle();
    assert_eq!((world.server.orphans[&1].2, world.server.orphans[&2].2), (Some(Some(1)), Some(None)));
    assert_eq!((world.server.refusals, shown(&world).len()), (0, 0));
}

#[test]
fn a_link_lost_after_the_server_heard_adopts_once() {
    let mut world = at_the_spare(&["old a"]);
    adopt(&mut world, 1);
    dismiss(&mut world, 1);
    world.sync();
    while !world.ups.is_empty() {
        world.server_hears();
    }
    assert_eq!(world.server.orphans[&1].2, Some(Some(1)));
    world.unlink();
    world.link();
    world.settle();
    assert_eq!((world.server.applied, world.server.refusals, world.view().evidence.len()), (1, 0, 0));
    assert_eq!(on_screen(&world, 0).saved, Saved::OnServer);
}

#[test]
fn an_adoption_and_a_dismissal_survive_a_restart_before_they_were_heard() {
    let mut world = at_the_spare(&["old a", "old b"]);
    world.unlink();
    adopt(&mut world, 1);
    dismiss(&mut world, 2);
    world.sync();
    world.restart(0);
    assert_eq!(*on_screen(&world, 0).answer, text("old a"), "without the server");
    world.link();
    world.settle();
    assert_eq!((world.server.orphans[&1].2, world.server.orphans[&2].2), (Some(Some(1)), Some(None)));
    assert_eq!((world.server.saved[&(item(0), 1)].clone(), world.server.refusals), (text("old a"), 0));
}

#[test]
fn an_adoption_that_was_refused_goes_as_the_candidate_s_own_version() {
    let mut world = at_the_spare(&["old a", "old b"]);
    world.unlink();
    adopt(&mut world, 1);
    world.sync();
    world.server.orphans.get_mut(&1).unwrap().2 = Some(None); // dismissed at a machine between the two
    world.link();
    world.settle();
    assert_eq!((world.server.saved[&(item(0), 1)].clone(), world.view().evidence.len()), (text("old a"), 0));

    world.unlink();
    adopt(&mut world, 2);
    world.sync();
    world.pass(3_700_000); // pressed in time, heard after the end
    world.link();
    world.settle();
    assert_eq!(world.server.saved[&(item(1), 1)], text("old b"));
}

#[test]
fn an_adoption_that_meets_another_version_of_its_number_gets_the_next_one() {
    let mut world = at_the_spare(&["old a"]);
    world.unlink();
    adopt(&mut world, 1);
    world.sync();
    world.server.saved.insert((item(0), 1), text("theirs"));
    world.link();
    world.settle();
    assert_eq!(world.server.saved[&(item(0), 2)], text("old a"));
    assert_eq!(world.view().evidence.len(), 1, "and says so");
}

#[test]
fn nothing_is_adopted_while_nothing_may_be_typed() {
    let mut world = at_the_spare(&["old a"]);
    world.pause();
    adopt(&mut world, 1);
    assert_eq!(world.view().notice, Some(Notice::Closed(Closed::Paused)));
    world.resume();
    world.act(Act::HandIn);
    adopt(&mut world, 1);
    assert_eq!(world.view().notice, Some(Notice::Closed(Closed::HandedIn)));
    world.settle();
    assert_eq!((world.server.saved.len(), world.server.orphans[&1].2), (0, None));
}

#[test]
fn a_hand_in_waits_for_what_the_candidate_adopted() {
    let mut world = at_the_spare(&["old a"]);
    adopt(&mut world, 1);
    world.act(Act::HandIn);
    world.settle();
    assert_eq!(world.view().screen, Screen::HandedIn);
    assert_eq!(world.server.saved[&(item(0), 1)], text("old a"));
}

#[test]
fn a_busy_server_is_asked_for_the_list_again() {
    let mut world = World::working();
    world.server.orphans.insert(1, (item(0), text("old a"), None));
    world.server.busy = true;
    world.tell();
    for _ in 0..100 {
        world.server_hears();
        world.seat_hears(0);
        world.pass(20);
    }
    assert_eq!(shown(&world).len(), 0);
    world.server.busy = false;
    for _ in 0..500 {
        world.server_hears();
        world.seat_hears(0);
        world.pass(20);
    }
    assert_eq!(shown(&world).len(), 1);
}

#[test]
fn orphans_that_come_while_the_list_is_on_its_way_are_listed_too() {
    let mut world = at_the_spare(&["old a"]);
    world.server.orphans.insert(2, (item(1), text("old b"), None));
    world.tell();
    world.server_hears(); // the page is made with two …
    world.server.orphans.insert(3, (item(2), text("old c"), None));
    world.tell(); // … and there are three before it is here
    world.settle();
    assert_eq!(shown(&world).len(), 3);
}

// The machine that was replaced.

/// Cut off with two answers the server never heard of.
fn cut_off() -> World {
    let mut world = World::working();
    world.type_in(0, "heard");
    world.settle();
    world.unlink();
    for (index, words) in [(0, "unheard"), (1, "unheard too")] {
        world.type_in(index, words);
        world.act(Act::Leave(item(index)));
        world.sync();
    }
    world.server.fenced = true;
    world
}

fn hand_over(world: &mut World) {
    for _ in 0..200 {
        world.sync();
        world.server_hears();
        world.seat_hears(0);
        world.pass(20);
    }
}

#[test]
fn a_replaced_machine_hands_over_what_it_had_once_and_stops() {
    let mut world = cut_off();
    world.link();
    hand_over(&mut world);
    let wanted = [(item(0), 2, text("unheard")), (item(1), 1, text("unheard too"))];
    assert_eq!(world.server.kept, wanted);
    let view = world.view();
    assert_eq!((view.screen, view.unsaved, view.notice), (Screen::SwappedOut, 0, None));
    assert!(view.paper.is_none() && view.items.is_empty(), "nobody reads the paper here any more");
    world.type_in(2, "late");
    assert_eq!(world.view().notice, Some(Notice::Closed(Closed::SwappedOut)));
    world.unlink();
    world.link();
    hand_over(&mut world);
    assert_eq!((world.server.kept.len(), world.server.applied), (2, 1), "once, and nothing was applied");
}

#[test]
fn a_replaced_machine_that_was_started_again_without_the_server_hands_over_as_well() {
    let mut world = cut_off();
    world.restart(0);
    assert_eq!(world.view().screen, Screen::Working, "it cannot know yet");
    world.link();
    hand_over(&mut world);
    assert_eq!((world.server.kept.len(), world.view().screen), (2, Screen::SwappedOut));
    world.restart(0);
    assert_eq!(world.view().screen, Screen::SwappedOut, "from its own journal");
    world.link();
    hand_over(&mut world);
    assert_eq!(world.server.kept.len(), 2);
}

#[test]
fn a_machine_replaced_while_connected_hands_over_what_is_half_typed_and_hands_nothing_in() {
    let mut world = World::working();
    world.type_in(0, "half");
    world.server.fenced = true;
    world.tell();
    hand_over(&mut world);
    assert_eq!(world.server.kept, [(item(0), 1, text("half"))]);
    assert_eq!(world.view().screen, Screen::SwappedOut);

    let mut world = cut_off();
    world.act(Act::HandIn);
    world.sync();
    world.link();
    hand_over(&mut world);
    assert_eq!((world.server.kept.len(), world.server.handed_in.is_some()), (2, false));
    assert_eq!(world.view().hand_in, HandInView::Open);
}

#[test]
fn a_machine_with_nothing_to_hand_over_learns_that_it_was_replaced() {
    let mut world = World::working();
    world.server.fenced = true;
    world.tell();
    hand_over(&mut world);
    assert_eq!((world.view().screen, world.server.kept.len()), (Screen::SwappedOut, 0));
    assert!(world.disk.iter().any(|record| matches!(record, Record::Fenced { .. })));
}

#[test]
fn a_busy_server_or_a_lost_link_keeps_a_replaced_machine_trying() {
    let mut world = cut_off();
    world.server.busy = true;
    world.link();
    hand_over(&mut world);
    world.server.busy = false;
    world.pass(5_000);
    world.server_hears();
    world.server_hears();
    world.unlink(); // the answers to it are lost
    world.link();
    hand_over(&mut world);
    let mut kept = world.server.kept.clone();
    kept.dedup(); // the room keeps one of each
    assert!(kept.len() >= 2 && kept.contains(&(item(1), 1, text("unheard too"))));
    assert_eq!((world.view().screen, world.view().unsaved), (Screen::SwappedOut, 0));
}

#[test]
fn a_replaced_machine_serves_the_next_sitting_and_a_backup_from_before_the_swap() {
    let mut world = cut_off();
    world.link();
    hand_over(&mut world);
    world.server.next_sitting = true;
    world.tell();
    assert_eq!(world.view().screen, Screen::SigningIn, "the next sitting");
    (world.server.next_sitting, world.server.fenced) = (false, false);
    world.tell();
    hand_over(&mut world);
    assert_eq!((world.view().screen, world.view().merge), (Screen::Working, Merge::Done));
    world.sync();
    world.restart(0);
    assert_eq!(world.view().screen, Screen::Working, "and it remembers the newer word");
}

#[test]
fn a_desk_the_server_lets_go_of_for_another_reason_is_not_taken_for_a_replaced_machine() {
    let mut world = World::working();
    world.server.attempt_lost = true;
    world.server.state = SeatState::Working;
    world.server.next_sitting = true;
    world.tell();
    hand_over(&mut world);
    assert_eq!(world.view().screen, Screen::SigningIn);
    let asked = world.server.refusals;
    hand_over(&mut world);
    assert_eq!(world.server.refusals, asked, "it is asked once");
    assert!(asked <= 1, "{:?}", Refusal::AttemptUnknown);
}
