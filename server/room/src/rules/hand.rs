//! A raised hand (举手, HB-25, HB-28; F-34): up, taken by somebody, done; the candidate may lower it. Every step with its
//! time. Never helps with content, and never forgets a hand that is up.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::numbers::HANDS_PER_DESK_MAX,
    state::{Hand, HandEnd},
};
use exam_protocol::{
    code::{Refusal, SeatState},
    ids::{SeatRef, SittingId, StationId},
    message::{
        candidate::AttemptId,
        duty::{HAND_TEXT_CHARS_MAX, HandId, HandKind},
    },
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// The person at a machine raises a hand; nobody needs to be signed in for it, because signing in may be the trouble.
#[derive(Clone, Debug)]
pub struct RaiseHand {
    /// At which machine.
    pub station: StationId,
    /// Why.
    pub kind: HandKind,
    /// In words, or empty.
    pub text: String,
}

impl Wanted for RaiseHand {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        if self.text.chars().count() > HAND_TEXT_CHARS_MAX {
            return Err(Refusal::TextTooLong { max_chars: HAND_TEXT_CHARS_MAX as u32 });
        }
        let seat = site.stations.get(&self.station).and_then(|s| s.seat.clone()).ok_or(Refusal::NoSeat)?;
        let sitting = site.open_sitting(&seat.room).ok_or(Refusal::AdmissionClosed)?.id().clone();
        let attempt = site.attempt_at(&self.station).filter(|attempt| attempt.sitting == sitting);
        if let Some(attempt) = attempt {
            let state = site.attempt_state(attempt, now.at);
            if matches!(state, SeatState::Away | SeatState::Terminated) {
                return Err(Refusal::WrongSeatState { state });
            }
        }
        let up = site.latest_hand(&seat).filter(|hand| hand.is_open());
        if up.is_some_and(|hand| hand.kind == self.kind && hand.text == self.text) {
            return Ok(Vec::new());
        }
        if site.hands.count.get(&(sitting.clone(), seat.seat)).is_some_and(|count| *count >= HANDS_PER_DESK_MAX) {
            return Err(Refusal::TooMany { max: HANDS_PER_DESK_MAX });
        }
        let mut facts: Vec<Fact> = up.map(|hand| lowered(hand).into()).into_iter().collect();
        let attempt = attempt.map(|attempt| attempt.id);
        let hand = HandId(site.hands.by_id.len() as u64 + 1);
        let Self { station, kind, text } = self.clone();
        facts.push(HandRaised { sitting, hand, seat, station, attempt, kind, text }.into());
        Ok(facts)
    }
}

/// The candidate needs nobody any more.
#[derive(Clone, Debug)]
pub struct LowerHand {
    /// At which machine.
    pub station: StationId,
}

impl Wanted for LowerHand {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let seat = site.stations.get(&self.station).and_then(|s| s.seat.as_ref()).ok_or(Refusal::NoSeat)?;
        Ok(site.latest_hand(seat).filter(|hand| hand.is_open()).map(|hand| lowered(hand).into()).into_iter().collect())
    }
}

fn lowered(hand: &Hand) -> HandLowered {
    HandLowered { sitting: hand.sitting.clone(), hand: hand.id }
}

/// Somebody goes there.
#[derive(Clone, Debug)]
pub struct TakeHand {
    /// Which hand.
    pub hand: HandId,
    /// Who goes.
    pub by: StationId,
}

impl Wanted for TakeHand {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::TakeHand)?;
        let hand = open_hand(site, self.hand)?;
        match &hand.taken {
            Some((_, taker)) if taker.account == by.account => Ok(Vec::new()),
            Some(_) => Err(Refusal::AlreadySettled),
            None => Ok(vec![HandTaken { sitting: hand.sitting.clone(), hand: hand.id, by }.into()]),
        }
    }
}

/// It is settled.
#[derive(Clone, Debug)]
pub struct FinishHand {
    /// Which hand.
    pub hand: HandId,
    /// Who says so.
    pub by: StationId,
}

impl Wanted for FinishHand {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::TakeHand)?;
        let hand = open_hand(site, self.hand)?;
        Ok(vec![HandDone { sitting: hand.sitting.clone(), hand: hand.id, by }.into()])
    }
}

fn open_hand(site: &Site, id: HandId) -> Result<&Hand, Refusal> {
    let hand = site.hands.by_id.get(&id).ok_or(Refusal::RecordUnknown)?;
    site.fits_phase(site.sitting(&hand.sitting)?, Act::TakeHand)?;
    if hand.is_open() { Ok(hand) } else { Err(Refusal::AlreadySettled) }
}

/// The desk's machine must hear.
fn hear(site: &Site, hand: HandId) -> Vec<Tell> {
    site.hands.by_id.get(&hand).map(|hand| Tell::Seat(hand.station.clone())).into_iter().collect()
}

/// 已举手.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandRaised {
    /// In which sitting.
    pub sitting: SittingId,
    /// The new hand.
    pub hand: HandId,
    /// At which desk.
    pub seat: SeatRef,
    /// At which machine.
    pub station: StationId,
    /// Whose; none when nobody has signed in there.
    pub attempt: Option<AttemptId>,
    /// Why.
    pub kind: HandKind,
    /// In words, or empty.
    pub text: String,
}

impl Happened for HandRaised {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let Self { sitting, hand, seat, station, attempt, kind, text } = self.clone();
        *site.hands.count.entry((sitting.clone(), seat.seat)).or_default() += 1;
        site.hands.latest.insert(seat.clone(), hand);
        let raised_at = now.at;
        let (taken, closed) = (None, None);
        let up = Hand { id: hand, sitting, seat, station, attempt, kind, text, raised_at, taken, closed };
        site.hands.by_id.insert(hand, up);
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        hear(site, self.hand)
    }
}

/// 已取消举手.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandLowered {
    /// In which sitting.
    pub sitting: SittingId,
    /// Which hand.
    pub hand: HandId,
}

impl Happened for HandLowered {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(hand) = site.hands.by_id.get_mut(&self.hand) {
            hand.closed = Some((now.at, HandEnd::Lowered));
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        hear(site, self.hand)
    }
}

/// 处理中.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandTaken {
    /// In which sitting.
    pub sitting: SittingId,
    /// Which hand.
    pub hand: HandId,
    /// Who goes.
    pub by: Actor,
}

impl Happened for HandTaken {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(hand) = site.hands.by_id.get_mut(&self.hand) {
            hand.taken = Some((now.at, self.by.clone()));
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        hear(site, self.hand)
    }
}

/// 已处理.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandDone {
    /// In which sitting.
    pub sitting: SittingId,
    /// Which hand.
    pub hand: HandId,
    /// Who says so.
    pub by: Actor,
}

impl Happened for HandDone {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(hand) = site.hands.by_id.get_mut(&self.hand) {
            hand.closed = Some((now.at, HandEnd::Done(self.by.clone())));
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        hear(site, self.hand)
    }
}
