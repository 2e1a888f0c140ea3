//! The room record from a terminal, when every console is broken: recording, signing, closing, reporting, and the form itself.
//! The form is read from the journal, beside a running server or without one. Never shows a candidate's name.

use super::{
    coded::{code_of, coded},
    exit::Coded,
    online::{ask, done, talk},
    output::Output,
};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use exam_link::{Link, bulk};
use exam_protocol::{
    ids::{ItemId, SeatNo, Sha256, SittingId},
    incident::{
        ATTACHMENT_BYTES_MAX, ATTACHMENTS_MAX, AttachmentKind, FindingNo, IncidentCode, Measure, RecordNo, ReportNo,
        Signature,
    },
    message::incident::{
        AddToIncident, AskRecords, CloseRecord, CorrectIncident, DeliverReport, Duty, JudgeFinding, RecordIncident,
        RecordView, RecordViolation, Records, RefuseSignature, SignRecord, Signer, Verdict,
    },
    tag::{Down, Up},
    time::WallMs,
};
use exam_room::{
    Site,
    record::{Entry, RoomRecord},
};
use exam_server::journal::JournalReader;
use serde_json::json;
use std::{
    io::Read,
    path::{Path, PathBuf},
};

/// Largest file of strokes read.
const STROKES_FILE_BYTES_MAX: u64 = 256 * 1024;

#[derive(Subcommand)]
pub(super) enum IncidentCommand {
    /// Every code with its kind and what HQ is to hear (情况代码)
    Codes,
    /// Record what happened (记录情况)
    Record {
        /// Which sitting; the whole site when left out
        #[arg(long)]
        sitting: Option<SittingId>,
        #[command(flatten)]
        what: What,
    },
    /// Add to a record (补充)
    Add {
        /// Number of the record
        record: u32,
        /// In words
        #[arg(long)]
        text: String,
        #[command(flatten)]
        files: Files,
    },
    /// Correct a record by a new one (更正)
    Correct {
        /// Number of the wrong record
        record: u32,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        what: What,
    },
    /// Record a violation and its measure (违纪)
    Violation {
        /// Which sitting
        #[arg(long)]
        sitting: SittingId,
        /// At which desk
        #[arg(long)]
        seat: SeatNo,
        /// admonish, warn, end_exam or void (劝告 警告 终止考核 成绩无效)
        #[arg(long, value_parser = coded::<Measure>)]
        measure: Measure,
        /// The facts
        #[arg(long)]
        facts: String,
        /// Number of the incident it belongs to; a new one when left out
        #[arg(long)]
        incident: Option<u32>,
    },
    /// Sign a violation record (签名)
    Sign {
        /// Number of the record
        record: u32,
        /// The candidate signs; otherwise the person signed on here
        #[arg(long)]
        candidate: bool,
        /// Strokes as JSON: [[[x,y,ms],…],…]; without it the printed record was signed (纸质签名)
        #[arg(long, value_name = "FILE")]
        strokes: Option<PathBuf>,
    },
    /// The candidate refuses to sign: every proctor present has to (拒签)
    Refuse {
        /// Number of the record
        record: u32,
        /// What the candidate said
        #[arg(long)]
        reason: String,
    },
    /// Close a signed violation record (办结)
    Close {
        /// Number of the record
        record: u32,
    },
    /// Judge what the system found: accept, or dismiss with a reason (判定线索)
    Judge {
        /// Number of the finding
        finding: u32,
        /// Dismiss it, because
        #[arg(long, value_name = "REASON")]
        dismiss: Option<String>,
        /// Accept it, and add this
        #[arg(long, default_value = "", conflicts_with = "dismiss")]
        note: String,
    },
    /// HQ has heard a report (已上报)
    Reported {
        /// Number of the report
        report: u32,
        /// What HQ gave for it
        #[arg(long)]
        receipt: String,
    },
    /// Records, and what is still to be done (记录与待办)
    List {
        /// Which sitting; the whole site when left out
        #[arg(long)]
        sitting: Option<SittingId>,
    },
}

#[derive(Args)]
pub(super) struct What {
    /// Which code; see `incident codes`
    #[arg(long, value_parser = coded::<IncidentCode>)]
    code: IncidentCode,
    /// In words
    #[arg(long)]
    text: String,
    /// At which desk
    #[arg(long)]
    seat: Option<SeatNo>,
    /// About which item
    #[arg(long)]
    item: Option<ItemId>,
    #[command(flatten)]
    files: Files,
}

#[derive(Args)]
pub(super) struct Files {
    /// Photo or scan to attach: JPEG, PNG or PDF, at most 16 MiB; may be given up to 8 times (附件)
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
}

pub(super) fn run(dir: &Path, command: IncidentCommand, output: Output) -> Result<()> {
    match command {
        IncidentCommand::Codes => codes(output),
        IncidentCommand::List { sitting } => list(dir, sitting.as_ref(), output),
        IncidentCommand::Judge { finding, dismiss, note } => judge(dir, FindingNo(finding), dismiss, note, output),
        IncidentCommand::Record { sitting, what } => {
            let What { code, text, seat, item, files } = what;
            let attachments = bring(dir, &files)?;
            recorded(dir, RecordIncident { sitting, seat, item, occurred_at: None, code, text, attachments }, output)
        }
        IncidentCommand::Correct { record, reason, what } => {
            let record = RecordNo(record);
            let What { code, text, seat, item, files } = what;
            let attachments = bring(dir, &files)?;
            let wanted = CorrectIncident { record, reason, seat, item, occurred_at: None, code, text, attachments };
            recorded(dir, wanted, output)
        }
        IncidentCommand::Violation { sitting, seat, measure, facts, incident } => {
            let incident = incident.map(RecordNo);
            let wanted = RecordViolation { sitting, seat, measure, facts, incident, occurred_at: None };
            recorded(dir, wanted, output)
        }
        IncidentCommand::Add { record, text, files } => {
            let attachments = bring(dir, &files)?;
            let wanted = AddToIncident { record: RecordNo(record), text, attachments };
            said(dir, wanted, "已补充 · added", output)
        }
        IncidentCommand::Sign { record, candidate, strokes } => {
            let signer = if candidate { Signer::Candidate } else { Signer::Myself };
            let signature = strokes.as_deref().map(read_strokes).transpose()?.unwrap_or(Signature::OnPaper);
            said(dir, SignRecord { record: RecordNo(record), signer, signature }, "已签名 · signed", output)
        }
        IncidentCommand::Refuse { record, reason } => {
            let people = "已记录拒签，请在场监考员逐一签名 · refusal noted: every proctor present signs now";
            said(dir, RefuseSignature { record: RecordNo(record), reason }, people, output)
        }
        IncidentCommand::Close { record } => {
            said(dir, CloseRecord { record: RecordNo(record) }, "已办结 · closed", output)
        }
        IncidentCommand::Reported { report, receipt } => {
            said(dir, DeliverReport { report: ReportNo(report), receipt }, "已上报 · reported", output)
        }
    }
}

/// Looks at the files and brings them to the server; what names them comes after.
fn bring(dir: &Path, files: &Files) -> Result<Vec<Sha256>> {
    if files.attach.is_empty() {
        return Ok(Vec::new());
    }
    if files.attach.len() > ATTACHMENTS_MAX {
        let text = format!("a record takes at most {ATTACHMENTS_MAX} files: add the others with `incident add`");
        return Err(Coded { text, code: 2 }.into());
    }
    files.attach.iter().try_for_each(|file| look_at(file))?;
    talk(dir, None, async |link: Link| {
        let mut hashes = Vec::new();
        for file in &files.attach {
            hashes.push(bulk::put_blob(&link, file).await.with_context(|| format!("sending {}", file.display()))?);
        }
        Ok(hashes)
    })
}

/// Says before anything is sent why the server would not take a file.
fn look_at(file: &Path) -> Result<()> {
    let reading = || format!("reading {}", file.display());
    if !file.is_file() {
        return Err(Coded { text: format!("there is no file {}", file.display()), code: 4 }.into());
    }
    let mut first = Vec::new();
    let opened = std::fs::File::open(file).with_context(reading)?;
    let bytes = opened.metadata().with_context(reading)?.len();
    opened.take(AttachmentKind::LOOKS_AT as u64).read_to_end(&mut first).with_context(reading)?;
    if bytes > ATTACHMENT_BYTES_MAX || AttachmentKind::of(&first).is_none() {
        let max_mib = ATTACHMENT_BYTES_MAX / 1024 / 1024;
        let text = format!(
            "{}：附件只能是 JPEG、PNG 或 PDF，不超过 {max_mib} MiB · an attached file is a JPEG, a PNG or a PDF of at most {max_mib} MiB",
            file.display()
        );
        return Err(Coded { text, code: 3 }.into());
    }
    Ok(())
}

fn read_strokes(path: &Path) -> Result<Signature> {
    let bad = |why: String| Coded { text: format!("{}: {why}", path.display()), code: 3 };
    let bytes = std::fs::metadata(path).with_context(|| format!("reading {}", path.display()))?.len();
    if bytes > STROKES_FILE_BYTES_MAX {
        return Err(bad("too large for a signature".to_owned()).into());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let signature = Signature::Strokes(serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?);
    signature.check().map_err(|error| bad(error.to_string()))?;
    Ok(signature)
}

fn said(dir: &Path, message: impl Into<Up>, people: &str, output: Output) -> Result<()> {
    ask(dir, message, done)?;
    output.result(|| people.to_owned(), || json!({ "ok": true }));
    Ok(())
}

fn recorded(dir: &Path, message: impl Into<Up>, output: Output) -> Result<()> {
    let record = ask(dir, message, |down| match down {
        Down::Recorded(recorded) => Some(recorded.record),
        _ => None,
    })?;
    output.result(
        || format!("已记录，编号 {} · recorded under number {}", record.0, record.0),
        || json!({ "record": record }),
    );
    Ok(())
}

fn judge(dir: &Path, finding: FindingNo, dismiss: Option<String>, note: String, output: Output) -> Result<()> {
    match dismiss {
        Some(reason) => {
            let wanted = JudgeFinding { finding, verdict: Verdict::Dismiss { reason } };
            said(dir, wanted, "线索不成立，已记录 · dismissed", output)
        }
        None => recorded(dir, JudgeFinding { finding, verdict: Verdict::Accept { note } }, output),
    }
}

fn codes(output: Output) -> Result<()> {
    output.result(
        || {
            let line = |code: &IncidentCode| {
                let cells = [code.category().name(), &code_of(code), code.name(), code.severity().name()];
                row(&cells, &[10, 20, 16, 0])
            };
            IncidentCode::ALL.iter().map(line).collect::<Vec<_>>().join("\n")
        },
        || {
            let line = |code: &IncidentCode| {
                json!({ "code": code, "name": code.name(), "category": code.category(), "severity": code.severity() })
            };
            json!({ "codes": IncidentCode::ALL.iter().map(line).collect::<Vec<_>>() })
        },
    );
    Ok(())
}

/// All records and everything that is open, page by page.
fn fetch(dir: &Path, sitting: Option<&SittingId>) -> Result<Records> {
    let mut all: Option<Records> = None;
    loop {
        let after = all.as_ref().and_then(|all| all.records.last()).map_or(RecordNo(0), |last| last.number);
        let page = ask(dir, AskRecords { sitting: sitting.cloned(), after }, |down| match down {
            Down::Records(records) => Some(records),
            _ => None,
        })?;
        let more = page.more && !page.records.is_empty();
        all = Some(match all {
            None => page,
            Some(before) => Records { records: [before.records, page.records].concat(), ..page },
        });
        if let (false, Some(all)) = (more, all.take_if(|_| !more)) {
            return Ok(all);
        }
    }
}

fn list(dir: &Path, sitting: Option<&SittingId>, output: Output) -> Result<()> {
    let all = fetch(dir, sitting)?;
    output.result(|| listed(&all), || json!(all));
    Ok(())
}

fn listed(all: &Records) -> String {
    let record = |r: &RecordView| {
        let measure = r.violation.as_ref().map(|v| {
            let state = if v.closed { "已办结".to_owned() } else { format!("缺签名 {}", v.missing) };
            format!("{} · {state} · ", v.measure.name())
        });
        let files = r.attachments.len() + r.follow_ups.iter().map(|added| added.attachments.len()).sum::<usize>();
        let files = if files > 0 { format!("（附件 {files}）") } else { String::new() };
        let what = format!("{}{}{files}", measure.unwrap_or_default(), r.text);
        let seat = r.seat.map(|seat| seat.to_string()).unwrap_or_default();
        row(&[&r.number.0.to_string(), r.code.name(), &seat, &what, &r.by], &[6, 14, 6, 60, 0])
    };
    let finding = |f: &exam_protocol::message::incident::FindingView| {
        let seat = f.seat.map(|seat| format!("考位 {seat} ")).unwrap_or_default();
        format!("  线索 {} {seat}{}：{}", f.number.0, f.kind.name(), f.kind.advice())
    };
    let duty = |duty: &Duty| match duty {
        Duty::Sign { record, missing } => format!("  记录 {} 缺 {missing} 个签名 · signatures missing", record.0),
        Duty::Close { record } => format!("  记录 {} 待办结 · to be closed", record.0),
        Duty::Report { report, severity } => format!("  报告 {} {} · HQ is to hear", report.0, severity.name()),
        Duty::Judge { finding } => format!("  线索 {} 待判定 · to be judged", finding.0),
    };
    let mut lines: Vec<String> = all.records.iter().map(record).collect();
    lines.extend(all.findings.iter().map(finding));
    lines.push(if all.duties.is_empty() {
        "无待办 · nothing is open".to_owned()
    } else {
        "待办 · open:".to_owned()
    });
    lines.extend(all.duties.iter().map(duty));
    lines.join("\n")
}

/// The form: the journal walked from its first fact, what is committed at this moment.
pub(super) fn record(dir: &Path, sitting: &SittingId, output: Output) -> Result<()> {
    let reader = JournalReader::open(dir)?;
    let mut site = Site::new(reader.site().clone());
    let mut form = RoomRecord::new(sitting.clone());
    reader.each(u64::MAX, |row| {
        let fact = row.fact()?;
        site.apply(row.now, &fact);
        form.hear(&site, row.now, &fact);
        Ok(())
    })?;
    let known = site.sitting(sitting)?;
    let duties = site.open_duties(sitting);
    output.result(
        || {
            let room = site.rooms.get(&known.plan.room).map_or_else(|| known.plan.room.to_string(), |r| r.name.clone());
            let mut lines = vec![format!("考场情况记录表  {}  {room}  {}", site.name, known.plan.title)];
            lines.push(row(&["时间", "类别", "考位", "编号", "事项", "记录人"], &WIDTHS));
            lines.extend(form.entries().iter().map(entry));
            lines.push(format!(
                "共 {} 条，待办 {} 项 · {} lines, {} open",
                form.entries().len(),
                duties.len(),
                form.entries().len(),
                duties.len()
            ));
            lines.join("\n")
        },
        || json!({ "sitting": sitting, "entries": form.entries(), "duties": duties }),
    );
    Ok(())
}

/// Columns of the form.
const WIDTHS: [usize; 6] = [10, 10, 6, 6, 64, 0];

fn entry(entry: &Entry) -> String {
    let seat = entry.seat.map(|seat| seat.to_string()).unwrap_or_default();
    let number = entry.number.map(|number| number.0.to_string()).unwrap_or_default();
    row(&[&clock(entry.time), entry.kind, &seat, &number, &entry.what, &entry.who], &WIDTHS)
}

/// The hour of this machine's time zone.
fn clock(at: WallMs) -> String {
    let here =
        |at: jiff::Timestamp| at.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string();
    jiff::Timestamp::from_millisecond(at.0).map(here).unwrap_or_default()
}

/// Cells in columns; a Chinese character is as wide as two letters.
fn row(cells: &[&str], widths: &[usize]) -> String {
    let wide = |cell: &str| cell.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
    let padded = cells.iter().zip(widths).map(|(cell, width)| {
        let cell = cell.replace(|c: char| c.is_control(), " ");
        let gap = width.saturating_sub(wide(&cell)).max(usize::from(*width > 0));
        cell + &" ".repeat(gap)
    });
    padded.collect::<String>().trim_end().to_owned()
}
