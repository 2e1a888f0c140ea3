//! `exam-hq bundle`: opens a sealed result bundle with HQ's identity, finds the site that must have signed it, and checks
//! everything. Never writes out a file of a bundle that does not hold.

use crate::{
    disk,
    exit::{Exit, Say},
    keys,
};
use anyhow::{Context, Result};
use clap::Args;
use exam_sealed::bundle::{self, BundleReport};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Largest sealed bundle: the content and what age adds.
const SEALED_BYTES_MAX: u64 = bundle::BUNDLE_BYTES_MAX + bundle::BUNDLE_BYTES_MAX / 1024;

/// Arguments of `bundle verify`.
#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// The sealed bundle (`*.age`).
    #[arg(value_name = "FILE")]
    bundle: PathBuf,
    /// Folder with HQ's keys, and the `*site-public.json` of the sites HQ knows.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Public file of the site, if it is not in the keys folder.
    #[arg(long, value_name = "site-public.json")]
    site: Option<PathBuf>,
}

/// Arguments of `bundle open`.
#[derive(Args)]
pub(crate) struct OpenArgs {
    #[command(flatten)]
    verify: VerifyArgs,
    /// Where to write the bundle's files; must not exist or be empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// `bundle verify`.
pub(crate) fn verify(args: &VerifyArgs, say: &Say) -> Result<()> {
    let report = verified(args)?;
    say.result(&format!("{}\nEverything holds.", sentence(&report)), &summary(&report));
    Ok(())
}

/// `bundle open`.
pub(crate) fn open(args: &OpenArgs, say: &Say) -> Result<()> {
    let report = verified(&args.verify)?;
    disk::new_folder(&args.out, |part| {
        report.members.iter().try_for_each(|(name, bytes)| disk::write_below(part, name, bytes))
    })?;
    let mut value = summary(&report);
    value["out"] = json!(args.out);
    say.result(&format!("{}\nEverything holds; written to {}", sentence(&report), args.out.display()), &value);
    Ok(())
}

fn verified(args: &VerifyArgs) -> Result<BundleReport> {
    let path = &args.bundle;
    let zip = opened(path, &args.keys)?;
    let says = bundle::peek(&zip).map_err(|e| refused(path, e))?.about.site;
    let site = keys::find_site(&args.keys, args.site.as_deref(), &says)?;
    bundle::verify(&zip, &site.minisign, &site.site).map_err(|e| refused(path, e))
}

fn opened(path: &Path, keys_dir: &Path) -> Result<Vec<u8>> {
    let identity = keys::load_sealing_identity(keys_dir)?;
    let sealed = disk::read(path, SEALED_BYTES_MAX)?;
    bundle::open(&sealed, &identity)
        .map_err(|e| Exit::Integrity.of(e))
        .with_context(|| format!("{} cannot be opened with HQ's key", path.display()))
}

fn refused(path: &Path, fault: bundle::BundleFault) -> anyhow::Error {
    Exit::Integrity.of(fault).context(format!("{} does not hold", path.display()))
}

fn sentence(report: &BundleReport) -> String {
    let (manifest, about) = (&report.manifest, &report.manifest.about);
    format!(
        "{} · {} ({}) at {}: {} candidates, {} attempts, {} answers in {} versions, {} attached files ({} lost), {} facts to {}",
        about.exam_title,
        about.title,
        about.sitting,
        about.site_name,
        manifest.candidates,
        manifest.attempts,
        manifest.answers,
        report.versions,
        attachments(report),
        manifest.attachments_lost.len(),
        manifest.journal_facts,
        manifest.journal_head
    )
}

/// Files attached to incidents.
fn attachments(report: &BundleReport) -> usize {
    report.members.keys().filter(|name| name.starts_with(bundle::ATTACHMENTS)).count()
}

fn summary(report: &BundleReport) -> Value {
    let (manifest, about) = (&report.manifest, &report.manifest.about);
    json!({
        "ok": true,
        "site": about.site,
        "exam": about.exam,
        "sitting": about.sitting,
        "paper": about.paper,
        "candidates": manifest.candidates,
        "attempts": manifest.attempts,
        "answers": manifest.answers,
        "versions": report.versions,
        "journal_facts": manifest.journal_facts,
        "journal_head": manifest.journal_head,
        "void": report.attempts.iter().filter(|record| record.void.is_some()).count(),
        "terminated": report.attempts.iter().filter(|record| record.terminated.is_some()).count(),
        "attachments": attachments(report),
        "attachments_lost": manifest.attachments_lost,
        "content": report.content,
    })
}
