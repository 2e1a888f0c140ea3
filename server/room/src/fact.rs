//! Every fact, one line a kind: its name in the journal never changes and is never reused.

use crate::{
    Site,
    rule::{Happened, Tell},
    rules::*,
};
use exam_protocol::{
    chain::{SITE_SCOPE, sitting_scope},
    ids::SittingId,
    time::Now,
};
use std::fmt;

/// Whom a fact concerns: decides which bundle carries its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everybody on site.
    Site,
    /// One sitting.
    Sitting(SittingId),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Site => f.write_str(SITE_SCOPE),
            Scope::Sitting(sitting) => f.write_str(&sitting_scope(sitting)),
        }
    }
}

/// A journal row that is not a fact of this version.
#[derive(Debug, thiserror::Error)]
pub enum BadFact {
    /// Written by a newer server.
    #[error("fact kind `{0}` is unknown: this journal was written by a newer server")]
    UnknownKind(String),
    /// The fields do not fit.
    #[error("fact of kind `{kind}` cannot be read")]
    Body {
        /// Its kind.
        kind: String,
        /// What the reader said.
        source: serde_json::Error,
    },
}

macro_rules! facts {
    ($($kind:literal $module:ident :: $name:ident,)*) => {
        /// What has happened, past tense, append-only.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each variant is documented at the struct of its rule")]
        pub enum Fact {
            $($name($module::$name),)*
        }

        impl Fact {
            /// Every kind a journal may hold.
            pub const KINDS: &[&str] = &[$($kind,)*];

            /// Its name in the journal.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Fact::$name(_) => $kind,)*
                }
            }

            /// Whom it concerns.
            pub fn scope(&self) -> Scope {
                match self {
                    $(Fact::$name(fact) => Happened::scope(fact),)*
                }
            }

            /// Its fields as JSON.
            pub fn body(&self) -> String {
                match self {
                    $(Fact::$name(fact) => serde_json::to_string(fact).expect("our own facts can be written"),)*
                }
            }

            /// Reads a fact back from the journal.
            ///
            /// # Errors
            /// A kind of a newer version, or fields that do not fit.
            pub fn read(kind: &str, body: &str) -> Result<Fact, BadFact> {
                match kind {
                    $($kind => serde_json::from_str(body)
                        .map(Fact::$name)
                        .map_err(|source| BadFact::Body { kind: kind.to_owned(), source }),)*
                    unknown => Err(BadFact::UnknownKind(unknown.to_owned())),
                }
            }
        }

        impl Site {
            /// Applies a fact; judges nothing. Facts are applied in the order of the journal, each once.
            pub fn apply(&mut self, now: Now, fact: &Fact) {
                assert!(now.at >= self.latest, "the site's timeline only moves forward, else ends of attempts would be wrong");
                self.latest = now.at;
                match fact {
                    $(Fact::$name(fact) => Happened::apply(fact, self, now),)*
                }
            }

            /// Who must hear of a fact that has been applied.
            pub fn tell(&self, fact: &Fact) -> Vec<Tell> {
                match fact {
                    $(Fact::$name(fact) => Happened::tell(fact, self),)*
                }
            }
        }

        $(impl From<$module::$name> for Fact {
            fn from(fact: $module::$name) -> Fact {
                Fact::$name(fact)
            }
        })*
    };
}

facts! {
    "site_founded" founding::SiteFounded,
    "server_noted" founding::ServerNoted,
    "package_taken" package::PackageTaken,
    "code_issued" enrolment::CodeIssued,
    "station_enrolled" enrolment::StationEnrolled,
    "desk_taken" seating::DeskTaken,
    "door_opened" admission::DoorOpened,
    "candidate_admitted" admission::CandidateAdmitted,
    "signed_in" sign_in::SignedIn,
    "sign_in_failed" sign_in::SignInFailed,
    "sitting_started" start::SittingStarted,
    "wrong_code_entered" start::WrongCodeEntered,
    "answer_saved" answers::AnswerSaved,
    "handed_in" hand_in::HandedIn,
    "sitting_ended" ending::SittingEnded,
    "absence_recorded" ending::AbsenceRecorded,
    "bundle_exported" export::BundleExported,
    "account_made" people::AccountMade,
    "signed_on" people::SignedOn,
    "signed_off" people::SignedOff,
    "clock_stopped" pause::ClockStopped,
    "clock_ran" pause::ClockRan,
    "stretch_taken_out" pause::StretchTakenOut,
    "time_granted" extension::TimeGranted,
    "candidate_denied" deny::CandidateDenied,
    "identity_confirmed" identity::IdentityConfirmed,
    "identity_checked" identity::IdentityChecked,
    "entry_closed" absence::EntryClosed,
    "absence_confirmed" absence::AbsenceConfirmed,
    "went_out" leave::WentOut,
    "came_back" leave::CameBack,
    "machine_swapped" swap::MachineSwapped,
    "orphan_kept" orphan::OrphanKept,
    "orphan_settled" orphan::OrphanSettled,
    "extension_proposed" lost_time::ExtensionProposed,
    "proposal_settled" lost_time::ProposalSettled,
    "time_contested" lost_time::TimeContested,
    "contest_answered" lost_time::ContestAnswered,
    "attempt_ended" terminate::AttemptEnded,
    "attempt_reopened" terminate::AttemptReopened,
    "hand_in_consented" consent::HandInConsented,
    "incident_recorded" incident::IncidentRecorded,
    "incident_followed_up" incident::IncidentFollowedUp,
    "incident_corrected" incident::IncidentCorrected,
    "violation_recorded" violation::ViolationRecorded,
    "exam_ended_for_violation" violation::ExamEndedForViolation,
    "candidate_signed" signature::CandidateSigned,
    "signature_refused" signature::SignatureRefused,
    "proctor_signed" signature::ProctorSigned,
    "record_closed" signature::RecordClosed,
    "report_queued" report::ReportQueued,
    "report_delivered" report::ReportDelivered,
    "finding_noted" finding::FindingNoted,
    "finding_grew" finding::FindingGrew,
    "finding_judged" finding::FindingJudged,
    "seat_reported" seal::SeatReported,
    "check_confirmed" seal::CheckConfirmed,
    "check_withdrawn" seal::CheckWithdrawn,
    "room_sealed" seal::RoomSealed,
    "seal_broken" seal::SealBroken,
    "item_ticked" checklist::ItemTicked,
    "item_unticked" checklist::ItemUnticked,
    "backup_requested" backup_paper::BackupRequested,
    "backup_paper_used" backup_paper::BackupPaperUsed,
    "mock_reset" mock::MockReset,
    "clocks_read" wall_clock::ClocksRead,
    "hand_raised" hand::HandRaised,
    "hand_lowered" hand::HandLowered,
    "hand_taken" hand::HandTaken,
    "hand_done" hand::HandDone,
    "message_sent" message::MessageSent,
    "message_delivered" message::MessageDelivered,
    "message_read" message::MessageRead,
    "visit_began" visit::VisitBegan,
    "visit_noted" visit::VisitNoted,
    "cut_noticed" power_cut::CutNoticed,
    "cut_counted" power_cut::CutCounted,
    "sitting_called_off" call_off::SittingCalledOff,
    "password_changed" password::PasswordChanged,
}
