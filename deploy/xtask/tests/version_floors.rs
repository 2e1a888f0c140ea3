//! P19: known-bad versions cannot come back. Cargo.lock is the only advisory database that is always at hand.
//! Never allows a crate that the project has decided against.

use std::{fs, path::Path};

/// Crate, lowest version allowed, why.
const FLOORS: &[(&str, [u64; 3], &str)] = &[
    ("quinn-proto", [0, 11, 15], "two remote denials of service before it"),
    ("rusqlite", [0, 43, 0], "older ones bundle a SQLite that can corrupt itself when a WAL is reset"),
    ("rustls", [0, 23, 18], "a peer could make older servers loop for ever"),
    ("ring", [0, 17, 12], "AES could panic with overflow checks, which we keep on"),
];

/// Crates we decided against, and why.
const BANNED: &[(&str, &str)] = &[
    ("aws-lc-rs", "one crypto provider: ring"),
    ("openssl", "one crypto provider: ring"),
    ("native-tls", "trust is the site's CA, never the system's"),
    ("rsa", "known timing side channel"),
    ("rkyv", "not made for hostile bytes"),
];

fn locked() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let text = fs::read_to_string(path).expect("the lock file is part of the project");
    let value = |line: &str, key: &str| Some(line.strip_prefix(key)?.strip_prefix(" = ")?.trim_matches('"').to_owned());
    let packages = text.split("[[package]]").skip(1);
    packages
        .map(|package| {
            let find =
                |key| package.lines().find_map(|line| value(line, key)).expect("every package has name and version");
            (find("name"), find("version"))
        })
        .collect()
}

fn numbers(version: &str) -> [u64; 3] {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let mut parts = core.split('.').map(|part| part.parse().expect("versions are numbers"));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

#[test]
fn no_locked_version_is_below_its_floor() {
    let locked = locked();
    for (name, floor, why) in FLOORS {
        let versions: Vec<&String> = locked.iter().filter(|(n, _)| n == name).map(|(_, version)| version).collect();
        assert!(!versions.is_empty(), "{name} is no longer used: remove its floor");
        for version in versions {
            assert!(numbers(version) >= *floor, "{name} {version} is below {floor:?}: {why}");
        }
    }
}

#[test]
fn bincode_is_the_one_version_its_golden_vectors_were_made_with() {
    let versions: Vec<String> =
        locked().into_iter().filter(|(name, _)| name == "bincode").map(|(_, version)| version).collect();
    assert_eq!(versions, ["2.0.1"]);
}

#[test]
fn no_banned_crate_is_locked() {
    for (name, _) in locked() {
        let banned = BANNED.iter().find(|(banned, _)| *banned == name);
        assert!(banned.is_none(), "{banned:?}");
    }
}

#[test]
fn a_floor_would_notice() {
    assert!(
        numbers("0.11.14") < [0, 11, 15] && numbers("0.11.15") >= [0, 11, 15] && numbers("1.0.0-rc.1") >= [0, 11, 15]
    );
}
