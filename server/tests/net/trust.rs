//! P9: only the right server, only the right machine. What a rogue learns is nothing.

use crate::fixture::{GOOD_CODE, Site};
use exam_link::{Dial, Identity, Link, LinkError, MachineKey, enrol, enrol::Enrolment};
use exam_protocol::{code::Refusal, message::candidate::Heartbeat, message::hello::Role, tag::Down};
use std::sync::atomic::Ordering;

fn enrolment(code: &str) -> Enrolment {
    Enrolment { code: code.into(), key: MachineKey::generate().unwrap(), host: "pc-1".into() }
}

#[tokio::test]
async fn a_guest_enrols_and_comes_back_as_a_station() {
    let site = Site::start().await;
    let guest = site.guest();
    let identity = enrol(&guest, enrolment(GOOD_CODE)).await.unwrap();
    assert_eq!((identity.role, &identity.site), (Role::Station, site.counter.keys.site()));
    let dir = tempfile::tempdir().unwrap();
    identity.save(dir.path()).unwrap();
    let identity = Identity::load(dir.path(), &identity.site).unwrap();
    let (_link, welcome, _pushes) = Link::connect(&Dial { identity: Some(identity.clone()), ..guest }).await.unwrap();
    assert_eq!((welcome.role, welcome.station), (Role::Station, Some(identity.station)));
}

#[tokio::test]
async fn a_wrong_enrolment_code_is_refused() {
    let site = Site::start().await;
    let refused = enrol(&site.guest(), enrolment("WRONG")).await.unwrap_err();
    assert_eq!(refused, LinkError::Refused(Refusal::EnrolCodeInvalid));
}

#[tokio::test]
async fn a_machine_with_another_sites_trust_file_says_nothing_at_all() {
    let (site, other) = (Site::start().await, Site::start().await);
    for identity in [None, other.machine("st-1", Role::Station).identity] {
        let lost = Dial { identity, addr: site.addr, ..other.guest() };
        let error = Link::connect(&lost).await.err().unwrap();
        assert!(matches!(error, LinkError::NotTrusted(_)), "{error:?}");
    }
    assert_eq!(site.heard(), (0, 0), "the server must not have heard a greeting or a message");
}

#[tokio::test]
async fn a_machine_with_another_sites_certificate_is_not_known_and_not_heard() {
    let (site, other) = (Site::start().await, Site::start().await);
    let stranger = Dial { identity: other.machine("st-1", Role::Station).identity, ..site.guest() };
    let error = Link::connect(&stranger).await.err().unwrap();
    assert_eq!(error, LinkError::NotKnown);
    assert_eq!(site.heard(), (0, 0));
}

#[tokio::test]
async fn a_certificate_the_journal_does_not_know_is_refused() {
    let site = Site::start().await;
    let machine = site.machine("st-1", Role::Station);
    site.counter.known.lock().unwrap().clear();
    assert_eq!(Link::connect(&machine).await.err().unwrap(), LinkError::NotKnown);
    assert_eq!(site.heard(), (0, 0));
}

#[tokio::test]
async fn a_machine_that_cannot_be_looked_up_now_is_not_called_unknown() {
    let site = Site::start().await;
    let machine = site.machine("st-1", Role::Station);
    site.counter.busy.store(true, Ordering::SeqCst);
    let error = Link::connect(&machine).await.err().unwrap();
    assert!(matches!(error, LinkError::Closed(_) | LinkError::Unreachable(_)), "it comes again: {error:?}");
    site.counter.busy.store(false, Ordering::SeqCst);
    assert!(Link::connect(&machine).await.is_ok());
}

#[tokio::test]
async fn another_machines_certificate_without_its_key_is_worth_nothing() {
    let site = Site::start().await;
    let mut thief = site.machine("st-1", Role::Station);
    thief.identity.as_mut().unwrap().key = MachineKey::generate().unwrap();
    assert!(Link::connect(&thief).await.is_err());
    assert_eq!(site.heard(), (0, 0));
}

#[tokio::test]
async fn roles_hear_no_where_they_have_no_say() {
    let site = Site::start().await;
    let refused = |down: Down| matches!(down, Down::Refused(refused) if refused.refusal == Refusal::RoleMayNot);
    for dial in [site.guest(), site.admin(), site.machine("console-1", Role::Console)] {
        let (link, _, _pushes) = Link::connect(&dial).await.unwrap();
        assert!(refused(link.request(Heartbeat::default()).await.unwrap()));
    }
    let (station, _, _pushes) = Link::connect(&site.machine("st-1", Role::Station)).await.unwrap();
    assert!(refused(station.request(exam_protocol::message::admin::AskStatus).await.unwrap()));
    assert!(matches!(station.request(Heartbeat::default()).await.unwrap(), Down::Heard(_)), "a refusal ends nothing");
    assert_eq!(site.heard().1, 1, "the counter must hear only what the role may say");
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let mut site = Site::start().await;
    let dial = site.guest();
    site.stop().await;
    assert!(matches!(Link::connect(&dial).await.err().unwrap(), LinkError::Unreachable(_)));
}
