//! `exam-attacker`: what the flood rig sends at a server, in bounds: so many packets or calls a second, for so many seconds. Never used but
//! from the rig's own network, and never without saying what it sent.

mod greedy;
mod packet;
mod silent;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use packet::{Caller, Sent};
use ring::rand::{SecureRandom, SystemRandom};
use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::PathBuf,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

/// Addresses that are all this machine's: 10.77.64.0 and those after it.
const ADDRESSES_FROM: u32 = u32::from_be_bytes([10, 77, 64, 0]);
const ADDRESSES: u32 = 512;
/// First packets a second; each has a whole greeting of TLS in it.
const FORGED_PER_S: u32 = 4_000;
/// Packets with holes, and packets of noise, a second.
const GAPS_PER_S: u32 = 2_000;
const NOISE_PER_S: u32 = 400;
/// Callers who begin in pieces, each again and again.
const PIECEMEAL_CALLERS: usize = 256;
/// Largest datagram UDP can carry.
const DATAGRAM_BYTES_MAX: u64 = 65_507;
/// Between two bursts.
const TICK: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// First packets with a whole TLS greeting, from many addresses; whatever comes back is counted and not answered.
    Forged,
    /// Guests who finish TLS and say nothing.
    Silent,
    /// A machine of the site that saves as fast as it can.
    Greedy,
    /// Greetings in thousands of pieces with holes between them, noise, and datagrams of up to 65,507 bytes.
    Gaps,
}

#[derive(Parser, Debug)]
#[command(name = "exam-attacker", version)]
struct Options {
    #[arg(value_enum)]
    kind: Kind,
    #[arg(long, value_name = "ADDR")]
    server: SocketAddr,
    #[arg(long, value_name = "S")]
    seconds: u64,
    /// The site's public file: everybody has it.
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// Who sits where, for the greedy machine: it takes the last desk.
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
    /// The greedy machine's enrolment code.
    #[arg(long, value_name = "CODE")]
    enrol: Option<String>,
    /// The greedy machine's folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(sent) => {
            println!("{}", serde_json::json!({ "sent": sent.count, "bytes": sent.bytes, "answered": sent.answered }));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("exam-attacker: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<Sent> {
    let until = Instant::now() + Duration::from_secs(options.seconds);
    match options.kind {
        Kind::Forged => forged(options.server, until),
        Kind::Gaps => gaps(options.server, until),
        Kind::Silent => silent::run(options.server, &options.trust, until),
        Kind::Greedy => greedy::run(options, until),
    }
}

/// A socket at each of our addresses.
fn sockets() -> Result<Vec<UdpSocket>> {
    let socket = |n| {
        let socket = UdpSocket::bind((Ipv4Addr::from(ADDRESSES_FROM + n), 0))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    (0..ADDRESSES).map(socket).collect()
}

/// Does `deed` so many times a second until `until`; gives up the packets the system does not take.
fn paced(per_s: u32, until: Instant, mut deed: impl FnMut(u64)) {
    let (begun, mut done) = (Instant::now(), 0);
    while Instant::now() < until {
        let due = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX) * u64::from(per_s) / 1_000;
        while done < due {
            deed(done);
            done += 1;
        }
        thread::sleep(TICK);
    }
}

fn forged(server: SocketAddr, until: Instant) -> Result<Sent> {
    let (sockets, hello, mut sent) = (sockets()?, packet::greeting()?, Sent::default());
    let mut failed = None;
    paced(FORGED_PER_S, until, |n| match Caller::new().and_then(|caller| caller.packet(0, &packet::whole(&hello))) {
        Ok(bytes) => {
            let socket = &sockets[n as usize % sockets.len()];
            sent.send(socket, &bytes, server);
            sent.look(socket);
        }
        Err(error) => failed = Some(error),
    });
    failed.map_or(Ok(sent), Err)
}

fn gaps(server: SocketAddr, until: Instant) -> Result<Sent> {
    let (sockets, mut sent) = (sockets()?, Sent::default());
    let mut callers: Vec<_> = (0..PIECEMEAL_CALLERS).map(|_| Caller::new()).collect::<Result<_>>()?;
    let mut failed = None;
    paced(GAPS_PER_S + NOISE_PER_S, until, |n| {
        let socket = &sockets[n as usize % PIECEMEAL_CALLERS];
        if n % u64::from(GAPS_PER_S + NOISE_PER_S) < u64::from(NOISE_PER_S) {
            return match noise() {
                Ok(bytes) => sent.send(socket, &bytes, server),
                Err(error) => failed = Some(error),
            };
        }
        let number = n / PIECEMEAL_CALLERS as u64;
        let caller = &mut callers[n as usize % PIECEMEAL_CALLERS];
        if number.is_multiple_of(packet::PIECES_OF_ONE) {
            // What is still waited for is left to the server, and somebody else begins.
            match Caller::new() {
                Ok(fresh) => *caller = fresh,
                Err(error) => failed = Some(error),
            }
        }
        match caller.packet(number % packet::PIECES_OF_ONE, &packet::pieces(number)) {
            Ok(bytes) => sent.send(socket, &bytes, server),
            Err(error) => failed = Some(error),
        }
    });
    failed.map_or(Ok(sent), Err)
}

/// A datagram of any length; half of them look like the beginning of a packet.
fn noise() -> Result<Vec<u8>> {
    let [a, b, c, kind, ..] = random::<8>()?;
    let length = u64::from(u32::from_be_bytes([0, a, b, c])) % DATAGRAM_BYTES_MAX;
    let mut bytes = vec![0; usize::try_from(length)? + 1];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("no randomness"))?;
    if kind % 2 == 0 {
        bytes[0] |= 0xc0;
        bytes.iter_mut().skip(1).zip([0, 0, 0, 1]).for_each(|(byte, version)| *byte = version);
    }
    Ok(bytes)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow::anyhow!("no randomness"))?;
    Ok(bytes)
}
