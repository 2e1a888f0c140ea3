//! Hands, messages and visits from a terminal.

use super::{
    HandCommand, MessageCommand, VisitCommand,
    clock::{now, wall_text},
};
use crate::cli::{
    online::{ask, done},
    output::Output,
};
use anyhow::Result;
use exam_protocol::{
    ids::{SeatNo, SittingId},
    message::duty::{
        AskMessages, Canned, HandCall, HandId, HandKind, HandStage, HandView, MessageId, Recipients, SendMessage,
        SentMessage, SittingVisits, VisitCall, VisitId, VisitPart,
    },
    tag::Down,
    time::Now,
};
use serde_json::json;
use std::path::Path;

pub(super) fn hands(dir: &Path, command: HandCommand, output: Output) -> Result<()> {
    match command {
        HandCommand::Take { hand } => {
            ask(dir, HandCall::Take { hand: HandId(hand) }, done)?;
            numbered(output, "处理中 · taken: hand", hand)
        }
        HandCommand::Done { hand } => {
            ask(dir, HandCall::Finish { hand: HandId(hand) }, done)?;
            numbered(output, "已完成 · done: hand", hand)
        }
        HandCommand::List { sitting } => {
            let list = ask(dir, HandCall::List { sitting }, |down| match down {
                Down::Hands(hands) => Some(hands),
                _ => None,
            })?;
            let now = now(dir)?;
            let table = || match list.hands.as_slice() {
                [] => "没有举手 · no hands".to_owned(),
                hands => hands.iter().map(|hand| hand_line(now, hand)).collect::<Vec<_>>().join("\n"),
            };
            output.result(table, || json!({ "now": now, "hands": list.hands }));
            Ok(())
        }
    }
}

fn numbered(output: Output, people: &str, number: u64) -> Result<()> {
    output.result(|| format!("{people} {number}"), || json!({ "ok": true, "number": number }));
    Ok(())
}

fn hand_line(now: Now, hand: &HandView) -> String {
    let stage = match hand.stage {
        HandStage::Raised => "等待 waiting",
        HandStage::Taken => "处理中 taken",
        HandStage::Done => "已完成 done",
        HandStage::Lowered => "已取消 lowered",
    };
    let kind = match hand.kind {
        HandKind::Machine => "设备 machine",
        HandKind::Question => "试题 question（不得提示内容 no help with content）",
        HandKind::Toilet => "洗手间 toilet",
        HandKind::Ill => "不适 ill",
        HandKind::Other => "其他 other",
    };
    let who = hand.taken_by.as_ref().map(|by| format!(" · {by}")).unwrap_or_default();
    let at = wall_text(now, hand.raised_at);
    format!("  {:>4}  考位 seat {}  {at}  {stage}{who}  {kind}  {}", hand.hand.0, hand.seat, hand.text)
}

pub(super) fn messages(dir: &Path, command: MessageCommand, output: Output) -> Result<()> {
    match command {
        MessageCommand::Send { sitting, seats, canned, text } => {
            let to = recipients(sitting, seats);
            let sent = SendMessage { to, canned: canned.map(Canned::from), text };
            let on_way = ask(dir, sent, |down| match down {
                Down::MessageOnWay(on_way) => Some(on_way),
                _ => None,
            })?;
            numbered(output, "已发送 · sent: message", on_way.message.0)
        }
        MessageCommand::List { before } => {
            let page = ask(dir, AskMessages { before: before.map(MessageId) }, |down| match down {
                Down::SentMessages(page) => Some(page),
                _ => None,
            })?;
            let now = now(dir)?;
            let table = || match page.messages.as_slice() {
                [] => "没有消息 · no messages".to_owned(),
                messages => messages.iter().map(|message| message_line(now, message)).collect::<Vec<_>>().join("\n"),
            };
            output.result(table, || json!(page));
            Ok(())
        }
    }
}

fn recipients(sitting: Option<SittingId>, seats: Vec<SeatNo>) -> Recipients {
    match sitting {
        None => Recipients::All,
        Some(sitting) if seats.is_empty() => Recipients::Sitting { sitting },
        Some(sitting) => Recipients::Seats { sitting, seats },
    }
}

fn message_line(now: Now, message: &SentMessage) -> String {
    let delivered = message.seats.iter().filter(|seat| seat.delivered_at.is_some()).count();
    let read = message.seats.iter().filter(|seat| seat.read_at.is_some()).count();
    let canned = message.canned.map(canned_text).unwrap_or_default();
    let unread = message.seats.iter().filter(|seat| seat.read_at.is_none()).map(|seat| seat.seat.to_string());
    let unread: Vec<String> = unread.collect();
    let waiting = if unread.is_empty() { String::new() } else { format!("  未读 unread: {}", unread.join(" ")) };
    format!(
        "  {:>4}  {}  送达 delivered {delivered}/{}  已读 read {read}  {canned} {}{waiting}",
        message.message.0,
        wall_text(now, message.at),
        message.seats.len(),
        message.text
    )
}

fn canned_text(canned: Canned) -> &'static str {
    match canned {
        Canned::QuietPlease => "请保持安静。",
        Canned::StaySeated => "请坐在原位等候。",
        Canned::StopAndWait => "请停止操作并等候。",
        Canned::GoOn => "可以继续答题。",
        Canned::HelpComes => "工作人员马上到。",
        Canned::CheckSaved => "请检查答案是否已保存。",
        Canned::RaiseHand => "如有问题请举手。",
        Canned::TimeAdded => "已为你延时。",
    }
}

pub(super) fn visits(dir: &Path, command: VisitCommand, output: Output) -> Result<()> {
    match command {
        VisitCommand::Begin { sitting } => {
            ask(dir, VisitCall::Begin { sitting: sitting.clone() }, done)?;
            let visits = list(dir, Some(sitting))?;
            let newest = visits.iter().flat_map(|one| &one.visits).next_back();
            numbered(
                output,
                "巡考开始，请随后记录 · the visit has begun, write it down: visit",
                newest.map_or(0, |v| v.visit.0),
            )
        }
        VisitCommand::Note { visit, findings } => {
            ask(dir, VisitCall::Note { visit: VisitId(visit), findings }, done)?;
            numbered(output, "已记录 · written down: visit", visit)
        }
        VisitCommand::List { sitting } => {
            let visits = list(dir, sitting)?;
            let now = now(dir)?;
            let table = || match visits.as_slice() {
                [] => "没有场次 · no sittings yet: import a package".to_owned(),
                visits => visits.iter().map(|one| visits_text(now, one)).collect::<Vec<_>>().join("\n"),
            };
            output.result(table, || json!({ "sittings": visits }));
            Ok(())
        }
    }
}

fn list(dir: &Path, sitting: Option<SittingId>) -> Result<Vec<SittingVisits>> {
    ask(dir, VisitCall::List { sitting }, |down| match down {
        Down::Visits(visits) => Some(visits.sittings),
        _ => None,
    })
}

fn visits_text(now: Now, one: &SittingVisits) -> String {
    let missing: Vec<&str> = one.missing.iter().map(|part| part_text(*part)).collect();
    let missing = if missing.is_empty() {
        "齐全 complete".to_owned()
    } else {
        format!("尚缺 missing: {}", missing.join("、"))
    };
    let mut lines = vec![format!("  {} · 考场 room {}  {missing}", one.sitting, one.room)];
    for visit in &one.visits {
        let noted = if visit.noted_at.is_some() { "" } else { "  未记录 not written down" };
        let at = wall_text(now, visit.began_at);
        lines.push(format!("    {:>4}  {at}  {}{noted}  {}", visit.visit.0, part_text(visit.part), visit.findings));
    }
    lines.join("\n")
}

fn part_text(part: VisitPart) -> &'static str {
    match part {
        VisitPart::Start => "开始 start",
        VisitPart::Between => "中间 between",
        VisitPart::End => "结束 end",
    }
}
