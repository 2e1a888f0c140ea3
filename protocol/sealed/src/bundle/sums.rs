//! `SHA256SUMS`: the listing stock `sha256sum -c` reads. Never lists itself or its own signature.

use super::{SUMS, SUMS_SIGNATURE};
use exam_protocol::ids::Sha256;
use std::collections::BTreeMap;

/// The listing of these members. There is exactly one right text, so checking is comparing.
pub(super) fn listing(members: &BTreeMap<String, Vec<u8>>) -> String {
    let listed = members.iter().filter(|(name, _)| name.as_str() != SUMS && name.as_str() != SUMS_SIGNATURE);
    listed.map(|(name, bytes)| format!("{}  {name}\n", Sha256::of(bytes))).collect()
}

/// What is wrong with `found`, given the right listing: the line and the member, or `None` if nothing is.
pub(super) fn difference(found: &str, right: &str) -> Option<(usize, String)> {
    if found == right {
        return None;
    }
    let name = |line: &str| line.split_once("  ").map_or("?", |(_, name)| name).to_owned();
    let mut right_lines = right.split_inclusive('\n');
    for (index, line) in found.split_inclusive('\n').enumerate() {
        match right_lines.next() {
            Some(same) if same == line => {}
            Some(other) if name(other) == name(line) => {
                return Some((index + 1, format!("the SHA-256 of {} is another", name(line).trim_end())));
            }
            other => {
                let there = other.map_or("nothing more".to_owned(), |o| name(o).trim_end().to_owned());
                return Some((index + 1, format!("it lists {}, the bundle has {there}", name(line).trim_end())));
            }
        }
    }
    let unlisted = right_lines.next().map_or("?".to_owned(), |line| name(line).trim_end().to_owned());
    Some((found.lines().count() + 1, format!("{unlisted} is not listed")))
}
