//! Sentences about who is here, where and how.

use super::{Script, clock_ms, code, desk_ref, grant, number_of, sitting, station};
use exam_protocol::{
    answer::Answer,
    code::Refusal,
    message::{
        attendance::{IdentityCheck, LossEvidence, UnableStretch},
        candidate::AttemptId,
    },
    time::SiteMs,
};
use exam_room::{
    Reply,
    rules::{
        absence::ConfirmAbsence,
        answers::{Recall, Save},
        consent::ConsentHandIn,
        deny::DenyCandidate,
        identity::{CheckIdentity, ConfirmIdentity},
        leave::{LeaveBack, LeaveOut},
        lost_time::{AcceptProposal, AnswerContest, ContestTime, DismissProposal, GrantWord},
        orphan::{AdoptOrphan, DismissOrphan, ListOrphans},
        swap::SwapMachine,
        terminate::{EndAttempt, ReopenAttempt},
        unable::TellUnable,
    },
};

/// Plays a sentence of this area; none if it belongs to another.
pub(crate) fn say(script: &mut Script, words: &[&str]) -> Option<String> {
    if let Some(told) = tell(script, words) {
        return Some(told);
    }
    let outcome = entry(script, words).or_else(|| moves(script, words)).or_else(|| decisions(script, words))?;
    Some(match outcome {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => format!("refused {}", code(&refusal)),
    })
}

type Outcome = Option<Result<Reply, Refusal>>;

fn entry(script: &mut Script, words: &[&str]) -> Outcome {
    let by = station("admin");
    Some(match words {
        ["deny", n, "because", reason @ ..] => {
            let (attempt, reason) = (of(script, n), reason.join(" "));
            script.ask(DenyCandidate { attempt, reason, by })
        }
        ["seat", n, "confirms", "identity"] => {
            let attempt = of(script, n);
            script.ask(ConfirmIdentity { station: station(n), attempt })
        }
        ["check", n, "finds", seen @ ..] => {
            let has = |what| seen.contains(&what);
            let check = IdentityCheck {
                attempt: of(script, n),
                id_card: has("id-card"),
                sheet_signed: has("signature"),
                ticket: has("ticket"),
                desk_label: has("label"),
                note: String::new(),
            };
            script.ask(CheckIdentity { check, by })
        }
        ["confirm", "absent", candidates @ ..] => {
            let candidates = candidates.iter().map(|n| number_of(n)).collect();
            script.ask(ConfirmAbsence { sitting: sitting(), candidates, by })
        }
        ["consent", whose] => {
            let target = script.target(whose);
            script.ask(ConsentHandIn { sitting: sitting(), target, by })
        }
        _ => return None,
    })
}

fn moves(script: &mut Script, words: &[&str]) -> Outcome {
    let by = station("admin");
    Some(match words {
        ["leave", n, "with", escort] => {
            let attempt = of(script, n);
            script.ask(LeaveOut { attempt, escort: escort.parse().unwrap(), reason: None, by })
        }
        ["back", n] => {
            let attempt = of(script, n);
            script.ask(LeaveBack { attempt, by })
        }
        ["swap", n, "to", desk, known @ .., "because", reason] => {
            let attempt = of(script, n);
            let said = |word| known.iter().position(|known| *known == word).map(|at| known[at + 1]);
            let time = |word| said(word).map(|time| SiteMs(clock_ms(time)));
            let (trouble_since, last_contact) = (time("since"), time("unheard"));
            let on_screen = said("seeing").map(|item| item.parse().unwrap());
            let (to, reason) = (desk_ref(desk).seat, (*reason).to_owned());
            script.ask(SwapMachine { attempt, to, trouble_since, last_contact, on_screen, reason, by })
        }
        ["swap", n, "to", desk, "because"] => {
            let (attempt, to, reason) = (of(script, n), desk_ref(desk).seat, String::new());
            script.ask(SwapMachine {
                attempt,
                to,
                trouble_since: None,
                last_contact: None,
                on_screen: None,
                reason,
                by,
            })
        }
        ["machine", m, "saves", version, text, "for", n, made @ ..] => {
            let (item, number) = version.split_once('/').expect("a version is item/number");
            let made_at = match made {
                ["made", at] => SiteMs(clock_ms(at)),
                _ => script.now.at,
            };
            let attempt = of(script, n);
            let (item, number) = (item.parse().unwrap(), number.parse().unwrap());
            let answer = Answer::Text((*text).to_owned());
            script.ask(Save { station: station(m), attempt, item, number, answer, made_at })
        }
        ["machine", m, "adopts", orphan, "as", number, "for", n] => {
            let attempt = of(script, n);
            let (orphan, number) = (orphan.parse().unwrap(), number.parse().unwrap());
            script.ask(AdoptOrphan { station: station(m), attempt, orphan, number })
        }
        ["machine", m, "tells", why, from, "to", to, "for", n] => {
            let attempt = of(script, n);
            let why = serde_json::from_value(serde_json::Value::String((*why).to_owned())).unwrap();
            let stretch = UnableStretch { from: SiteMs(clock_ms(from)), to: SiteMs(clock_ms(to)), why };
            script.ask(TellUnable { station: station(m), attempt, stretches: vec![stretch] })
        }
        ["machine", m, "dismisses", orphan, "for", n] => {
            let attempt = of(script, n);
            script.ask(DismissOrphan { station: station(m), attempt, orphan: orphan.parse().unwrap() })
        }
        _ => return None,
    })
}

fn decisions(script: &mut Script, words: &[&str]) -> Outcome {
    let by = station("admin");
    Some(match words {
        ["accept", proposal, minutes, "on", "HQ", "code", code] => {
            let word = GrantWord::Hq(grant(minutes, code));
            let (proposal, minutes) = (proposal.parse().unwrap(), minutes.parse().unwrap());
            script.ask(AcceptProposal { sitting: sitting(), proposal, minutes, word, by })
        }
        ["accept", proposal, minutes, "by", agreed @ ..] => {
            let word = GrantWord::OnSite(agreed.iter().map(|account| account.parse().unwrap()).collect());
            let (proposal, minutes) = (proposal.parse().unwrap(), minutes.parse().unwrap());
            script.ask(AcceptProposal { sitting: sitting(), proposal, minutes, word, by })
        }
        ["dismiss", proposal, "because", reason @ ..] => {
            let (proposal, reason) = (proposal.parse().unwrap(), reason.join(" "));
            script.ask(DismissProposal { sitting: sitting(), proposal, reason, by })
        }
        ["seat", n, "contests", text @ ..] => {
            let attempt = of(script, n);
            script.ask(ContestTime { attempt, text: text.join(" "), by })
        }
        ["answer", "contest", "of", n, text @ ..] => {
            let attempt = of(script, n);
            script.ask(AnswerContest { attempt, text: text.join(" "), by })
        }
        ["end", n, "for", why, "because", reason @ ..] => {
            let attempt = of(script, n);
            let why = serde_json::from_value(serde_json::Value::String((*why).to_owned())).unwrap();
            script.ask(EndAttempt { attempt, why, reason: reason.join(" "), by })
        }
        ["reopen", n, minutes, "by", agreed @ ..] => {
            let attempt = of(script, n);
            let agreed = agreed.iter().map(|account| account.parse().unwrap()).collect();
            script
                .ask(ReopenAttempt { attempt, minutes: minutes.parse().unwrap(), reason: "误判".to_owned(), agreed })
        }
        _ => return None,
    })
}

/// Questions that change nothing.
fn tell(script: &mut Script, words: &[&str]) -> Option<String> {
    let site = &script.site;
    let list = || site.attendance_list(&sitting(), script.now).expect("there is a sitting");
    let told = match words {
        ["who", "is", "out"] => site.away(&site.sittings[&sitting()]).map(|attempt| attempt.seat.to_string()),
        ["candidate", n, "is", "at"] => {
            site.attempts.get(&of(script, n)).and_then(|a| a.last_item.as_ref()).map(|(_, item)| item.to_string())
        }
        ["who", "is", "unchecked"] => {
            joined(site.identity_missing(&site.sittings[&sitting()]).map(|a| a.seat.to_string()))
        }
        ["who", "contests"] => {
            joined(list().present.iter().filter(|p| p.contested.is_some()).map(|p| p.seat.to_string()))
        }
        ["who", "has", "confirmed"] => {
            joined(list().present.iter().filter(|p| p.identity_confirmed).map(|p| p.seat.to_string()))
        }
        ["absence", "of", n] => {
            let no = number_of(n);
            let note = list().absent.into_iter().find(|note| note.admission_no == no);
            note.map(|note| format!("confirmed {} times", note.confirmed.len()))
        }
        ["seat", n, "waits", "until"] => site.wait_until(&site.attempts[&of(script, n)]).map(clock_text),
        ["proposals"] => joined(list().proposals.iter().map(|p| {
            let how = match p.evidence {
                LossEvidence::Declared => "declared",
                LossEvidence::LastContact => "last contact",
                LossEvidence::SeatAccount => "machine's account",
            };
            format!("{}: {} s {how}", p.proposal, p.ms / 1000)
        })),
        ["newest", "of", n, item] => {
            let newest = site.attempts[&of(script, n)].answers.get(&item.parse().unwrap());
            newest.and_then(|log| log.newest.as_ref()).map(|version| match &version.answer {
                Answer::Text(text) => format!("{}={text}", version.number),
                other => panic!("the script only writes text, not {other:?}"),
            })
        }
        ["what", "of", n, "is", "lacking"] => {
            let attempt = of(script, n);
            match script.ask(Recall { station: station(n), attempt, after: None }) {
                Ok(Reply::Answers(page)) => {
                    joined(page.gaps.iter().map(|gap| format!("{}/{}-{}", gap.item, gap.from, gap.to)))
                }
                other => panic!("no page of answers: {other:?}"),
            }
        }
        ["orphans", "for", n, "at", "machine", m] => {
            let attempt = of(script, n);
            match script.ask(ListOrphans { station: station(m), attempt, after: 0 }) {
                Ok(Reply::Orphans(page)) => joined(page.orphans.iter().map(|o| match &o.answer {
                    Answer::Text(text) => format!("{}:{}={text}", o.orphan, o.item),
                    other => panic!("the script only writes text, not {other:?}"),
                })),
                Ok(other) => panic!("no page of orphans: {other:?}"),
                Err(refusal) => Some(format!("refused {}", code(&refusal))),
            }
        }
        _ => return None,
    };
    Some(told.unwrap_or_else(|| "none".to_owned()))
}

fn joined(words: impl Iterator<Item = String>) -> Option<String> {
    let words: Vec<_> = words.collect();
    (!words.is_empty()).then(|| words.join(" "))
}

fn clock_text(at: SiteMs) -> String {
    format!("{:02}:{:02}:{:02}", at.0 / 3_600_000, at.0 / 60_000 % 60, at.0 / 1000 % 60)
}

/// The attempt of candidate `n`; one that does not exist before the sign-in.
fn of(script: &Script, n: &str) -> AttemptId {
    let attempts = script.site.sittings.get(&sitting()).map(|sitting| &sitting.attempts);
    attempts.and_then(|attempts| attempts.get(&number_of(n)).copied()).unwrap_or(AttemptId(0))
}
