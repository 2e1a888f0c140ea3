//! Explains a seat at a moment: how it stood, and its time account second by second, each with who and why: the answer to
//! a complaint three weeks later (P6, HB-26). Works on any site replayed up to that moment. Changes and decides nothing.

mod words;

pub use words::{Line, cause, kind, length, phase, state};

use crate::rules::numbers::WALL_JUMP_MS;
use crate::{
    Fact,
    state::{Attempt, Authority, End, Granted, Removed, Site, Sitting, Stage, Target},
};
use exam_protocol::{
    code::{Refusal, SeatState},
    ids::{SeatNo, SittingId},
    message::candidate::AttemptId,
    time::{Now, SiteMs, minutes},
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A fact with its place in the journal.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its number.
    pub seq: u64,
    /// When.
    pub now: Now,
    /// What.
    pub fact: Fact,
}

/// How a moment of the timeline is shown to people.
pub type Clock<'a> = &'a dyn Fn(SiteMs) -> String;

/// What is asked about.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which sitting.
    pub sitting: SittingId,
    /// Which desk of its room.
    pub seat: SeatNo,
    /// At which moment.
    pub at: SiteMs,
}

/// A seat at a moment, in numbers and in sentences.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// Which sitting.
    pub sitting: SittingId,
    /// Which desk.
    pub seat: SeatNo,
    /// The attempt; none if nobody had signed in there.
    pub attempt: Option<AttemptId>,
    /// The moment.
    pub at: SiteMs,
    /// How the seat stood.
    pub state: SeatState,
    /// When the time account began.
    pub started: Option<SiteMs>,
    /// Planned length, milliseconds.
    pub plan_ms: u64,
    /// Time that did not count, in the order of beginning.
    pub removed: Vec<Stretch>,
    /// Time granted, milliseconds, in the order of granting.
    pub granted_ms: Vec<u64>,
    /// When it would end as things stood; none before the start and while the clock stood still.
    pub ends: Option<SiteMs>,
    /// Milliseconds left.
    pub left_ms: Option<u64>,
    /// Items with an answer given.
    pub answered: usize,
    /// Answer versions kept.
    pub versions: u64,
    /// Numbers of the facts that touched the seat.
    pub facts: Vec<u64>,
    /// All of it in sentences.
    pub lines: Vec<Line>,
}

/// 扣除时段 as it counts for one seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// First moment that did not count.
    pub from: SiteMs,
    /// First moment that counted again; none while the clock stood still.
    pub to: Option<SiteMs>,
    /// How much the seat got for it: what an earlier stretch covers already is not counted again.
    pub counted_ms: u64,
}

/// Explains a seat. `site` is replayed up to the moment, `told` are its facts so far.
///
/// # Errors
/// [`Refusal::SittingUnknown`], [`Refusal::SeatUnknown`].
pub fn why(site: &Site, question: &Question, told: &[Told], clock: Clock<'_>) -> Result<Explanation, Refusal> {
    let sitting = site.sitting(&question.sitting)?;
    let room = site.rooms.get(&sitting.plan.room).ok_or(Refusal::SeatUnknown)?;
    if !room.seats.contains(&question.seat) && !room.spares.contains(&question.seat) {
        return Err(Refusal::SeatUnknown);
    }
    let attempt = attempt_at(site, question);
    let told: Vec<&Told> = told.iter().filter(|one| touches(sitting.id(), attempt, &one.fact)).collect();
    let (ends, left_ms) = match attempt.map(|attempt| site.end(attempt)) {
        Some(End::At(end)) => (Some(end), Some(end.since(question.at))),
        Some(End::Frozen(left)) => (None, Some(left)),
        Some(End::NotBegun) | None => (None, None),
    };
    let removed = attempt.map(|attempt| stretches(site, sitting, attempt, question.at)).unwrap_or_default();
    let teller = Teller { site, sitting, clock };
    let mut lines = vec![teller.standing(question, attempt)];
    if let Some(attempt) = attempt {
        lines.extend(teller.account(attempt, &removed, question.at));
        lines.push(teller.answers(attempt, &told));
    }
    lines.extend(told.iter().filter(|one| !matches!(one.fact, Fact::AnswerSaved(_))).map(|one| teller.fact(one)));
    Ok(Explanation {
        sitting: question.sitting.clone(),
        seat: question.seat,
        attempt: attempt.map(|attempt| attempt.id),
        at: question.at,
        state: attempt.map_or(SeatState::Waiting, |attempt| site.attempt_state(attempt, question.at)),
        started: sitting.started(),
        plan_ms: sitting.duration_ms(),
        removed: removed.into_iter().map(|(_, stretch)| stretch).collect(),
        granted_ms: attempt.map(|a| granted(sitting, a.id).map(|grant| grant.ms).collect()).unwrap_or_default(),
        ends,
        left_ms,
        answered: attempt.map_or(0, Attempt::answered),
        versions: attempt.map_or(0, |attempt| attempt.versions),
        facts: told.iter().map(|one| one.seq).collect(),
        lines,
    })
}

/// Who sits there: the attempt at the desk, else the one of the candidate who was expected there.
fn attempt_at<'a>(site: &'a Site, question: &Question) -> Option<&'a Attempt> {
    let here = site.attempts_of(&question.sitting).find(|attempt| attempt.seat == question.seat);
    here.or_else(|| {
        site.attempts_of(&question.sitting)
            .find(|attempt| site.place(&attempt.admission_no, &question.sitting) == Some(question.seat))
    })
}

fn granted(sitting: &Sitting, attempt: AttemptId) -> impl Iterator<Item = &Granted> {
    sitting.granted.iter().filter(move |granted| granted.target.touches(attempt))
}

/// Whether a fact touched a seat. Looks at the fields every fact names things by, so that a new rule's facts are found too:
/// an attempt, a candidate, a target, a sitting, a machine.
pub fn touches(sitting: &SittingId, attempt: Option<&Attempt>, fact: &Fact) -> bool {
    match fact {
        Fact::ServerNoted(_) => return true,
        // A reading in a quiet minute tells nobody anything.
        Fact::ClocksRead(read) => return read.by_ms.unsigned_abs() > WALL_JUMP_MS,
        _ => {}
    }
    let Ok(body) = serde_json::from_str::<Value>(&fact.body()) else { return false };
    let of_sitting = || body["sitting"] == sitting.as_str();
    let number = |value: &Value| attempt.is_some_and(|attempt| value == &Value::from(attempt.id.0));
    let text = |value: &Value, own: Option<&str>| own.is_some_and(|own| value == own);
    match (&body["attempt"], &body["admission_no"], &body["target"], &body["sitting"], &body["station"]) {
        (Value::Number(_), ..) => number(&body["attempt"]),
        (_, Value::String(_), ..) => text(&body["admission_no"], attempt.map(|attempt| attempt.admission_no.as_str())),
        (_, _, Value::String(_), ..) => of_sitting(),
        (_, _, Value::Object(target), ..) => target.get("attempt").is_some_and(number),
        (_, _, _, Value::String(_), _) => of_sitting(),
        (.., Value::String(_)) => text(&body["station"], attempt.map(|attempt| attempt.station.as_str())),
        _ => false,
    }
}

/// The stretches of a seat with what each gave it: walked as the clock is, so that the account adds up to the end.
fn stretches<'a>(site: &Site, sitting: &'a Sitting, attempt: &Attempt, at: SiteMs) -> Vec<(&'a Removed, Stretch)> {
    let Some(started) = sitting.started() else { return Vec::new() };
    let mut removed: Vec<&Removed> = site.removed_for(sitting, attempt.id).collect();
    removed.sort_by_key(|removed| removed.from);
    let mut left = sitting.duration_ms() + site.granted_ms(sitting, attempt.id);
    let mut cursor = started;
    let walk = |removed: &'a Removed| {
        let worked = removed.from.since(cursor);
        let over = worked >= left;
        let to = removed.to.unwrap_or(at.max(removed.from));
        let counted_ms = if over { 0 } else { to.since(cursor.max(removed.from)) };
        if !over && to > cursor {
            left -= worked;
            cursor = to;
        }
        (removed, Stretch { from: removed.from, to: removed.to, counted_ms })
    };
    removed.into_iter().map(walk).collect()
}

/// Says things about one sitting.
struct Teller<'a> {
    site: &'a Site,
    sitting: &'a Sitting,
    clock: Clock<'a>,
}

impl Teller<'_> {
    fn standing(&self, question: &Question, attempt: Option<&Attempt>) -> Line {
        let stands = attempt.map_or(SeatState::Waiting, |attempt| self.site.attempt_state(attempt, question.at));
        let ((zh, en), (phase_zh, phase_en)) = (state(stands), phase(self.sitting.phase()));
        let (id, seat, at) = (&question.sitting, question.seat, (self.clock)(question.at));
        let nobody = if attempt.is_none() { ("，尚无人登录", ", nobody has signed in") } else { ("", "") };
        Line::new(
            format!("{at}，场次 {id}（{phase_zh}）考位 {seat}：{zh}{}。", nobody.0),
            format!("At {at}, seat {seat} of sitting {id} ({phase_en}): {en}{}.", nobody.1),
        )
    }

    fn account(&self, attempt: &Attempt, removed: &[(&Removed, Stretch)], at: SiteMs) -> Vec<Line> {
        let mut lines = vec![self.beginning(attempt)];
        lines.extend(removed.iter().map(|(removed, stretch)| self.stretch(removed, stretch)));
        lines.extend(granted(self.sitting, attempt.id).map(|granted| self.grant(granted)));
        lines.push(self.ending(attempt, removed, at));
        lines
    }

    fn beginning(&self, attempt: &Attempt) -> Line {
        let plan = self.sitting.plan.duration_min;
        let (Some(started), Some(admitted)) = (self.sitting.started(), attempt.admitted_at) else {
            return Line::new(
                format!("尚未开始计时；计划 {plan} 分钟。"),
                format!("The time has not begun; {plan} minutes are planned."),
            );
        };
        let (start, entry) = ((self.clock)(started), (self.clock)(admitted));
        let late = if admitted > started {
            (
                format!("；{entry} 才准入，仍与全场同时结束（HB-20）"),
                format!("; admitted late at {entry}, the end stays everybody's (HB-20)"),
            )
        } else {
            (String::new(), String::new())
        };
        Line::new(
            format!("{start} 开考，计划 {plan} 分钟{}。", late.0),
            format!("Began at {start}, {plan} minutes planned{}.", late.1),
        )
    }

    fn stretch(&self, removed: &Removed, stretch: &Stretch) -> Line {
        let ((cause_zh, cause_en), (by_zh, by_en)) = (cause(removed.cause), words::actor(self.site, &removed.by));
        let (whose_zh, whose_en) = whose(&removed.target);
        let (from, counted, reason) = ((self.clock)(stretch.from), length(stretch.counted_ms), &removed.reason);
        let to = stretch.to.map(self.clock);
        let whole = stretch.to.map(|to| to.since(stretch.from));
        let part = whole.is_some_and(|whole| whole != stretch.counted_ms);
        let (less_zh, less_en) = if part {
            (
                "（其余不计：与别的时段重叠，或在开考前、结束后）",
                " (the rest overlaps another stretch or lies outside the time)",
            )
        } else {
            ("", "")
        };
        Line::new(
            format!(
                "{whose_zh}停表 {from} 至 {}，补回 {counted}{less_zh}：{cause_zh}，{reason}；{by_zh}。",
                to.as_deref().unwrap_or("（尚未恢复）")
            ),
            format!(
                "Clock stopped for {whose_en} from {from} to {}, {counted} given back{less_en}: {cause_en}, {reason}; by {by_en}.",
                to.as_deref().unwrap_or("(still stopped)")
            ),
        )
    }

    fn grant(&self, granted: &Granted) -> Line {
        let (whose_zh, whose_en) = whose(&granted.target);
        let (at, minutes, reason) = ((self.clock)(granted.at), granted.ms / minutes(1), &granted.reason);
        let (by_zh, by_en) = match &granted.authority {
            Authority::ChiefAndInspector { chief, inspector } => {
                let (one, other) = (words::person(self.site, chief), words::person(self.site, inspector));
                (format!("{} 与 {} 共同决定", one.0, other.0), format!("decided by {} and {}", one.1, other.1))
            }
            Authority::Hq { by } => {
                let (zh, en) = words::actor(self.site, by);
                (format!("评价组织授权码，{zh} 录入"), format!("HQ's code, entered by {en}"))
            }
        };
        Line::new(
            format!("{at} 为{whose_zh}延时 {minutes} 分钟：{reason}；{by_zh}。"),
            format!("{minutes} minutes granted to {whose_en} at {at}: {reason}; {by_en}."),
        )
    }

    fn ending(&self, attempt: &Attempt, removed: &[(&Removed, Stretch)], at: SiteMs) -> Line {
        let given_back = length(removed.iter().map(|(_, stretch)| stretch.counted_ms).sum());
        let granted = length(self.site.granted_ms(self.sitting, attempt.id));
        let sum_zh = format!("计划 + 补回 {given_back} + 延时 {granted}");
        let sum_en = format!("plan + {given_back} given back + {granted} granted");
        match self.site.end(attempt) {
            End::NotBegun => Line::new("没有结束时刻。", "There is no end yet."),
            End::Frozen(left) => {
                let left = length(left);
                Line::new(
                    format!("时钟停止，剩余 {left}（{sum_zh}）。"),
                    format!("The clock stands still with {left} left ({sum_en})."),
                )
            }
            End::At(end) => {
                let (text, left) = ((self.clock)(end), length(end.since(at)));
                let (early_zh, early_en) = self.early(attempt, end);
                Line::new(
                    format!("因此 {text} 结束，剩余 {left}（{sum_zh}）{early_zh}。"),
                    format!("So it ends at {text}, {left} left ({sum_en}){early_en}."),
                )
            }
        }
    }

    /// Why an end is not the one the account adds up to.
    fn early(&self, attempt: &Attempt, end: SiteMs) -> (&'static str, &'static str) {
        match self.sitting.stage {
            _ if attempt.terminated_at == Some(end) => ("；考核被终止", "; the exam was ended by a decision"),
            Stage::Ended { ended, .. } if ended == end => ("；全场于此时结束", "; the sitting ended for all then"),
            Stage::Prepared | Stage::Admitting { .. } | Stage::Running { .. } | Stage::Ended { .. } => ("", ""),
        }
    }

    fn answers(&self, attempt: &Attempt, told: &[&Told]) -> Line {
        let saved = |one: &&&Told| matches!(one.fact, Fact::AnswerSaved(_));
        let marked =
            told.iter().filter(|one| matches!(&one.fact, Fact::AnswerSaved(saved) if saved.mark.is_some())).count();
        let Some(Told { now, fact: Fact::AnswerSaved(last), .. }) = told.iter().rev().find(saved) else {
            return Line::new("服务器尚无答案。", "The server has no answer yet.");
        };
        let (items, versions, at) = (attempt.answered(), attempt.versions, (self.clock)(now.at));
        let (item, number) = (&last.item, last.number);
        Line::new(
            format!(
                "服务器已存 {items} 题、{versions} 个版本（{marked} 个有标记），最后一个 {at}：{item} 第 {number} 版。"
            ),
            format!(
                "The server has {items} items in {versions} versions ({marked} marked), the last at {at}: {item}, version {number}."
            ),
        )
    }

    fn fact(&self, told: &Told) -> Line {
        let (zh, en) = kind(told.fact.kind());
        let body: Value = serde_json::from_str(&told.fact.body()).unwrap_or_default();
        let by = body["by"].get("person").unwrap_or(&body["by"]).clone();
        let by = serde_json::from_value(by).ok().map(|by| words::actor(self.site, &by));
        let (by_zh, by_en) = by.map(|(zh, en)| (format!("；{zh}"), format!("; by {en}"))).unwrap_or_default();
        let reason = body["reason"].as_str().filter(|reason| !reason.is_empty());
        let (why_zh, why_en) = reason.map(|r| (format!("：{r}"), format!(": {r}"))).unwrap_or_default();
        let (seq, at) = (told.seq, (self.clock)(told.now.at));
        Line::new(format!("#{seq} {at} {zh}{why_zh}{by_zh}"), format!("#{seq} {at} {en}{why_en}{by_en}"))
    }
}

fn whose(target: &Target) -> (&'static str, &'static str) {
    match target {
        Target::Attempt(_) => ("本考位", "this seat"),
        Target::Sitting => ("全场", "everybody"),
    }
}

/// How every sitting and every seat stands, for stepping through a journal: what differs after a fact is what it did.
pub fn standing(site: &Site, at: SiteMs, clock: Clock<'_>) -> BTreeMap<String, Line> {
    let sittings = site.sittings.values().map(|sitting| {
        let (zh, en) = phase(sitting.phase());
        let id = sitting.id();
        (format!("sitting {id}"), Line::new(format!("场次 {id}：{zh}"), format!("sitting {id}: {en}")))
    });
    let attempts = site.attempts.values().map(|attempt| {
        let (zh, en) = state(site.attempt_state(attempt, at));
        let (end_zh, end_en) = match site.end(attempt) {
            End::NotBegun => (String::new(), String::new()),
            End::At(end) => (format!("，{} 结束", clock(end)), format!(", ends {}", clock(end))),
            End::Frozen(left) => (format!("，剩余 {}", length(left)), format!(", {} left", length(left))),
        };
        let (id, seat) = (&attempt.sitting, attempt.seat);
        let line =
            Line::new(format!("场次 {id} 考位 {seat}：{zh}{end_zh}"), format!("seat {seat} of {id}: {en}{end_en}"));
        (format!("attempt {:?}", attempt.id), line)
    });
    sittings.chain(attempts).collect()
}
