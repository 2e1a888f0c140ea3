//! `exam-hq package build`: from a plan and the files it names to a sealed, signed package, and the secrets file for HQ alone.
//! Never lets an answer key into the package but that of a mock paper; writes both files or none.

use crate::{
    code::{PackageSecrets, secrets_path},
    disk::{self, Access},
    exit::{Exit, Say},
    grant::GrantSeed,
    keys::HqKeys,
    plan::{self, Ready},
};
use anyhow::{Context, Result};
use clap::Args;
use exam_protocol::{ids::PaperId, paper::Paper, time::WallMs};
use exam_sealed::{
    code::{CODE_BYTES, UnlockCode},
    keys as sealed_keys,
    package::{self, BuildError, BuiltPackage, PackageInput, PaperInput},
};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;
use std::{collections::BTreeMap, fs, path::PathBuf};

/// Oldest server that understands packages as this program writes them.
const SERVER_MIN: &str = "0.1.0";

/// Arguments of `package build`.
#[derive(Args)]
pub(crate) struct BuildArgs {
    /// The plan; paths in it are relative to it.
    #[arg(long, value_name = "PLAN.toml")]
    plan: PathBuf,
    /// Where to write the package; FILE.exam.secrets.json with the unlock codes lands beside it, for HQ alone.
    #[arg(long, value_name = "FILE.exam")]
    out: PathBuf,
}

/// `package build`.
pub(crate) fn build(args: &BuildArgs, say: &Say) -> Result<()> {
    let secrets_file = secrets_path(&args.out);
    disk::must_be_free(&args.out)?;
    disk::must_be_free(&secrets_file)?;
    let mut ready = plan::read(&args.plan, say)?;
    let hq = HqKeys::load(&ready.keys_dir)?;
    let key_id = sealed_keys::key_id(&hq.signing_public)?;
    let codes = draw_codes(&ready.papers)?;
    let grants = GrantSeed::draw()?;
    for plan in &mut ready.sittings {
        plan.hq_grants = grants.commitments(&plan.sitting);
    }
    let built = seal(ready, hq, &codes)?;

    let manifest = &built.manifest;
    let secrets = PackageSecrets::new(&built.bytes, manifest.exam.clone(), manifest.site.clone(), &codes, grants);
    secrets.write(&secrets_file)?;
    if let Err(error) = disk::write_new(&args.out, &built.bytes, Access::Shared) {
        let _ = fs::remove_file(&secrets_file); // made by this very run; the first error is the one to tell
        return Err(error);
    }
    report(args, &built, &key_id, say);
    Ok(())
}

/// A fresh code for each paper.
fn draw_codes(papers: &[Paper]) -> Result<BTreeMap<PaperId, UnlockCode>> {
    let dice = SystemRandom::new();
    let mut codes = BTreeMap::new();
    for paper in papers {
        let mut random = [0; CODE_BYTES];
        dice.fill(&mut random).ok().context("the system gives no randomness")?;
        codes.insert(paper.id.clone(), UnlockCode::from_random(random));
    }
    Ok(codes)
}

fn seal(ready: Ready, hq: HqKeys, codes: &BTreeMap<PaperId, UnlockCode>) -> Result<BuiltPackage> {
    let papers = ready.papers.into_iter().filter_map(|paper| {
        let code = codes.get(&paper.id).cloned()?;
        let backup_of = ready.backups.get(&paper.id).cloned();
        let mock_key = ready.mock_keys.get(&paper.id).cloned();
        Some(PaperInput { paper, code, backup_of, mock_key })
    });
    let input = PackageInput {
        exam: ready.exam,
        exam_title: ready.exam_title,
        built_at: WallMs(jiff::Timestamp::now().as_millisecond()),
        server_min: SERVER_MIN.to_owned(),
        site: ready.site,
        hq_recipient: hq.recipient,
        hq_secret: hq.signing_secret,
        rooms: ready.rooms,
        sittings: ready.sittings,
        rules: ready.rules,
        candidates: ready.candidates,
        papers: papers.collect(),
    };
    package::build(input).map_err(|e| match e {
        BuildError::Plan(_) | BuildError::Paper { .. } | BuildError::PhotoTooLarge(_) | BuildError::Seal(_) => {
            Exit::Validation.of(e)
        }
        BuildError::Key(_) | BuildError::Zip(_) => Exit::Failure.of(e),
    })
}

fn report(args: &BuildArgs, built: &BuiltPackage, key_id: &str, say: &Say) {
    let manifest = &built.manifest;
    let photos = manifest.members.iter().filter(|member| member.name.starts_with("photos/")).count();
    let with_keys: Vec<&PaperId> = manifest.papers.iter().filter(|p| p.mock_key.is_some()).map(|p| &p.paper).collect();
    let mut text = format!(
        "{} for site {}: {} rooms, {} sittings, {} candidates, {photos} photos, {} papers\nsigned with key {key_id}, {} bytes, written to {}\n\
         unlock codes: {} (HQ only, never send it to the site)",
        manifest.exam_title,
        manifest.site,
        manifest.rooms.len(),
        manifest.sittings.len(),
        built.candidates,
        manifest.papers.len(),
        built.bytes.len(),
        args.out.display(),
        secrets_path(&args.out).display()
    );
    if !with_keys.is_empty() {
        let names = with_keys.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
        text.push_str(&format!("\nmock papers whose answer keys travel along, to be marked on site: {names}"));
    }
    let value = json!({
        "package": args.out,
        "secrets": secrets_path(&args.out),
        "sha256": exam_protocol::ids::Sha256::of(&built.bytes),
        "bytes": built.bytes.len(),
        "exam": manifest.exam,
        "site": manifest.site,
        "key_id": key_id,
        "rooms": manifest.rooms.len(),
        "sittings": manifest.sittings.iter().map(|s| &s.sitting).collect::<Vec<_>>(),
        "candidates": built.candidates,
        "photos": photos,
        "papers": manifest.papers.iter().map(|p| &p.paper).collect::<Vec<_>>(),
        "mock_keys": with_keys,
    });
    say.result(&text, &value);
}
