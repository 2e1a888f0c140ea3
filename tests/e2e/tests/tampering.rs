//! P8: a bundle or a journal with one changed byte is refused, and the place is named.
//! Never changes the original: every change is made to a copy.

mod common;

use anyhow::Context;
use common::{Small, small_exam};
use exam_e2e::{process::Finished, search::files_under, site::Sample};
use exam_protocol::{answer::Answer, site::SitePublic};
use exam_sealed::{bundle, zipping::write_zip};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const EXIT_INTEGRITY: i32 = 6;
const SEATS: u16 = 2;
/// Bytes changed, one a copy, spread over the file.
const CHANGES: usize = 24;

fn held() -> anyhow::Result<(Small, PathBuf)> {
    let mut exam = small_exam(Sample { seats: SEATS, questions: 8, seed: 11 }, None)?;
    let bundle = exam.hold(SEATS)?;
    Ok((exam, bundle))
}

/// A line, a member, a fact; or the zip file itself, where the change hit what holds the members together.
fn names_a_place(refused: &Finished) -> bool {
    ["line ", "member ", "byte ", "fact ", "SHA256SUMS", "zip file"].iter().any(|place| refused.stderr.contains(place))
}

#[test]
fn every_changed_byte_of_a_bundle_is_refused_and_inside_its_seal_the_place_is_named() -> anyhow::Result<()> {
    let (exam, file) = held()?;
    let folder = exam.site.folder();
    exam.site.verify_bundle(&file)?.expect_code(0)?;
    let sealed = fs::read(&file)?;
    let identity = fs::read_to_string(folder.keys().join("hq-age.key"))?;
    let recipient = exam_sealed::keys::recipient_of_identity(&identity)?;
    let zip = bundle::open(&sealed, &identity)?;
    let changed = folder.logs().join("changed.age");
    for n in 0..CHANGES {
        let flip = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            let at = bytes.len() * n / CHANGES;
            bytes[at] ^= 1;
            bytes
        };
        fs::write(&changed, flip(&sealed))?;
        exam.site.verify_bundle(&changed)?.expect_code(EXIT_INTEGRITY)?;
        // An insider with HQ's recipient can seal again; what is inside still gives the change away.
        fs::write(&changed, bundle::seal(&flip(&zip), &recipient)?)?;
        let refused = exam.site.verify_bundle(&changed)?.expect_code(EXIT_INTEGRITY)?;
        assert!(names_a_place(&refused), "change {n}: no place in `{}`", refused.stderr);
    }
    Ok(())
}

#[test]
fn a_member_changed_by_somebody_who_can_zip_and_seal_is_refused_by_name() -> anyhow::Result<()> {
    let (exam, file) = held()?;
    let folder = exam.site.folder();
    let identity = fs::read_to_string(folder.keys().join("hq-age.key"))?;
    let recipient = exam_sealed::keys::recipient_of_identity(&identity)?;
    let public: SitePublic = serde_json::from_slice(&fs::read(exam.site.public_file())?)?;
    let zip = bundle::open(&fs::read(&file)?, &identity)?;
    let members = bundle::verify(&zip, &public.minisign, &public.site)?.members;
    let changed = folder.logs().join("changed.age");
    let write = |members: &BTreeMap<String, Vec<u8>>| -> anyhow::Result<()> {
        let zip = write_zip(members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))?;
        Ok(fs::write(&changed, bundle::seal(&zip, &recipient)?)?)
    };
    write(&members)?;
    exam.site.verify_bundle(&changed)?.expect_code(0).context("zipping and sealing again changes nothing")?;
    for name in members.keys() {
        let mut others = members.clone();
        let bytes = others.get_mut(name).context("a member")?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        write(&others)?;
        let refused = exam.site.verify_bundle(&changed)?.expect_code(EXIT_INTEGRITY)?;
        assert!(refused.stderr.contains(name), "{name} is not named in `{}`", refused.stderr);
    }
    Ok(())
}

#[test]
fn a_journal_with_one_changed_byte_is_refused_and_the_fact_is_named() -> anyhow::Result<()> {
    let (exam, _) = held()?;
    exam.site.server(["verify"])?.expect_code(0)?;
    let answers = exam_e2e::answers::from_lines(&exam.site.journal_answers()?)?;
    let text = answers
        .values()
        .find(|text| matches!(serde_json::from_str(text), Ok(Answer::Single(_))))
        .expect("a single choice was answered");

    let copy = exam.site.folder().root().join("server-copy");
    copy_folder(&exam.site.folder().server(), &copy)?;
    assert!(change_one_byte(&copy, text)?, "the answer stands in the journal's file");
    let refused = exam.site.server_at(&copy, ["verify"])?.expect_code(EXIT_INTEGRITY)?;
    assert!(names_a_place(&refused), "no place in `{}`", refused.stderr);
    Ok(())
}

/// Changes the option's letter in the first place where the answer's JSON stands in any database file.
fn change_one_byte(data: &Path, answer: &str) -> anyhow::Result<bool> {
    for file in files_under(data)? {
        let mut bytes = fs::read(&file)?;
        if let Some(at) = bytes.windows(answer.len()).position(|window| window == answer.as_bytes()) {
            bytes[at + answer.len() - 3] ^= 1;
            fs::write(&file, bytes)?;
            return Ok(true);
        }
    }
    Ok(false)
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    for file in files_under(from)? {
        let target = to.join(file.strip_prefix(from)?);
        fs::create_dir_all(target.parent().expect("a file lies in a folder"))?;
        fs::copy(&file, target)?;
    }
    Ok(())
}
