//! P10 and P5 at a real room: well-formed messages whose numbers and lengths nobody means, and frames heard a second time.
//! Never sends what writes outside the room's own folder.

use crate::{
    questions::questions,
    site::{PHASES, Prepared, Served, Speaker},
};
use exam_link::Link;
use exam_protocol::{
    code::{ErrorCode, Phase},
    frame::{PUSH, RequestId, UP_FRAME_BYTES_MAX, take_frame},
    message::admin::VerifyJournal,
    staff::StaffRole,
    tag::{Down, Up},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// bincode's largest numbers of eight, four and two bytes, and the smallest.
const NUMBERS: [&[u8]; 4] =
    [&[253, 255, 255, 255, 255, 255, 255, 255, 255], &[252, 255, 255, 255, 255], &[251, 255, 255], &[0]];
/// Noticed by the room itself whatever anybody says.
const BY_ITSELF: [&str; 3] = ["finding_noted", "finding_grew", "clocks_read"];
/// A switch: a hand lowered in between is raised again by the machine it belongs to. Nothing is counted by it.
const SWITCH: [&str; 2] = ["hand_raised", "hand_lowered"];
/// Strange messages of one question, spread over all there are.
const STRANGE_MAX: usize = 16;
/// Questions one server hears before a fresh one takes over.
const QUESTIONS_A_SERVER: usize = 24;

const SPEAKERS: [Speaker; 3] =
    [Speaker::Station, Speaker::Console(Some(StaffRole::Chief)), Speaker::Admin(Some(StaffRole::Chief))];

fn running() -> usize {
    PHASES.iter().position(|phase| *phase == Phase::Running).unwrap()
}

/// The message with one number after the other made as large, or as small, as it can be written.
fn doctored(message: &Up) -> Vec<Up> {
    let frame = message.to_frame(RequestId(PUSH.0 + 1));
    let (raw, _) = take_frame(&frame, UP_FRAME_BYTES_MAX).unwrap().unwrap();
    let mut found: Vec<Up> = Vec::new();
    for at in 0..raw.payload.len() {
        for number in NUMBERS {
            let mut changed = raw.clone();
            changed.payload.splice(at..=at, number.iter().copied());
            let fresh = Up::from_frame(&changed).ok().filter(|other| other.name() == message.name());
            found.extend(fresh.filter(|other| !found.contains(other) && other != message));
        }
    }
    let step = found.len().div_ceil(STRANGE_MAX).max(1);
    found.into_iter().step_by(step).collect()
}

/// Texts of all panics of this process from now on, on whatever thread.
fn panics() -> Arc<Mutex<Vec<String>>> {
    let (heard, before) = (Arc::new(Mutex::new(Vec::new())), std::panic::take_hook());
    let into = Arc::clone(&heard);
    std::panic::set_hook(Box::new(move |panic| {
        into.lock().unwrap_or_else(PoisonError::into_inner).push(panic.to_string());
        before(panic);
    }));
    heard
}

async fn links(served: &Served, prepared: &Prepared) -> BTreeMap<Speaker, Link> {
    let mut links = BTreeMap::new();
    for speaker in SPEAKERS {
        links.insert(speaker, served.link(prepared, speaker).await);
    }
    links
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_nobody_means_in_messages_that_are_well_formed_stop_nothing() {
    let (prepared, panics) = (Prepared::new().await, panics());
    let mut sent = 0;
    for some in questions().chunks(QUESTIONS_A_SERVER) {
        let served = prepared.serve(running()).await;
        let links = links(&served, &prepared).await;
        // One writes where it is told to, the other is said once.
        let messages = some.iter().map(|question| question.ask(&served));
        for message in messages.filter(|message| !matches!(message, Up::BackUp(_) | Up::Hello(_))) {
            for strange in doctored(&message) {
                sent += ask_everybody(&links, &strange).await;
            }
        }
        let sound = links[&Speaker::Admin(Some(StaffRole::Chief))].request(VerifyJournal).await.unwrap();
        assert!(matches!(sound, Down::JournalVerified(_)), "after {}: {sound:?}", some[0].name);
        drop(links);
        served.stop().await;
    }
    assert!(sent > 300, "numbers must have been found to change, not {sent}");
    let ours = |panic: &&String| !panic.contains("tests/matrix");
    assert_eq!(panics.lock().unwrap().iter().filter(ours).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Returns how many asked. Everybody is answered, by a rule or by the room, and never by our own mistake.
async fn ask_everybody(links: &BTreeMap<Speaker, Link>, strange: &Up) -> usize {
    let mut asked = 0;
    for (speaker, link) in links.iter().filter(|(speaker, _)| strange.senders().contains(&speaker.machine())) {
        let reply = link.request(strange.clone()).await;
        let broken = |down: &Down| matches!(down, Down::Failed(failed) if failed.error == ErrorCode::Internal);
        assert!(reply.as_ref().is_ok_and(|down| !broken(down)), "{strange:?} by {speaker}: {reply:?}");
        asked += 1;
    }
    asked
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_machine_said_once_changes_nothing_when_it_is_heard_again() {
    let prepared = Prepared::new().await;
    let served = prepared.serve(running()).await;
    let said: Vec<Up> = questions()
        .iter()
        .map(|question| question.ask(&served))
        .filter(|message| message.senders().contains(&Speaker::Station.machine()) && !matches!(message, Up::Hello(_)))
        .collect();
    // A link counts its requests from the same number: the same messages in the same order are the same bytes.
    for round in 0..3 {
        let (before, link) = (served.kinds(), served.link(&prepared, Speaker::Station).await);
        for message in &said {
            link.request(message.clone()).await.unwrap();
        }
        let left: Vec<_> = served.kinds().split_off(before.len());
        let left: Vec<_> =
            left.into_iter().filter(|kind| ![&BY_ITSELF[..], &SWITCH].concat().contains(&kind.as_str())).collect();
        match round {
            0 => assert!(left.contains(&"answer_saved".to_owned()), "something must have been said: {left:?}"),
            _ => assert_eq!(left, Vec::<String>::new(), "round {round}"),
        }
    }
    served.stop().await;
}
