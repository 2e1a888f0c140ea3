//! One real seat against a small server over real QUIC and a real disk: cuts, restarts, and what lies on the disk.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{CANARY, Site, item};
use exam_protocol::{answer::Answer, ids::ItemId};
use exam_seat::{
    Seat, SeatConfig, SeatHandle,
    journal::{self, Journal},
    vault::Vault,
};
use exam_session::{Act, Record, Saved, Screen, View};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

/// Longest wait for anything in these tests.
const PATIENCE: Duration = Duration::from_secs(60);

async fn wait(seat: &SeatHandle, what: &str, wanted: impl FnMut(&Arc<View>) -> bool) -> Arc<View> {
    let mut views = seat.views();
    let found = tokio::time::timeout(PATIENCE, views.wait_for(wanted)).await;
    match found {
        Ok(view) => view.unwrap().clone(),
        Err(_) => panic!("waited in vain for {what}: {:?}", seat.views().borrow()),
    }
}

async fn sign_in(seat: &SeatHandle) {
    wait(seat, "the sign-in screen", |view| view.screen == Screen::SigningIn).await;
    let admission_no = "110105000001".parse().unwrap();
    seat.act(Act::SignIn { admission_no, password: "000001".into() }).await;
    wait(seat, "the paper", |view| view.screen == Screen::Working).await;
}

async fn give(seat: &SeatHandle, index: usize, words: &str) {
    seat.act(Act::Type { item: item(index), answer: Answer::Text(words.to_owned()) }).await;
    seat.act(Act::Leave(item(index))).await;
}

fn on_disk(config: &SeatConfig) -> BTreeMap<(ItemId, u32), Answer> {
    let folder = config.journal_folder();
    let attempt = journal::newest(&folder).unwrap();
    let vault = Arc::new(Vault::load_or_create(&config.folder).unwrap());
    let site = config.dial.trust.public().site.clone();
    let (_, records, recovery) = Journal::open(journal::Place { folder, site, attempt, vault }).unwrap();
    assert_eq!(recovery.in_words(), None);
    let answered = records.into_iter().filter_map(|record| match record {
        Record::Answered { item, number, answer, .. } => Some(((item, number), answer)),
        _ => None,
    });
    answered.collect()
}

fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(if path.is_dir() { all_bytes(&path) } else { std::fs::read(path).unwrap() });
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_stopped_again_and_again_costs_no_answer_and_no_new_login() {
    let (site, dir) = (Site::new(), tempfile::tempdir().unwrap());
    let config = site.seat(dir.path());
    let mut serving = site.serve(1).await;
    let seat = Seat::start(config.clone()).await.unwrap();
    sign_in(&seat).await;
    for boot in 2..5 {
        for n in 0..20 {
            give(&seat, n, &format!("答{boot}-{n}")).await;
            if n == 10 {
                serving.stop();
                serving = site.serve(boot).await;
            }
        }
    }
    let view =
        wait(&seat, "everything saved", |view| view.linked && view.unsaved == 0 && view.answered == common::ITEMS)
            .await;
    assert!(view.items.iter().all(|item| item.saved == Saved::OnServer));
    seat.stop().await;
    assert_eq!(*site.saved.lock().unwrap(), on_disk(&config));
    serving.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_started_again_without_the_server_goes_on_and_syncs_later() {
    let (site, dir) = (Site::new(), tempfile::tempdir().unwrap());
    let serving = site.serve(1).await;
    let seat = Seat::start(site.seat(dir.path())).await.unwrap();
    sign_in(&seat).await;
    give(&seat, 0, "先答").await;
    wait(&seat, "the first answer saved", |view| view.items.iter().any(|item| item.saved == Saved::OnServer)).await;
    serving.stop();
    give(&seat, 1, "断网答").await;
    wait(&seat, "the second on the seat", |view| view.items.iter().any(|item| item.saved == Saved::OnSeat)).await;
    seat.stop().await;

    let config = site.seat(dir.path());
    let seat = Seat::start(config.clone()).await.unwrap();
    let view = wait(&seat, "the paper from the seat's own disk", |view| view.screen == Screen::Working).await;
    assert_eq!((view.answered, view.linked), (2, false));
    assert!(view.left_ms.is_some_and(|left| left > 3_000_000));
    give(&seat, 2, "重启后答").await;
    let serving = site.serve(2).await;
    wait(&seat, "everything saved", |view| view.linked && view.unsaved == 0 && view.answered == 3).await;
    seat.stop().await;
    assert_eq!(*site.saved.lock().unwrap(), on_disk(&config));
    serving.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_paper_nor_answers_nor_keys_are_on_the_disk_in_the_clear() {
    let (site, dir) = (Site::new(), tempfile::tempdir().unwrap());
    let serving = site.serve(1).await;
    let seat = Seat::start(site.seat(dir.path())).await.unwrap();
    sign_in(&seat).await;
    give(&seat, 0, CANARY).await;
    wait(&seat, "the answer saved", |view| view.items.iter().any(|item| item.saved == Saved::OnServer)).await;
    seat.stop().await;
    let bytes = all_bytes(dir.path());
    assert!(bytes.len() > 500, "there is a journal and a sealed paper");
    for canary in [CANARY, "AGE-SECRET-KEY", "110105000001"] {
        assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()), "{canary} is on the disk");
    }
    serving.stop();
}
