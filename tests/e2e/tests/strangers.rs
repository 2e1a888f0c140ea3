//! Who is not who they should be: a seat that trusts another site, and a candidate who is already signed in elsewhere.
//! Never asserts on what a seat says alone: the server's own account counts.

mod common;

use common::{DEADLINE, Small, founded, small_exam};
use exam_e2e::site::{Sample, Seated};
use exam_link::{Dial, Link, LinkError, MachineKey, Trust, client_endpoint, enrol};
use exam_protocol::{
    code::Refusal,
    ids::{AdmissionNo, SeatRef},
    message::candidate::{SignIn, TakeSeat},
};

const SEATS: u16 = 2;

fn sample(seed: u64) -> Sample {
    Sample { seats: SEATS, questions: 3, seed }
}

#[test]
fn a_seat_with_another_site_s_trust_file_sends_no_login() -> anyhow::Result<()> {
    let exam = small_exam(sample(21), None)?;
    exam.site.act("admit-open", &exam.sitting)?;
    let (other, _folder) = founded()?;
    let status = exam.seats_trusting(SEATS, &other.public_file())?.wait_end(DEADLINE)?;
    assert!(!status.success(), "seats that trust another site must give up");
    let seen = exam.status()?;
    assert_eq!(seen["stations_enrolled"], 0, "no stranger may enrol: {seen}");
    assert_eq!(seen["sittings"][0]["signed_in"], 0, "no stranger may sign in: {seen}");
    Ok(())
}

/// A machine of the site, standing at a desk.
async fn machine(exam: &Small, code: &str, seat: &SeatRef) -> anyhow::Result<(Link, Result<(), LinkError>)> {
    let trust = Trust::load(&exam.site.public_file())?;
    let addr = exam.site.address()?.parse()?;
    let guest = Dial { endpoint: client_endpoint(addr)?, trust, identity: None, addr, build: "e2e".to_owned() };
    let enrolment = enrol::Enrolment { code: code.to_owned(), key: MachineKey::generate()?, host: "e2e".to_owned() };
    let identity = enrol(&guest, enrolment).await?;
    let (link, _, mut pushes) = Link::connect(&Dial { identity: Some(identity), ..guest }).await?;
    tokio::spawn(async move { while pushes.next().await.is_some() {} });
    let stands = link.ask(TakeSeat { seat: seat.clone() }).await.map(drop);
    Ok((link, stands))
}

fn sign_in(admission_no: &AdmissionNo) -> SignIn {
    SignIn { admission_no: admission_no.clone(), password: admission_no.initial_password().to_owned() }
}

#[test]
fn a_second_login_of_the_same_candidate_elsewhere_is_refused() -> anyhow::Result<()> {
    let exam = small_exam(sample(22), None)?;
    exam.site.act("admit-open", &exam.sitting)?;
    let code = exam.site.enrol_code(SEATS + 1)?;
    let people = exam.site.seating()?;
    let desk = |seated: &Seated| SeatRef { room: seated.room.clone(), seat: seated.seat };
    let (candidate, own_desk, other_desk) = (&people[0].admission_no, &desk(&people[0]), &desk(&people[1]));
    let runtime = tokio::runtime::Runtime::new()?;
    let _links = runtime.block_on(async {
        let (first, stands) = machine(&exam, &code, own_desk).await?;
        stands?;
        first.ask(sign_in(candidate)).await?;
        first.ask(sign_in(candidate)).await.expect("the same machine may ask again: a reply may have been lost");

        let (second, stands) = machine(&exam, &code, other_desk).await?;
        stands?;
        let refused = second.ask(sign_in(candidate)).await.map(drop);
        assert_eq!(refused, Err(LinkError::Refused(Refusal::NotYourSeat { yours: own_desk.clone() })));

        let (third, stands) = machine(&exam, &code, own_desk).await?;
        assert_eq!(stands, Err(LinkError::Refused(Refusal::SeatTaken)), "the candidate's own desk has its machine");
        assert!(third.ask(sign_in(candidate)).await.is_err(), "a machine without a desk signs nobody in");
        anyhow::Ok([first, second, third])
    })?;
    let seen = exam.status()?;
    let sitting = &seen["sittings"][0];
    let inside: u64 = ["signed_in", "admitted", "working"].iter().filter_map(|state| sitting[state].as_u64()).sum();
    assert_eq!(inside, 1, "one candidate is in: {seen}");
    Ok(())
}

#[test]
fn a_machine_that_trusts_another_site_says_nothing_to_this_server() -> anyhow::Result<()> {
    let exam = small_exam(sample(23), None)?;
    let (other, _folder) = founded()?;
    let trust = Trust::load(&other.public_file())?;
    let addr = exam.site.address()?.parse()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let refused = runtime.block_on(async {
        let dial = Dial { endpoint: client_endpoint(addr)?, trust, identity: None, addr, build: "e2e".to_owned() };
        anyhow::Ok(Link::connect(&dial).await.map(drop))
    })?;
    assert!(matches!(refused, Err(LinkError::NotTrusted(_))), "{refused:?}");
    Ok(())
}
