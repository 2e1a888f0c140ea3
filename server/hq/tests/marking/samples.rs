//! `sample`: what it writes goes the whole way.

use crate::{bad, good};
use exam_content::{photos, rooms, roster};
use exam_protocol::site::{SITE_PUBLIC_FORMAT, SitePublic};
use exam_sealed::keys;
use std::{collections::BTreeSet, fs};

#[test]
fn the_same_seed_writes_the_same_files_and_another_one_others() {
    let dir = tempfile::tempdir().unwrap();
    for (out, seed) in [("a", "7"), ("b", "7"), ("c", "8")] {
        good(dir.path(), &["--json", "sample", "--out", out, "--seed", seed, "--seats", "5", "--questions", "20"]);
    }
    let read = |out: &str, name: &str| fs::read(dir.path().join(out).join(name)).unwrap();
    for name in ["roster.xlsx", "rooms.xlsx", "bank-wide.xlsx", "bank-long.xlsx", "photos.zip", "PLAN.toml"] {
        assert_eq!(read("a", name), read("b", name), "{name}");
    }
    assert_ne!(read("a", "bank-wide.xlsx"), read("c", "bank-wide.xlsx"));
    bad(dir.path(), 5, &["sample", "--out", "a"]);
}

#[test]
fn both_shapes_of_the_bank_give_the_same_paper() {
    let dir = tempfile::tempdir().unwrap();
    good(dir.path(), &["--json", "sample", "--out", "s", "--questions", "200", "--seed", "11"]);
    for bank in ["wide", "long"] {
        let (input, out) = (format!("s/bank-{bank}.xlsx"), format!("{bank}.paper"));
        good(
            dir.path(),
            &["--json", "paper", "import", "--in", &input, "--title", "样卷", "--id", "paper", "--out", &out],
        );
    }
    assert_eq!(fs::read(dir.path().join("wide.paper")).unwrap(), fs::read(dir.path().join("long.paper")).unwrap());
}

#[test]
fn five_hundred_candidates_have_numbers_desks_and_faces_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    good(dir.path(), &["--json", "sample", "--out", "s", "--seats", "500"]);
    let read = |name: &str| fs::read(dir.path().join("s").join(name)).unwrap();
    let roster = roster::read(&read("roster.xlsx"), "roster.xlsx").unwrap();
    assert_eq!((roster.value.len(), roster.warnings), (500, Vec::new()), "every number checks");
    let ids: BTreeSet<String> = roster.value.iter().map(|row| row.id_number.clone()).collect();
    let photos = photos::read(&read("photos.zip"), "photos.zip", &ids).unwrap();
    assert_eq!((photos.value.by_id.len(), photos.warnings), (500, Vec::new()), "every photo has the right size");
    assert_eq!(rooms::read(&read("rooms.xlsx"), "rooms.xlsx").unwrap().value[0].seats, 500);
}

#[test]
fn the_sample_plan_builds_a_package() {
    let dir = tempfile::tempdir().unwrap();
    good(dir.path(), &["--json", "keys", "new", "--out", "hq"]);
    let site = SitePublic {
        format: SITE_PUBLIC_FORMAT,
        site: "site-1".parse().unwrap(),
        name: "样例考点".into(),
        ca_pem: "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n".into(),
        minisign: keys::generate_minisign().unwrap().public_line,
        age_recipient: keys::generate_age().recipient,
    };
    fs::write(dir.path().join("site.json"), serde_json::to_vec(&site).unwrap()).unwrap();
    good(dir.path(), &["--json", "sample", "--out", "s", "--seats", "3", "--site", "site.json", "--keys", "hq"]);
    good(
        dir.path(),
        &["--json", "paper", "import", "--in", "s/bank-wide.xlsx", "--title", "样卷", "--out", "s/paper.paper"],
    );
    let built = good(dir.path(), &["--json", "package", "build", "--plan", "s/PLAN.toml", "--out", "sample.exam"]);
    assert_eq!((built["candidates"].as_u64(), built["photos"].as_u64()), (Some(3), Some(3)));
}
