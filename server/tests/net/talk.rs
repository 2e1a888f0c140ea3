//! Requests, replies, pushes, replacement, stopping, restarting.

use crate::fixture::{Site, counter, save, view};
use exam_link::{CloseCode, Dial, Link, LinkError, connect_until, reconnect::GaveUp};
use exam_protocol::{
    ids::SeatRef,
    message::{
        candidate::{Heartbeat, TakeSeat},
        hello::Role,
    },
    tag::Down,
};
use exam_server::net::Server;
use std::{ops::ControlFlow, sync::Arc, time::Duration};
use tokio::task::JoinSet;

#[tokio::test]
async fn replies_find_their_questions_in_any_order() {
    let site = Site::start().await;
    let (link, _, _pushes) = Link::connect(&site.machine("st-1", Role::Station)).await.unwrap();
    let slow = {
        let link = link.clone();
        tokio::spawn(async move { link.request(save(1)).await })
    };
    assert!(matches!(link.request(save(2)).await.unwrap(), Down::Saved(saved) if saved.number == 2));
    assert!(!slow.is_finished(), "the odd one waits");
    assert!(matches!(link.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)));
    assert!(matches!(slow.await.unwrap().unwrap(), Down::Saved(saved) if saved.number == 1));
}

#[tokio::test(flavor = "current_thread")]
async fn questions_arrive_in_the_order_of_asking_however_many_wait() {
    let site = Site::start().await;
    let (link, _, _pushes) = Link::connect(&site.machine("st-1", Role::Station)).await.unwrap();
    let mut asked = JoinSet::new();
    for number in 1..=300 {
        let link = link.clone();
        asked.spawn(async move { link.request(save(2 * number)).await });
    }
    while let Some(reply) = asked.join_next().await {
        assert!(matches!(reply.unwrap().unwrap(), Down::Saved(_)));
    }
    let arrived = site.counter.arrived.lock().unwrap().clone();
    assert_eq!(arrived, (1..=300).map(|number| 2 * number).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_forgotten_question_takes_no_room_from_others() {
    let site = Site::start().await;
    let (link, _, _pushes) = Link::connect(&site.machine("st-1", Role::Station)).await.unwrap();
    for round in 0..10 {
        let unanswered = tokio::time::timeout(Duration::from_millis(1), link.request(save(2 * round + 1))).await;
        assert!(unanswered.is_err());
    }
    assert!(matches!(link.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)));
}

#[tokio::test]
async fn a_station_hears_pushes_and_knows_them_from_replies() {
    let site = Site::start().await;
    let (link, _, mut pushes) = Link::connect(&site.machine("st-1", Role::Station)).await.unwrap();
    let name = |down: Down| match down {
        Down::SeatView(view) => view.room_name,
        other => other.name().to_owned(),
    };
    assert_eq!(name(pushes.next().await.unwrap()), "hello");
    let seat = SeatRef { room: "r1".parse().unwrap(), seat: 1.try_into().unwrap() };
    assert_eq!(name(link.request(TakeSeat { seat }).await.unwrap()), "after the question");
    let outbox = site.counter.outbox("st-1");
    outbox.send(view(&"st-1".parse().unwrap(), "unasked").into()).await.unwrap();
    assert_eq!(name(pushes.next().await.unwrap()), "unasked");
    link.close();
    drop(link);
    assert!(pushes.next().await.is_none());
}

#[tokio::test]
async fn a_newer_connection_of_a_machine_replaces_the_older() {
    let mut site = Site::start().await;
    let dial = site.machine("st-1", Role::Station);
    let (old, _, _old_pushes) = Link::connect(&dial).await.unwrap();
    let (new, _, _new_pushes) = Link::connect(&dial).await.unwrap();
    assert_eq!(old.closed().await, LinkError::Closed(CloseCode::LetGo.words().into()));
    assert_eq!(site.left.recv().await, Some(1), "the counter hears that the older has gone");
    assert!(matches!(new.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)));
    drop(new);
    assert_eq!(site.left.recv().await, Some(2), "dropping a link ends the connection");
}

#[tokio::test]
async fn a_stopping_server_says_so_to_everybody() {
    let mut site = Site::start().await;
    let (station, _, _pushes) = Link::connect(&site.machine("st-1", Role::Station)).await.unwrap();
    let pending = {
        let station = station.clone();
        tokio::spawn(async move { station.request(save(1)).await })
    };
    assert!(matches!(station.request(save(2)).await.unwrap(), Down::Saved(_)));
    site.stop().await;
    let stopping = LinkError::Closed(CloseCode::Stopping.words().into());
    assert_eq!(station.closed().await, stopping);
    assert_eq!(pending.await.unwrap().unwrap_err(), stopping, "a waiting question is not left waiting");
    assert_eq!(station.request(save(4)).await.unwrap_err(), stopping);
}

#[tokio::test]
async fn connecting_goes_on_until_the_server_is_there_or_the_caller_stops() {
    let mut site = Site::start().await;
    let dial = site.machine("st-1", Role::Station);
    let (link, ..) = connect_until(&dial, std::future::pending(), |_, _| ControlFlow::Continue(())).await.unwrap();
    drop(link);
    site.stop().await;
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    let mut tell = Some(tell);
    let stopped = connect_until(
        &dial,
        async {
            let _ = told.await;
        },
        |attempt, error| {
            assert!(matches!(error, LinkError::Unreachable(_)), "{error:?}");
            tell.take().into_iter().for_each(|tell| tell.send(()).unwrap());
            assert_eq!(attempt, 0);
            ControlFlow::Continue(())
        },
    );
    assert_eq!(stopped.await.err().unwrap(), GaveUp::Stopped);
    let gave_up = connect_until(&dial, std::future::pending(), |_, _| ControlFlow::Break(())).await;
    assert!(matches!(gave_up.err().unwrap(), GaveUp::Final(LinkError::Unreachable(_))));
}

/// A server that is killed cannot say farewell. Its successor tells the old peers, at their next packet, that it does not
/// know them: a seat reconnects at once instead of after 30 seconds of silence.
#[test]
fn a_restarted_server_sends_old_connections_away_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let created = exam_server::site::SiteKeys::create(dir.path(), "site").unwrap();
    let (counter, _left) = counter(dir.path());
    counter.known.lock().unwrap().insert(created.admin_certificate, (Role::Admin, created.admin));
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let start = |addr: &str, runtime: &tokio::runtime::Runtime| {
        let _inside = runtime.enter();
        let server = Server::bind(addr.parse().unwrap(), &counter.keys).unwrap();
        let addr = server.local_addr().unwrap();
        runtime.spawn(server.serve(Arc::clone(&counter), std::future::pending()));
        addr
    };
    let killed = runtime();
    let addr = start("127.0.0.1:0", &killed);
    let client = runtime();
    let identity = exam_link::Identity::load(&dir.path().join("admin"), counter.keys.site()).unwrap();
    let (link, ..) = client
        .block_on(async {
            let endpoint = exam_link::client_endpoint(addr).unwrap();
            let trust = counter.keys.trust().clone();
            Link::connect(&Dial { endpoint, trust, identity: Some(identity), addr, build: "test".into() }).await
        })
        .unwrap();
    killed.shutdown_timeout(Duration::from_secs(10));
    let again = runtime();
    start(&addr.to_string(), &again);
    let end = client.block_on(async {
        let asked = link.request(exam_protocol::message::admin::VerifyJournal);
        tokio::time::timeout(Duration::from_secs(10), asked).await
    });
    assert_eq!(
        end.expect("well before the idle time-out").unwrap_err(),
        LinkError::Closed("the server no longer knows this connection".into())
    );
}
