//! Hand-in (交卷, HB-23): in its window, and only with every answer here. Never takes a paper whose answers are on the way.

use crate::{
    Fact, Reply, Scope, Site,
    rule::{Happened, Tell, Wanted},
    rules::{answers::own_attempt, numbers::HAND_IN_ITEMS_MAX},
    state::Attempt,
};
use exam_protocol::{
    code::{Refusal, SeatState},
    ids::{Sha256, SittingId, StationId},
    message::candidate::{AttemptId, Newest},
    time::Now,
};
use serde::{Deserialize, Serialize};

/// The candidate hands in.
#[derive(Clone, Debug)]
pub struct GiveIn {
    /// At which machine.
    pub station: StationId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// What the seat has.
    pub newest: Vec<Newest>,
}

impl Wanted for GiveIn {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let attempt = own_attempt(site, &self.station, self.attempt)?;
        if attempt.handed_in.is_some() {
            return Ok(Vec::new());
        }
        if self.newest.len() > HAND_IN_ITEMS_MAX {
            return Err(Refusal::TooMany { max: HAND_IN_ITEMS_MAX as u32 });
        }
        match site.attempt_state(attempt, now.at) {
            SeatState::Working => {}
            SeatState::Stopped => return Err(Refusal::TimeOver),
            state => return Err(Refusal::WrongSeatState { state }),
        }
        in_window(site, attempt, now)?;
        if site.consent_missing(attempt) {
            return Err(Refusal::ConsentMissing);
        }
        if let Some(missing) = self.newest.iter().find(|newest| attempt.version(&newest.item, newest.number).is_none())
        {
            return Err(Refusal::AnswersMissing { item: missing.item.clone(), number: missing.number });
        }
        let receipt = receipt(attempt, now, &self.newest);
        Ok(vec![
            HandedIn { sitting: attempt.sitting.clone(), attempt: self.attempt, newest: self.newest.clone(), receipt }
                .into(),
        ])
    }

    fn reply(&self, site: &Site) -> Reply {
        match site.attempts.get(&self.attempt).and_then(|attempt| attempt.handed_in.clone()) {
            Some((at, receipt)) => Reply::HandedIn { receipt, at },
            None => Reply::Done,
        }
    }
}

/// HB-23: not before the window of the subject opens.
fn in_window(site: &Site, attempt: &Attempt, now: Now) -> Result<(), Refusal> {
    let (Some(sitting), Some(ends)) = (site.sittings.get(&attempt.sitting), site.ends(attempt)) else {
        return Err(Refusal::SittingUnknown);
    };
    match site.hand_in_opens(sitting, ends).since(now.at) {
        0 => Ok(()),
        wait_ms => Err(Refusal::HandInTooEarly { opens_in_s: wait_ms.div_ceil(1000) as u32 }),
    }
}

/// Eight characters a candidate can note: they change with every answer and with the moment.
fn receipt(attempt: &Attempt, now: Now, newest: &[Newest]) -> String {
    let mut text = format!("{} {} {}", attempt.sitting, attempt.admission_no, now.at.0);
    for one in newest {
        text.push_str(&format!(" {}:{}", one.item, one.number));
    }
    Sha256::of(text.as_bytes()).hex()[..8].to_uppercase()
}

/// 已交卷.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandedIn {
    /// Which sitting.
    pub sitting: SittingId,
    /// Whose attempt.
    pub attempt: AttemptId,
    /// What the seat had, all of it here.
    pub newest: Vec<Newest>,
    /// What the candidate may note.
    pub receipt: String,
}

impl Happened for HandedIn {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(attempt) = site.attempts.get_mut(&self.attempt) {
            attempt.handed_in = Some((now.at, self.receipt.clone()));
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.attempts.get(&self.attempt).map(|attempt| Tell::Seat(attempt.station.clone())).into_iter().collect()
    }
}
