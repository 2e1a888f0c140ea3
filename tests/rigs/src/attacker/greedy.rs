//! A machine of the site with a candidate who is signed in, whose program saves as fast as the server answers. Never more requests at once than a connection takes.

use super::{Options, packet::Sent};
use anyhow::{Context, Result, bail};
use exam_link::{Dial, Link, Trust, client_endpoint};
use exam_protocol::{
    answer::Answer,
    ids::{AdmissionNo, RoomId, SeatNo, SeatRef},
    message::candidate::{AttemptView, SaveAnswer, SeatView, SignIn, TakeSeat},
    tag::Down,
};
use exam_seat::station;
use serde::Deserialize;
use std::{fs, sync::Arc, time::Instant};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};

/// Requests on their way at once: as many as a connection takes.
const AT_ONCE: usize = exam_link::link::REQUESTS_MAX;
const ITEMS: u64 = 40;
/// After so many versions of each item the same ones are sent again, which is as much work for the connection and none for the disk: a
/// comparison must be able to hold them all.
const NUMBERS_MAX: u64 = 4_000;

#[derive(Deserialize)]
struct Place {
    admission_no: AdmissionNo,
    room: RoomId,
    seat: SeatNo,
}

pub(super) fn run(options: &Options, until: Instant) -> Result<Sent> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(async {
        let (link, view, attempt) = enter(options).await?;
        let link = Arc::new(link);
        let (mut sent, mut asked, places) = (Sent::default(), JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
        let begun = Instant::now();
        while Instant::now() < until {
            let place = Arc::clone(&places).acquire_owned().await?;
            let link = Arc::clone(&link);
            // Another visit begins with the same ones again: heard twice, a version is the same.
            let number = 1 + sent.count / ITEMS % NUMBERS_MAX;
            let save = SaveAnswer {
                attempt: attempt.attempt,
                item: format!("q{:03}", 1 + sent.count % ITEMS).parse()?,
                number: u32::try_from(number)?,
                answer: Answer::TrueFalse(number.is_multiple_of(2)),
                made_at: view.now.at.plus(u64::try_from(begun.elapsed().as_millis())?),
            };
            sent.count += 1;
            asked.spawn(async move {
                let _place = place;
                link.request(save).await
            });
            while let Some(answered) = asked.try_join_next() {
                match answered? {
                    Ok(Down::Saved(_)) => sent.answered += 1,
                    Ok(Down::Refused(refused)) => bail!("the greedy seat was refused: {}", refused.refusal),
                    Ok(other) => bail!("the greedy seat was answered with {}", other.name()),
                    Err(error) => bail!("the greedy seat's connection: {error}"),
                }
            }
        }
        Ok(sent)
    })
}

/// The machine enrols, takes the last desk and signs its candidate in, unless it has done so before.
async fn enter(options: &Options) -> Result<(Link, SeatView, AttemptView)> {
    let file = options.roster.as_ref().context("--roster")?;
    let place = serde_json::from_slice::<Vec<Place>>(&fs::read(file)?)?.pop().context("nobody sits anywhere")?;
    let folder = options.data.as_ref().context("--data")?;
    let (addr, trust) = (options.server, Trust::load(&options.trust)?);
    let guest =
        Dial { endpoint: client_endpoint(addr)?, trust, identity: None, addr, build: "exam-attacker".to_owned() };
    let identity = station::identity(folder, &guest, options.enrol.as_deref(), "greedy").await?;
    let (link, _, mut pushes) = Link::connect(&Dial { identity: Some(identity), ..guest }).await?;
    let (tell, mut views) = watch::channel(None::<SeatView>);
    tokio::spawn(async move {
        while let Some(push) = pushes.next().await {
            if let Down::SeatView(view) = push {
                tell.send_replace(Some(view));
            }
        }
    });
    if views.wait_for(Option::is_some).await?.as_ref().is_some_and(|view| view.attempt.is_none()) {
        link.ask(TakeSeat { seat: SeatRef { room: place.room, seat: place.seat } }).await?;
        let password = place.admission_no.initial_password().to_owned();
        link.ask(SignIn { admission_no: place.admission_no, password }).await?;
    }
    let signed_in = |view: &Option<SeatView>| view.as_ref().is_some_and(|view| view.attempt.is_some());
    let view = views.wait_for(signed_in).await?.clone().context("a view")?;
    let attempt = view.attempt.clone().context("an attempt")?;
    Ok((link, view, attempt))
}
