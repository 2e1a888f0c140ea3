//! A small invented exam for the tests of this folder: keys, a package's input, a bundle's contents. Never real people.

#![allow(dead_code, reason = "each test file uses its part")]

use exam_protocol::{
    answer::Answer,
    chain::{self, FactText},
    code::SeatState,
    ids::{AdmissionNo, SeatNo, Sha256, SiteId},
    message::candidate::AttemptId,
    paper::{Choice, Item, ItemKind, PAPER_FORMAT, Paper, Subject},
    site::SitePublic,
    time::{SiteMs, WallMs},
};
use exam_sealed::{
    bundle::{AnswerVersion, AttemptRecord, BundleAbout, BundleContents, Person},
    code::UnlockCode,
    keys::{SealingPair, SigningPair, generate_age, generate_minisign},
    manifest::{AdmissionPolicy, Place, RoomPlan, RosterEntry, RuleOverrides, SittingPlan},
    package::{CandidateInput, PackageInput, PaperInput},
};
use serde_json::{json, value::RawValue};
use std::{collections::BTreeMap, error::Error};

pub(crate) struct Keys {
    pub(crate) signing: SigningPair,
    pub(crate) sealing: SealingPair,
}

pub(crate) fn keys() -> Keys {
    Keys { signing: generate_minisign().unwrap(), sealing: generate_age() }
}

pub(crate) fn site_public(site: &str, keys: &Keys) -> SitePublic {
    SitePublic {
        format: 1,
        site: site.parse().unwrap(),
        name: "样例考点".into(),
        ca_pem: "-----BEGIN CERTIFICATE-----\ninvented\n-----END CERTIFICATE-----\n".into(),
        minisign: keys.signing.public_line.clone(),
        age_recipient: keys.sealing.recipient.clone(),
    }
}

pub(crate) fn admission(n: u16) -> AdmissionNo {
    format!("99000000000000000000{n:06}").parse().unwrap()
}

pub(crate) fn seat(n: u16) -> SeatNo {
    SeatNo::try_from(n).unwrap()
}

/// The sentence no sealed file may show.
pub(crate) const CANARY: &str = "夜里的灯塔为谁而亮";

pub(crate) fn paper() -> Paper {
    let choice = |id: &str, text: &str| Choice { id: id.parse().unwrap(), text: text.into() };
    let kind = ItemKind::SingleChoice { options: vec![choice("A", "船"), choice("B", "鸟")] };
    let item = Item { id: "q1".parse().unwrap(), points_tenths: 20, stem: vec![CANARY.into()], kind };
    Paper { format: PAPER_FORMAT, id: "p1".parse().unwrap(), title: "理论卷".into(), items: vec![item] }
}

pub(crate) fn unlock_code() -> UnlockCode {
    UnlockCode::from_random([7, 1, 8, 2, 8, 1, 8, 2, 8, 4])
}

pub(crate) fn id_number(n: u16) -> String {
    format!("00000019000101{n:03}X")
}

pub(crate) fn package_input(hq: &Keys, site: &SitePublic) -> PackageInput {
    let entry = |n: u16| RosterEntry {
        admission_no: admission(n),
        name: format!("考生{n}"),
        id_number: id_number(n),
        places: vec![Place { sitting: "s1".parse().unwrap(), seat: seat(n) }],
        photo: None,
    };
    PackageInput {
        exam: "2026-sample".parse().unwrap(),
        exam_title: "样例考试".into(),
        built_at: WallMs(1_790_000_000_000),
        server_min: "0.1.0".into(),
        site: site.clone(),
        hq_recipient: hq.sealing.recipient.clone(),
        hq_secret: hq.signing.secret_file.clone(),
        rooms: vec![RoomPlan {
            room: "r1".parse().unwrap(),
            name: "第一考场".into(),
            seats: (1..=4).map(seat).collect(),
            spares: vec![seat(5)],
        }],
        sittings: vec![SittingPlan {
            sitting: "s1".parse().unwrap(),
            title: "上午 理论".into(),
            room: "r1".parse().unwrap(),
            subject: Subject::Theory,
            level: "中级".into(),
            paper: "p1".parse().unwrap(),
            planned_start: WallMs(1_790_000_000_000),
            duration_min: 90,
            admission: AdmissionPolicy::Proctor,
            hq_grants: Vec::new(),
            group_waits: false,
            mock: false,
        }],
        rules: RuleOverrides::default(),
        candidates: (1..=3)
            .map(|n| CandidateInput { entry: entry(n), photo: (n == 1).then(|| b"\xff\xd8\xff photo".to_vec()) })
            .collect(),
        papers: vec![PaperInput { paper: paper(), code: unlock_code(), backup_of: None, mock_key: None }],
    }
}

/// Builds a chained journal from (scope, kind, body).
pub(crate) fn journal(site: &SiteId, facts: &[(&str, &str, serde_json::Value)]) -> String {
    let mut head = chain::genesis(site);
    let mut lines = String::new();
    for (index, (scope, kind, body)) in facts.iter().enumerate() {
        let seq = index as u64 + 1;
        let body = RawValue::from_string(body.to_string()).unwrap();
        let text = FactText { seq, at: SiteMs(seq * 10), boot: 1, wall: WallMs(0), scope, kind, body: &body }.text();
        head = chain::next_hash(&head, &Sha256::of(text.as_bytes()));
        let line = if *scope == "sitting:s2" {
            chain::withheld_line(head, &text)
        } else {
            chain::fact_line(head, &text).unwrap()
        };
        lines.push_str(&line);
        lines.push('\n');
    }
    lines
}

fn saved(attempt: u64, item: &str, number: u32, option: &str) -> serde_json::Value {
    json!({"sitting": "s1", "attempt": attempt, "item": item, "number": number, "answer": {"single": option}, "made_at": 5, "late": false})
}

pub(crate) fn facts() -> Vec<(&'static str, &'static str, serde_json::Value)> {
    let signed_in = |attempt: u64, n: u16| json!({"sitting": "s1", "attempt": attempt, "admission_no": admission(n), "station": "st1", "seat": n, "order_seed": 40 + attempt});
    vec![
        ("site", "site_founded", json!({"name": "样例考点"})),
        ("sitting:s1", "signed_in", signed_in(1, 1)),
        ("sitting:s2", "signed_in", json!({"elsewhere": true})),
        ("sitting:s1", "signed_in", signed_in(2, 2)),
        ("sitting:s1", "sitting_started", json!({"sitting": "s1", "paper": "p1", "secret": "", "by": {}})),
        ("sitting:s1", "answer_saved", saved(1, "q1", 1, "A")),
        ("sitting:s1", "answer_saved", saved(2, "q1", 1, "A")),
        ("sitting:s1", "answer_saved", saved(1, "q1", 2, "B")),
        ("sitting:s1", "handed_in", json!({"sitting": "s1", "attempt": 1, "newest": [], "receipt": "ABCD1234"})),
    ]
}

pub(crate) fn contents(site: &SitePublic) -> BundleContents {
    let version = |number: u32, option: &str, seq: u64| AnswerVersion {
        item: "q1".parse().unwrap(),
        number,
        answer: Answer::Single(option.parse().unwrap()),
        made_at: SiteMs(5),
        at: SiteMs(seq * 10),
        seq,
    };
    let record = |n: u16, attempt: Option<u64>, state, versions| AttemptRecord {
        admission_no: admission(n),
        seat: seat(n),
        attempt: attempt.map(AttemptId),
        paper: attempt.map(|_| "p1".parse().unwrap()),
        state,
        terminated: None,
        void: None,
        order_seed: attempt.map(|a| 40 + a),
        started: attempt.map(|_| SiteMs(1)),
        ends: attempt.map(|_| SiteMs(100)),
        handed_in: (state == SeatState::HandedIn).then_some(SiteMs(90)),
        receipt: (state == SeatState::HandedIn).then(|| "ABCD1234".into()),
        newest: BTreeMap::new(),
        versions,
    };
    BundleContents {
        about: BundleAbout {
            site: site.site.clone(),
            site_name: site.name.clone(),
            exam: "2026-sample".parse().unwrap(),
            exam_title: "样例考试".into(),
            sitting: "s1".parse().unwrap(),
            title: "上午 理论".into(),
            subject: Subject::Theory,
            level: "中级".into(),
            room: "r1".parse().unwrap(),
            paper: "p1".parse().unwrap(),
            planned_start: WallMs(1_790_000_000_000),
            duration_min: 90,
            server_version: "0.1.0".into(),
        },
        journal: journal(&site.site, &facts()),
        attempts: vec![
            record(3, None, SeatState::Absent, vec![]),
            record(1, Some(1), SeatState::HandedIn, vec![version(2, "B", 8), version(1, "A", 6)]),
            record(2, Some(2), SeatState::Stopped, vec![version(1, "A", 7)]),
        ],
        people: (1..=3).map(|n| (admission(n), Person { name: format!("考生{n}"), id_number: id_number(n) })).collect(),
        attachments: BTreeMap::new(),
    }
}

/// SplitMix64: tests draw from a printed seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// An error and all its causes in one line, as people see it.
pub(crate) fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
