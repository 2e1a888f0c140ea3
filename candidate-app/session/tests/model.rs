//! Random days: typing, cuts, restarts of both sides, a failing disk, lost and shuffled words. In the end the seat's
//! journal and the server must agree, whatever happened.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::*;
use exam_protocol::ids::ItemId;
use exam_session::{Act, Merge, Saved};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Type { index: usize, word: u8 },
    Leave { index: usize },
    Pass { ms: u64 },
    Link,
    Unlink,
    ServerHears,
    SeatHears { which: usize },
    Sync,
    DiskFails(bool),
    Busy(bool),
    RestartApp { kept: usize },
    RestartServer,
    BackUp,
    Burn,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..ITEMS, any::<u8>()).prop_map(|(index, word)| Step::Type { index, word }),
        3 => (0..ITEMS).prop_map(|index| Step::Leave { index }),
        5 => (0_u64..3_000).prop_map(|ms| Step::Pass { ms }),
        3 => Just(Step::Link),
        2 => Just(Step::Unlink),
        8 => Just(Step::ServerHears),
        8 => (0_usize..40).prop_map(|which| Step::SeatHears { which }),
        6 => Just(Step::Sync),
        1 => any::<bool>().prop_map(Step::DiskFails),
        1 => any::<bool>().prop_map(Step::Busy),
        1 => (0_usize..10).prop_map(|kept| Step::RestartApp { kept }),
        1 => Just(Step::RestartServer),
        1 => Just(Step::BackUp),
        1 => Just(Step::Burn),
    ]
}

fn take(world: &mut World, step: Step) {
    match step {
        Step::Type { index, word } => world.type_in(index, &word.to_string()),
        Step::Leave { index } => world.act(Act::Leave(item(index))),
        Step::Pass { ms } => world.pass(ms),
        Step::Link if !world.linked => world.link(),
        Step::Unlink if world.linked => world.unlink(),
        Step::Link | Step::Unlink => {}
        Step::ServerHears => world.server_hears(),
        Step::SeatHears { which } => world.seat_hears(which),
        Step::Sync => world.sync(),
        Step::DiskFails(fails) => world.disk_fails = fails,
        Step::Busy(busy) => world.server.busy = busy,
        Step::RestartApp { kept } if !world.disk_fails => world.restart(kept),
        Step::RestartApp { .. } => {}
        Step::BackUp => world.server.backup = world.server.saved.clone(),
        Step::Burn => world.burn(),
        Step::RestartServer => {
            world.server.boot += 1;
            if world.linked {
                world.unlink();
            }
        }
    }
}

fn heal(world: &mut World) {
    world.disk_fails = false;
    world.server.busy = false;
    // A connection on which nothing was heard for too long would be given up in the middle of healing.
    world.hear_all();
    if !world.linked {
        world.link();
    }
    world.settle();
    world.settle();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_everything_is_there_exactly_once(steps in prop::collection::vec(step(), 1..160), hand_in: bool) {
        let mut world = World::working();
        let mut known: BTreeMap<ItemId, String> = BTreeMap::new();
        for step in steps {
            take(&mut world, step);
            // Whatever was ever shown as saved by the server is on the server's disk.
            let knows = !world.server.burnt || (world.linked && world.view().merge == Merge::Done);
            for view in world.view().items {
                if knows && view.saved == Saved::OnServer {
                    prop_assert_eq!(world.server.saved.get(&(view.item.clone(), view.number)), Some(&*view.answer));
                }
                known.insert(view.item, format!("{:?}", view.answer));
            }
        }
        heal(&mut world);
        if hand_in {
            world.act(Act::HandIn);
            world.settle();
            world.settle();
            prop_assert!(world.server.handed_in.is_some());
        }
        if !world.ever_failed {
            prop_assert_eq!(world.server.refusals, 0, "one machine alone never makes two histories");
        }
        prop_assert_eq!(world.server.applied as usize, world.server.saved.len(), "applied once each");
        // What went to the server while the seat's disk failed, and died with the app, may meet another of its number.
        for (version, answer) in world.journalled().iter().filter(|_| !world.ever_failed) {
            prop_assert_eq!(world.server.saved.get(version), Some(answer), "what is journalled is at the server");
        }
        // … and what burnt with the server then is on no disk.
        for (version, answer) in world.acked.iter().filter(|_| !(world.ever_failed && world.server.burnt)) {
            prop_assert_eq!(world.server.saved.get(version), Some(answer), "what was acknowledged is there");
        }
        let mut numbers: BTreeMap<&ItemId, u32> = BTreeMap::new();
        for (item, number) in world.server.saved.keys() {
            let before = numbers.insert(item, *number).unwrap_or(0);
            prop_assert!(*number == before + 1 || (world.ever_failed && world.server.burnt), "numbers are given without gaps");
        }
        if !hand_in {
            for view in world.view().items {
                prop_assert!(matches!(view.saved, Saved::OnServer | Saved::Untouched));
            }
        }
    }

    #[test]
    fn without_crashes_the_newest_answer_is_what_was_typed_last_and_both_sides_hold_the_same(
        steps in prop::collection::vec(step(), 1..160),
    ) {
        let mut world = World::working();
        let mut last: BTreeMap<usize, u8> = BTreeMap::new();
        for step in steps {
            if matches!(step, Step::RestartApp { .. }) {
                continue;
            }
            // While it is connected and has not asked what the server has, the seat takes no typing.
            if let Step::Type { index, word } = step
                && world.view().closed.is_none()
            {
                last.insert(index, word);
            }
            take(&mut world, step);
        }
        heal(&mut world);
        prop_assert_eq!(&world.server.saved, &world.journalled());
        prop_assert_eq!(&world.server.saved, &world.acked, "a lost acknowledgement is made up for");
        let view = world.view();
        for (index, word) in last {
            let shown = view.items.iter().find(|view| view.item == item(index)).map(|view| (*view.answer).clone());
            prop_assert_eq!(shown, Some(text(&word.to_string())));
        }
    }
}
