//! Blobs up and down: resumed, checked, granted by role.

use crate::fixture::Site;
use exam_link::{
    Link, LinkError,
    bulk::{BulkError, fetch_blob, put_blob},
};
use exam_protocol::{
    code::{ErrorCode, Refusal},
    ids::Sha256,
    message::{candidate::Heartbeat, hello::Role},
    tag::Down,
};
use std::fs;

fn bytes(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[tokio::test]
async fn a_blob_goes_up_and_down_whole_whatever_its_size() {
    let site = Site::start().await;
    let (admin, ..) = Link::connect(&site.admin()).await.unwrap();
    let (station, _, _pushes) = Link::connect(&site.machine("st-1", Role::Station)).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    for length in [0, 1, 1 << 20, (1 << 20) + 1, 5 * (1 << 20) + 123] {
        let (from, to) = (dir.path().join("from"), dir.path().join(format!("to-{length}")));
        fs::write(&from, bytes(length)).unwrap();
        let blob = put_blob(&admin, &from).await.unwrap();
        assert_eq!(blob, Sha256::of(&bytes(length)));
        assert_eq!(put_blob(&admin, &from).await.unwrap(), blob, "bringing it again is harmless");
        assert_eq!(fetch_blob(&station, blob, &to).await.unwrap(), length as u64);
        assert_eq!(fs::read(&to).unwrap(), bytes(length));
        assert_eq!(fetch_blob(&station, blob, &to).await.unwrap(), length as u64, "fetching it again is harmless");
        assert!(!dir.path().join(format!("to-{length}.part")).exists());
    }
}

#[tokio::test]
async fn every_seat_gets_its_paper_though_only_some_chunks_are_on_their_way_at_once() {
    let site = Site::start().await;
    let (admin, ..) = Link::connect(&site.admin()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (from, whole) = (dir.path().join("from"), bytes(3 * (1 << 20) + 7));
    fs::write(&from, &whole).unwrap();
    let blob = put_blob(&admin, &from).await.unwrap();
    let mut fetching = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (dial, to) = (site.machine(&format!("st-{number}"), Role::Station), dir.path().join(number.to_string()));
        fetching.spawn(async move {
            let (station, _, _pushes) = Link::connect(&dial).await.unwrap();
            fetch_blob(&station, blob, &to).await.unwrap();
            assert!(matches!(station.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)));
            fs::read(to).unwrap()
        });
    }
    assert!(fetching.join_all().await.into_iter().all(|fetched| fetched == whole));
}

#[tokio::test]
async fn a_transfer_that_was_cut_goes_on_from_where_it_was() {
    let site = Site::start().await;
    let (admin, ..) = Link::connect(&site.admin()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let whole = bytes(3 * (1 << 20));
    let blob = Sha256::of(&whole);
    let blobs = site.dir.path().join("blobs");
    fs::create_dir(&blobs).unwrap();
    fs::write(blobs.join(format!("{}.part", blob.hex())), &whole[..1_500_000]).unwrap();
    fs::write(dir.path().join("from"), &whole).unwrap();
    put_blob(&admin, &dir.path().join("from")).await.unwrap();
    assert_eq!(fs::read(blobs.join(blob.hex())).unwrap(), whole);

    let to = dir.path().join("to");
    fs::write(dir.path().join("to.part"), &whole[..2_000_000]).unwrap();
    let before = admin.connection().stats().udp_rx.bytes;
    fetch_blob(&admin, blob, &to).await.unwrap();
    assert!(admin.connection().stats().udp_rx.bytes - before < 2_000_000, "what is there must not come again");
    assert_eq!(fs::read(&to).unwrap(), whole);
}

#[tokio::test]
async fn the_rest_of_something_else_is_thrown_away_and_the_blob_still_arrives() {
    let site = Site::start().await;
    let (admin, ..) = Link::connect(&site.admin()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let whole = bytes(2_000_000);
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    fs::write(&from, &whole).unwrap();
    let blob = put_blob(&admin, &from).await.unwrap();
    for stale in [vec![7; 1_000], vec![7; 2_000_000], vec![7; 3_000_000]] {
        fs::write(dir.path().join("to.part"), &stale).unwrap();
        fs::write(&to, b"an older file").unwrap();
        fetch_blob(&admin, blob, &to).await.unwrap();
        assert_eq!(fs::read(&to).unwrap(), whole, "after a stale part of {} bytes", stale.len());
    }
}

#[tokio::test]
async fn a_blob_that_is_not_what_its_name_says_never_gets_its_name() {
    let site = Site::start().await;
    let (station, _, _pushes) = Link::connect(&site.machine("st-1", Role::Station)).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("to");
    let blob = Sha256::of(b"right");
    fs::create_dir(site.dir.path().join("blobs")).unwrap();
    fs::write(site.dir.path().join("blobs").join(blob.hex()), b"wrong").unwrap();
    assert!(matches!(fetch_blob(&station, blob, &to).await, Err(BulkError::WrongHash { .. })));
    assert!(!to.exists() && !dir.path().join("to.part").exists());
}

#[tokio::test]
async fn missing_blobs_and_missing_rights_are_told_apart_and_end_nothing() {
    let site = Site::start().await;
    let (station, _, _pushes) = Link::connect(&site.machine("st-1", Role::Station)).await.unwrap();
    let (guest, ..) = Link::connect(&site.guest()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("to");
    let unknown = fetch_blob(&station, Sha256::of(b"?"), &to).await.unwrap_err();
    assert!(matches!(unknown, BulkError::Link(LinkError::Failed(ErrorCode::BlobUnknown))));
    let stranger = fetch_blob(&guest, Sha256::of(b"?"), &to).await.unwrap_err();
    assert!(matches!(stranger, BulkError::Link(LinkError::Refused(Refusal::RoleMayNot))));
    fs::write(dir.path().join("from"), bytes(3_000_000)).unwrap();
    let upward = put_blob(&station, &dir.path().join("from")).await.unwrap_err();
    assert!(matches!(upward, BulkError::Link(LinkError::Refused(Refusal::RoleMayNot))), "{upward:?}");
    assert!(matches!(station.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)));
}
