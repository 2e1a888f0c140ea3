//! Marks of mock sittings (HB-05): told to the seat as soon as its attempt is over, and to consoles as a table. The marking is
//! HQ's own. Never marks a real sitting: the room hands out none, and there is no key for it on site.

use super::{Reception, context, internal};
use crate::{clerk::No, vault::Shelf};
use exam_content::mark::{self, Reason};
use exam_protocol::{
    code::{Refusal, SeatState},
    ids::{Sha256, StationId},
    key::KeyedPaper,
    message::readiness::{AskMockPoints, MockPoints, MockRow, Points, SeatPoints},
    tag::Down,
    time::Now,
};
use exam_room::{
    Site,
    state::{Sitting, Unmarked},
};
use exam_sealed::paper::{open_mock_key, open_paper};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Opened keys held at once; a site has a mock paper or two.
const KEYS_MAX: usize = 8;

/// Mock papers with their keys, opened once each.
#[derive(Default)]
pub(super) struct KeysInHand(Mutex<BTreeMap<Sha256, Arc<KeyedPaper>>>);

impl Reception {
    /// The table of a mock sitting's present run.
    pub(super) async fn mock_points(&self, wanted: AskMockPoints) -> Result<Down, No> {
        let own = self.clone();
        let table = self.inner.clerk.read(move |site, now| {
            let sitting = site.sitting(&wanted.sitting)?;
            match sitting.plan.mock {
                true => Ok(own.table(site, sitting, now)),
                false => Err(Refusal::MarkedAtHq),
            }
        });
        Ok(table.await??.into())
    }

    /// What a machine's candidate is to be told of the mock paper; none while it is not over, and always none in a real sitting.
    pub(super) fn seat_points(&self, site: &Site, station: &StationId, now: Now) -> Option<SeatPoints> {
        let attempt = site.attempts.get(&site.stations.get(station)?.attempt?)?;
        let unmarked = site.unmarked(attempt, now.at).filter(|unmarked| unmarked.attempt.station == *station)?;
        Some(SeatPoints { attempt: attempt.id, points: self.points(&unmarked)? })
    }

    fn table(&self, site: &Site, sitting: &Sitting, now: Now) -> MockPoints {
        let row = |admission_no: &exam_protocol::ids::AdmissionNo| {
            let planned = site.place(admission_no, sitting.id())?;
            let attempt = sitting.attempts.get(admission_no).and_then(|id| site.attempts.get(id));
            let else_state = if sitting.absent.contains(admission_no) { SeatState::Absent } else { SeatState::Waiting };
            Some(MockRow {
                admission_no: admission_no.clone(),
                seat: attempt.map_or(planned, |attempt| attempt.seat),
                attempt: attempt.map(|attempt| attempt.id),
                state: attempt.map_or(else_state, |attempt| site.attempt_state(attempt, now.at)),
                points: attempt.and_then(|a| site.unmarked(a, now.at)).and_then(|unmarked| self.points(&unmarked)),
            })
        };
        let has_key = site.papers.get(sitting.paper()).is_some_and(|paper| paper.mock_key.is_some());
        let rows = site.expected(sitting.id()).filter_map(row).collect();
        MockPoints { now, sitting: sitting.id().clone(), has_key, rows }
    }

    fn points(&self, unmarked: &Unmarked<'_>) -> Option<Points> {
        let keyed = self.keyed(unmarked)?;
        let marked = mark::mark(&keyed, &unmarked.answers());
        Some(Points {
            points_tenths: marked.points_tenths,
            max_tenths: marked.max_tenths,
            by_hand_tenths: marked.by_hand_tenths,
            right: marked.items.iter().filter(|item| item.reason == Reason::Right).count() as u32,
            items: marked.items.len() as u32,
        })
    }

    /// The paper with its key, opened at the first need; a key that does not open is told to the log, and nobody gets points.
    fn keyed(&self, unmarked: &Unmarked<'_>) -> Option<Arc<KeyedPaper>> {
        let mut in_hand = self.inner.mock_keys.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keyed) = in_hand.get(&unmarked.mock_key) {
            return Some(keyed.clone());
        }
        let keyed = Arc::new(self.open_keyed(unmarked).ok()?);
        if in_hand.len() >= KEYS_MAX {
            in_hand.clear();
        }
        in_hand.insert(unmarked.mock_key, keyed.clone());
        Some(keyed)
    }

    fn open_keyed(&self, unmarked: &Unmarked<'_>) -> Result<KeyedPaper, No> {
        let failed = internal("a mock paper cannot be marked");
        let secret = self.open_text(context::PAPER_KEY, unmarked.secret);
        let secret = secret.ok_or_else(|| failed(&"its key does not open with this site's"))?;
        let read = |shelf, hash| self.inner.vault.blob_bytes(shelf, hash).map_err(|error| failed(&error));
        let paper = open_paper(&read(Shelf::Papers, &unmarked.paper.sealed.hash)?, &secret);
        let paper = paper.map_err(|error| failed(&error))?;
        open_mock_key(&read(Shelf::MockKeys, &unmarked.mock_key)?, &secret, paper).map_err(|error| failed(&error))
    }
}
