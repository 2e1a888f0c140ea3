//! The clock from a terminal, and the site's timeline in the words of the wall. Never converts a time the exam rests on: a
//! stretch that is taken out is judged, and recorded, on the site's own timeline.

use super::{CutChoice, TimeCommand, WhoseArg};
use crate::cli::{
    exit::Coded,
    online::{ask, done, talk},
    output::Output,
    password,
};
use anyhow::{Result, anyhow};
use exam_link::Link;
use exam_protocol::{
    message::{
        admin::AskStatus,
        duty::{
            CutDecision, ExtendByHqCode, ExtendTime, RunClock, SittingReason, StopClock, StopEverywhere,
            TakeOutStretch, TimeCall, Whose,
        },
    },
    tag::Down,
    time::{Now, SiteMs, WallMs},
};
use jiff::{Timestamp, ZonedDateTime, civil::Time, tz::TimeZone};
use serde_json::json;
use std::path::Path;

pub(super) fn run(dir: &Path, command: TimeCommand, output: Output) -> Result<()> {
    match command {
        TimeCommand::Pause { whose, cause, reason } => {
            let WhoseArg { sitting, .. } = &whose;
            let (sitting, cause) = (sitting.clone(), cause.into());
            let call = TimeCall::Stop(StopClock { sitting, whose: of(&whose), cause, reason });
            act(dir, call, &whose, "已暂停 · the clock stands still", output)
        }
        TimeCommand::Resume { whose } => {
            let call = TimeCall::Run(RunClock { sitting: whose.sitting.clone(), whose: of(&whose) });
            act(dir, call, &whose, "已恢复 · the clock runs", output)
        }
        TimeCommand::TakeOut { whose, from, to, cause, reason } => {
            let now = now(dir)?;
            let (from, to) = (site_ms(now, &from)?, site_ms(now, &to)?);
            let (sitting, cause) = (whose.sitting.clone(), cause.into());
            let call = TimeCall::TakeOut(TakeOutStretch { sitting, whose: of(&whose), from, to, cause, reason });
            act(dir, call, &whose, "已扣除 · the stretch does not count", output)
        }
        TimeCommand::PauseAll { cause, reason } => {
            let call = TimeCall::StopAll(StopEverywhere { cause: cause.into(), reason });
            everywhere(dir, call, "各考场均已暂停 · the clock stands still in every room", output)
        }
        TimeCommand::ResumeAll => {
            everywhere(dir, TimeCall::RunAll, "各考场均已恢复 · the clock runs in every room", output)
        }
        TimeCommand::Cut { sitting, decision, reason } => {
            let counts = matches!(decision, CutChoice::Counts);
            let said = match decision {
                CutChoice::TakeOut => "断电时段已扣除 · the power cut does not count",
                CutChoice::Counts => "断电时段照常计时 · the power cut counts",
            };
            let call = TimeCall::DecideCut(CutDecision { sitting: sitting.clone(), counts, reason });
            act(dir, call, &WhoseArg { sitting, seat: None }, said, output)
        }
        TimeCommand::CallOff { sitting, reason } => {
            let call = TimeCall::CallOff(SittingReason { sitting: sitting.clone(), reason });
            act(dir, call, &WhoseArg { sitting, seat: None }, "已取消入场 · called off", output)
        }
        TimeCommand::Extend { whose, minutes, reason, approve, passwords } => {
            let approvals = password::proofs(approve, &passwords.password_file)?;
            let sitting = whose.sitting.clone();
            let call = TimeCall::Extend(ExtendTime { sitting, whose: of(&whose), minutes, reason, approvals });
            act(dir, call, &whose, "已延时 · time was granted", output)
        }
        TimeCommand::ExtendHq { whose, minutes, reason, code } => {
            let sitting = whose.sitting.clone();
            let call = TimeCall::ExtendByHq(ExtendByHqCode { sitting, whose: of(&whose), minutes, reason, code });
            act(dir, call, &whose, "已延时 · time was granted", output)
        }
    }
}

fn of(whose: &WhoseArg) -> Whose {
    whose.seat.map_or(Whose::All, Whose::Seat)
}

fn act(dir: &Path, call: TimeCall, whose: &WhoseArg, people: &str, output: Output) -> Result<()> {
    ask(dir, call, done)?;
    let seat = whose.seat.map_or("全场 everybody".to_owned(), |seat| format!("考位 seat {seat}"));
    output.result(
        || format!("{people}: {} · {seat}", whose.sitting),
        || json!({ "ok": true, "sitting": whose.sitting, "seat": whose.seat }),
    );
    Ok(())
}

fn everywhere(dir: &Path, call: TimeCall, people: &str, output: Output) -> Result<()> {
    ask(dir, call, done)?;
    output.result(|| people.to_owned(), || json!({ "ok": true }));
    Ok(())
}

/// The server's time.
pub(super) fn now(dir: &Path) -> Result<Now> {
    talk(dir, None, async |link: Link| match link.ask(AskStatus).await? {
        Down::SiteStatus(status) => Ok(status.now),
        other => Err(anyhow!("the server gave an unexpected answer: {}", other.name())),
    })
}

/// A time of today on the site's timeline.
fn site_ms(now: Now, text: &str) -> Result<SiteMs> {
    let bad = |what: &str| Coded { text: format!("{text}: {what}"), code: 2 };
    let time: Time = text.parse().map_err(|_| bad("a time is HH:MM or HH:MM:SS"))?;
    let today = ZonedDateTime::now().date();
    let moment = today
        .to_datetime(time)
        .to_zoned_datetime(TimeZone::system())
        .map_err(|_| bad("there is no such time today"))?;
    let ago = now.wall.0 - moment.timestamp().as_millisecond();
    match u64::try_from(ago) {
        Ok(ago) => Ok(now.at.minus(ago)),
        Err(_) => Err(bad("this is still to come").into()),
    }
}

/// A moment of the site's timeline as a clock on the wall showed it.
pub(super) fn wall_text(now: Now, at: SiteMs) -> String {
    let WallMs(wall) = now.wall;
    let moment = Timestamp::from_millisecond(wall.saturating_sub_unsigned(now.at.since(at)));
    moment.map_or_else(
        |_| "-".to_owned(),
        |moment| moment.to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S").to_string(),
    )
}
