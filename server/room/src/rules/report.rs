//! What HQ must hear (N-10, HB-26, HB-28, HB-30, HB-32, HB-34): queued under a running number the moment it is recorded, though
//! nobody can reach HQ; delivered when a person has HQ's receipt. Never forgets one, never counts one twice.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Wanted},
    rules::people::given,
    state::{Attempt, Report, Sitting},
};
use exam_protocol::{
    code::Refusal,
    ids::{SittingId, StationId},
    incident::{ReportNo, Severity},
    message::{attendance::EndWhy, incident::About},
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// Longest receipt of HQ, in characters.
pub const RECEIPT_CHARS_MAX: usize = 200;

/// The report that follows from something just recorded; none where HQ need not hear.
pub(crate) fn report(site: &Site, sitting: Option<&SittingId>, about: About, severity: Severity) -> Option<Fact> {
    match severity {
        Severity::Record => None,
        Severity::ReportAfter | Severity::ReportAtOnce => {
            let number = site.records.next_report();
            Some(ReportQueued { number, sitting: sitting.cloned(), about, severity }.into())
        }
    }
}

/// HB-26: what chief and inspector grant is reported to HQ; what HQ grants, HQ knows. To be called with the sitting as it stands before the grant.
pub(crate) fn of_extension(site: &Site, sitting: &SittingId) -> Option<Fact> {
    let nth = site.sittings.get(sitting)?.granted.len() as u32 + 1;
    report(site, Some(sitting), About::Extension(nth), Severity::ReportAfter)
}

/// HB-32: HQ is asked for a backup paper. To be called with the sitting as it stands before the request.
pub(crate) fn of_backup_request(site: &Site, sitting: &Sitting) -> Option<Fact> {
    let nth = sitting.backup.requests.len() as u32 + 1;
    report(site, Some(sitting.id()), About::BackupRequest(nth), Severity::ReportAtOnce)
}

/// HB-30: whose exam ends for illness is cared for, and HQ is told; the other ends are told of by their violation or not at all.
pub(crate) fn of_end(site: &Site, attempt: &Attempt, why: EndWhy) -> Option<Fact> {
    match why {
        EndWhy::Illness => report(site, Some(&attempt.sitting), About::Illness(attempt.id), Severity::ReportAfter),
        EndWhy::Violation | EndWhy::Other => None,
    }
}

/// Whom a record concerns: a sitting, or the whole site.
pub(crate) fn scope_of(sitting: Option<&SittingId>) -> Scope {
    sitting.map_or(Scope::Site, |sitting| Scope::Sitting(sitting.clone()))
}

/// 待上报: HQ is to hear this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportQueued {
    /// Its number.
    pub number: ReportNo,
    /// In which sitting; none for the whole site.
    pub sitting: Option<SittingId>,
    /// About what.
    pub about: About,
    /// How urgent.
    pub severity: Severity,
}

impl Happened for ReportQueued {
    fn scope(&self) -> Scope {
        scope_of(self.sitting.as_ref())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let Self { number, sitting, about, severity } = self.clone();
        site.records.reports.insert(number, Report { sitting, about, severity, queued_at: now, receipt: None });
    }
}

/// A person told HQ and has its receipt.
#[derive(Clone, Debug)]
pub struct DeliverReport {
    /// Which report.
    pub number: ReportNo,
    /// What HQ gave for it.
    pub receipt: String,
    /// Who told HQ.
    pub by: StationId,
}

impl Wanted for DeliverReport {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::RecordIncident)?;
        given(&self.receipt, RECEIPT_CHARS_MAX)?;
        let report = site.records.reports.get(&self.number).ok_or(Refusal::RecordUnknown)?;
        match &report.receipt {
            Some(receipt) if *receipt == self.receipt => Ok(Vec::new()),
            Some(_) => Err(Refusal::AlreadySettled),
            None => {
                let (number, sitting, receipt) = (self.number, report.sitting.clone(), self.receipt.clone());
                Ok(vec![ReportDelivered { number, sitting, receipt, by }.into()])
            }
        }
    }
}

/// 已上报: HQ has heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportDelivered {
    /// Which report.
    pub number: ReportNo,
    /// In which sitting.
    pub sitting: Option<SittingId>,
    /// What HQ gave for it.
    pub receipt: String,
    /// Who told HQ.
    pub by: Actor,
}

impl Happened for ReportDelivered {
    fn scope(&self) -> Scope {
        scope_of(self.sitting.as_ref())
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(report) = site.records.reports.get_mut(&self.number) {
            report.receipt = Some(self.receipt.clone());
        }
    }
}
