//! Signatures under violation records (HB-29, F-41, N-02): the candidate signs; who refuses is answered for by every proctor
//! present, each with their own account. Never closes a record that lacks one.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Wanted},
    rules::people::{REASON_CHARS_MAX, given},
    state::Violation,
};
use exam_protocol::{
    code::Refusal,
    frame,
    ids::{AccountId, RoomId, Sha256, SittingId, StationId},
    incident::{BadSignature, POINTS_MAX, RecordNo, Signature},
    message::hello::Role,
    staff::{Act, StaffRole},
    time::Now,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The signature, if it is one.
fn drawn(signature: &Signature) -> Result<Sha256, Refusal> {
    match signature.check() {
        Ok(()) => Ok(Sha256::of(&frame::encode(signature))),
        Err(BadSignature::TooLong) => Err(Refusal::TooMany { max: POINTS_MAX as u32 }),
        Err(BadSignature::Empty | BadSignature::OutOfOrder) => Err(Refusal::SignaturesMissing { missing: 1 }),
    }
}

/// The candidate signs, at the seat or on a console.
#[derive(Clone, Debug)]
pub struct SignAsCandidate {
    /// Which record.
    pub record: RecordNo,
    /// The signature.
    pub signature: Signature,
    /// At which machine.
    pub at: StationId,
}

impl Wanted for SignAsCandidate {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = self.witness(site)?;
        let digest = drawn(&self.signature)?;
        let violation = site.violation(self.record)?;
        match violation.candidate_signed {
            Some(known) if known == digest => return Ok(Vec::new()),
            Some(_) => return Err(Refusal::AlreadySettled),
            None if violation.closed => return Err(Refusal::AlreadySettled),
            None => {}
        }
        let (sitting, record, signature) = (violation.sitting.clone(), self.record, self.signature.clone());
        Ok(vec![CandidateSigned { sitting, record, signature, by }.into()])
    }
}

impl SignAsCandidate {
    /// The candidate's own machine needs nobody beside it and knows only its own record; a console needs a person.
    fn witness(&self, site: &Site) -> Result<Actor, Refusal> {
        if site.stations.get(&self.at).is_none_or(|machine| machine.role != Role::Station) {
            return site.actor(&self.at, Act::Sign);
        }
        let own = |violation: &Violation| site.attempts.get(&violation.attempt).is_some_and(|a| a.station == self.at);
        match site.records.violations.get(&self.record).is_some_and(own) && self.signature != Signature::OnPaper {
            true => Ok(Actor { station: self.at.clone(), account: None }),
            false => Err(Refusal::RecordUnknown),
        }
    }
}

/// 考生已签名.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateSigned {
    /// In which sitting.
    pub sitting: SittingId,
    /// Which record.
    pub record: RecordNo,
    /// The signature.
    pub signature: Signature,
    /// At which machine, and who stood by.
    pub by: Actor,
}

impl Happened for CandidateSigned {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(violation) = site.records.violations.get_mut(&self.record) {
            violation.candidate_signed = Some(Sha256::of(&frame::encode(&self.signature)));
        }
    }
}

/// The candidate refuses to sign.
#[derive(Clone, Debug)]
pub struct RefuseSignature {
    /// Which record.
    pub record: RecordNo,
    /// What the candidate said.
    pub reason: String,
    /// Who notes it.
    pub by: StationId,
}

impl Wanted for RefuseSignature {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Sign)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        let violation = site.violation(self.record)?;
        if violation.closed || violation.candidate_signed.is_some() || violation.refused.is_some() {
            return Err(Refusal::AlreadySettled);
        }
        let (sitting, record, reason) = (violation.sitting.clone(), self.record, self.reason.clone());
        let proctors = proctors_present(site, &site.sitting(&sitting)?.plan.room);
        Ok(vec![SignatureRefused { sitting, record, reason, proctors, by }.into()])
    }
}

/// Proctors in office who watch this room, and those for the whole site who are signed on at some machine.
pub fn proctors_present(site: &Site, room: &RoomId) -> BTreeSet<AccountId> {
    let signed_on: BTreeSet<_> = site.stations.values().filter_map(|machine| machine.staff.as_ref()).collect();
    let present = |id: &AccountId, of: Option<&RoomId>| of.map_or(signed_on.contains(id), |of| of == room);
    let proctors = site.accounts.iter().filter(|(_, account)| account.active && account.role == StaffRole::Proctor);
    proctors.filter(|(id, account)| present(id, account.room.as_ref())).map(|(id, _)| id.clone()).collect()
}

/// 考生拒签: every proctor present has to sign instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureRefused {
    /// In which sitting.
    pub sitting: SittingId,
    /// Which record.
    pub record: RecordNo,
    /// What the candidate said.
    pub reason: String,
    /// Proctors present at that moment.
    pub proctors: BTreeSet<AccountId>,
    /// Who noted it.
    pub by: Actor,
}

impl Happened for SignatureRefused {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(violation) = site.records.violations.get_mut(&self.record) {
            violation.refused = Some(self.proctors.clone());
        }
    }
}

/// A person signs in the candidate's place, with the account that is signed on at this console.
#[derive(Clone, Debug)]
pub struct SignAsProctor {
    /// Which record.
    pub record: RecordNo,
    /// The signature.
    pub signature: Signature,
    /// At which machine.
    pub by: StationId,
}

impl Wanted for SignAsProctor {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Sign)?;
        let account = by.account.clone().ok_or(Refusal::NobodySignedOn)?;
        drawn(&self.signature)?;
        let violation = site.violation(self.record)?;
        if violation.signed.contains(&account) {
            return Ok(Vec::new());
        }
        if violation.closed || violation.refused.is_none() {
            return Err(Refusal::AlreadySettled);
        }
        let (sitting, record, signature) = (violation.sitting.clone(), self.record, self.signature.clone());
        Ok(vec![ProctorSigned { sitting, record, signature, account, by }.into()])
    }
}

/// 监考员已签名.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProctorSigned {
    /// In which sitting.
    pub sitting: SittingId,
    /// Which record.
    pub record: RecordNo,
    /// The signature.
    pub signature: Signature,
    /// Whose.
    pub account: AccountId,
    /// At which machine.
    pub by: Actor,
}

impl Happened for ProctorSigned {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(violation) = site.records.violations.get_mut(&self.record) {
            violation.signed.insert(self.account.clone());
        }
    }
}

/// A violation record is complete.
#[derive(Clone, Debug)]
pub struct CloseRecord {
    /// Which record.
    pub record: RecordNo,
    /// Who closes it.
    pub by: StationId,
}

impl Wanted for CloseRecord {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::Sign)?;
        let violation = site.violation(self.record)?;
        if violation.closed {
            return Ok(Vec::new());
        }
        match violation.missing(site) {
            0 => Ok(vec![RecordClosed { sitting: violation.sitting.clone(), record: self.record, by }.into()]),
            missing => Err(Refusal::SignaturesMissing { missing }),
        }
    }
}

/// 记录已办结.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordClosed {
    /// In which sitting.
    pub sitting: SittingId,
    /// Which record.
    pub record: RecordNo,
    /// Who closed it.
    pub by: Actor,
}

impl Happened for RecordClosed {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(violation) = site.records.violations.get_mut(&self.record) {
            violation.closed = true;
        }
    }
}
