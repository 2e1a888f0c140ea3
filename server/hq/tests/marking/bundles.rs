//! Opened bundles made by hand: a folder each, with manifest, roster and records.

use exam_protocol::{
    answer::Answer,
    code::SeatState,
    ids::{AdmissionNo, ItemId, Sha256},
    incident::RecordNo,
    key::{ItemKey, KeyedPaper},
    message::candidate::AttemptId,
    paper::{Choice, Item, ItemKind, PAPER_FORMAT, Paper, Subject},
    time::{SiteMs, WallMs},
};
use exam_sealed::bundle::{AnswerVersion, AttemptRecord, BUNDLE_FORMAT, BundleAbout, BundleManifest, Termination};
use std::{collections::BTreeMap, fs, path::Path};

/// One candidate of a made bundle: serial number, name, state, answers by item.
pub(crate) struct Sat {
    pub(crate) serial: u32,
    pub(crate) name: &'static str,
    pub(crate) state: SeatState,
    pub(crate) answers: Vec<(&'static str, Answer)>,
    /// Another paper than the sitting's.
    pub(crate) paper: Option<&'static str>,
    pub(crate) terminated: Option<Termination>,
    pub(crate) void: Option<RecordNo>,
}

/// An invented admission number of 26 digits.
pub(crate) fn admission_no(serial: u32) -> AdmissionNo {
    format!("99{serial:024}").parse().unwrap()
}

/// A paper of ten judgements of 10 points, all true; with `by_hand` a short text of 20 points besides.
pub(crate) fn paper(dir: &Path, id: &str, by_hand: bool) {
    let item = |id: &str, points_tenths: u32, kind: ItemKind| Item {
        id: id.parse().unwrap(),
        points_tenths,
        stem: vec!["题".into()],
        kind,
    };
    let mut items: Vec<Item> = (0..9).map(|n| item(&format!("q{n}"), 100, ItemKind::TrueFalse)).collect();
    let options = ["A", "B"].map(|letter| Choice { id: letter.parse().unwrap(), text: letter.into() }).to_vec();
    items.push(item("q9", 100, ItemKind::SingleChoice { options }));
    let mut keys: BTreeMap<ItemId, ItemKey> =
        items.iter().map(|item| (item.id.clone(), ItemKey::TrueFalse { right: true })).collect();
    keys.insert("q9".parse().unwrap(), ItemKey::Single { option: "B".parse().unwrap() });
    if by_hand {
        items.push(item("essay", 200, ItemKind::ShortText { chars_max: 100 }));
        keys.insert("essay".parse().unwrap(), ItemKey::ByHand { reference: "要点".into() });
    }
    let paper = Paper { format: PAPER_FORMAT, id: id.parse().unwrap(), title: "卷".into(), items };
    fs::write(dir.join(format!("{id}.paper")), serde_json::to_vec(&KeyedPaper { paper, keys }).unwrap()).unwrap();
}

/// The first `right` judgements right, the others wrong.
pub(crate) fn judged(right: usize) -> Vec<(&'static str, Answer)> {
    const IDS: [&str; 9] = ["q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8"];
    IDS.iter().enumerate().map(|(index, id)| (*id, Answer::TrueFalse(index < right))).collect()
}

/// Writes an opened bundle below `dir`.
pub(crate) fn bundle(dir: &Path, sitting: &str, subject: Subject, sat: &[Sat]) {
    let folder = dir.join(sitting);
    fs::create_dir_all(folder.join("answers")).unwrap();
    let mut files = vec![("manifest.json".to_owned(), serde_json::to_vec(&manifest(sitting, subject, sat)).unwrap())];
    let mut roster = "\u{feff}准考证号,姓名,证件号码,考位,状态\r\n".to_owned();
    for one in sat {
        let number = admission_no(one.serial);
        roster.push_str(&format!("{number},\"{}\",11010519000101{:03}X,1,已交卷\r\n", one.name, one.serial));
        files.push((format!("answers/{number}.json"), serde_json::to_vec(&record(one, paper_of(subject))).unwrap()));
    }
    files.push(("roster.csv".to_owned(), roster.into_bytes()));
    let sums: String = files.iter().map(|(name, bytes)| format!("{}  {name}\n", Sha256::of(bytes))).collect();
    files.push(("SHA256SUMS".to_owned(), sums.into_bytes()));
    files.iter().for_each(|(name, bytes)| fs::write(folder.join(name), bytes).unwrap());
}

fn manifest(sitting: &str, subject: Subject, sat: &[Sat]) -> BundleManifest {
    BundleManifest {
        format: BUNDLE_FORMAT,
        about: BundleAbout {
            site: "site-1".parse().unwrap(),
            site_name: "样例".into(),
            exam: "exam-1".parse().unwrap(),
            exam_title: "样例".into(),
            sitting: sitting.parse().unwrap(),
            title: "场次".into(),
            subject,
            level: "中级".into(),
            room: "r1".parse().unwrap(),
            paper: paper_of(subject).parse().unwrap(),
            planned_start: WallMs(0),
            duration_min: 90,
            server_version: "0.1.0".into(),
        },
        journal_facts: 0,
        journal_head: Sha256::of(b""),
        candidates: sat.len() as u32,
        attempts: sat.len() as u32,
        answers: 0,
        attachments_lost: Vec::new(),
    }
}

/// The planned paper of a subject.
fn paper_of(subject: Subject) -> &'static str {
    match subject {
        Subject::Theory => "theory",
        Subject::Practical => "practical",
    }
}

fn record(sat: &Sat, paper: &str) -> AttemptRecord {
    let version = |(item, answer): &(&str, Answer)| AnswerVersion {
        item: item.parse().unwrap(),
        number: 1,
        answer: answer.clone(),
        made_at: SiteMs(0),
        at: SiteMs(0),
        seq: 1,
    };
    let versions: Vec<AnswerVersion> = sat.answers.iter().map(version).collect();
    AttemptRecord {
        admission_no: admission_no(sat.serial),
        seat: 1.try_into().unwrap(),
        attempt: (sat.state != SeatState::Absent).then_some(AttemptId(1)),
        paper: (sat.state != SeatState::Absent).then(|| sat.paper.unwrap_or(paper).parse().unwrap()),
        terminated: sat.terminated,
        void: sat.void,
        state: sat.state,
        order_seed: Some(1),
        started: Some(SiteMs(0)),
        ends: Some(SiteMs(1)),
        handed_in: Some(SiteMs(1)),
        receipt: None,
        newest: versions.iter().map(|version| (version.item.clone(), version.clone())).collect(),
        versions,
    }
}
