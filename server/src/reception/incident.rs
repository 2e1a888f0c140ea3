//! What consoles and signing candidates ask of the room record: incidents, violations, signatures, findings, reports.
//! Never opens a sealed name: a record shows desk and admission number.

use super::{Reception, done};
use crate::{
    attachments::{self, AttachError},
    clerk::No,
    watch::{Seen, server_gaps, working},
};
use exam_protocol::{
    code::{ErrorCode, Refusal},
    ids::{Sha256, SittingId, StationId},
    incident::{ATTACHMENT_BYTES_MAX, ATTACHMENTS_BYTES_MAX, ATTACHMENTS_FILES_MAX, RecordNo},
    message::incident::{
        AskRecords, FindingView, FollowUp, RecordView, Recorded, Records, ReportView, SignRecord, Signer, ViolationView,
    },
    tag::{Down, Up},
    time::{Now, SiteMs},
};
use exam_room::{
    Ask, Reply, Site,
    record::who,
    rules::{
        finding::{JudgeFinding, NoteFinding},
        incident::{Account, AddToIncident, CorrectIncident, RecordIncident},
        report::DeliverReport,
        signature::{CloseRecord, RefuseSignature, SignAsCandidate, SignAsProctor},
        violation::RecordViolation,
    },
    state::{Incident, Violation},
};

/// Bytes of records in one page; findings, duties and reports come on top and stay below the rest of the frame.
const PAGE_BYTES_MAX: usize = 512 * 1024;
/// Bytes of a record without its texts.
const RECORD_BYTES: usize = 400;
/// Findings and reports shown at once; the rest appears when some are done.
const SHOWN_MAX: usize = 300;
/// Duties shown at once.
const DUTIES_SHOWN_MAX: usize = 2_000;

impl Reception {
    /// Everything of the room record comes through here.
    pub(super) async fn keep_record(&self, by: StationId, message: Up) -> Result<Down, No> {
        let mut files = Vec::new();
        let ask: Ask = match message {
            Up::AskRecords(wanted) => return self.records(wanted).await,
            Up::SignRecord(wanted) => signed(wanted, by),
            Up::RecordIncident(m) => {
                files = m.attachments.clone();
                let account = Account {
                    seat: m.seat,
                    item: m.item,
                    occurred_at: m.occurred_at,
                    code: m.code,
                    text: m.text,
                    attachments: m.attachments,
                };
                RecordIncident { sitting: m.sitting, account, by }.into()
            }
            Up::AddToIncident(m) => {
                files = m.attachments.clone();
                AddToIncident { record: m.record, text: m.text, attachments: m.attachments, by }.into()
            }
            Up::CorrectIncident(m) => {
                files = m.attachments.clone();
                let account = Account {
                    seat: m.seat,
                    item: m.item,
                    occurred_at: m.occurred_at,
                    code: m.code,
                    text: m.text,
                    attachments: m.attachments,
                };
                CorrectIncident { record: m.record, reason: m.reason, account, by }.into()
            }
            Up::RecordViolation(m) => RecordViolation {
                sitting: m.sitting,
                seat: m.seat,
                measure: m.measure,
                facts: m.facts,
                incident: m.incident,
                occurred_at: m.occurred_at,
                by,
            }
            .into(),
            Up::RefuseSignature(m) => RefuseSignature { record: m.record, reason: m.reason, by }.into(),
            Up::CloseRecord(m) => CloseRecord { record: m.record, by }.into(),
            Up::JudgeFinding(m) => JudgeFinding { number: m.finding, verdict: m.verdict, by }.into(),
            Up::DeliverReport(m) => DeliverReport { number: m.report, receipt: m.receipt, by }.into(),
            _ => return Err(ErrorCode::OutOfPlace.into()),
        };
        self.take_in(&ask, files).await?;
        match self.inner.clerk.ask(ask).await? {
            Reply::Recorded { record } => Ok(Recorded { record }.into()),
            other => done(other),
        }
    }

    /// Takes in the files of a record the room would accept: durable before the fact that names them, and never for an ask that
    /// is refused.
    async fn take_in(&self, ask: &Ask, files: Vec<Sha256>) -> Result<(), No> {
        if files.is_empty() {
            return Ok(());
        }
        let wanted = ask.clone();
        self.inner.clerk.read(move |site, now| site.decide(now, &wanted).map(drop)).await??;
        let keep = move |own: &Reception| {
            let kept = |hash| attachments::keep(&own.inner.vault, own.keys(), hash).map_err(not_attached);
            files.iter().try_for_each(kept)
        };
        self.aside(keep).await
    }

    /// Working seats, and when each was last heard of.
    pub(crate) async fn working_seats(&self) -> Result<(SiteMs, Vec<Seen>), No> {
        let presence = self.inner.presence.clone();
        let heard = move |station: &StationId| presence.heard(station);
        self.inner.clerk.read(move |site, now| (now.at, working(site, now.at, heard))).await
    }

    /// Proposes what the system noticed; if it cannot be kept, people see the seat's colour all the same.
    pub(crate) async fn note(&self, finding: NoteFinding) {
        if let Err(no) = self.inner.clerk.ask(finding).await {
            tracing::warn!(%no, "a finding could not be kept");
        }
    }

    /// Proposes what a start has found out: the server was away for so long while sittings ran.
    pub(crate) async fn note_server_gap(&self, gap_ms: u64) {
        let gaps = self.inner.clerk.read(move |site, now| server_gaps(site, now.at.minus(gap_ms), now.at)).await;
        for finding in gaps.unwrap_or_default() {
            self.note(finding).await;
        }
    }

    async fn records(&self, wanted: AskRecords) -> Result<Down, No> {
        Ok(self.inner.clerk.read(move |site, now| page(site, now, &wanted)).await?.into())
    }
}

/// What an unfit file hears.
pub(super) fn unfit() -> Refusal {
    Refusal::AttachmentUnfit { max_mib: mib(ATTACHMENT_BYTES_MAX) }
}

fn mib(bytes: u64) -> u32 {
    (bytes / 1024 / 1024) as u32
}

fn not_attached(error: AttachError) -> No {
    match error {
        AttachError::NotThere => ErrorCode::BlobUnknown.into(),
        AttachError::Unfit => unfit().into(),
        AttachError::Full => {
            let max_files = ATTACHMENTS_FILES_MAX as u32;
            Refusal::AttachmentsFull { max_files, max_mib: mib(ATTACHMENTS_BYTES_MAX) }.into()
        }
        AttachError::Disk(error) => {
            tracing::error!(%error, "an attached file cannot be kept");
            ErrorCode::Storage.into()
        }
    }
}

fn signed(wanted: SignRecord, at: StationId) -> Ask {
    let SignRecord { record, signer, signature } = wanted;
    match signer {
        Signer::Candidate => SignAsCandidate { record, signature, at }.into(),
        Signer::Myself => SignAsProctor { record, signature, by: at }.into(),
    }
}

/// One page of records after the last known one, and everything that is open.
fn page(site: &Site, now: Now, wanted: &AskRecords) -> Records {
    let here = |of: Option<&SittingId>| wanted.sitting.is_none() || of.is_none() || of == wanted.sitting.as_ref();
    let of_sitting = |of: &SittingId| here(Some(of));
    let records = &site.records;
    let (mut views, mut bytes, mut more) = (Vec::new(), 0, false);
    let numbers = wanted.after.0.saturating_add(1)..=records.last_record().0;
    for view in numbers.map(RecordNo).filter_map(|number| view(site, number)).filter(|v| here(v.sitting.as_ref())) {
        bytes += weight_bytes(&view);
        if bytes > PAGE_BYTES_MAX && !views.is_empty() {
            more = true;
            break;
        }
        views.push(view);
    }
    let open = records.findings.iter().filter(|(_, finding)| !finding.judged && of_sitting(&finding.subject.sitting));
    let findings = open.take(SHOWN_MAX).map(|(number, finding)| FindingView {
        number: *number,
        kind: finding.subject.kind,
        sitting: finding.subject.sitting.clone(),
        seat: finding.subject.attempt.and_then(|attempt| site.attempts.get(&attempt)).map(|attempt| attempt.seat),
        noticed_at: finding.noticed_at,
        stretches: finding.stretches.iter().map(|stretch| (stretch.from, stretch.to)).collect(),
    });
    let waiting = records.undelivered().filter(|(_, report)| here(report.sitting.as_ref()));
    let reports = waiting.take(SHOWN_MAX).map(|(number, report)| ReportView {
        number,
        sitting: report.sitting.clone(),
        about: report.about,
        severity: report.severity,
        queued_at: report.queued_at,
    });
    let (findings, reports) = (findings.collect(), reports.collect());
    let sittings = site.sittings.keys().filter(|sitting| wanted.sitting.is_none() || of_sitting(sitting));
    let mut duties: Vec<_> = sittings.flat_map(|sitting| site.open_duties(sitting)).collect();
    duties.sort_unstable();
    duties.dedup();
    duties.truncate(DUTIES_SHOWN_MAX);
    Records { now, records: views, more, duties, findings, reports }
}

fn weight_bytes(view: &RecordView) -> usize {
    let added: usize = view.follow_ups.iter().map(|added| RECORD_BYTES + added.text.len()).sum();
    RECORD_BYTES + view.text.len() + added
}

fn view(site: &Site, number: RecordNo) -> Option<RecordView> {
    let mut view = match (site.records.incidents.get(&number), site.records.violations.get(&number)) {
        (Some(incident), _) => of_incident(site, number, incident),
        (None, Some(violation)) => of_violation(site, number, violation),
        (None, None) => return None,
    };
    let attempt = view.attempt.and_then(|attempt| site.attempts.get(&attempt));
    view.admission_no = attempt.map(|attempt| attempt.admission_no.clone());
    Some(view)
}

fn of_incident(site: &Site, number: RecordNo, incident: &Incident) -> RecordView {
    let details = &incident.details;
    let added = incident.follow_ups.iter().map(|added| FollowUp {
        at: added.at,
        by: who(site, &added.by),
        text: added.text.clone(),
        attachments: added.attachments.clone(),
    });
    RecordView {
        number,
        sitting: incident.sitting.clone(),
        seat: details.seat,
        attempt: details.attempt,
        admission_no: None,
        item: details.item.clone(),
        recorded_at: incident.recorded_at,
        occurred_at: details.occurred_at,
        code: details.code,
        text: details.text.clone(),
        attachments: details.attachments.clone(),
        by: who(site, &incident.by),
        follow_ups: added.collect(),
        corrects: incident.corrects,
        corrected_by: incident.corrected_by,
        violation: None,
    }
}

fn of_violation(site: &Site, number: RecordNo, violation: &Violation) -> RecordView {
    let signatures = ViolationView {
        incident: violation.incident,
        measure: violation.measure,
        candidate_signed: violation.candidate_signed.is_some(),
        refused: violation.refused.is_some(),
        proctors_signed: violation.signed.len() as u32,
        missing: violation.missing(site),
        closed: violation.closed,
    };
    RecordView {
        number,
        sitting: Some(violation.sitting.clone()),
        seat: Some(violation.seat),
        attempt: Some(violation.attempt),
        admission_no: None,
        item: None,
        recorded_at: violation.recorded_at,
        occurred_at: violation.occurred_at,
        code: exam_protocol::incident::IncidentCode::Violation,
        text: violation.facts.clone(),
        attachments: Vec::new(),
        by: who(site, &violation.by),
        follow_ups: Vec::new(),
        corrects: None,
        corrected_by: None,
        violation: Some(signatures),
    }
}
