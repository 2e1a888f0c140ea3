//! Every number of the handbook, with its rule, unit and relation to the others. A plan may override some per exam.

use exam_protocol::{
    paper::Subject,
    plan::RuleOverrides,
    time::{minutes, seconds},
};

/// HB-20: nobody enters once 30 minutes of the sitting have run.
pub const LATE_ENTRY_BAR_MIN: u32 = 30;
/// HB-23: theory may be handed in during its last 15 minutes.
pub const EARLY_HAND_IN_THEORY_MIN: u32 = 15;
/// HB-23: practical work may be handed in during its last 30 minutes.
pub const EARLY_HAND_IN_PRACTICAL_MIN: u32 = 30;
/// HB-23: and only with the chief's consent.
pub const HAND_IN_NEEDS_CONSENT: bool = true;
/// HB-21: the second identity round begins 15 minutes after the start.
pub const IDENTITY_ROUND_FROM_MS: u64 = minutes(15);
/// What a replaced machine journalled up to so long after the swap is still kept for the candidate to choose (HB-25): the
/// candidate typed until somebody said stop, and the machine's clock may be ahead.
pub const ORPHAN_TOLERANCE_MS: u64 = SEAT_CLOCK_AHEAD_MS;
/// Orphans of one attempt: a machine cut off for an hour, a version every two seconds.
pub const ORPHANS_MAX: usize = 1_800;
/// Leaves, checks and swaps of one attempt; more is a mistake.
pub const ATTENDANCE_RECORDS_MAX: usize = 200;

/// HB-26: minutes chief and inspector may grant a candidate in sum.
pub const EXTENSION_ON_SITE_MS: u64 = minutes(15);
/// Most minutes one code of HQ may grant.
pub const EXTENSION_BY_HQ_MAX_MIN: u32 = exam_protocol::grant::GRANT_MINUTES_MAX;
/// HB-27: if power returns within 60 minutes the exam goes on, else it is stopped.
pub const POWER_CUT_LIMIT_MS: u64 = minutes(60);
/// HB-27: the server's machine was off for so long: people decide whether it counts. As long as a silent seat takes to turn red.
pub const POWER_CUT_NOTICED_MS: u64 = seconds(15);
/// How far back a stretch may be taken out afterwards: a power cut at its limit, and time to talk about it.
pub const REMOVE_BACK_MS: u64 = minutes(120);

/// DESIGN §5: wall time that moves by more than this beyond the time that passed has jumped.
pub const WALL_JUMP_MS: u64 = seconds(2);
/// P6: so long may pass in a running sitting without a fact; then the clocks are read.
pub const QUIET_MS: u64 = minutes(1);
/// HB-33: a visit within so long after the start is the visit at the start; by then the door is closed (HB-20).
pub const VISIT_START_MS: u64 = minutes(30);
/// HB-33: a visit in the last minutes is the visit at the end; then candidates are reminded (HB-22).
pub const VISIT_END_MS: u64 = minutes(15);
/// Visits of one sitting.
pub const VISITS_PER_SITTING_MAX: usize = 50;
/// Times one visit may be written down.
pub const VISIT_NOTES_MAX: usize = 10;
/// HB-25: hands one desk may raise in one sitting: one every six minutes for five hours.
pub const HANDS_PER_DESK_MAX: u32 = 50;
/// Messages of a site.
pub const MESSAGES_MAX: usize = 5_000;

/// DESIGN §7: after so many failures at one seat a proctor has to look.
pub const SIGN_IN_FAILURES_MAX: u32 = 5;
/// After that the seat waits so long after each failure. Others are not affected: nobody can lock out a neighbour.
pub const SIGN_IN_PAUSE_MS: u64 = seconds(30);
/// How long an enrolment code is good for: one working day of installing.
pub const ENROL_CODE_VALID_MS: u64 = minutes(12 * 60);
/// Unused enrolment codes kept at once.
pub const ENROL_CODES_OPEN_MAX: usize = 5_000;
/// Machines one enrolment code may enrol.
pub const ENROL_CODE_USES_MAX: u16 = 2_000;
/// A seat's clock may be ahead of the server's by so much before its word for "made at" is cut back.
pub const SEAT_CLOCK_AHEAD_MS: u64 = seconds(2);
/// Items one hand-in may name.
pub const HAND_IN_ITEMS_MAX: usize = exam_protocol::paper::ITEMS_MAX;
/// Versions of one item's answer: one a second for five hours.
pub const VERSIONS_MAX: u32 = 18_000;
/// Bytes in one page of recalled answers; the rest of the frame is its head.
pub const RECALL_BYTES_MAX: usize = 512 * 1024;
/// Gaps named of one item's answer; the last of them names all that is between it and the newest version.
pub const RECALL_GAPS_MAX: usize = 32;

/// HB-11: the door opens only in a sealed room, unless the exam says otherwise.
pub const SEAL_REQUIRED: bool = true;
/// F-42, F-69: a machine's wall clock may differ by so much, for the seal and while candidates work; the exam is timed by the server,
/// so this only keeps logs readable.
pub const SEAT_CLOCK_OFF_MAX_MS: u64 = seconds(5);
/// A machine needs so much free disk for answers and work files.
pub const SEAT_DISK_FREE_MIN_BYTES: u64 = 2 << 30;
/// Longest version of a program, in characters.
pub const VERSION_CHARS_MAX: usize = 64;
/// N-06: an item of the check-list is overdue so long after its minute.
pub const CHECK_OVERDUE_MS: u64 = minutes(10);
/// Requests for a backup paper one sitting may send to HQ.
pub const BACKUP_REQUESTS_MAX: usize = 20;
/// HB-26, F-33: a stretch in which nobody could work at a machine becomes a proposal from so much on; what is shorter is a hiccup.
pub const LOSS_TOLD_MIN_MS: u64 = seconds(15);
/// Proposals one attempt's machines may set off by their own account; more says nothing new.
pub const ACCOUNTS_PER_ATTEMPT_MAX: usize = 50;

const _: () = assert!(CHECK_OVERDUE_MS < minutes(15)); // else an item is overdue only when the next ones are due
const _: () = assert!(POWER_CUT_LIMIT_MS < REMOVE_BACK_MS); // else a cut at its limit could not be taken out
const _: () = assert!(IDENTITY_ROUND_FROM_MS < minutes(LATE_ENTRY_BAR_MIN as u64)); // who comes late is checked at the door
const _: () = assert!(EARLY_HAND_IN_PRACTICAL_MIN < exam_protocol::plan::SITTING_MINUTES_MAX);
const _: () = assert!(
    RECALL_BYTES_MAX + 2 * exam_protocol::answer::ANSWER_BYTES_MAX < exam_protocol::frame::DOWN_FRAME_BYTES_MAX
);

/// The handbook's numbers as one exam uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// HB-20, milliseconds after the start.
    pub late_entry_bar_ms: u64,
    early_theory_ms: u64,
    early_practical_ms: u64,
    /// HB-23: early hand-in takes the chief's consent.
    pub hand_in_needs_consent: bool,
}

impl Numbers {
    /// The handbook's numbers with an exam's overrides.
    pub fn of(overrides: &RuleOverrides) -> Self {
        let ms = |own: Option<u32>, handbook: u32| minutes(u64::from(own.unwrap_or(handbook)));
        Self {
            late_entry_bar_ms: ms(overrides.late_entry_bar_min, LATE_ENTRY_BAR_MIN),
            early_theory_ms: ms(overrides.early_hand_in_theory_min, EARLY_HAND_IN_THEORY_MIN),
            early_practical_ms: ms(overrides.early_hand_in_practical_min, EARLY_HAND_IN_PRACTICAL_MIN),
            hand_in_needs_consent: overrides.hand_in_needs_consent.unwrap_or(HAND_IN_NEEDS_CONSENT),
        }
    }

    /// HB-23: how long before the end hand-in opens, milliseconds.
    pub fn early_hand_in_ms(&self, subject: Subject) -> u64 {
        match subject {
            Subject::Theory => self.early_theory_ms,
            Subject::Practical => self.early_practical_ms,
        }
    }
}
