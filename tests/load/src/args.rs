//! The command line. Never asks back: everything comes by option.

use clap::Parser;
use exam_protocol::ids::RoomId;
use std::path::PathBuf;

/// Headless candidates for load, demo and rigs: N seats in one process, each with its own socket, key and journal. They
/// enrol, take their desks, sign in, wait for the start, answer at random, survive kills of the server, sync and hand in.
///
/// Exit codes: 0 all signed in and every answer acknowledged and journalled · 1 not so · 2 usage · 3 roster or trust file
/// unusable · 7 server unreachable.
#[derive(Clone, Debug, Parser)]
#[command(name = "exam-load", version)]
pub(crate) struct Args {
    /// Where the server listens, e.g. 192.168.1.10:4843.
    #[arg(long, value_name = "ADDR")]
    pub(crate) server: String,
    /// The site's public file (site-public.json).
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: PathBuf,
    /// Enrolment code for stations, good for as many uses as there are seats.
    #[arg(long, value_name = "CODE")]
    pub(crate) enrol: String,
    /// How many seats.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=2000))]
    pub(crate) seats: u16,
    /// Only desks of this room; otherwise all rooms of the roster, in order.
    #[arg(long, value_name = "ID")]
    pub(crate) room: Option<RoomId>,
    /// First desk (counted through the rooms if there are several).
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) first_seat: u16,
    /// Mean pause between two changes of one candidate, milliseconds (each is 0.5 to 1.5 times this).
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    pub(crate) think: u64,
    /// Stop answering after this many seconds even if items are left.
    #[arg(long, value_name = "S")]
    pub(crate) duration: Option<u64>,
    /// Begin again when everything is answered, and go on changing answers until the sitting ends.
    #[arg(long, conflicts_with = "hand_in")]
    pub(crate) endless: bool,
    /// Folder for the seats' keys, journals and sealed papers.
    #[arg(long, value_name = "DIR", default_value = "exam-load-data")]
    pub(crate) data: PathBuf,
    /// Who sits where: JSON [{"admission_no","room","seat"}] or CSV with these columns (准考证号, 考场, 考位号); default:
    /// roster.json beside the trust file.
    #[arg(long, value_name = "FILE")]
    pub(crate) roster: Option<PathBuf>,
    /// Write every acknowledged version here, one JSON line each.
    #[arg(long, value_name = "FILE")]
    pub(crate) ack_log: Option<PathBuf>,
    /// Spare machines (备用机): take the desks and do not sign in, but go on with the candidates who are moved here. The roster
    /// names them with the spares' desks.
    #[arg(long)]
    pub(crate) stand_by: bool,
    /// Hand in when everything is answered; otherwise wait for the end of the sitting.
    #[arg(long)]
    pub(crate) hand_in: bool,
    /// Print the result as JSON on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print events as JSON lines on stderr, for whoever runs the sitting.
    #[arg(long)]
    pub(crate) events: bool,
    /// Seed of the answers and pauses.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Threads that write the seats' journals.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub(crate) disk_threads: u8,
}

impl Args {
    /// The roster file: as given, or beside the trust file.
    pub(crate) fn roster_path(&self) -> PathBuf {
        self.roster.clone().unwrap_or_else(|| self.trust.with_file_name("roster.json"))
    }
}
