//! Incidents (考场情况, HB-25 to HB-34, F-38): coded, numbered, with author and moment; more may be added, and a mistake is
//! corrected by a new record that points to the old one. Never edits, never deletes, never waits for HQ.

use crate::{
    Fact, Reply, Scope, Site,
    authority::Actor,
    rule::{Happened, Wanted},
    rules::{
        people::{REASON_CHARS_MAX, given},
        report::{report, scope_of},
    },
    state::{Added, Details, Incident},
};
use exam_protocol::{
    code::Refusal,
    ids::{ItemId, SeatNo, Sha256, SittingId, StationId},
    incident::{ATTACHMENTS_MAX, IncidentCode, RecordNo, TEXT_CHARS_MAX},
    message::incident::About,
    staff::Act,
    time::{Now, SiteMs},
};
use serde::{Deserialize, Serialize};

/// Most incidents and violations of one site.
pub const RECORDS_MAX: u32 = 20_000;
/// Most follow-ups of one incident.
pub const FOLLOW_UPS_MAX: usize = 30;

/// What a person wrote down; desk and candidate are joined by the rule.
#[derive(Clone, Debug)]
pub struct Account {
    /// At which desk.
    pub seat: Option<SeatNo>,
    /// About which item.
    pub item: Option<ItemId>,
    /// When; none for now.
    pub occurred_at: Option<SiteMs>,
    /// What.
    pub code: IncidentCode,
    /// In words.
    pub text: String,
    /// Files; the shell has seen that they are there.
    pub attachments: Vec<Sha256>,
}

impl Account {
    /// Checks the words and the moment, and finds who sits at the desk.
    fn details(&self, site: &Site, sitting: Option<&SittingId>, now: Now, else_at: SiteMs) -> Result<Details, Refusal> {
        written(&self.text, &self.attachments)?;
        let occurred_at = happened(self.occurred_at.unwrap_or(else_at), now)?;
        let attempt = match (sitting, self.seat) {
            (None, Some(_)) => return Err(Refusal::SittingUnknown),
            (Some(sitting), Some(seat)) => desk(site, sitting, seat, now)?,
            (_, None) => None,
        };
        let Self { seat, item, code, text, attachments, .. } = self.clone();
        Ok(Details { seat, attempt, item, occurred_at, code, text, attachments })
    }
}

/// Checks words and files.
fn written(text: &str, attachments: &[Sha256]) -> Result<(), Refusal> {
    given(text, TEXT_CHARS_MAX)?;
    match attachments.len() > ATTACHMENTS_MAX {
        true => Err(Refusal::TooMany { max: ATTACHMENTS_MAX as u32 }),
        false => Ok(()),
    }
}

/// Nothing is recorded before it has happened.
pub(crate) fn happened(at: SiteMs, now: Now) -> Result<SiteMs, Refusal> {
    if at <= now.at { Ok(at) } else { Err(Refusal::IntervalImpossible) }
}

/// There is room for one more record.
pub(crate) fn room_for_more(site: &Site) -> Result<(), Refusal> {
    match site.records.last_record().0 >= RECORDS_MAX {
        true => Err(Refusal::TooMany { max: RECORDS_MAX }),
        false => Ok(()),
    }
}

/// The attempt at a desk: a desk without a machine and without a candidate on the list is no desk.
fn desk(
    site: &Site,
    sitting: &SittingId,
    seat: SeatNo,
    now: Now,
) -> Result<Option<exam_protocol::message::candidate::AttemptId>, Refusal> {
    if let Some(attempt) = site.attempt_at_seat(sitting, seat) {
        site.fits_seat(attempt, Act::RecordIncident, now.at)?;
        return Ok(Some(attempt.id));
    }
    let room = &site.sitting(sitting)?.plan.room;
    let planned = || site.expected_candidates(sitting).any(|(_, c)| c.places.get(sitting) == Some(&seat));
    let stands = site.desks.keys().any(|desk| desk.room == *room && desk.seat == seat);
    if stands || planned() { Ok(None) } else { Err(Refusal::SeatUnknown) }
}

/// Something happened.
#[derive(Clone, Debug)]
pub struct RecordIncident {
    /// In which sitting; none for the whole site.
    pub sitting: Option<SittingId>,
    /// What.
    pub account: Account,
    /// Who records it.
    pub by: StationId,
}

impl Wanted for RecordIncident {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::RecordIncident)?;
        if let Some(sitting) = &self.sitting {
            site.fits_phase(site.sitting(sitting)?, Act::RecordIncident)?;
        }
        let details = self.account.details(site, self.sitting.as_ref(), now, now.at)?;
        room_for_more(site)?;
        Ok(recorded(site, self.sitting.clone(), details, by))
    }

    fn reply(&self, site: &Site) -> Reply {
        Reply::Recorded { record: site.records.last_record() }
    }
}

/// The facts of a new incident: itself, and the report HQ must hear.
pub(crate) fn recorded(site: &Site, sitting: Option<SittingId>, details: Details, by: Actor) -> Vec<Fact> {
    let number = site.records.next_record();
    let report = report(site, sitting.as_ref(), About::Incident(number), details.code.severity());
    let incident = IncidentRecorded { number, sitting, details, by }.into();
    [incident].into_iter().chain(report).collect()
}

/// 情况已记录.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentRecorded {
    /// Its number.
    pub number: RecordNo,
    /// In which sitting; none for the whole site.
    pub sitting: Option<SittingId>,
    /// What.
    pub details: Details,
    /// Who recorded it.
    pub by: Actor,
}

impl Happened for IncidentRecorded {
    fn scope(&self) -> Scope {
        scope_of(self.sitting.as_ref())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let Self { number, sitting, details, by } = self.clone();
        site.records.incidents.insert(number, fresh(sitting, details, by, now));
    }
}

fn fresh(sitting: Option<SittingId>, details: Details, by: Actor, now: Now) -> Incident {
    Incident { sitting, details, recorded_at: now, by, follow_ups: Vec::new(), corrects: None, corrected_by: None }
}

/// More about an incident.
#[derive(Clone, Debug)]
pub struct AddToIncident {
    /// Which.
    pub record: RecordNo,
    /// In words.
    pub text: String,
    /// Files; the shell has seen that they are there.
    pub attachments: Vec<Sha256>,
    /// Who adds it.
    pub by: StationId,
}

impl Wanted for AddToIncident {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::RecordIncident)?;
        written(&self.text, &self.attachments)?;
        let incident = site.records.incidents.get(&self.record).ok_or(Refusal::RecordUnknown)?;
        if incident.follow_ups.len() >= FOLLOW_UPS_MAX {
            return Err(Refusal::TooMany { max: FOLLOW_UPS_MAX as u32 });
        }
        let (number, text, attachments) = (self.record, self.text.clone(), self.attachments.clone());
        Ok(vec![IncidentFollowedUp { number, sitting: incident.sitting.clone(), text, attachments, by }.into()])
    }
}

/// 情况已补充.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentFollowedUp {
    /// Which incident.
    pub number: RecordNo,
    /// In which sitting.
    pub sitting: Option<SittingId>,
    /// In words.
    pub text: String,
    /// Files, by hash.
    pub attachments: Vec<Sha256>,
    /// Who added it.
    pub by: Actor,
}

impl Happened for IncidentFollowedUp {
    fn scope(&self) -> Scope {
        scope_of(self.sitting.as_ref())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let Some(incident) = site.records.incidents.get_mut(&self.number) else { return };
        let Self { text, attachments, by, .. } = self.clone();
        incident.follow_ups.push(Added { at: now, by, text, attachments });
    }
}

/// An incident was not as recorded.
#[derive(Clone, Debug)]
pub struct CorrectIncident {
    /// Which record is wrong.
    pub record: RecordNo,
    /// Why.
    pub reason: String,
    /// What really happened; no moment means the old one was right.
    pub account: Account,
    /// Who corrects it.
    pub by: StationId,
}

impl Wanted for CorrectIncident {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::RecordIncident)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        let wrong = site.records.incidents.get(&self.record).ok_or(Refusal::RecordUnknown)?;
        if wrong.corrected_by.is_some() {
            return Err(Refusal::AlreadySettled);
        }
        let sitting = wrong.sitting.clone();
        let details = self.account.details(site, sitting.as_ref(), now, wrong.details.occurred_at)?;
        room_for_more(site)?;
        let number = site.records.next_record();
        let report = report(site, sitting.as_ref(), About::Incident(number), details.code.severity());
        let (corrects, reason) = (self.record, self.reason.clone());
        let corrected = IncidentCorrected { number, corrects, reason, sitting, details, by };
        Ok([corrected.into()].into_iter().chain(report).collect())
    }

    fn reply(&self, site: &Site) -> Reply {
        Reply::Recorded { record: site.records.last_record() }
    }
}

/// 情况已更正: a new record stands for the old one, and both are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentCorrected {
    /// Number of the new record.
    pub number: RecordNo,
    /// Number of the wrong one.
    pub corrects: RecordNo,
    /// Why.
    pub reason: String,
    /// In which sitting.
    pub sitting: Option<SittingId>,
    /// What really happened.
    pub details: Details,
    /// Who corrected it.
    pub by: Actor,
}

impl Happened for IncidentCorrected {
    fn scope(&self) -> Scope {
        scope_of(self.sitting.as_ref())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(wrong) = site.records.incidents.get_mut(&self.corrects) {
            wrong.corrected_by = Some(self.number);
        }
        let Self { number, corrects, sitting, details, by, .. } = self.clone();
        let incident = Incident { corrects: Some(corrects), ..fresh(sitting, details, by, now) };
        site.records.incidents.insert(number, incident);
    }
}
