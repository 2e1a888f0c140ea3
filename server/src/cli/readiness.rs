//! Commands that get a room ready: seal, check-list, backup papers, mock sittings. A room can be run from here if every
//! console is broken. Never shows a password while it is typed.

use super::{
    coded::{code_of, coded},
    online::{ask, done},
    output::Output,
    password,
};
use anyhow::Result;
use clap::Subcommand;
use exam_protocol::{
    checklist::{CheckItem, ItemStanding},
    ids::{AccountId, PaperId, SeatNo, SittingId},
    message::readiness::{
        AskReadiness, ConfirmCheck, Readiness, RequestBackupPaper, ResetMock, SealRoom, TickItem, UntickItem,
        UseBackupPaper, WithdrawCheck,
    },
    seal::{CheckStanding, SealCheck},
    tag::{Down, Up},
};
use serde_json::json;
use std::path::Path;

/// `ready …`.
#[derive(Subcommand)]
pub(super) enum ReadyCommand {
    /// Seal, check-list and papers of a sitting (查看准备情况)
    Show {
        /// Which sitting
        sitting: SittingId,
    },
    /// Say that a check of the seal was made (确认封场检查)
    Confirm {
        /// Which sitting
        sitting: SittingId,
        /// Check as `ready show` names it, e.g. power
        #[arg(value_parser = coded::<SealCheck>)]
        check: SealCheck,
        /// Desk, where the check is a desk's
        #[arg(long)]
        seat: Option<SeatNo>,
        /// What was seen
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Take such a check back; breaks a seal that holds (撤回封场检查)
    Withdraw {
        /// Which sitting
        sitting: SittingId,
        /// Which check
        #[arg(value_parser = coded::<SealCheck>)]
        check: SealCheck,
        /// Desk, where the check is a desk's
        #[arg(long)]
        seat: Option<SeatNo>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Seal the room (封场), with both passwords, the administrator's first
    Seal {
        /// Which sitting
        sitting: SittingId,
        /// Account of the administrator (系统管理员)
        #[arg(long, value_name = "ACCOUNT")]
        admin: AccountId,
        /// Account of the staff (工作人员)
        #[arg(long, value_name = "ACCOUNT")]
        staff: AccountId,
        #[command(flatten)]
        passwords: password::PasswordFiles,
    },
    /// Tick an item of the check-list (勾选检查单)
    Tick {
        /// Which sitting
        sitting: SittingId,
        /// Item as `ready show` names it, e.g. rules_read
        #[arg(value_parser = coded::<CheckItem>)]
        item: CheckItem,
        /// What was seen
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Take a tick back (撤回勾选)
    Untick {
        /// Which sitting
        sitting: SittingId,
        /// Which item
        #[arg(value_parser = coded::<CheckItem>)]
        item: CheckItem,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Ask HQ for a backup paper (申请备用试卷)
    BackupRequest {
        /// Which sitting
        sitting: SittingId,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Use a backup paper with its own code from HQ (启用备用试卷)
    BackupUse {
        /// Which sitting
        sitting: SittingId,
        /// Which paper
        #[arg(long)]
        paper: PaperId,
        /// Its unlock code (启封码)
        #[arg(long)]
        code: String,
        /// For one desk only
        #[arg(long)]
        seat: Option<SeatNo>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Begin a mock sitting anew (重新开始模拟考试)
    MockReset {
        /// Which sitting
        sitting: SittingId,
    },
}

/// Runs one of them.
pub(super) fn run(dir: &Path, command: ReadyCommand, output: Output) -> Result<()> {
    let (message, people, sitting): (Up, &str, SittingId) = match command {
        ReadyCommand::Show { sitting } => return show(dir, sitting, output),
        ReadyCommand::Confirm { sitting, check, seat, note } => (
            ConfirmCheck { sitting: sitting.clone(), check, seat, note }.into(),
            "检查已确认 · the check is confirmed",
            sitting,
        ),
        ReadyCommand::Withdraw { sitting, check, seat, reason } => (
            WithdrawCheck { sitting: sitting.clone(), check, seat, reason }.into(),
            "检查已撤回 · the check is taken back",
            sitting,
        ),
        ReadyCommand::Seal { sitting, admin, staff, passwords } => {
            let signatures = password::proofs(vec![admin, staff], &passwords.password_file)?;
            (SealRoom { sitting: sitting.clone(), signatures }.into(), "已封场 · the room is sealed", sitting)
        }
        ReadyCommand::Tick { sitting, item, note } => {
            (TickItem { sitting: sitting.clone(), item, note }.into(), "已勾选 · ticked", sitting)
        }
        ReadyCommand::Untick { sitting, item, reason } => (
            UntickItem { sitting: sitting.clone(), item, reason }.into(),
            "已撤回勾选 · the tick is taken back",
            sitting,
        ),
        ReadyCommand::BackupRequest { sitting, reason } => (
            RequestBackupPaper { sitting: sitting.clone(), reason }.into(),
            "申请已记录，请联系评价组织 · the request is on record: call HQ",
            sitting,
        ),
        ReadyCommand::BackupUse { sitting, paper, code, seat, reason } => (
            UseBackupPaper { sitting: sitting.clone(), seat, paper, code, reason }.into(),
            "备用试卷已启用 · the backup paper is in use",
            sitting,
        ),
        ReadyCommand::MockReset { sitting } => (
            ResetMock { sitting: sitting.clone() }.into(),
            "模拟考试可以重新开始 · the mock sitting can begin anew",
            sitting,
        ),
    };
    ask(dir, message, done)?;
    output.result(|| format!("{people}: {sitting}"), || json!({ "ok": true, "sitting": sitting }));
    Ok(())
}

fn show(dir: &Path, sitting: SittingId, output: Output) -> Result<()> {
    let ready = ask(dir, AskReadiness { sitting }, |down| match down {
        Down::Readiness(ready) => Some(ready),
        _ => None,
    })?;
    output.result(|| text(&ready), || json!(ready));
    Ok(())
}

fn text(ready: &Readiness) -> String {
    let mut lines = vec![seal_line(ready)];
    for one in ready.seal.checks.iter().filter(|one| one.seat.is_none() || !one.standing.is_met()) {
        let desk = one.seat.map(|seat| format!(" 考位 seat {seat}")).unwrap_or_default();
        let (zh, en) = one.check.words();
        let who = one.by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
        lines.push(format!("  {} {}{desk}  {zh} · {en}{who}", check_mark(one.standing), code_of(&one.check)));
    }
    lines.push("检查单 check-list".to_owned());
    for one in &ready.items {
        let (zh, en) = one.item.words();
        let who = one.by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
        lines.push(format!(
            "  {} {}  {zh} · {en}{who}  [{}]",
            item_mark(one.standing),
            code_of(&one.item),
            one.item.rules()
        ));
    }
    if !ready.backup_papers.is_empty() || !ready.backup_requests.is_empty() {
        let papers = ready.backup_papers.iter().map(PaperId::as_str).collect::<Vec<_>>().join(", ");
        let in_use = ready.backup_in_use.as_ref().map_or("-", PaperId::as_str);
        let asked = ready.backup_requests.len();
        lines.push(format!("备用试卷 backup papers: {papers} · 已启用 in use: {in_use} · 申请 requests: {asked}"));
    }
    lines.join("\n")
}

fn seal_line(ready: &Readiness) -> String {
    let seal = &ready.seal;
    let mock = if ready.mock { "模拟考试 mock sitting · " } else { "" };
    match (&seal.signed, &seal.broken) {
        (Some(signed), _) => {
            format!("{mock}已封场 sealed by {} and {}", signed.administrator, signed.staff)
        }
        (None, Some(broken)) => {
            let (zh, en) = broken.why.words();
            format!("{mock}封场失效，需重新封场 seal broken, seal again: {zh} · {en} ({} missing)", seal.missing)
        }
        (None, None) if !seal.required => format!("{mock}不要求封场 no seal required"),
        (None, None) => format!("{mock}未封场 not sealed: 缺 {} 项 {} checks missing", seal.missing, seal.missing),
    }
}

fn check_mark(standing: CheckStanding) -> &'static str {
    match standing {
        CheckStanding::Missing => "[ ] 未检查 missing",
        CheckStanding::Bad => "[!] 不合格 bad",
        CheckStanding::Measured => "[x] 系统检测 measured",
        CheckStanding::Confirmed => "[x] 已确认 confirmed",
    }
}

fn item_mark(standing: ItemStanding) -> &'static str {
    match standing {
        ItemStanding::NotYet => "[ ] 未到时 not yet",
        ItemStanding::Due => "[>] 应完成 due",
        ItemStanding::Overdue => "[!] 已逾期 overdue",
        ItemStanding::Done => "[x] 已完成 done",
    }
}
