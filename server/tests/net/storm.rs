//! Everybody at once. The figure is printed; the bound is only there so that a hang becomes a failure.

use crate::fixture::Site;
use exam_link::Link;
use exam_protocol::{message::candidate::Heartbeat, message::hello::Role, tag::Down};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const SEATS: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_seats_that_call_in_the_same_instant_all_get_in() {
    let site = Site::start().await;
    let dials: Vec<_> = (0..SEATS).map(|seat| site.machine(&format!("st-{seat}"), Role::Station)).collect();
    let begun = Instant::now();
    let mut calls = JoinSet::new();
    for dial in dials {
        calls.spawn(async move {
            let (link, _, mut pushes) = Link::connect(&dial).await?;
            pushes.next().await;
            Ok::<_, exam_link::LinkError>(link)
        });
    }
    let everybody = async {
        let mut links = Vec::new();
        while let Some(call) = calls.join_next().await {
            links.push(call.unwrap().expect("every seat gets in at its first attempt"));
        }
        links
    };
    let links = tokio::time::timeout(Duration::from_secs(30), everybody).await.unwrap();
    println!("{SEATS} seats in after {} ms", begun.elapsed().as_millis());
    assert_eq!(links.len(), SEATS);
    for link in &links {
        assert!(matches!(link.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)));
    }
}
