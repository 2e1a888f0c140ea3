//! The candidates' machines in a process of their own, as lean as they can be: a socket, a certificate and a connection
//! each, and no disk, so that what is measured is the server. The same program calls the bare server and ours.

use crate::{consoles, deeds, fetching};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use exam_link::{Dial, Link, Pushes, Trust, client_endpoint, connect_until};
use exam_protocol::{
    ids::{AdmissionNo, RoomId, SeatNo, SeatRef, Sha256},
    message::candidate::{AttemptId, SeatView, SignIn, TakeSeat},
    tag::Down,
    time::SiteMs,
};
use exam_seat::station;
use serde::Deserialize;
use std::{
    net::SocketAddr,
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, UNIX_EPOCH},
};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};

/// Seats that enrol at once.
const ENROL_AT_ONCE: usize = 48;
/// A seat that is not in, or not answered, after so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Files and sockets beside those of the seats.
const FILES_BESIDE: u64 = 200;

/// What the seats do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deed {
    /// Get certificates.
    Enrol,
    /// All connect in the same instant; at our server they also sign in.
    Storm,
    /// The same again and again, each machine with a new connection and a new sign-in.
    Storms,
    /// One save after the other.
    Closed,
    /// A save every so often.
    Paced,
    /// Save every so often until the server is gone, and then until it has saved again.
    Again,
    /// Fetch a sealed paper, and perhaps save every so often meanwhile.
    Fetch,
    /// Consoles, not seats: a person signs on at each, all in the same instant.
    SignOn,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct SeatsArgs {
    #[arg(long, value_enum)]
    deed: Deed,
    #[arg(long)]
    pub(crate) server: SocketAddr,
    #[arg(long)]
    trust: PathBuf,
    /// Who sits where.
    #[arg(long)]
    roster: PathBuf,
    /// Only so many of them.
    #[arg(long, default_value_t = usize::MAX)]
    first: usize,
    /// Folder of the certificates.
    #[arg(long)]
    data: PathBuf,
    #[arg(long, default_value = "")]
    code: String,
    /// The server only replies: nobody takes a desk or signs in.
    #[arg(long)]
    pub(crate) bare: bool,
    #[arg(long, default_value_t = 5)]
    pub(crate) seconds: u64,
    /// Pause between two saves of a seat, milliseconds; 0 for no saves beside a fetch.
    #[arg(long, default_value_t = 2_000)]
    pub(crate) every: u64,
    /// Saves a seat at most.
    #[arg(long, default_value_t = usize::MAX)]
    pub(crate) saves: usize,
    /// Items an attempt's saves go round.
    #[arg(long, default_value_t = 40)]
    pub(crate) items: u32,
    /// Storms.
    #[arg(long, default_value_t = 1)]
    pub(crate) times: u32,
    /// Hash of the sealed paper.
    #[arg(long)]
    pub(crate) blob: Option<Sha256>,
    /// File with the password of the account that signs on.
    #[arg(long)]
    pub(crate) password: Option<PathBuf>,
    /// Which deed of these seats this is: each answers items of its own.
    #[arg(long, default_value_t = 0)]
    pub(crate) nth: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Place {
    admission_no: AdmissionNo,
    room: RoomId,
    seat: SeatNo,
}

/// One machine, in.
pub(crate) struct Sitter {
    pub(crate) dial: Dial,
    pub(crate) link: Link,
    pub(crate) views: watch::Receiver<Option<SeatView>>,
    pub(crate) attempt: AttemptId,
    pub(crate) began: SiteMs,
    pub(crate) in_at: Instant,
    /// Saves so far.
    pub(crate) saved: u32,
}

pub(crate) fn sit(args: &SeatsArgs) -> Result<()> {
    let mut places: Vec<Place> = serde_json::from_slice(&std::fs::read(&args.roster)?)?;
    places.truncate(args.first);
    make_room(places.len() as u64)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let figures = runtime.block_on(do_it(Arc::new(args.clone()), places))?;
    println!("{figures}");
    Ok(())
}

/// A socket a seat, and what else is open.
fn make_room(seats: u64) -> Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < seats + FILES_BESIDE) {
        limit.current = limit.maximum;
        setrlimit(Resource::Nofile, limit).context("too few open files are allowed: raise `ulimit -n`")?;
    }
    Ok(())
}

async fn do_it(args: Arc<SeatsArgs>, places: Vec<Place>) -> Result<serde_json::Value> {
    let begun = Instant::now();
    let dials = machines(&args, places).await?;
    match args.deed {
        Deed::Enrol => return Ok(serde_json::json!({"seats": dials.len(), "all_ms": ms(begun.elapsed())})),
        Deed::SignOn => return consoles::sign_on(&args, dials.into_iter().map(|(dial, _)| dial).collect()).await,
        Deed::Storms => return storms(&args, &dials).await,
        Deed::Storm | Deed::Closed | Deed::Paced | Deed::Again | Deed::Fetch => {}
    }
    let sitters = everybody_in(&args, dials).await?;
    let every = Duration::from_millis(args.every);
    match args.deed {
        // The orchestrator ends us when it has looked at the server with everybody in.
        Deed::Enrol | Deed::SignOn | Deed::Storms | Deed::Storm => std::future::pending().await,
        Deed::Closed => deeds::saving(&args, sitters, None).await,
        Deed::Paced => deeds::saving(&args, sitters, Some(every)).await,
        Deed::Again => deeds::again(&args, sitters).await,
        Deed::Fetch => fetching::fetching(&args, sitters).await,
    }
}

/// Every machine with its certificate, in the order of the roster.
async fn machines(args: &Arc<SeatsArgs>, places: Vec<Place>) -> Result<Vec<(Dial, Place)>> {
    let trust = Trust::load(&args.trust)?;
    let door = Arc::new(Semaphore::new(ENROL_AT_ONCE));
    let mut entering = JoinSet::new();
    for place in places {
        let (endpoint, build) = (client_endpoint(args.server)?, "exam-bench".to_owned());
        let dial = Dial { endpoint, trust: trust.clone(), identity: None, addr: args.server, build };
        let (args, door) = (Arc::clone(args), Arc::clone(&door));
        entering.spawn(async move { identified(&args, dial, place, &door).await });
    }
    let mut dials = Vec::new();
    while let Some(dial) = entering.join_next().await {
        dials.push(dial??);
    }
    Ok(dials)
}

async fn identified(args: &SeatsArgs, dial: Dial, place: Place, door: &Semaphore) -> Result<(Dial, Place)> {
    let _permit = door.acquire().await?;
    let folder = args.data.join(format!("{}-{}", place.room, place.seat));
    let code = matches!(args.deed, Deed::Enrol | Deed::SignOn).then_some(args.code.as_str());
    let identity = station::identity(&folder, &dial, code, "bench").await?;
    Ok((Dial { identity: Some(identity), ..dial }, place))
}

/// Everybody connects now; says when they begin, and when all are in.
async fn everybody_in(args: &Arc<SeatsArgs>, dials: Vec<(Dial, Place)>) -> Result<Vec<Sitter>> {
    eprintln!("{}", serde_json::json!({"event": "coming"}));
    let begun = Instant::now();
    let mut coming = JoinSet::new();
    for (dial, place) in dials {
        let args = Arc::clone(args);
        coming.spawn(async move {
            let inside = tokio::time::timeout(PATIENCE, enter(&args, dial, place)).await;
            inside.context("a seat was not in within a minute")?
        });
    }
    let mut sitters = Vec::new();
    while let Some(sitter) = coming.join_next().await {
        sitters.push(sitter??);
    }
    let in_us = sitters.iter().map(|sitter| us(sitter.in_at - begun)).collect();
    let last_unix_ms = ms(UNIX_EPOCH.elapsed()?);
    eprintln!("{}", serde_json::json!({"event": "in", "us": spread(in_us), "last_unix_ms": last_unix_ms}));
    Ok(sitters)
}

/// Everybody in and out again, so many times; the last time they stay.
async fn storms(args: &Arc<SeatsArgs>, dials: &[(Dial, Place)]) -> Result<serde_json::Value> {
    let mut sitters = Vec::new();
    for _ in 0..args.times {
        drop(std::mem::take(&mut sitters));
        sitters = everybody_in(args, dials.to_vec()).await?;
    }
    std::future::pending().await
}

/// Connects; at our server also takes the desk and signs in, unless the machine's attempt stands already.
async fn enter(args: &SeatsArgs, dial: Dial, place: Place) -> Result<Sitter> {
    let (link, mut views) = connected(&dial).await?;
    let (mut attempt, mut began) = (AttemptId(1), SiteMs(0));
    if !args.bare {
        let view = views.wait_for(Option::is_some).await?.clone().context("a view")?;
        if view.attempt.is_none() {
            link.ask(TakeSeat { seat: SeatRef { room: place.room, seat: place.seat } }).await?;
        }
        if view.attempt.is_none() || args.deed == Deed::Storms {
            let password = place.admission_no.initial_password().to_owned();
            link.ask(SignIn { admission_no: place.admission_no, password }).await?;
        }
        let signed_in = |view: &Option<SeatView>| view.as_ref().is_some_and(|view| view.attempt.is_some());
        let view = views.wait_for(signed_in).await?.clone().context("a view")?;
        attempt = view.attempt.context("signed in")?.attempt;
        began = view.now.at;
    }
    Ok(Sitter { dial, link, views, attempt, began, in_at: Instant::now(), saved: 0 })
}

pub(crate) async fn connected(dial: &Dial) -> Result<(Link, watch::Receiver<Option<SeatView>>)> {
    let (link, _, pushes) = connect_until(dial, std::future::pending(), |_, _| ControlFlow::Continue(()))
        .await
        .map_err(anyhow::Error::new)?;
    Ok((link, heard(pushes)))
}

/// The newest view, whatever else is pushed.
fn heard(mut pushes: Pushes) -> watch::Receiver<Option<SeatView>> {
    let (tell, views) = watch::channel(None);
    tokio::spawn(async move {
        while let Some(push) = pushes.next().await {
            if let Down::SeatView(view) = push {
                tell.send_replace(Some(view));
            }
        }
    });
    views
}

pub(crate) fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Half, almost all, and the worst.
pub(crate) fn spread(mut values: Vec<u64>) -> serde_json::Value {
    values.sort_unstable();
    let at = |percent: usize| values.get((values.len() * percent).div_ceil(100).max(1) - 1).copied().unwrap_or(0);
    serde_json::json!({"p50": at(50), "p99": at(99), "max": at(100)})
}
