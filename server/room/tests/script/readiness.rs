//! Sentences about the seal, the check-list, backup papers and mock sittings.

use super::*;
use exam_protocol::{
    checklist::{CheckItem, ItemStanding},
    message::readiness::SeatReport,
    seal::{CheckStanding, SealCheck},
};
use exam_room::{
    Fact,
    rules::{
        backup_paper::{RequestBackup, UseBackupPaper},
        checklist::{Tick, Untick},
        founding::{ClockAnchor, NoteServer, ServerEvent},
        mock::ResetMock,
        numbers::SEAT_DISK_FREE_MIN_BYTES,
        seal::{ConfirmCheck, ReportSeat, SealRoom, WithdrawCheck},
    },
    state::SealState,
};

/// What a package says beyond the handbook's numbers.
#[derive(Default)]
pub(super) struct Ready {
    pub(super) planned_start: WallMs,
    pub(super) mock: bool,
    pub(super) backups: Vec<(PaperId, PaperId)>,
    pub(super) loose: Vec<PaperId>,
    pub(super) keyed: Vec<PaperId>,
}

/// Takes the overrides that are ours: `seal=required`, `planned=HH:MM:SS`, `mock=yes`, `backup=paper/instead-of`,
/// `loose=paper` for one nobody sits, `key=paper` for one that carries its answer key.
pub(super) fn overrides<'a>(all: &[&'a str], rules: &mut RuleOverrides) -> (Ready, Vec<&'a str>) {
    let mut ready = Ready::default();
    let mut others = Vec::new();
    for one in all {
        match one.split_once('=') {
            Some(("seal", "required")) => rules.seal_required = None,
            Some(("planned", at)) => ready.planned_start = WallMs(clock_ms(at) as i64),
            Some(("mock", "yes")) => ready.mock = true,
            Some(("backup", papers)) => {
                let (id, instead_of) = papers.split_once('/').expect("a backup is paper/instead-of");
                ready.backups.push((id.parse().unwrap(), instead_of.parse().unwrap()));
            }
            Some(("loose", paper)) => ready.loose.push(paper.parse().unwrap()),
            Some(("key", paper)) => ready.keyed.push(paper.parse().unwrap()),
            _ => others.push(*one),
        }
    }
    (ready, others)
}

/// Plays a sentence of this file; none when it is another's.
pub(super) fn said(script: &mut Script, words: &[&str]) -> Option<String> {
    asked(script, words).or_else(|| act(script, words).map(|outcome| super::said(&outcome)))
}

fn act(script: &mut Script, words: &[&str]) -> Option<Result<Reply, Refusal>> {
    let by = || station("admin");
    Some(match words {
        ["server", version, "starts"] => script.ask(NoteServer {
            event: ServerEvent::Started,
            version: (*version).to_owned(),
            gap_ms: 0,
            machine_restarted: false,
            anchor: ClockAnchor { machine: "m".to_owned(), offset_ms: 0 },
        }),
        ["machine", n, "reports", findings @ ..] => {
            script.ask(ReportSeat { station: station(n), report: report(findings) })
        }
        ["confirm", check, note @ ..] if !note.starts_with(&["at"]) => script.ask(ConfirmCheck {
            sitting: sitting(),
            check: word(check),
            seat: None,
            note: note.join(" "),
            by: by(),
        }),
        ["confirm", check, "at", n, note @ ..] => script.ask(ConfirmCheck {
            sitting: sitting(),
            check: word(check),
            seat: Some(seat(n)),
            note: note.join(" "),
            by: by(),
        }),
        ["withdraw", check, "because", reason @ ..] => script.ask(WithdrawCheck {
            sitting: sitting(),
            check: word(check),
            seat: None,
            reason: reason.join(" "),
            by: by(),
        }),
        ["seal", "by", signed @ ..] => script.ask(SealRoom {
            sitting: sitting(),
            signed: signed.iter().map(|account| account.parse().unwrap()).collect(),
            by: by(),
        }),
        ["tick", item, note @ ..] => {
            script.ask(Tick { sitting: sitting(), item: word(item), note: note.join(" "), by: by() })
        }
        ["untick", item, "because", reason @ ..] => {
            script.ask(Untick { sitting: sitting(), item: word(item), reason: reason.join(" "), by: by() })
        }
        ["request", "backup", "because", reason @ ..] => {
            script.ask(RequestBackup { sitting: sitting(), reason: reason.join(" "), by: by() })
        }
        ["use", "backup", paper, "for", whose, "because", reason @ ..] => script.ask(UseBackupPaper {
            sitting: sitting(),
            target: script.target(whose),
            paper: paper.parse().unwrap(),
            secret: SealedBytes(paper.as_bytes().to_vec()),
            reason: reason.join(" "),
            by: by(),
        }),
        ["start", "with", paper] => script.ask(Begin {
            sitting: sitting(),
            paper: paper.parse().unwrap(),
            secret: SealedBytes(paper.as_bytes().to_vec()),
            by: by(),
        }),
        ["reset", "mock"] => script.ask(ResetMock { sitting: sitting(), by: by() }),
        _ => return None,
    })
}

fn asked(script: &Script, words: &[&str]) -> Option<String> {
    let own = || &script.site.sittings[&sitting()];
    Some(match words {
        ["seal"] => match &own().seal.state {
            SealState::Open => format!("open, {} missing", script.site.seal_missing(own())),
            SealState::Intact { administrator, staff, .. } => format!("signed by {administrator} and {staff}"),
            SealState::Broken { why, .. } => format!("broken: {}", why.words().1),
        },
        ["standing", "of", check] => standing(script.site.check_standing(own(), word(check), None)),
        ["standing", "of", check, "at", n] => standing(script.site.check_standing(own(), word(check), Some(seat(n)))),
        ["due"] => {
            let due = script.site.due(own(), script.now);
            let late = |one: ItemStanding| if one == ItemStanding::Overdue { "!" } else { "" };
            let names: Vec<String> =
                due.iter().map(|one| format!("{}{}", text(&one.item), late(one.standing))).collect();
            if names.is_empty() { "nothing".to_owned() } else { names.join(" ") }
        }
        ["item", item] => {
            let item: CheckItem = word(item);
            let list = script.site.checklist(own(), script.now);
            let one = list.iter().find(|one| one.item == item).expect("every item is on the list");
            text(&one.standing)
        }
        ["paper", "of", "seat", n] => {
            let desk = script.site.desk(&station(n), script.now.at).expect("the machine is known");
            let key =
                desk.release.map_or(String::new(), |key| format!(" with key {}", String::from_utf8_lossy(&key.0)));
            format!("{}{key}", desk.sitting.expect("the desk has a sitting").paper)
        }
        ["fetched", "by", "seat", n] => {
            let desk = script.site.desk(&station(n), script.now.at).expect("the machine is known");
            desk.prefetch.iter().map(|sealed| sealed.paper.to_string()).collect::<Vec<_>>().join(" ")
        }
        ["requests"] => own().backup.requests.len().to_string(),
        ["answers", "of", "seat", n] => {
            let attempt = own().attempts.get(&number_of(n)).and_then(|id| script.site.attempts.get(id));
            let Some(attempt) = attempt else { return Some("none".to_owned()) };
            attempt.answers.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        }
        ["saved", "answers", "in", "the", "journal"] => {
            let saved = script.facts.iter().filter(|(_, fact)| matches!(fact, Fact::AnswerSaved(_)));
            saved.count().to_string()
        }
        ["may", "be", "marked"] => {
            let each = script.site.attempts.values().filter_map(|a| script.site.unmarked(a, script.now.at));
            let seats: Vec<String> = each.map(|unmarked| unmarked.attempt.seat.to_string()).collect();
            if seats.is_empty() { "none".to_owned() } else { seats.join(" ") }
        }
        ["number", "of", "seat", n] => own().attempts[&number_of(n)].0.to_string(),
        _ => return None,
    })
}

/// A sound machine, with findings as said: `outside`, `programs=2`, `lock=ok|bad|unknown`, `clock=-5001`, `disk=short`, `version=2`.
fn report(findings: &[&str]) -> SeatReport {
    let mut report = SeatReport {
        outside_reachable: false,
        foreign_programs: 0,
        lock_ok: Some(true),
        clock_offset_ms: 0,
        disk_free_bytes: SEAT_DISK_FREE_MIN_BYTES,
        version: "1".to_owned(),
    };
    for finding in findings {
        match finding.split_once('=').unwrap_or((finding, "")) {
            ("sound", "") => {}
            ("outside", "") => report.outside_reachable = true,
            ("programs", n) => report.foreign_programs = n.parse().unwrap(),
            ("lock", "bad") => report.lock_ok = Some(false),
            ("lock", "unknown") => report.lock_ok = None,
            ("clock", ms) => report.clock_offset_ms = ms.parse().unwrap(),
            ("disk", "short") => report.disk_free_bytes = SEAT_DISK_FREE_MIN_BYTES - 1,
            ("version", version) => report.version = version.to_owned(),
            other => panic!("no such finding: {other:?}"),
        }
    }
    report
}

fn standing(standing: CheckStanding) -> String {
    text(&standing)
}

/// A coded word as it stands in the journal.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).expect("one of the coded words")
}

fn text(coded: &impl serde::Serialize) -> String {
    serde_json::to_value(coded).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn a_check_is_a_rooms_or_a_seats_and_has_words() {
    for check in SealCheck::OF_ROOM {
        assert!(!check.is_of_seat() && !check.words().0.is_empty());
    }
    assert!(SealCheck::OF_SEAT.iter().all(|check| check.is_of_seat()));
}
