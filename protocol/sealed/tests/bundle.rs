//! A result bundle holds or is refused with a place. Never accepts a changed byte.

#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

mod sample;

use exam_protocol::{
    answer::Answer, code::SeatState, ids::Sha256, incident::RecordNo, message::attendance::EndWhy, site::SitePublic,
    time::SiteMs,
};
use exam_sealed::{
    bundle::{self, BundleContents, BundleFault, Termination},
    keys::sign,
    zipping,
};
use sample::*;
use serde_json::json;
use std::{collections::BTreeMap, io::Cursor, slice};

struct World {
    hq: Keys,
    site: Keys,
    public: SitePublic,
    zip: Vec<u8>,
}

fn world() -> World {
    let (hq, site) = (keys(), keys());
    let public = site_public("site-1", &site);
    let zip = bundle::write(contents(&public), &site.signing.secret_file).unwrap();
    World { hq, site, public, zip }
}

impl World {
    fn verify(&self, zip: &[u8]) -> Result<bundle::BundleReport, BundleFault> {
        bundle::verify(zip, &self.public.minisign, &self.public.site)
    }

    fn write(&self, change: impl FnOnce(&mut BundleContents)) -> Result<Vec<u8>, BundleFault> {
        let mut contents = contents(&self.public);
        change(&mut contents);
        bundle::write(contents, &self.site.signing.secret_file)
    }

    /// Members changed; sums and signature made right again with the site's key if `resign`.
    fn tampered(&self, resign: Resign, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Vec<u8> {
        let mut members = self.verify(&self.zip).unwrap().members;
        change(&mut members);
        if resign == Resign::Yes {
            members.remove(bundle::SUMS);
            members.remove(bundle::SUMS_SIGNATURE);
            let sums: String = members.iter().map(|(n, b)| format!("{}  {n}\n", Sha256::of(b))).collect();
            let signature =
                sign(&self.site.signing.secret_file, sums.as_bytes(), "result bundle s1 of site-1").unwrap();
            members.insert(bundle::SUMS.into(), sums.into_bytes());
            members.insert(bundle::SUMS_SIGNATURE.into(), signature.into_bytes());
        }
        zipping::write_zip(members.iter().map(|(n, b)| (n.as_str(), b.as_slice()))).unwrap()
    }

    fn refusal(&self, zip: &[u8]) -> String {
        whole(&self.verify(zip).expect_err("must be refused"))
    }
}

#[derive(PartialEq)]
enum Resign {
    Yes,
    No,
}

#[test]
fn the_same_contents_give_the_same_bytes() {
    let world = world();
    let again = world.write(|c| c.attempts.reverse()).unwrap();
    assert!(again == world.zip, "two exports must be byte-equal, whatever order the records came in");
}

#[test]
fn a_sealed_bundle_opens_at_hq_and_holds() {
    let world = world();
    let sealed = bundle::seal(&world.zip, &world.hq.sealing.recipient).unwrap();
    let opened = bundle::open(&sealed, &world.hq.sealing.identity_file).unwrap();
    assert_eq!(bundle::peek(&opened).unwrap().about.sitting.as_str(), "s1");
    let report = world.verify(&opened).unwrap();
    assert_eq!(
        (report.manifest.candidates, report.manifest.attempts, report.manifest.answers, report.versions),
        (3, 2, 2, 3)
    );
    assert_eq!(report.manifest.journal_facts, 9);
    let first = &report.attempts[0];
    assert_eq!(
        first.newest.values().next().unwrap().answer,
        Answer::Single("B".parse().unwrap()),
        "the highest number is the newest"
    );
    assert_eq!(report.attempts[2].state, SeatState::Absent);
    assert!(bundle::open(&sealed, &keys().sealing.identity_file).is_err(), "sealed for HQ alone");
}

#[test]
fn the_roster_table_opens_in_a_spreadsheet() {
    let world = world();
    let zip = world.write(|c| c.people.get_mut(&admission(2)).unwrap().name = "=cmd|' /C calc'!A0".into()).unwrap();
    let csv = String::from_utf8(world.verify(&zip).unwrap().members[bundle::ROSTER].clone()).unwrap();
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(lines[0], "\u{FEFF}准考证号,姓名,证件号码,考位,状态");
    assert_eq!(lines[1], format!("{},考生1,{},1,已交卷", admission(1), id_number(1)));
    assert_eq!(lines[2], format!("{},\"'=cmd|' /C calc'!A0\",{},2,已结束", admission(2), id_number(2)));
    assert!(lines[3].ends_with(",3,缺考"));
}

#[test]
fn contents_that_contradict_the_journal_are_never_written() {
    let world = world();
    let refused = |change: fn(&mut BundleContents)| whole(&world.write(change).expect_err("must be refused"));
    type Case = (&'static str, fn(&mut BundleContents));
    let cases: [Case; 8] = [
        ("version 2 of item q1 is not what journal line 8 says", |c| c.attempts[1].versions[0].answer = Answer::Empty),
        ("version 2 of item q1 (journal line 8) is missing", |c| drop(c.attempts[1].versions.remove(0))),
        ("it has answers but no attempt", |c| c.attempts[1].attempt = None),
        ("not the one that signed in", |c| c.attempts[1].order_seed = Some(1)),
        ("receipt of the hand-in is not what the journal says", |c| c.attempts[1].receipt = Some("OTHER".into())),
        ("missing, though the journal has the attempt", |c| drop(c.attempts.remove(2))),
        ("two records for one candidate", |c| c.attempts.push(c.attempts[0].clone())),
        ("a candidate has no name and ID number", |c| drop(c.people.remove(&admission(3)))),
    ];
    for (words, change) in cases {
        assert!(refused(change).contains(words), "{words} / {}", refused(change));
    }
    let broken = |c: &mut BundleContents| c.journal = c.journal.replacen("\"B\"", "\"A\"", 1);
    assert!(whole(&world.write(broken).unwrap_err()).contains("journal line 8 was changed"));
}

#[test]
fn every_fault_names_its_place() {
    let world = world();
    let answers = format!("answers/{}.json", admission(1));
    let edit = |m: &mut BTreeMap<String, Vec<u8>>, name: &str, from: &str, to: &str| {
        let text = String::from_utf8(m[name].clone()).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        m.insert(name.into(), text.replacen(from, to, 1).into_bytes());
    };
    let not_ours = bundle::verify(&world.zip, &keys().signing.public_line, &world.public.site).unwrap_err();
    assert!(whole(&not_ours).contains("SHA256SUMS.minisig is not the site's signature"));
    let other_site = bundle::verify(&world.zip, &world.public.minisign, &"site-2".parse().unwrap()).unwrap_err();
    assert_eq!(other_site.to_string(), "manifest.json: site is site-1, the members say site-2");

    // Without the site's key: the sums show the member.
    let zip = world.tampered(Resign::No, |m| edit(m, &answers, "\"B\"", "\"A\""));
    assert!(world.refusal(&zip).contains(&format!("the SHA-256 of {answers} is another")), "{}", world.refusal(&zip));
    let zip = world.tampered(Resign::No, |m| drop(m.remove(&answers)));
    assert!(world.refusal(&zip).contains(&format!("it lists {answers}")));
    let zip = world.tampered(Resign::No, |m| drop(m.insert("answers/x.json".into(), vec![])));
    assert!(world.refusal(&zip).contains("answers/x.json"));

    // With the site's key: the journal still contradicts.
    let zip = world.tampered(Resign::Yes, |m| {
        edit(m, &answers, "\"B\"", "\"A\"");
        edit(m, &answers, "\"B\"", "\"A\"");
    });
    assert!(world.refusal(&zip).contains("is not what journal line 8 says"), "{}", world.refusal(&zip));
    let zip = world.tampered(Resign::Yes, |m| edit(m, bundle::JOURNAL, "\"seq\":5", "\"seq\":6"));
    assert!(world.refusal(&zip).contains("journal line 5 holds fact 6"));
    let zip = world.tampered(Resign::Yes, |m| {
        let text = String::from_utf8(m[bundle::JOURNAL].clone()).unwrap();
        let cut = text.trim_end().rfind('\n').unwrap();
        m.insert(bundle::JOURNAL.into(), text.as_bytes()[..=cut].to_vec());
    });
    assert!(world.refusal(&zip).contains("journal_facts is 9, the members say 8"));
    let zip = world.tampered(Resign::Yes, |m| edit(m, bundle::MANIFEST, "\"format\": 1", "\"format\": 2"));
    assert!(world.refusal(&zip).contains("format 2") && world.refusal(&zip).contains("up to 1"));
    let zip = world.tampered(Resign::Yes, |m| edit(m, bundle::ROSTER, "缺考", "已交卷"));
    assert!(world.refusal(&zip).contains("roster.csv, line 4: seat or state"));
    let zip = world.tampered(Resign::Yes, |m| drop(m.insert("virus.exe".into(), vec![])));
    assert!(world.refusal(&zip).contains("virus.exe: has no place"));
}

/// Another story than the usual one: the candidates' facts, and what their records must say.
fn told(world: &World, more: &[(&'static str, serde_json::Value)], change: impl FnOnce(&mut BundleContents)) -> String {
    let outcome = world.write(|c| {
        let mut facts = facts();
        facts.extend(more.iter().map(|(kind, body)| ("sitting:s1", *kind, body.clone())));
        c.journal = journal(&world.public.site, &facts);
        change(c);
    });
    outcome.map_or_else(|fault| whole(&fault), |_| "ok".to_owned())
}

#[test]
fn each_record_names_the_paper_it_was_sat_with_as_the_journal_tells_it() {
    let world = world();
    let used = |target: serde_json::Value| ("backup_paper_used", json!({"target": target, "paper": "b1"}));
    let paper = |n: usize, id: &'static str| move |c: &mut BundleContents| c.attempts[n].paper = id.parse().ok();
    let wrong = "the paper is not the one the journal says";
    assert!(told(&world, &[], paper(1, "b1")).contains(wrong), "nobody opened a backup paper");
    assert!(told(&world, &[], |c| c.attempts[1].paper = None).contains(wrong));
    assert!(told(&world, &[], paper(0, "p1")).contains("a paper or a decision but no attempt"));
    // For one candidate: that one, and no other.
    let one = [used(json!({"attempt": 2}))];
    assert_eq!(told(&world, &one, paper(2, "b1")), "ok");
    assert!(told(&world, &one, |_| ()).contains(wrong));
    assert!(told(&world, &[used(json!({"attempt": 9}))], |_| ()).contains("nobody began"));
    // For all: who had handed in keeps the paper it was finished with.
    let all = [used(json!("sitting"))];
    assert_eq!(told(&world, &all, paper(2, "b1")), "ok");
    let everybody = |c: &mut BundleContents| c.attempts[1..].iter_mut().for_each(|a| a.paper = "b1".parse().ok());
    assert!(told(&world, &all, everybody).contains(wrong));
}

#[test]
fn a_void_result_and_an_end_by_decision_are_in_the_record_as_the_journal_tells_them() {
    let world = world();
    let violation =
        |measure: &str| ("violation_recorded", json!({"number": 7, "attempt": 2, "measure": measure, "facts": "x"}));
    let void = |c: &mut BundleContents| c.attempts[2].void = Some(RecordNo(7));
    assert_eq!(told(&world, &[violation("void")], void), "ok");
    assert!(told(&world, &[violation("void")], |_| ()).contains("成绩无效"), "a void result is never left out");
    assert!(told(&world, &[violation("warn")], void).contains("成绩无效"), "nor made up");
    assert_eq!(told(&world, &[violation("void"), violation("warn")], void), "ok", "nothing takes it back");

    let ended = |at, violation| {
        let why = if violation { EndWhy::Violation } else { EndWhy::Illness };
        let violation = violation.then_some(RecordNo(7));
        move |c: &mut BundleContents| c.attempts[2].terminated = Some(Termination { at: SiteMs(at), why, violation })
    };
    let ill = ("attempt_ended", json!({"attempt": 2, "why": "illness", "reason": "x"}));
    let for_violation = ("exam_ended_for_violation", json!({"attempt": 2, "violation": 7}));
    assert_eq!(told(&world, slice::from_ref(&ill), ended(100, false)), "ok");
    assert!(told(&world, slice::from_ref(&ill), |_| ()).contains("终止考核"));
    assert!(told(&world, slice::from_ref(&ill), ended(101, false)).contains("终止考核"));
    assert_eq!(told(&world, slice::from_ref(&for_violation), ended(100, true)), "ok");
    assert!(told(&world, &[for_violation], ended(100, false)).contains("终止考核"));

    let reopened = |attempt: u64| ("attempt_reopened", json!({"attempt": attempt, "rest_ms": 1}));
    assert_eq!(told(&world, &[ill, reopened(2)], |_| ()), "ok", "opened again, it is ended no more");
    let open = |c: &mut BundleContents| (c.attempts[1].handed_in, c.attempts[1].receipt) = (None, None);
    assert_eq!(told(&world, &[reopened(1)], open), "ok", "nor handed in");
    assert!(told(&world, &[reopened(1)], |_| ()).contains("hand-in"));
}

#[test]
fn a_sitting_that_was_called_off_or_planned_anew_is_told_from_there_on() {
    let world = world();
    let story = |scope: &'static str, kind: &'static str, body: serde_json::Value| {
        let before = json!({"attempt": 9, "admission_no": admission(1), "order_seed": 1});
        let outcome = world.write(|c| {
            let earlier = [("sitting:s1", "signed_in", before), (scope, kind, body)];
            c.journal = journal(&world.public.site, &earlier.into_iter().chain(facts()).collect::<Vec<_>>());
            for version in c.attempts.iter_mut().flat_map(|attempt| &mut attempt.versions) {
                (version.seq, version.at) = (version.seq + 2, version.at.plus(20));
            }
            c.attempts[1].handed_in = Some(SiteMs(110));
        });
        outcome.map_or_else(|fault| whole(&fault), |_| "ok".to_owned())
    };
    assert_eq!(story("sitting:s1", "sitting_called_off", json!({"sitting": "s1", "reason": "停电"})), "ok");
    assert_eq!(story("site", "package_taken", json!({"exam": "2026-sample"})), "ok");
    assert!(story("site", "package_taken", json!({"exam": "another"})).contains("the journal has the attempt"));
}

#[test]
fn files_the_record_names_are_in_the_bundle_or_said_to_be_lost() {
    let world = world();
    let (photo, scan) = (b"\xff\xd8\xff photo".to_vec(), b"%PDF-1.7 scan".to_vec());
    let (a, b) = (Sha256::of(&photo), Sha256::of(&scan));
    let named = [
        ("incident_recorded", json!({"details": {"attachments": [a], "text": "x"}})),
        ("incident_followed_up", json!({"attachments": [b]})),
    ];
    let with = |list: Vec<(Sha256, Option<Vec<u8>>)>| move |c: &mut BundleContents| c.attachments.extend(list);
    let both = || vec![(a, Some(photo.clone())), (b, Some(scan.clone()))];
    assert_eq!(told(&world, &named, with(both())), "ok");
    assert_eq!(told(&world, &named, with(vec![(a, Some(photo.clone())), (b, None)])), "ok", "said to be lost");
    assert!(told(&world, &named, with(vec![(a, Some(photo.clone()))])).contains("neither here nor said to be lost"));
    assert!(told(&world, &[], with(both())).contains("no fact names this file"));
    assert!(told(&world, &[], with(vec![(a, None)])).contains("neither here nor said to be lost"));

    let zip = world.write(|c| {
        let more = named.iter().map(|(kind, body)| ("site", *kind, body.clone()));
        c.journal = journal(&world.public.site, &facts().into_iter().chain(more).collect::<Vec<_>>());
        c.attachments.extend(both());
    });
    let members = world.verify(&zip.unwrap()).unwrap().members;
    assert_eq!(members[&format!("attachments/{a}.jpg")], photo, "the whole site's incidents come along");
    assert_eq!(members[&format!("attachments/{b}.pdf")], scan);
    let renamed = world.tampered(Resign::Yes, |m| drop(m.insert(format!("attachments/{a}.jpg"), scan.clone())));
    assert!(world.refusal(&renamed).contains("its content is not what its name says"));
}

/// Flips, cuts, inserts and swaps, from a printed seed. The control: the untouched bundle holds.
#[test]
fn ten_thousand_changes_to_the_plain_bundle_are_all_refused() {
    let world = world();
    world.verify(&world.zip).expect("the control: unchanged, it holds");
    let seed = 20_261_123;
    println!("seed {seed}");
    let mut dice = Dice(seed);
    for round in 0..10_000 {
        let changed = mutate(&world.zip, &mut dice);
        assert!(world.verify(&changed).is_err(), "seed {seed}, round {round}: a change went unnoticed");
    }
    let names: Vec<String> = world.verify(&world.zip).unwrap().members.into_keys().collect();
    for (index, a) in names.iter().enumerate() {
        for b in &names[index + 1..] {
            let swapped = world.tampered(Resign::No, |m| {
                let (x, y) = (m[a].clone(), m[b].clone());
                m.insert(a.clone(), y);
                m.insert(b.clone(), x);
            });
            assert!(world.verify(&swapped).is_err(), "{a} and {b} swapped");
        }
    }
}

#[test]
fn five_thousand_changes_to_the_sealed_bundle_are_all_refused() {
    let world = world();
    let sealed = bundle::seal(&world.zip, &world.hq.sealing.recipient).unwrap();
    let seed = 4_711;
    println!("seed {seed}");
    let mut dice = Dice(seed);
    for round in 0..5_000 {
        let changed = mutate(&sealed, &mut dice);
        let opened = bundle::open(&changed, &world.hq.sealing.identity_file);
        assert!(opened.is_err(), "seed {seed}, round {round}: a change went unnoticed");
    }
}

fn mutate(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let at = dice.below(bytes.len());
    match dice.below(5) {
        0 => out[at] ^= 1 << dice.below(8),
        1 => out.truncate(at),
        2 => out.insert(at, dice.below(256) as u8),
        3 => drop(out.remove(at)),
        _ => out[at] = out[at].wrapping_add(1 + dice.below(255) as u8),
    }
    // Inserting a byte beside its equal, or cutting nothing, changes nothing: make it a change.
    if out == bytes {
        out.push(0);
    }
    out
}

#[test]
fn random_bytes_are_refused_and_never_panic() {
    let world = world();
    let mut dice = Dice(99);
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..dice.below(400)).map(|_| dice.below(256) as u8).collect();
        assert!(bundle::open(&bytes, &world.hq.sealing.identity_file).is_err());
        assert!(world.verify(&bytes).is_err());
        assert!(bundle::peek(&bytes).is_err());
    }
    assert!(
        zipping::SafeZip::open(
            Cursor::new(b"PK\x05\x06".as_slice()),
            zipping::ZipLimits { entries_max: 1, member_bytes_max: 1, total_bytes_max: 1, ratio_max: 1 }
        )
        .is_err()
    );
}
