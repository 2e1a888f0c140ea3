//! Writes a bundle. The same contents give the same bytes; what would not verify is never handed out.

use super::{
    AttemptRecord, BUNDLE_FORMAT, BundleContents, BundleFault, BundleManifest, JOURNAL, MANIFEST, ROSTER, SUMS,
    SUMS_SIGNATURE, answers_member, attachment_member, newest, roster_csv, sums, verify,
};
use crate::{keys, zipping};
use exam_protocol::{chain::ChainCheck, ids::AdmissionNo};
use std::collections::BTreeMap;

/// Writes the zip of a bundle, signed with the site's minisign secret key file. Deterministic: call it twice and compare.
///
/// # Errors
/// Contents that contradict each other: the bundle is verified exactly as HQ will do it before it leaves this function.
pub fn write(contents: BundleContents, site_secret: &str) -> Result<Vec<u8>, BundleFault> {
    let (site, sitting) = (contents.about.site.clone(), contents.about.sitting.clone());
    let records = settled(contents.attempts)?;
    let roster = roster_csv::table(&records, &contents.people)
        .ok_or(BundleFault::Roster { line: 1, what: "a candidate has no name and ID number" })?;
    let lost = contents.attachments.iter().filter(|(_, bytes)| bytes.is_none()).map(|(hash, _)| *hash).collect();
    let manifest = {
        let mut chain = ChainCheck::new(&site);
        for line in contents.journal.lines() {
            chain.line(line)?;
        }
        BundleManifest {
            format: BUNDLE_FORMAT,
            about: contents.about,
            journal_facts: chain.facts(),
            journal_head: chain.head(),
            candidates: count(records.len()),
            attempts: count(records.values().filter(|record| record.attempt.is_some()).count()),
            answers: records.values().map(|record| record.newest.len() as u64).sum(),
            attachments_lost: lost,
        }
    };

    let mut members = BTreeMap::from([
        (MANIFEST.to_owned(), json(&manifest)),
        (JOURNAL.to_owned(), contents.journal.into_bytes()),
        (ROSTER.to_owned(), roster.into_bytes()),
    ]);
    members.extend(records.iter().map(|(admission_no, record)| (answers_member(admission_no), json(record))));
    members.extend(contents.attachments.into_values().flatten().map(|bytes| (attachment_member(&bytes), bytes)));
    let listing = sums::listing(&members);
    let signature = keys::sign(site_secret, listing.as_bytes(), &format!("result bundle {sitting} of {site}"));
    members.insert(SUMS.to_owned(), listing.into_bytes());
    members.insert(SUMS_SIGNATURE.to_owned(), signature.map_err(BundleFault::Signature)?.into_bytes());

    let zip = zipping::write_zip(members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))?;
    let site_public = keys::public_line_of_secret(site_secret).map_err(BundleFault::Signature)?;
    verify(&zip, &site_public, &site)?;
    Ok(zip)
}

/// Records by candidate, versions in the journal's order, newest derived.
fn settled(attempts: Vec<AttemptRecord>) -> Result<BTreeMap<AdmissionNo, AttemptRecord>, BundleFault> {
    let mut records = BTreeMap::new();
    for mut record in attempts {
        record.versions.sort_by_key(|version| version.seq);
        record.newest = newest(&record.versions);
        let member = answers_member(&record.admission_no);
        if records.insert(record.admission_no.clone(), record).is_some() {
            return Err(BundleFault::Answers { member, what: "two records for one candidate".into() });
        }
    }
    Ok(records)
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("our own records can be written");
    bytes.push(b'\n');
    bytes
}
