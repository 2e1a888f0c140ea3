//! The roll of a sitting as a console sees it, and the notes a seat gets beside its view. Derived from the state; never
//! holds a name.

use crate::state::{Attempt, Proposal, Site, Sitting};
use exam_protocol::{
    code::{Refusal, SeatState},
    ids::{AdmissionNo, SittingId, StationId},
    message::attendance::{AbsentNote, AttendanceList, IdentityRound, PresentNote, ProposalNote, SeatNotes},
    time::{Now, SiteMs},
};

impl Site {
    /// Who is here and who is not, and what waits for a decision.
    ///
    /// # Errors
    /// [`Refusal::SittingUnknown`].
    pub fn attendance_list(&self, id: &SittingId, now: Now) -> Result<AttendanceList, Refusal> {
        let sitting = self.sitting(id)?;
        let roll = &sitting.roll;
        let numbered = (1..).zip(&roll.proposals);
        Ok(AttendanceList {
            now,
            sitting: id.clone(),
            entry_closed_at: roll.entry_closed_at,
            hand_in_consented: roll.hand_in_consented_at.is_some(),
            present: self.attempts_of(id).map(|attempt| self.present(attempt, now.at)).collect(),
            absent: sitting.absent.iter().map(|no| absent(sitting, no)).collect(),
            proposals: numbered.filter(|(_, p)| !p.settled).map(|(n, p)| proposal(n, p)).collect(),
        })
    }

    fn present(&self, attempt: &Attempt, at: SiteMs) -> PresentNote {
        let known = &attempt.attendance;
        PresentNote {
            attempt: attempt.id,
            admission_no: attempt.admission_no.clone(),
            seat: attempt.seat,
            station: attempt.station.clone(),
            state: self.attempt_state(attempt, at),
            identity_confirmed: known.confirmed_at.is_some(),
            first_round: known.checked(IdentityRound::First),
            second_round: known.checked(IdentityRound::Second),
            denied: known.denied.clone(),
            out: known.out().map(|leave| (leave.out_at, leave.escort.clone())),
            leaves: known.leaves.len() as u32,
            hand_in_consented: known.hand_in_consented_at.is_some(),
            wait_until: self.wait_until(attempt),
            ended: attempt.terminated_at.and(known.ended.as_ref()).map(|ended| ended.why),
            former: known.former.iter().map(|former| former.station.clone()).collect(),
            orphans: known.open_orphans().count() as u32,
            contested: known.contested.clone(),
        }
    }

    /// What the candidate at a machine should know beside the view; none where nobody is signed in.
    pub fn seat_notes(&self, station: &StationId, at: SiteMs) -> Option<SeatNotes> {
        let attempt = self.attempts.get(self.stations.get(station)?.attempt.as_ref()?)?;
        let sitting = self.sittings.get(&attempt.sitting).filter(|_| attempt.station == *station)?;
        let works = matches!(self.attempt_state(attempt, at), SeatState::Working | SeatState::Away);
        Some(SeatNotes {
            attempt: attempt.id,
            identity_confirmed: attempt.attendance.confirmed_at.is_some(),
            hand_in_opens: self.ends(attempt).filter(|_| works).map(|ends| self.hand_in_opens(sitting, ends)),
            consent_missing: self.consent_missing(attempt),
            wait_until: self.wait_until(attempt),
            orphans: attempt.attendance.open_orphans().count() as u32,
            resume_at: attempt.last_item.as_ref().map(|(_, item)| item.clone()),
        })
    }
}

fn absent(sitting: &Sitting, no: &AdmissionNo) -> AbsentNote {
    let confirmed = sitting.roll.confirmed.get(no).into_iter().flatten().copied().collect();
    AbsentNote { admission_no: no.clone(), confirmed }
}

fn proposal(proposal: u32, of: &Proposal) -> ProposalNote {
    let Proposal { attempt, from, to, ms, evidence, .. } = of.clone();
    ProposalNote { proposal, attempt, from, to, ms, evidence }
}
