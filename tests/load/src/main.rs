//! `exam-load`: headless seats in a process of their own, on the same crates as the candidate's window. Never shares a
//! socket, a key or a journal between two seats.

mod args;
mod candidate;
mod dice;
mod files;
mod progress;
mod report;
mod roster;
mod tally;

use anyhow::Context;
use args::Args;
use candidate::{Plan, SeatEnd, sit};
use clap::Parser;
use exam_link::{Dial, Trust, client_endpoint};
use exam_protocol::ids::AdmissionNo;
use exam_seat::{News, SeatConfig, clock::SeatClock, disk::Disk, system_random};
use progress::Progress;
use report::Report;
use roster::{Place, Wanted};
use std::{
    net::{SocketAddr, ToSocketAddrs},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tally::Tally;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
};

/// Seats that enrol at the same time.
const ENROL_AT_ONCE: usize = 48;
/// News that may wait to be counted.
const NEWS_MAX: usize = 8_192;
const EXIT_FAILURE: u8 = 1;
const EXIT_INPUT: u8 = 3;
const EXIT_UNREACHABLE: u8 = 7;

fn main() -> ExitCode {
    exam_link::no_dump::leave_no_image();
    let args = Args::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match prepare(&args) {
        Ok(input) => match run(&args, input) {
            Ok(code) => code,
            Err(error) => complain(&error, EXIT_FAILURE),
        },
        Err(error) => complain(&error, EXIT_INPUT),
    }
}

fn complain(error: &anyhow::Error, code: u8) -> ExitCode {
    eprintln!("exam-load: {error:#}");
    ExitCode::from(code)
}

/// What the files and names on the command line hold.
struct Input {
    places: Vec<Place>,
    trust: Trust,
    server: SocketAddr,
}

fn prepare(args: &Args) -> anyhow::Result<Input> {
    files::make_room(args.seats)?;
    let wanted = Wanted { room: args.room.as_ref(), first_seat: args.first_seat, seats: args.seats };
    let places = roster::read(&args.roster_path(), &wanted)?;
    let trust = Trust::load(&args.trust)?;
    let mut found =
        args.server.to_socket_addrs().with_context(|| format!("{} is not an address with a port", args.server))?;
    let server = found.next().with_context(|| format!("{} has no address", args.server))?;
    Ok(Input { places, trust, server })
}

fn run(args: &Args, input: Input) -> anyhow::Result<ExitCode> {
    let candidates: Vec<AdmissionNo> = input.places.iter().map(|place| place.admission_no.clone()).collect();
    let progress = Arc::new(Progress::default());
    let tally = Tally::new(candidates.len(), args.ack_log.as_deref())?;
    let (news, heard) = mpsc::channel(NEWS_MAX);
    let counter = {
        let (candidates, acked) = (candidates.clone(), Arc::clone(&progress.acked));
        std::thread::Builder::new().name("tally".into()).spawn(move || tally.count(heard, &candidates, &acked))?
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(8).build()?;
    let ends = runtime.block_on(seats(args, input, &progress, news))?;
    let counted = counter.join().map_err(|_| anyhow::anyhow!("the counting thread died"))?;
    let mut tally = counted?;
    let journals: Vec<_> = ends.iter().map(|end| &end.journal).collect();
    tally.finish_log(&candidates, &journals)?;
    let report = Report::new(&mut tally, &ends);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{}", report.in_words());
    }
    Ok(match report.is_good() {
        true => ExitCode::SUCCESS,
        false if ends.iter().all(|end| end.unreachable) => ExitCode::from(EXIT_UNREACHABLE),
        false => ExitCode::from(EXIT_FAILURE),
    })
}

/// Lives all sittings side by side.
async fn seats(
    args: &Args,
    input: Input,
    progress: &Arc<Progress>,
    news: mpsc::Sender<News>,
) -> anyhow::Result<Vec<SeatEnd>> {
    let (disk, clock) = (Disk::start(usize::from(args.disk_threads))?, SeatClock::start());
    let (code, door): (Arc<str>, _) = (args.enrol.as_str().into(), Arc::new(Semaphore::new(ENROL_AT_ONCE)));
    let count = input.places.len();
    let mut running = JoinSet::new();
    for (index, place) in input.places.into_iter().enumerate() {
        let endpoint = client_endpoint(input.server).context("no socket for a seat")?;
        let build = concat!("exam-load ", env!("CARGO_PKG_VERSION")).to_owned();
        let dial = Dial { endpoint, trust: input.trust.clone(), identity: None, addr: input.server, build };
        let folder = args.data.join(format!("seat-{}-{:03}", place.desk.room, place.desk.seat.get()));
        let (desk, news) = (Some(place.desk.clone()), Some(news.clone()));
        let plan = Plan {
            place,
            config: SeatConfig { dial, folder, desk, disk: disk.clone(), clock, random: system_random(), news, index },
            code: Arc::clone(&code),
            seed: args.seed,
            think_ms: args.think,
            duration: args.duration.map(Duration::from_secs),
            hand_in: args.hand_in,
            endless: args.endless,
            stand_by: args.stand_by,
            door: Arc::clone(&door),
            progress: Arc::clone(progress),
        };
        running.spawn(async move { (index, sit(plan).await) });
    }
    drop(news);
    let (over, until) = watch::channel(());
    let shown = tokio::spawn(progress::show(Arc::clone(progress), count, args.events, until));
    let mut ends: Vec<SeatEnd> = (0..count).map(|_| SeatEnd::default()).collect();
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok((index, end)) => ends[index] = end,
            Err(error) => tracing::error!(%error, "a seat died"),
        }
    }
    drop(over);
    shown.await.context("the progress line died")?;
    Ok(ends)
}
