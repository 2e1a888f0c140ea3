//! Sentences of the room record: incidents, violations, signatures, findings, reports, and what the form says of them.

use super::*;
use exam_protocol::{
    incident::{FindingNo, IncidentCode, Measure, Point, RecordNo, ReportNo, STROKES_MAX, Signature},
    message::incident::{Duty, Verdict},
};
use exam_room::{
    record::RoomRecord,
    rules::{
        finding::{JudgeFinding, NoteFinding},
        incident::{Account, AddToIncident, CorrectIncident, RecordIncident},
        report::DeliverReport,
        signature::{CloseRecord, RefuseSignature, SignAsCandidate, SignAsProctor},
        violation::RecordViolation,
    },
    state::{Stretch, Subject},
};

/// Plays a sentence of the room record; none if it is not one.
pub(crate) fn play(script: &mut Script, words: &[&str]) -> Option<String> {
    look(script, words).or_else(|| {
        Some(match act(script, words)? {
            Ok(Reply::Recorded { record }) => format!("record {}", record.0),
            Ok(_) => "ok".to_owned(),
            Err(refusal) => format!("refused {}", code(&refusal)),
        })
    })
}

fn act(script: &mut Script, words: &[&str]) -> Option<Result<Reply, Refusal>> {
    let by = || station("admin");
    Some(match words {
        ["incident", code, place @ .., "because"] => script.ask(incident(code, place, String::new())),
        ["incident", code, rest @ ..] => {
            let (place, text) = because(rest);
            script.ask(incident(code, place, text))
        }
        ["add", "to", record, text @ ..] => {
            script.ask(AddToIncident { record: no(record), text: text.join(" "), attachments: vec![], by: by() })
        }
        ["correct", record, "as", code, rest @ ..] => {
            let (place, reason) = because(rest);
            script.ask(CorrectIncident {
                record: no(record),
                reason,
                account: account(code, place, "更正".to_owned()),
                by: by(),
            })
        }
        ["violation", measure, "at", n, rest @ ..] => {
            let (incident, facts) = because(rest);
            script.ask(RecordViolation {
                sitting: sitting(),
                seat: seat(n),
                measure: word::<Measure>(measure),
                facts,
                incident: incident.last().map(|record| no(record)),
                occurred_at: None,
                by: by(),
            })
        }
        ["candidate", "signs", record, how @ ..] => {
            let (signature, at) = match how {
                [] => (strokes(2), by()),
                ["with", "nothing"] => (strokes(0), by()),
                ["with", count, "strokes"] => (strokes(count.parse().unwrap()), by()),
                ["on", "paper"] => (Signature::OnPaper, by()),
                ["at", "seat", n, "on", "paper"] => (Signature::OnPaper, station(n)),
                ["at", "seat", n] => (strokes(2), station(n)),
                other => panic!("no such way of signing: {other:?}"),
            };
            script.ask(SignAsCandidate { record: no(record), signature, at })
        }
        ["candidate", "refuses", record, rest @ ..] => {
            script.ask(RefuseSignature { record: no(record), reason: because(rest).1, by: by() })
        }
        ["sign", record] => script.ask(SignAsProctor { record: no(record), signature: strokes(2), by: by() }),
        ["sign", record, "at", "console", n] => {
            script.ask(SignAsProctor { record: no(record), signature: strokes(2), by: station(n) })
        }
        ["close", record] => script.ask(CloseRecord { record: no(record), by: by() }),
        ["deliver", report, "as", receipt @ ..] => script.ask(DeliverReport {
            number: ReportNo(report.parse().unwrap()),
            receipt: receipt.join(" "),
            by: by(),
        }),
        ["notice", kind, "at", n, from, "to", to] => script.ask(NoteFinding {
            subject: Subject {
                kind: word(kind),
                sitting: sitting(),
                attempt: script.site.sittings[&sitting()].attempts.get(&number_of(n)).copied(),
                station: Some(station(n)),
            },
            stretch: Stretch { from: SiteMs(clock_ms(from)), to: SiteMs(clock_ms(to)) },
        }),
        ["notice", kind, "of", "all", from, "to", to] => script.ask(NoteFinding {
            subject: Subject { kind: word(kind), sitting: sitting(), attempt: None, station: None },
            stretch: Stretch { from: SiteMs(clock_ms(from)), to: SiteMs(clock_ms(to)) },
        }),
        ["accept", finding, note @ ..] => judge(script, finding, Verdict::Accept { note: note.join(" ") }),
        ["dismiss", finding, reason @ ..] => judge(script, finding, Verdict::Dismiss { reason: reason.join(" ") }),
        ["proctor", name, "watches", "the", "room"] => script.ask(MakeAccount {
            account: name.parse().unwrap(),
            name: format!("张{name}"),
            role: exam_protocol::staff::StaffRole::Proctor,
            room: Some("r1".parse().unwrap()),
            stands_in_for: None,
            reason: String::new(),
            password: SealedBytes(vec![]),
            by: by(),
        }),
        ["console", n, "is", "set", "up"] => {
            let tag = Sha256::of(n.as_bytes());
            let valid_until = script.now.at.plus(60_000);
            script.ask(IssueCode { tag, role: Role::Console, uses: 1, valid_until }).unwrap();
            script.ask(EnrolStation {
                tag,
                station: station(n),
                role: Role::Console,
                certificate: Sha256::of(format!("console {n}").as_bytes()),
                host: format!("console-{n}"),
            })
        }
        [name, "signs", "on", "at", "console", n] => {
            script.ask(SignOn { station: station(n), account: name.parse().unwrap() })
        }
        _ => return None,
    })
}

/// What a person could read.
fn look(script: &Script, words: &[&str]) -> Option<String> {
    let records = &script.site.records;
    Some(match words {
        ["duties"] => listed(script.site.open_duties(&sitting()).into_iter().map(duty)),
        ["undelivered"] => {
            listed(records.undelivered().map(|(no, report)| format!("{}:{}", no.0, name(report.severity))))
        }
        ["text", "of", record] => records.incidents[&no(record)].details.text.clone(),
        ["reports"] => listed(records.reports.iter().map(|(no, report)| {
            let about = serde_json::to_value(report.about).unwrap();
            let about =
                about.as_object().unwrap().iter().map(|(what, which)| format!("{what} {which}")).next().unwrap();
            format!("{}: {about}{}", no.0, if report.receipt.is_some() { " told" } else { "" })
        })),
        ["follow-ups", "of", record] => records.incidents[&no(record)].follow_ups.len().to_string(),
        ["correction", "of", record] => {
            records.incidents[&no(record)].corrected_by.map_or("none".to_owned(), |by| by.0.to_string())
        }
        ["void", "results"] => {
            listed(records.void.keys().map(|attempt| script.site.attempts[attempt].seat.to_string()))
        }
        ["form", "line", n] => line(script, n.parse().unwrap()),
        _ => return None,
    })
}

/// A line of the form, counted from the last one.
fn line(script: &Script, from_the_end: usize) -> String {
    let mut site = Site::new("s1".parse().unwrap());
    let mut form = RoomRecord::new(sitting());
    for (now, fact) in &script.facts {
        site.apply(*now, fact);
        form.hear(&site, *now, fact);
    }
    let entry = &form.entries()[form.entries().len() - from_the_end];
    let ms = entry.time.0;
    let time = format!("{:02}:{:02}:{:02}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let seat = entry.seat.map_or("-".to_owned(), |seat| seat.to_string());
    let number = entry.number.map_or("-".to_owned(), |number| number.0.to_string());
    format!("{time} {} {seat} {number} {} / {}", entry.kind, entry.what, entry.who)
}

fn duty(duty: Duty) -> String {
    match duty {
        Duty::Sign { record, missing } => format!("sign {} ({missing})", record.0),
        Duty::Close { record } => format!("close {}", record.0),
        Duty::Report { report, .. } => format!("report {}", report.0),
        Duty::Judge { finding } => format!("judge {}", finding.0),
    }
}

fn listed(each: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = each.collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

fn judge(script: &mut Script, finding: &str, verdict: Verdict) -> Result<Reply, Refusal> {
    let number = FindingNo(finding.parse().unwrap());
    script.ask(JudgeFinding { number, verdict, by: station("admin") })
}

/// `at N`, `item Q`, `on TIME`, `site` in any order.
fn incident(code: &str, place: &[&str], text: String) -> RecordIncident {
    let sitting = (!place.contains(&"site")).then(sitting);
    RecordIncident { sitting, account: account(code, place, text), by: station("admin") }
}

fn account(code: &str, place: &[&str], text: String) -> Account {
    let after = |word: &str| place.iter().position(|w| *w == word).map(|at| place[at + 1]);
    Account {
        seat: after("at").map(seat),
        item: after("item").map(|item| item.parse().unwrap()),
        occurred_at: after("on").map(|at| SiteMs(clock_ms(at))),
        code: word::<IncidentCode>(code),
        text,
        attachments: vec![Sha256::of(b"photo"); after("photos").map_or(0, |count| count.parse().unwrap())],
    }
}

/// Words before and after `because`.
fn because<'a>(words: &'a [&'a str]) -> (&'a [&'a str], String) {
    let at = words.iter().position(|word| *word == "because").expect("an act has a because");
    (&words[..at], words[at + 1..].join(" "))
}

fn strokes(count: usize) -> Signature {
    assert!(count <= STROKES_MAX + 1);
    Signature::Strokes((0..count).map(|n| vec![Point { x: 9, y: 9, t_ms: n as u32 }]).collect())
}

fn no(text: &str) -> RecordNo {
    RecordNo(text.parse().unwrap())
}

fn word<T: serde::de::DeserializeOwned>(word: &str) -> T {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).expect("a coded word")
}

fn name(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}
