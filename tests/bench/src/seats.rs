//! The candidates' machines in a process of their own, as lean as they can be: a socket, a certificate and a connection
//! each, and no disk, so that what is measured is the server. The same program calls the bare server and ours.

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use exam_link::{Dial, Link, Pushes, Trust, client_endpoint, connect_until};
use exam_protocol::{
    answer::Answer,
    ids::{AdmissionNo, RoomId, SeatNo, SeatRef},
    message::candidate::{AttemptId, SaveAnswer, SeatView, SignIn, TakeSeat},
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

/// Items an attempt's saves go round.
const ITEMS: u32 = 40;
/// Seats that enrol at once.
const ENROL_AT_ONCE: usize = 48;
/// A seat that is not in, or not answered, after so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Files and sockets beside those of the seats.
const FILES_BESIDE: u64 = 200;

/// What the seats do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deed {
    /// Get certificates.
    Enrol,
    /// All connect in the same instant; at our server they also sign in.
    Storm,
    /// One save after the other.
    Closed,
    /// A save every so often.
    Paced,
    /// Save every so often until the server is gone, and then until it has saved again.
    Again,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct SeatsArgs {
    #[arg(long, value_enum)]
    deed: Deed,
    #[arg(long)]
    server: SocketAddr,
    #[arg(long)]
    trust: PathBuf,
    /// Who sits where.
    #[arg(long)]
    roster: PathBuf,
    /// Folder of the certificates.
    #[arg(long)]
    data: PathBuf,
    #[arg(long, default_value = "")]
    code: String,
    /// The server only replies: nobody takes a desk or signs in.
    #[arg(long)]
    bare: bool,
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Pause between two saves of a seat, milliseconds.
    #[arg(long, default_value_t = 2_000)]
    every: u64,
    /// First number of a version: each deed of an attempt has its own.
    #[arg(long, default_value_t = 1)]
    from: u32,
}

#[derive(Clone, Debug, Deserialize)]
struct Place {
    admission_no: AdmissionNo,
    room: RoomId,
    seat: SeatNo,
}

/// One machine, in.
struct Sitter {
    dial: Dial,
    link: Link,
    views: watch::Receiver<Option<SeatView>>,
    attempt: AttemptId,
    began: SiteMs,
    in_at: Instant,
    number: u32,
}

pub(crate) fn sit(args: &SeatsArgs) -> Result<()> {
    let places: Vec<Place> = serde_json::from_slice(&std::fs::read(&args.roster)?)?;
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
    let trust = Trust::load(&args.trust)?;
    let door = Arc::new(Semaphore::new(ENROL_AT_ONCE));
    let begun = Instant::now();
    let mut entering = JoinSet::new();
    let mut dials = Vec::new();
    for place in places {
        let (endpoint, build) = (client_endpoint(args.server)?, "exam-bench".to_owned());
        let dial = Dial { endpoint, trust: trust.clone(), identity: None, addr: args.server, build };
        let (args, door) = (Arc::clone(&args), Arc::clone(&door));
        entering.spawn(async move { identified(&args, dial, place, &door).await });
    }
    while let Some(dial) = entering.join_next().await {
        dials.push(dial??);
    }
    if args.deed == Deed::Enrol {
        return Ok(serde_json::json!({"seats": dials.len(), "all_ms": ms(begun.elapsed())}));
    }
    let begun = Instant::now();
    let sitters = everybody_in(&args, dials).await?;
    let in_us: Vec<u64> = sitters.iter().map(|sitter| us(sitter.in_at - begun)).collect();
    eprintln!("{}", serde_json::json!({"event": "in", "us": spread(in_us)}));
    match args.deed {
        // The orchestrator ends us when it has looked at the server with everybody in.
        Deed::Enrol | Deed::Storm => std::future::pending().await,
        Deed::Closed => saving(&args, sitters, None).await,
        Deed::Paced => saving(&args, sitters, Some(Duration::from_millis(args.every))).await,
        Deed::Again => again(&args, sitters).await,
    }
}

async fn identified(args: &SeatsArgs, dial: Dial, place: Place, door: &Semaphore) -> Result<(Dial, Place)> {
    let _permit = door.acquire().await?;
    let folder = args.data.join(format!("{}-{}", place.room, place.seat));
    let code = (args.deed == Deed::Enrol).then_some(args.code.as_str());
    let identity = station::identity(&folder, &dial, code, "bench").await?;
    Ok((Dial { identity: Some(identity), ..dial }, place))
}

async fn everybody_in(args: &Arc<SeatsArgs>, dials: Vec<(Dial, Place)>) -> Result<Vec<Sitter>> {
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
    Ok(sitters)
}

/// Connects; at our server also takes the desk and signs in, unless the machine's attempt stands already.
async fn enter(args: &SeatsArgs, dial: Dial, place: Place) -> Result<Sitter> {
    let (link, mut views) = connected(&dial).await?;
    let (mut attempt, mut began) = (AttemptId(1), SiteMs(0));
    if !args.bare {
        let view = views.wait_for(Option::is_some).await?.clone().context("a view")?;
        if view.attempt.is_none() {
            let seat = SeatRef { room: place.room, seat: place.seat };
            link.ask(TakeSeat { seat }).await?;
            let password = place.admission_no.initial_password().to_owned();
            link.ask(SignIn { admission_no: place.admission_no, password }).await?;
        }
        let signed_in = |view: &Option<SeatView>| view.as_ref().is_some_and(|view| view.attempt.is_some());
        let view = views.wait_for(signed_in).await?.clone().context("a view")?;
        attempt = view.attempt.context("signed in")?.attempt;
        began = view.now.at;
    }
    Ok(Sitter { dial, link, views, attempt, began, in_at: Instant::now(), number: args.from })
}

async fn connected(dial: &Dial) -> Result<(Link, watch::Receiver<Option<SeatView>>)> {
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

impl Sitter {
    /// One save, acknowledged.
    async fn save(&mut self) -> Result<Duration> {
        let number = self.number;
        self.number += 1;
        let item = format!("q{:03}", 1 + number % ITEMS).parse()?;
        let answer = Answer::Single(["A", "B", "C", "D"][number as usize % 4].parse()?);
        let made_at = self.began.plus(ms(self.in_at.elapsed()));
        let begun = Instant::now();
        match self.link.ask(SaveAnswer { attempt: self.attempt, item, number, answer, made_at }).await? {
            Down::Saved(saved) if saved.number == number => Ok(begun.elapsed()),
            other => bail!("a save was answered with {}", other.name()),
        }
    }
}

/// Everybody saves for so many seconds; paced seats begin at different moments.
async fn saving(args: &SeatsArgs, sitters: Vec<Sitter>, every: Option<Duration>) -> Result<serde_json::Value> {
    let count = sitters.len() as u32;
    let begun = Instant::now();
    let until = begun + Duration::from_secs(args.seconds);
    let mut working = JoinSet::new();
    for (index, mut sitter) in sitters.into_iter().enumerate() {
        working.spawn(async move {
            let mut next = begun + every.map_or(Duration::ZERO, |every| every * index as u32 / count);
            let mut took = Vec::new();
            while Instant::now() < until && next < until {
                tokio::time::sleep_until(next.into()).await;
                took.push(us(sitter.save().await?));
                next = every.map_or(next, |every| next + every);
            }
            drop(sitter.views);
            anyhow::Ok(took)
        });
    }
    let mut took = Vec::new();
    while let Some(one) = working.join_next().await {
        took.extend(one??);
    }
    let per_s = took.len() as f64 / begun.elapsed().as_secs_f64();
    Ok(serde_json::json!({"saves": took.len(), "per_s": per_s, "us": spread(took)}))
}

/// When each seat was answered for the first time after the server had gone, in wall-clock milliseconds of this machine.
async fn again(args: &SeatsArgs, sitters: Vec<Sitter>) -> Result<serde_json::Value> {
    let mut working = JoinSet::new();
    for mut sitter in sitters {
        let pause = Duration::from_millis(args.every);
        working.spawn(async move {
            while sitter.save().await.is_ok() {
                tokio::time::sleep(pause).await;
            }
            let back = async {
                loop {
                    let (link, _views) = connected(&sitter.dial).await?;
                    sitter.link = link;
                    sitter.number -= 1; // what was not acknowledged is sent again
                    if sitter.save().await.is_ok() {
                        return anyhow::Ok(UNIX_EPOCH.elapsed()?);
                    }
                }
            };
            tokio::time::timeout(PATIENCE, back).await.context("a seat was not back within a minute")?
        });
    }
    let mut back: Vec<u64> = Vec::new();
    while let Some(one) = working.join_next().await {
        back.push(ms(one??));
    }
    ensure!(!back.is_empty(), "nobody was there");
    back.sort_unstable();
    Ok(serde_json::json!({"seats": back.len(), "first_unix_ms": back.first(), "last_unix_ms": back.last()}))
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Half, almost all, and the worst.
fn spread(mut values: Vec<u64>) -> serde_json::Value {
    values.sort_unstable();
    let at = |percent: usize| values.get((values.len() * percent).div_ceil(100).max(1) - 1).copied().unwrap_or(0);
    serde_json::json!({"p50": at(50), "p99": at(99), "max": at(100)})
}
