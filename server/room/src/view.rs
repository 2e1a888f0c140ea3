//! What a seat and a console see, derived from the state. Names are sealed here; the shell opens them at the wire.

use crate::state::{Attempt, End, Site, Sitting};
use exam_protocol::{
    code::SeatState,
    ids::{AdmissionNo, RoomId, SealedBytes, SeatRef, StationId},
    message::{
        admin::SittingStatus,
        candidate::{AttemptView, SittingView},
    },
    paper::SealedPaper,
    time::SiteMs,
};
use std::collections::BTreeSet;

/// Most sealed papers one desk is told to fetch.
const PREFETCH_MAX: usize = 8;

/// One desk as its machine sees it; names and keys still sealed.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Which machine.
    pub station: StationId,
    /// Which desk.
    pub seat: Option<SeatRef>,
    /// Name of the room.
    pub room_name: String,
    /// How it stands.
    pub state: SeatState,
    /// Its sitting.
    pub sitting: Option<SittingView>,
    /// Who sits there, and the sealed identity.
    pub candidate: Option<(AdmissionNo, SealedBytes)>,
    /// The attempt; its paper key is left out.
    pub attempt: Option<AttemptView>,
    /// The key of the released paper, sealed.
    pub release: Option<SealedBytes>,
    /// Sealed papers to fetch.
    pub prefetch: Vec<SealedPaper>,
}

impl Site {
    /// The desk of a machine as it stands at `at`; none for a machine the site does not know.
    pub fn desk(&self, station: &StationId, at: SiteMs) -> Option<Desk> {
        let machine = self.stations.get(station)?;
        let mut desk = Desk {
            station: station.clone(),
            seat: machine.seat.clone(),
            room_name: String::new(),
            state: SeatState::Waiting,
            sitting: None,
            candidate: None,
            attempt: None,
            release: None,
            prefetch: Vec::new(),
        };
        let Some(seat) = &machine.seat else { return Some(desk) };
        desk.room_name = self.rooms.get(&seat.room).map(|room| room.name.clone()).unwrap_or_default();
        desk.prefetch = self.prefetch(seat);
        let own = machine.attempt.and_then(|id| self.attempts.get(&id)).filter(|attempt| attempt.station == *station);
        let sitting = self.shown_sitting(own, &seat.room);
        desk.sitting = sitting.map(|sitting| sitting_view(sitting, own));
        if let (Some(attempt), Some(sitting)) = (own, sitting)
            && attempt.sitting == sitting.plan.sitting
        {
            self.seat_attempt(&mut desk, attempt, sitting, at);
        }
        Some(desk)
    }

    /// What a desk shows: the open sitting, else the one its candidate has just finished, else the next or the last.
    fn shown_sitting(&self, own: Option<&Attempt>, room: &RoomId) -> Option<&Sitting> {
        let finished = || own.and_then(|attempt| self.sittings.get(&attempt.sitting));
        self.open_sitting(room).or_else(finished).or_else(|| self.current_sitting(room))
    }

    fn seat_attempt(&self, desk: &mut Desk, attempt: &Attempt, sitting: &Sitting, at: SiteMs) {
        desk.state = self.attempt_state(attempt, at);
        desk.candidate =
            self.candidates.get(&attempt.admission_no).map(|c| (attempt.admission_no.clone(), c.identity.clone()));
        desk.attempt = Some(AttemptView {
            attempt: attempt.id,
            started: self.began(attempt),
            ends: self.ends(attempt),
            order_seed: attempt.order_seed,
            release: None,
            left_ms: match self.end(attempt) {
                End::Frozen(left) if desk.state == SeatState::Paused => Some(left),
                End::Frozen(_) | End::At(_) | End::NotBegun => None,
            },
        });
        let covered = attempt.attendance.out().is_some(); // HB-24: nobody reads an empty seat's paper
        let may_read = matches!(desk.state, SeatState::Working | SeatState::Stopped) && !covered;
        desk.release = may_read.then(|| self.released.get(sitting.paper_of(attempt.id)).cloned()).flatten();
    }

    /// Papers of this room's sittings that are still to come or running.
    fn prefetch(&self, seat: &SeatRef) -> Vec<SealedPaper> {
        let open = |sitting: &&Sitting| {
            sitting.plan.room == seat.room && !matches!(sitting.stage, crate::state::Stage::Ended { .. })
        };
        let papers: BTreeSet<_> = self.sittings.values().filter(open).flat_map(Sitting::papers).collect();
        papers
            .into_iter()
            .filter_map(|paper| self.papers.get(paper))
            .map(|paper| paper.sealed.clone())
            .take(PREFETCH_MAX)
            .collect()
    }

    /// One sitting in numbers.
    pub fn sitting_status(&self, sitting: &Sitting, at: SiteMs) -> SittingStatus {
        let count = |state: SeatState| {
            self.attempts_of(sitting.id()).filter(|attempt| self.attempt_state(attempt, at) == state).count() as u32
        };
        SittingStatus {
            sitting: sitting.plan.sitting.clone(),
            title: sitting.plan.title.clone(),
            room: sitting.plan.room.clone(),
            subject: sitting.plan.subject,
            phase: sitting.phase(),
            planned_start: sitting.plan.planned_start,
            candidates: self.expected(sitting.id()).count() as u32,
            signed_in: count(SeatState::SignedIn),
            admitted: count(SeatState::Admitted),
            working: count(SeatState::Working),
            handed_in: count(SeatState::HandedIn),
            stopped: count(SeatState::Stopped),
            undecided_cut_ms: sitting.undecided_cut_ms(),
            absent: sitting.absent.len() as u32,
            answer_versions: sitting.answer_versions,
            wrong_codes: sitting.wrong_codes,
        }
    }
}

fn sitting_view(sitting: &Sitting, own: Option<&Attempt>) -> SittingView {
    let own = own.filter(|attempt| attempt.sitting == sitting.plan.sitting);
    SittingView {
        sitting: sitting.plan.sitting.clone(),
        title: sitting.plan.title.clone(),
        subject: sitting.plan.subject,
        phase: sitting.phase(),
        planned_start: sitting.plan.planned_start,
        duration_ms: sitting.duration_ms(),
        paper: own.map_or(sitting.paper(), |attempt| sitting.paper_of(attempt.id)).clone(),
    }
}
