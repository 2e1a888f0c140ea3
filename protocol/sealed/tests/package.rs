//! What a site may believe of an exam package, and what it must refuse. Never needs a network or a clock.

#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

mod sample;

use exam_protocol::{
    grant::GRANTS_MAX,
    ids::Sha256,
    key::{ItemKey, ItemKeys},
    paper::Paper,
};
use exam_sealed::{
    manifest::{Manifest, Roster, SittingPlan},
    package::{self, BuildError, MANIFEST, MANIFEST_SIGNATURE, Package, PackageFault, PackageInput, PaperInput},
    paper as sealing,
    plan::PlanFault,
    zipping,
};
use sample::*;
use std::{collections::BTreeMap, io::Cursor};

struct World {
    hq: Keys,
    site: Keys,
    bytes: Vec<u8>,
}

fn world() -> World {
    let (hq, site) = (keys(), keys());
    let bytes = package::build(package_input(&hq, &site_public("site-1", &site))).unwrap().bytes;
    World { hq, site, bytes }
}

fn open(bytes: &[u8]) -> Result<Package<Cursor<&[u8]>>, PackageFault> {
    Package::open(Cursor::new(bytes))
}

/// Takes the package apart, lets `change` at the members, and zips it again without signing.
fn tampered(bytes: &[u8], change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Vec<u8> {
    let limits =
        zipping::ZipLimits { entries_max: 100, member_bytes_max: 1 << 30, total_bytes_max: 1 << 30, ratio_max: 1 };
    let mut members = zipping::SafeZip::open(Cursor::new(bytes), limits).unwrap().read_all().unwrap();
    change(&mut members);
    zipping::write_zip(members.iter().map(|(n, b)| (n.as_str(), b.as_slice()))).unwrap()
}

fn edit_manifest(members: &mut BTreeMap<String, Vec<u8>>, edit: impl FnOnce(&mut serde_json::Value)) {
    let mut manifest = serde_json::from_slice(&members[MANIFEST]).unwrap();
    edit(&mut manifest);
    members.insert(MANIFEST.into(), serde_json::to_vec_pretty(&manifest).unwrap());
}

#[test]
fn a_site_opens_its_package_and_with_the_code_the_paper() {
    let World { hq, site, bytes } = world();
    let mut package = open(&bytes).unwrap();
    package.verify(&hq.signing.public_line).unwrap();
    package.verify(&hq.signing.public_file).unwrap();
    package.check_site(&site_public("site-1", &site)).unwrap();
    package.check_server_version("0.1.0").unwrap();
    package.check_server_version("1.0.0").unwrap();

    let roster = package.roster(&site.sealing.identity_file).unwrap();
    assert_eq!(roster.candidates.len(), 3);
    let photo = roster.candidates[0].photo.clone().unwrap();
    assert_eq!(package.open_member(&photo, &site.sealing.identity_file, 1000).unwrap(), b"\xff\xd8\xff photo");

    let entry = package.manifest().papers[0].clone();
    let (sealed, wrapped) = (package.member(&entry.sealed).unwrap(), package.member(&entry.key).unwrap());
    let secret = sealing::unwrap_key(&wrapped, &site.sealing.identity_file, &unlock_code()).unwrap();
    assert_eq!(sealing::open_paper(&sealed, secret.expose()).unwrap(), paper());
}

#[test]
fn nothing_secret_or_personal_stands_in_the_clear() {
    let World { bytes, .. } = world();
    for secret in [CANARY.to_owned(), unlock_code().to_string(), id_number(1), "考生1".into(), admission(1).to_string()]
    {
        assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()), "{secret} is readable in the package");
    }
}

#[test]
fn another_hq_another_site_and_an_older_server_are_refused_in_words() {
    let World { site, bytes, .. } = world();
    let mut package = open(&bytes).unwrap();
    let refused = package.verify(&keys().signing.public_line).unwrap_err();
    assert!(whole(&refused).contains("not HQ's: it was signed with key"), "{}", whole(&refused));
    let refused = package.check_site(&site_public("site-2", &site)).unwrap_err();
    assert_eq!(refused.to_string(), "the package is for site site-1, this is site site-2");
    assert!(matches!(package.check_site(&site_public("site-1", &keys())), Err(PackageFault::OldSiteKeys { .. })));
    for (ours, enough) in
        [("0.1.0", true), ("0.10.0", true), ("0.0.9", false), ("x", false), ("0.1", false), ("1.0.0.0", false)]
    {
        assert_eq!(package.check_server_version(ours).is_ok(), enough, "{ours}");
    }
    let refused = package.roster(&keys().sealing.identity_file).err().unwrap();
    assert!(whole(&refused).contains("roster.age cannot be opened: it is sealed for another key"));
}

#[test]
fn a_newer_format_is_refused_naming_both() {
    let newer = tampered(&world().bytes, |members| edit_manifest(members, |m| m["format"] = 9.into()));
    let words = whole(&open(&newer).unwrap_err());
    assert!(words.contains("format 9") && words.contains("up to 1"), "{words}");
}

#[test]
fn changed_missing_and_unlisted_members_are_named() {
    let World { bytes, .. } = world();
    let changed = tampered(&bytes, |m| m.get_mut("roster.age").unwrap()[200] ^= 1);
    assert!(whole(&open(&changed).unwrap_err()).contains("member roster.age was changed"));
    let missing = tampered(&bytes, |m| drop(m.remove("papers/p1.age")));
    assert!(whole(&open(&missing).unwrap_err()).contains("papers/p1.age: missing"));
    let extra = tampered(&bytes, |m| drop(m.insert("extra.exe".into(), vec![])));
    assert!(whole(&open(&extra).unwrap_err()).contains("extra.exe: not listed"));
    let unsigned = tampered(&bytes, |m| drop(m.remove(MANIFEST_SIGNATURE)));
    assert!(whole(&open(&unsigned).unwrap_err()).contains("manifest.json.minisig: missing"));
    let swapped = tampered(&bytes, |m| {
        let (a, b) = (m["papers/p1.age"].clone(), m["papers/p1.key.age"].clone());
        m.insert("papers/p1.age".into(), b);
        m.insert("papers/p1.key.age".into(), a);
    });
    assert!(matches!(open(&swapped), Err(PackageFault::Changed { .. })));
}

#[test]
fn an_edited_manifest_loses_its_signature() {
    let World { hq, bytes, .. } = world();
    let longer = tampered(&bytes, |members| edit_manifest(members, |m| m["sittings"][0]["duration_min"] = 120.into()));
    assert!(matches!(open(&longer).unwrap().verify(&hq.signing.public_line), Err(PackageFault::Signature(_))));
    // Who re-signs with a key of their own, and even names it in the manifest, is still not HQ.
    let thief = keys();
    let resigned = tampered(&bytes, |members| {
        edit_manifest(members, |m| m["hq_minisign"] = thief.signing.public_line.clone().into());
        let signature = exam_sealed::keys::sign(&thief.signing.secret_file, &members[MANIFEST], "x").unwrap();
        members.insert(MANIFEST_SIGNATURE.into(), signature.into_bytes());
    });
    assert!(open(&resigned).unwrap().verify(&hq.signing.public_line).is_err());
}

#[test]
fn every_cut_and_most_flips_are_refused_and_none_panics() {
    let World { hq, bytes, .. } = world();
    let mut dice = Dice(11);
    for _ in 0..150 {
        let cut = dice.below(bytes.len());
        assert!(open(&bytes[..cut]).is_err(), "cut at {cut}");
        let mut flipped = bytes.clone();
        let at = dice.below(bytes.len());
        flipped[at] ^= 1 << dice.below(8);
        // Flips in dates of the zip change nothing that is read; everything that is read must be as it was.
        if let Ok(mut package) = open(&flipped)
            && package.verify(&hq.signing.public_line).is_ok()
        {
            assert_eq!(
                package.member(MANIFEST).unwrap(),
                open(&bytes).unwrap().member(MANIFEST).unwrap(),
                "flip at {at}"
            );
        }
    }
}

fn plan_fault(change: impl FnOnce(&mut PackageInput)) -> PlanFault {
    let (hq, site) = (keys(), keys());
    let mut input = package_input(&hq, &site_public("site-1", &site));
    change(&mut input);
    match package::build(input).err() {
        Some(BuildError::Plan(fault)) => fault,
        other => panic!("expected a plan fault, got {other:?}"),
    }
}

#[test]
fn impossible_plans_are_never_built() {
    use PlanFault as F;
    type Case = (PlanFault, fn(&mut PackageInput));
    let cases: [Case; 13] = [
        (F::TooManyGrants { sitting: "s1".parse().unwrap(), found: GRANTS_MAX + 1 }, |i| {
            i.sittings[0].hq_grants = vec![Sha256::of(b"grant"); GRANTS_MAX + 1]
        }),
        (F::DuplicateRoom("r1".parse().unwrap()), |i| i.rooms.push(i.rooms[0].clone())),
        (F::DuplicateSeat { room: "r1".parse().unwrap(), seat: seat(1) }, |i| i.rooms[0].spares.push(seat(1))),
        (F::NoSittings, |i| i.sittings.clear()),
        (F::DuplicateSitting("s1".parse().unwrap()), |i| i.sittings.push(i.sittings[0].clone())),
        (F::RoomUnknown { sitting: "s1".parse().unwrap(), room: "r9".parse().unwrap() }, |i| {
            i.sittings[0].room = "r9".parse().unwrap()
        }),
        (F::PaperUnknown { sitting: "s1".parse().unwrap(), paper: "p9".parse().unwrap() }, |i| {
            i.sittings[0].paper = "p9".parse().unwrap()
        }),
        (F::Duration { sitting: "s1".parse().unwrap(), minutes: 601 }, |i| i.sittings[0].duration_min = 601),
        (F::DuplicateCandidate { admission_no: admission(1) }, |i| i.candidates[1].entry.admission_no = admission(1)),
        (F::SameIdNumber { first: admission(1), second: admission(2) }, |i| {
            i.candidates[1].entry.id_number = id_number(1)
        }),
        (F::NoPlace { admission_no: admission(2) }, |i| i.candidates[1].entry.places.clear()),
        (
            F::SeatShared { first: admission(1), second: admission(2), sitting: "s1".parse().unwrap(), seat: seat(1) },
            |i| i.candidates[1].entry.places[0].seat = seat(1),
        ),
        (
            F::SeatUnknown {
                admission_no: admission(2),
                sitting: "s1".parse().unwrap(),
                room: "r1".parse().unwrap(),
                seat: seat(5),
            },
            |i| i.candidates[1].entry.places[0].seat = seat(5),
        ),
    ];
    for (fault, change) in cases {
        assert_eq!(plan_fault(change), fault);
    }
}

fn answer_key() -> ItemKeys {
    ItemKeys::from([("q1".parse().unwrap(), ItemKey::Single { option: "B".parse().unwrap() })])
}

#[test]
fn an_answer_key_never_leaves_hq_with_a_real_paper() {
    let own = || F::KeyOfRealPaper("p1".parse().unwrap());
    use PlanFault as F;
    assert_eq!(plan_fault(|i| i.papers[0].mock_key = Some(answer_key())), own());
    let of_backup = plan_fault(|i| {
        let backup = Paper { id: "b1".parse().unwrap(), ..paper() };
        let (code, backup_of) = (unlock_code(), Some("p1".parse().unwrap()));
        i.papers.push(PaperInput { paper: backup, code, backup_of, mock_key: Some(answer_key()) });
    });
    assert_eq!(of_backup, F::KeyOfRealPaper("b1".parse().unwrap()), "nor with its backup");
    let shared = plan_fault(|i| {
        i.papers[0].mock_key = Some(answer_key());
        let mock = SittingPlan { sitting: "m1".parse().unwrap(), mock: true, ..i.sittings[0].clone() };
        i.sittings.push(mock);
    });
    assert_eq!(shared, own(), "a mock sitting of the same paper does not make it a mock paper");
    let idle = plan_fault(|i| {
        let (id, code) = ("x1".parse().unwrap(), unlock_code());
        i.papers.push(PaperInput {
            paper: Paper { id, ..paper() },
            code,
            backup_of: None,
            mock_key: Some(answer_key()),
        });
    });
    assert_eq!(idle, F::KeyOfRealPaper("x1".parse().unwrap()), "nor with a paper nobody sits");
}

#[test]
fn a_site_refuses_an_answer_key_with_a_real_paper_whoever_built_the_package() {
    let World { bytes, .. } = world();
    let with_key = |listed: bool| {
        tampered(&bytes, |members| {
            members.insert("papers/p1.answers.age".into(), b"key".to_vec());
            edit_manifest(members, |m| {
                let member =
                    serde_json::json!({"name": "papers/p1.answers.age", "bytes": 3, "sha256": Sha256::of(b"key")});
                m["members"].as_array_mut().unwrap().push(member);
                if listed {
                    m["papers"][0]["mock_key"] = "papers/p1.answers.age".into();
                }
            });
        })
    };
    assert!(matches!(open(&with_key(true)), Err(PackageFault::Plan(PlanFault::KeyOfRealPaper(_)))));
    let hidden = whole(&open(&with_key(false)).unwrap_err());
    assert!(hidden.contains("p1.answers.age: has no place in a package"), "{hidden}");
}

#[test]
fn a_mock_papers_key_travels_sealed_and_opens_with_the_papers_own() {
    let (hq, site) = (keys(), keys());
    let mut input = package_input(&hq, &site_public("site-1", &site));
    input.sittings[0].mock = true;
    input.papers[0].mock_key = Some(answer_key());
    let bytes = package::build(input).unwrap().bytes;
    let mut package = open(&bytes).unwrap();
    let entry = package.manifest().papers[0].clone();
    let sealed = package.member(&entry.mock_key.unwrap()).unwrap();
    let secret = package.member(&entry.key).unwrap();
    let secret = sealing::unwrap_key(&secret, &site.sealing.identity_file, &unlock_code()).unwrap();
    assert_eq!(sealing::open_mock_key(&sealed, secret.expose(), paper()).unwrap().keys, answer_key());
    assert!(sealing::open_mock_key(&sealed, &site.sealing.identity_file, paper()).is_err(), "not before its code");
}

#[test]
fn a_site_judges_the_roster_itself() {
    // HQ's program refuses such a roster; a package made otherwise must not get past the site either.
    let World { site, bytes, .. } = world();
    let roster = |change: fn(&mut Roster)| {
        let mut roster = open(&bytes).unwrap().roster(&site.sealing.identity_file).unwrap();
        change(&mut roster);
        let sealed = exam_sealed::seal::seal(&serde_json::to_vec(&roster).unwrap(), &site.sealing.recipient).unwrap();
        let package = tampered(&bytes, |members| {
            let mut manifest: Manifest = serde_json::from_slice(&members[MANIFEST]).unwrap();
            let entry = manifest.members.iter_mut().find(|m| m.name == "roster.age").unwrap();
            (entry.bytes, entry.sha256) = (sealed.len() as u64, Sha256::of(&sealed));
            members.insert(MANIFEST.into(), serde_json::to_vec(&manifest).unwrap());
            members.insert("roster.age".into(), sealed);
        });
        open(&package).unwrap().roster(&site.sealing.identity_file).err()
    };
    assert!(roster(|_| {}).is_none());
    assert!(matches!(
        roster(|r| r.candidates.push(r.candidates[0].clone())),
        Some(PackageFault::Plan(PlanFault::DuplicateCandidate { .. }))
    ));
    assert!(matches!(
        roster(|r| r.candidates[1].places[0].seat = seat(1)),
        Some(PackageFault::Plan(PlanFault::SeatShared { .. }))
    ));
    assert!(matches!(
        roster(|r| r.candidates[0].photo = Some("photos/none.age".into())),
        Some(PackageFault::Plan(PlanFault::PhotoMissing { .. }))
    ));
}
