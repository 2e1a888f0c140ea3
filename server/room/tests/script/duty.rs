//! Sentences about hands, messages and visits.

use super::{Script, code, seat, sitting, station};
use exam_protocol::{
    code::Refusal,
    ids::SeatRef,
    message::duty::{HandId, MessageId, Recipients, VisitId},
};
use exam_room::{
    Reply,
    rules::{
        hand::{FinishHand, LowerHand, RaiseHand, TakeHand},
        message::{NoteDelivered, Read, Say},
        visit::{BeginVisit, NoteVisit},
    },
};
use serde::de::DeserializeOwned;

/// The outcome of a sentence of this file; none for any other.
pub(crate) fn said(script: &mut Script, words: &[&str]) -> Option<String> {
    if let Some(seen) = seen(script, words) {
        return Some(seen);
    }
    Some(match act(script, words)? {
        Ok(_) => "ok".to_owned(),
        Err(refusal) => format!("refused {}", code(&refusal)),
    })
}

fn act(script: &mut Script, words: &[&str]) -> Option<Result<Reply, Refusal>> {
    let by = station("admin");
    Some(match words {
        ["seat", n, "raises", "hand", kind, text @ ..] => {
            script.ask(RaiseHand { station: station(n), kind: coded(kind), text: words_of(text) })
        }
        ["seat", n, "lowers", "hand"] => script.ask(LowerHand { station: station(n) }),
        ["hand", n, "taken"] => script.ask(TakeHand { hand: HandId(number(n)), by }),
        ["hand", n, "done"] => script.ask(FinishHand { hand: HandId(number(n)), by }),
        ["say", whom, "canned", canned, text @ ..] => {
            script.ask(Say { to: to(whom), canned: Some(coded(canned)), text: words_of(text), by })
        }
        ["say", whom, text @ ..] => script.ask(Say { to: to(whom), canned: None, text: words_of(text), by }),
        ["message", n, "reaches", "seat", seat] => {
            script.ask(NoteDelivered { message: MessageId(number(n)), station: station(seat) })
        }
        ["seat", seat, "reads", "message", n] => {
            script.ask(Read { message: MessageId(number(n)), station: station(seat) })
        }
        ["visit"] => script.ask(BeginVisit { sitting: sitting(), by }),
        ["visit", n, "found", text @ ..] => {
            script.ask(NoteVisit { visit: VisitId(number(n)), findings: words_of(text), by })
        }
        _ => return None,
    })
}

fn seen(script: &Script, words: &[&str]) -> Option<String> {
    let site = &script.site;
    let named = |value: serde_json::Value| value.as_str().unwrap().to_owned();
    Some(match words {
        ["hands"] => {
            let sitting = sitting();
            let hands = site.hands(&sitting);
            let line = |hand: &&exam_room::state::Hand| {
                format!("{} {}", hand.id.0, named(serde_json::to_value(hand.stage().0).unwrap()))
            };
            hands.iter().map(line).collect::<Vec<_>>().join(", ")
        }
        ["hand", "of", "seat", n] => match site.latest_hand(&desk(n)) {
            None => "none".to_owned(),
            Some(hand) => {
                let (stage, since) = hand.stage();
                let ms = since.0;
                let clock = format!("{:02}:{:02}:{:02}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
                format!("{} since {clock}", named(serde_json::to_value(stage).unwrap()))
            }
        },
        ["unread", "at", "seat", n] => {
            let unread: Vec<_> = site.unread(&desk(n)).iter().map(|message| message.id.0.to_string()).collect();
            if unread.is_empty() { "none".to_owned() } else { unread.join(" ") }
        }
        ["message", n] => {
            let message = &site.messages.by_id[&MessageId(number(n))];
            let far = |delivery: &exam_room::state::Delivery| match (delivery.delivered_at, delivery.read_at) {
                (_, Some(_)) => "read",
                (Some(_), None) => "delivered",
                (None, None) => "sent",
            };
            message.seats.iter().map(|(seat, d)| format!("{} {}", seat.seat, far(d))).collect::<Vec<_>>().join(", ")
        }
        ["visits", "missing"] => {
            let missing = site.visits_missing(&sitting());
            let names: Vec<_> = missing.iter().map(|part| named(serde_json::to_value(part).unwrap())).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(" ") }
        }
        _ => return None,
    })
}

fn to(whom: &str) -> Recipients {
    match whom {
        "all" => Recipients::All,
        "sitting" => Recipients::Sitting { sitting: sitting() },
        seats => Recipients::Seats { sitting: sitting(), seats: seats.split(',').map(seat).collect() },
    }
}

/// `X*300` is a text of so many characters.
fn words_of(words: &[&str]) -> String {
    match words {
        [one] if one.contains('*') => {
            let (what, times) = one.split_once('*').unwrap();
            what.repeat(times.parse().unwrap())
        }
        words => words.join(" "),
    }
}

fn desk(n: &str) -> SeatRef {
    SeatRef { room: "r1".parse().unwrap(), seat: seat(n) }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap()
}

fn coded<T: DeserializeOwned>(word: &str) -> T {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).expect("a coded word")
}
