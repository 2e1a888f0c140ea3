//! Codes at HQ: the secrets file that `package build` leaves beside a package, and `exam-hq code unlock` and `code extend` that
//! read it. Never gives a code for a package it was not made with.

use crate::{
    disk::{self, Access},
    exit::{Exit, Say},
    grant::GrantSeed,
};
use anyhow::Result;
use clap::Args;
use exam_protocol::{
    grant::{GRANT_MINUTES_MAX, GRANT_MINUTES_STEP, GRANTS_EACH},
    ids::{ExamId, PaperId, Sha256, SiteId, SittingId},
};
use exam_sealed::{
    code::UnlockCode,
    json,
    manifest::{Manifest, PaperEntry, SittingPlan},
    package::Package,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::Cursor,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Newest format of the secrets file. 2 has the seed of the time grants.
const SECRETS_FORMAT: u32 = 2;

/// Arguments of `code unlock`.
#[derive(Args)]
pub(crate) struct UnlockArgs {
    /// The package; its `.secrets.json` lies beside it.
    #[arg(long, value_name = "FILE.exam")]
    package: PathBuf,
    /// Which sitting (场次).
    #[arg(long, value_name = "ID", required_unless_present = "paper")]
    sitting: Option<String>,
    /// Code of one paper, e.g. a backup paper (备用试卷) the site has asked for; with --sitting it must be that sitting's
    #[arg(long, value_name = "ID")]
    paper: Option<String>,
}

/// Arguments of `code extend`.
#[derive(Args)]
pub(crate) struct ExtendArgs {
    /// The package; its `.secrets.json` lies beside it.
    #[arg(long, value_name = "FILE.exam")]
    package: PathBuf,
    /// Which sitting (场次).
    #[arg(long, value_name = "ID")]
    sitting: String,
    /// How many minutes: 5 to 120 in steps of 5.
    #[arg(long)]
    minutes: u32,
    /// Which of the prepared codes, from 1: each works once on site, so the next grant of the same minutes takes the next.
    #[arg(long, default_value_t = 1)]
    index: u32,
}

/// `FILE.exam.secrets.json`: HQ's alone (0600), never sent anywhere.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PackageSecrets {
    format: u32,
    /// The very file the codes belong to.
    package: Sha256,
    exam: ExamId,
    site: SiteId,
    /// Unlock code of each paper.
    codes: BTreeMap<PaperId, String>,
    /// What the codes of time grants follow from (HB-26); packages of format 1 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grants: Option<GrantSeed>,
}

impl PackageSecrets {
    /// The secrets of a package just built.
    pub(crate) fn new(
        package: &[u8],
        exam: ExamId,
        site: SiteId,
        codes: &BTreeMap<PaperId, UnlockCode>,
        grants: GrantSeed,
    ) -> Self {
        let codes = codes.iter().map(|(paper, code)| (paper.clone(), code.to_string())).collect();
        Self { format: SECRETS_FORMAT, package: Sha256::of(package), exam, site, codes, grants: Some(grants) }
    }

    /// Writes the file.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let json = Zeroizing::new(serde_json::to_vec_pretty(self)?);
        disk::write_new(path, &json, Access::Secret)
    }
}

/// Where the secrets of a package lie: beside it, its whole name and `.secrets.json`.
pub(crate) fn secrets_path(package: &Path) -> PathBuf {
    let mut name = OsString::from(package.as_os_str());
    name.push(".secrets.json");
    PathBuf::from(name)
}

/// `code unlock`: the code alone on stdout.
pub(crate) fn unlock(args: &UnlockArgs, say: &Say) -> Result<()> {
    let (secrets, manifest) = opened(&args.package)?;
    let sitting = args.sitting.as_deref().map(|id| find_sitting(&manifest, id)).transpose()?;
    let paper = match (&args.paper, sitting) {
        (Some(id), sitting) => find_paper(&manifest, id, sitting)?,
        (None, Some(sitting)) => &sitting.paper,
        (None, None) => return Err(Exit::Validation.error("give --sitting or --paper")),
    };
    let code = secrets
        .codes
        .get(paper)
        .ok_or_else(|| Exit::NotFound.error(format!("the secrets file has no code for paper {paper}")))?;
    say.result(code, &json!({ "sitting": sitting.map(|plan| &plan.sitting), "paper": paper, "code": code }));
    Ok(())
}

fn find_sitting<'a>(manifest: &'a Manifest, id: &str) -> Result<&'a SittingPlan> {
    let sittings = &manifest.sittings;
    sittings.iter().find(|plan| plan.sitting.as_str() == id).ok_or_else(|| {
        let known: Vec<&SittingId> = sittings.iter().map(|plan| &plan.sitting).collect();
        let known = known.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
        Exit::NotFound.error(format!("the package has no sitting {id}; it has {known}"))
    })
}

/// A paper of the package; of the sitting, if one is given: its own or one of its backup papers.
fn find_paper<'a>(manifest: &'a Manifest, id: &str, sitting: Option<&SittingPlan>) -> Result<&'a PaperId> {
    let fits = |entry: &&PaperEntry| {
        sitting.is_none_or(|plan| entry.paper == plan.paper || entry.backup_of.as_ref() == Some(&plan.paper))
    };
    let known: Vec<&PaperId> = manifest.papers.iter().filter(fits).map(|entry| &entry.paper).collect();
    known.iter().find(|paper| paper.as_str() == id).copied().ok_or_else(|| {
        let known = known.iter().map(|paper| paper.as_str()).collect::<Vec<_>>().join(", ");
        let whose = sitting.map_or("the package".to_owned(), |plan| format!("sitting {}", plan.sitting));
        Exit::NotFound.error(format!("{whose} has no paper {id}; it has {known}"))
    })
}

/// `code extend`: the code alone on stdout.
pub(crate) fn extend(args: &ExtendArgs, say: &Say) -> Result<()> {
    let (secrets, manifest) = opened(&args.package)?;
    let sitting = find_sitting(&manifest, &args.sitting)?;
    let seed = secrets.grants.as_ref().ok_or_else(|| {
        Exit::NotFound.error("this package was built without time grants: they are made when a package is built")
    })?;
    let code = seed.code(&sitting.sitting, args.minutes, args.index).ok_or_else(|| {
        Exit::Validation.error(format!(
            "there is no code number {} for {} minutes: minutes are {GRANT_MINUTES_STEP} to {GRANT_MINUTES_MAX} in steps of \
             {GRANT_MINUTES_STEP}, and each has codes 1 to {GRANTS_EACH}",
            args.index, args.minutes
        ))
    })?;
    let code = code.to_string();
    let (minutes, index) = (args.minutes, args.index);
    say.result(&code, &json!({ "sitting": sitting.sitting, "minutes": minutes, "index": index, "code": code }));
    Ok(())
}

/// What this very package says, and the secrets HQ kept of it.
fn opened(path: &Path) -> Result<(PackageSecrets, Manifest)> {
    let bytes = disk::read(path, disk::INPUT_BYTES_MAX)?;
    let secrets = read_secrets(&secrets_path(path))?;
    if secrets.package != Sha256::of(&bytes) {
        let message = "the secrets file belongs to another package: codes are made anew each time a package is built";
        return Err(Exit::Integrity.error(message));
    }
    let package = Package::open(Cursor::new(bytes))
        .map_err(|e| Exit::Integrity.of(e).context(format!("{} is not a whole package", path.display())))?;
    Ok((secrets, package.manifest().clone()))
}

fn read_secrets(path: &Path) -> Result<PackageSecrets> {
    let text = Zeroizing::new(disk::read_text(path)?);
    json::read_versioned(text.as_bytes(), SECRETS_FORMAT)
        .map_err(|e| Exit::Validation.of(e).context(format!("{} is not a secrets file", path.display())))
}
