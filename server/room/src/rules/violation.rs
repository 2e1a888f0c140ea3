//! Violations (违纪, HB-29): facts in words, one of four measures by whoever may take it, linked to an incident. Ending the
//! exam ends the attempt at once; a void result stays on record with everything it rests on. Never judges by itself.

use crate::{
    Fact, Reply, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::{
        incident::{IncidentRecorded, happened, room_for_more},
        people::given,
        report::report,
    },
    state::{Attempt, Details, EndedWhy, Violation},
};
use exam_protocol::{
    code::{Refusal, SeatState},
    ids::{SeatNo, SittingId, StationId},
    incident::{IncidentCode, Measure, RecordNo, TEXT_CHARS_MAX},
    message::{attendance::EndWhy, candidate::AttemptId, incident::About},
    staff::Act,
    time::{Now, SiteMs},
};
use serde::{Deserialize, Serialize};

/// A measure is taken.
#[derive(Clone, Debug)]
pub struct RecordViolation {
    /// In which sitting.
    pub sitting: SittingId,
    /// At which desk.
    pub seat: SeatNo,
    /// Which measure.
    pub measure: Measure,
    /// The facts, in words.
    pub facts: String,
    /// The incident it belongs to; none makes one.
    pub incident: Option<RecordNo>,
    /// When it happened; none for now.
    pub occurred_at: Option<SiteMs>,
    /// Who takes it.
    pub by: StationId,
}

/// The act behind a measure: who may take it is in the one table of role × act.
pub fn act(measure: Measure) -> Act {
    match measure {
        Measure::Admonish => Act::Admonish,
        Measure::Warn => Act::Warn,
        Measure::EndExam => Act::EndAttempt,
        Measure::Void => Act::Void,
    }
}

impl Wanted for RecordViolation {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let act = act(self.measure);
        let by = site.actor(&self.by, act)?;
        given(&self.facts, TEXT_CHARS_MAX)?;
        site.fits_phase(site.sitting(&self.sitting)?, act)?;
        let nobody = Refusal::WrongSeatState { state: SeatState::Waiting };
        let attempt = site.attempt_at_seat(&self.sitting, self.seat).ok_or(nobody)?;
        site.fits_seat(attempt, act, now.at)?;
        if self.measure == Measure::Void && site.records.void.contains_key(&attempt.id) {
            return Err(Refusal::AlreadySettled);
        }
        let occurred_at = happened(self.occurred_at.unwrap_or(now.at), now)?;
        room_for_more(site)?;
        self.belongs(site, attempt)?;
        Ok(self.facts(site, attempt.id, occurred_at, by))
    }

    fn reply(&self, site: &Site) -> Reply {
        Reply::Recorded { record: site.records.last_record() }
    }
}

impl RecordViolation {
    /// The named incident is of this sitting, and of this candidate if it is of one.
    fn belongs(&self, site: &Site, attempt: &Attempt) -> Result<(), Refusal> {
        let Some(record) = self.incident else { return Ok(()) };
        let incident = site.records.incidents.get(&record).ok_or(Refusal::RecordUnknown)?;
        let of_sitting = incident.sitting.as_ref() == Some(&self.sitting);
        match of_sitting && incident.details.attempt.is_none_or(|of| of == attempt.id) {
            true => Ok(()),
            false => Err(Refusal::RecordUnknown),
        }
    }

    fn facts(&self, site: &Site, attempt: AttemptId, occurred_at: SiteMs, by: Actor) -> Vec<Fact> {
        let mut number = site.records.next_record();
        let mut facts = Vec::new();
        let incident = self.incident.unwrap_or_else(|| {
            let incident = number;
            number = RecordNo(number.0 + 1);
            facts.push(self.new_incident(incident, attempt, occurred_at, &by));
            incident
        });
        let Self { sitting, seat, measure, facts: text, .. } = self.clone();
        facts.push(
            ViolationRecorded {
                number,
                incident,
                sitting: sitting.clone(),
                attempt,
                seat,
                measure,
                facts: text,
                occurred_at,
                by: by.clone(),
            }
            .into(),
        );
        match measure {
            Measure::EndExam => {
                facts.push(ExamEndedForViolation { sitting: sitting.clone(), attempt, violation: number, by }.into())
            }
            Measure::Admonish | Measure::Warn | Measure::Void => {}
        }
        facts.extend(report(site, Some(&sitting), About::Violation(number), measure.severity()));
        facts
    }

    fn new_incident(&self, number: RecordNo, attempt: AttemptId, occurred_at: SiteMs, by: &Actor) -> Fact {
        let details = Details {
            seat: Some(self.seat),
            attempt: Some(attempt),
            item: None,
            occurred_at,
            code: IncidentCode::Violation,
            text: self.facts.clone(),
            attachments: Vec::new(),
        };
        IncidentRecorded { number, sitting: Some(self.sitting.clone()), details, by: by.clone() }.into()
    }
}

/// 违纪已记录.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViolationRecorded {
    /// Its number.
    pub number: RecordNo,
    /// The incident it belongs to.
    pub incident: RecordNo,
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub attempt: AttemptId,
    /// At which desk.
    pub seat: SeatNo,
    /// The measure.
    pub measure: Measure,
    /// The facts, in words.
    pub facts: String,
    /// When it happened.
    pub occurred_at: SiteMs,
    /// Who took the measure.
    pub by: Actor,
}

impl Happened for ViolationRecorded {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let Self { number, incident, sitting, attempt, seat, measure, facts, occurred_at, by } = self.clone();
        if measure == Measure::Void {
            site.records.void.insert(attempt, number);
        }
        let violation = Violation {
            sitting,
            attempt,
            seat,
            measure,
            facts,
            incident,
            occurred_at,
            recorded_at: now,
            by,
            candidate_signed: None,
            refused: None,
            signed: Default::default(),
            closed: false,
        };
        site.records.violations.insert(number, violation);
    }
}

/// 已终止考核: the chief ended this candidate's exam for a violation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExamEndedForViolation {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub attempt: AttemptId,
    /// By which record.
    pub violation: RecordNo,
    /// Who ended it.
    pub by: Actor,
}

impl Happened for ExamEndedForViolation {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        if let Some(attempt) = site.attempts.get_mut(&self.attempt) {
            attempt.terminated_at = Some(now.at);
            let record = site.records.violations.get(&self.violation);
            let reason = record.map(|record| record.facts.clone()).unwrap_or_default();
            attempt.attendance.ended =
                Some(EndedWhy { why: EndWhy::Violation, reason, violation: Some(self.violation) });
        }
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        site.seat_of(self.attempt)
    }
}
