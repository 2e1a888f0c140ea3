//! What a machine says of itself becomes findings and proposals for people, over a real server: a wall clock that is off, a lock
//! that cannot be confirmed, time in which nobody could work. Never more than that: nobody's clock moves.

mod common;

use anyhow::{Context, Result};
use common::{DEADLINE, Small, small_exam};
use exam_e2e::site::Sample;
use exam_link::{Dial, Link, MachineKey, Trust, client_endpoint, enrol};
use exam_protocol::{
    ids::SeatRef,
    message::{
        attendance::{SeatUnable, UnableStretch, UnableWhy},
        candidate::{Heartbeat, LockState, SeatView, SignIn, TakeSeat},
    },
    tag::Down,
    time::{SiteMs, WallMs},
};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

/// A seat says that it is alive; the pause between two beats is part of the wire, not of a test's patience.
const BEAT: Duration = Duration::from_secs(1);
/// From so much on lost time is proposed.
const LOST_MS: u64 = 15_000;
/// Beyond what a machine's wall clock may be off.
const OFF_MS: i64 = 60_000;

fn findings(exam: &Small) -> Result<Value> {
    Ok(exam.site.server(["incident", "list", "--sitting", &exam.sitting])?.expect_code(0)?.json()?["findings"].clone())
}

async fn working(exam: &Small, pushes: &mut exam_link::link::Pushes) -> Result<SeatView> {
    let code = exam.site.unlock_code(&exam.sitting)?;
    exam.site.start_sitting(&exam.sitting, &code)?.expect_code(0)?;
    loop {
        if let Down::SeatView(view) = pushes.next().await.context("the connection holds")?
            && view.attempt.as_ref().is_some_and(|attempt| attempt.release.is_some())
        {
            return Ok(view);
        }
    }
}

#[test]
fn a_clock_that_is_off_a_lock_that_is_not_confirmed_and_lost_time_are_proposed_to_people() -> Result<()> {
    let exam = small_exam(Sample { seats: 1, questions: 3, seed: 71 }, None)?;
    exam.site.act("admit-open", &exam.sitting)?;
    let (code, seated) = (exam.site.enrol_code(1)?, exam.site.seating()?.into_iter().next().context("a candidate")?);
    let (trust, addr) = (Trust::load(&exam.site.public_file())?, exam.site.address()?.parse()?);
    tokio::runtime::Runtime::new()?.block_on(async {
        let guest = Dial { endpoint: client_endpoint(addr)?, trust, identity: None, addr, build: "e2e".to_owned() };
        let enrolment = enrol::Enrolment { code, key: MachineKey::generate()?, host: "e2e".to_owned() };
        let identity = enrol(&guest, enrolment).await?;
        let (link, _, mut pushes) = Link::connect(&Dial { identity: Some(identity), ..guest }).await?;
        link.ask(TakeSeat { seat: SeatRef { room: seated.room, seat: seated.seat } }).await?;
        let password = seated.admission_no.initial_password().to_owned();
        link.ask(SignIn { admission_no: seated.admission_no, password }).await?;
        let view = working(&exam, &mut pushes).await?;
        let attempt = view.attempt.context("an attempt")?;
        tokio::spawn(async move { while pushes.next().await.is_some() {} });

        let (mut wall, mut at) = (view.now.wall, view.now.at);
        let mut beats = tokio::time::interval(BEAT);
        let mut found = BTreeSet::new();
        let began = std::time::Instant::now();
        let started = attempt.started.context("the clock runs")?;
        while (found.len() < 2 || at.since(started) < LOST_MS) && began.elapsed() < DEADLINE {
            beats.tick().await;
            let lock = LockState::NotVerified;
            let beat = Heartbeat { wall: Some(WallMs(wall.0 + OFF_MS)), lock, ..Heartbeat::default() };
            if let Down::Heard(heard) = link.ask(beat).await? {
                (wall, at) = (heard.now.wall, heard.now.at);
            }
            found = findings(&exam)?.as_array().into_iter().flatten().map(|one| one["kind"].to_string()).collect();
        }
        assert_eq!(found, ["\"clock_off\"", "\"lockdown_not_verified\""].map(str::to_owned).into());

        let stretch = |from, to| UnableStretch { from, to, why: UnableWhy::NotRunning };
        let too_early = stretch(SiteMs(0), started); // before the start
        let told = SeatUnable { attempt: attempt.attempt, stretches: vec![too_early, stretch(started, at)] };
        link.ask(told.clone()).await?;
        link.ask(told).await?; // the answer was lost
        let list = exam.site.server(["attendance", "list", &exam.sitting])?.expect_code(0)?.json()?;
        let proposals = list["proposals"].as_array().cloned().unwrap_or_default();
        assert_eq!(proposals.len(), 1, "said twice, proposed once: {proposals:?}");
        assert_eq!(
            (&proposals[0]["evidence"], proposals[0]["ms"].as_u64()),
            (&"seat_account".into(), Some(at.since(started)))
        );
        anyhow::Ok(())
    })
}

#[test]
fn a_machine_that_says_nothing_wrong_is_no_finding() -> Result<()> {
    let exam = small_exam(Sample { seats: 2, questions: 3, seed: 72 }, None)?;
    let mut load = exam.seats_ready(2)?;
    let code = exam.site.unlock_code(&exam.sitting)?;
    exam.site.start_sitting(&exam.sitting, &code)?.expect_code(0)?;
    load.wait_synced(DEADLINE, |_| {})?;
    assert_eq!(findings(&exam)?, Value::Array(Vec::new()));
    exam.site.act("end", &exam.sitting)?;
    load.wait_figures(DEADLINE)?;
    Ok(())
}
