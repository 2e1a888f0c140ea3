//! Every number of the seat's session, with unit and reason. Never a number elsewhere.

/// F-12: an answer that is typed is saved this long after the last keystroke, milliseconds.
pub const DEBOUNCE_MS: u64 = 500;
/// P3: even under steady typing a draft is saved this long after its first keystroke, milliseconds.
pub const DRAFT_AGE_MS_MAX: u64 = 1_500;
const _: () = assert!(DEBOUNCE_MS <= 1_000); // F-12: at most a second after the last change
const _: () = assert!(DRAFT_AGE_MS_MAX <= 2_000); // P3: a dead machine costs at most two seconds of typing

/// Answers on the wire at the same time.
pub const SAVES_IN_FLIGHT_MAX: usize = 32;
/// Answers made here that no disk of the seat has yet; beyond it, answers go to the server alone.
pub const RECORDS_UNJOURNALLED_MAX: usize = 4_096;
/// Evidence kept in memory for the screen; the journal keeps all of it.
pub const EVIDENCE_MAX: usize = 200;

/// P2: older versions that a server lost, on the wire at the same time: few, because fresh answers share the wire.
pub const OLDER_IN_FLIGHT_MAX: usize = 8;
const _: () = assert!(OLDER_IN_FLIGHT_MAX < SAVES_IN_FLIGHT_MAX);
/// Older versions read back from the journal at once …
pub const OLDER_VERSIONS_MAX: usize = 1_024;
/// … and bytes of them; the rest is read when these are through.
pub const OLDER_BYTES_MAX: usize = 1024 * 1024;
const _: () = assert!(exam_protocol::answer::ANSWER_BYTES_MAX < OLDER_BYTES_MAX);

/// DESIGN §6: a heartbeat every second.
pub const HEARTBEAT_MS: u64 = 1_000;
/// P4: so many heartbeats in a row unanswered, and the connection is given up for a new one, which finds out within seconds that
/// the network has healed or the server is back. QUIC alone waits as long again as the silence has lasted, and sends nothing of
/// ours meanwhile. Fewer would give up the connection of a server that is only busy.
pub const HEARTBEATS_UNHEARD_MAX: usize = 5;

/// HB-22, F-17: candidates are reminded so many minutes before their own end; smallest first.
pub const REMINDERS_MIN: [u32; 3] = [1, 5, 15];
const _: () = assert!(REMINDERS_MIN[0] < REMINDERS_MIN[1] && REMINDERS_MIN[1] < REMINDERS_MIN[2]);

/// First wait after the server failed (busy, disk), milliseconds; it doubles up to [`RETRY_MS_MAX`].
pub const RETRY_MS_MIN: u64 = 250;
/// Longest wait between tries, milliseconds: with a round trip and a commit below the 5 s of P4.
pub const RETRY_MS_MAX: u64 = 4_000;

/// How far the seat's clock may drift against the server's, in millionths.
pub const DRIFT_PPM: u64 = 200;
/// How far off a server time may be that came without a round trip, milliseconds.
pub const HINT_ERROR_MS: u64 = 500;
/// P6: a correction of the clock beyond this is shown at once, smaller ones never turn the countdown back.
pub const CLOCK_STEP_MS: u64 = 1_000;

/// HB-25: answers of the replaced machine kept in memory for the candidate's choice; the rest is asked for when these are chosen.
pub const ORPHANS_LISTED_MAX: usize = 200;
/// Messages kept for the screen.
pub const MESSAGES_KEPT_MAX: usize = 100;

/// A sign of life in the journal this often: so far off may be what it says of an app that was not running, milliseconds.
pub const ALIVE_EVERY_MS: u64 = 10_000;
/// HB-26, F-33: a stretch in which nobody could work is told from so much on, milliseconds; the server has the same limit.
pub const UNABLE_MS_MIN: u64 = 15_000;
/// Stretches kept of one attempt; more says nothing new.
pub const ACCOUNT_STRETCHES_MAX: usize = 100;
const _: () = assert!(ALIVE_EVERY_MS < UNABLE_MS_MIN); // else a restart of a second would be told as a stretch
