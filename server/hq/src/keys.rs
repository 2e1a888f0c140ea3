//! HQ's keys: `exam-hq keys new` makes them, the other commands load them, and find the public file of the site a bundle
//! says it is from. Never overwrites a key: what was sealed to it would be lost.

use crate::{
    disk::{self, Access},
    exit::{Exit, Say},
};
use anyhow::{Context, Result};
use clap::Args;
use exam_protocol::{
    ids::SiteId,
    site::{SITE_PUBLIC_FORMAT, SitePublic},
};
use exam_sealed::{json, keys as sealed_keys};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

const SIGNING_SECRET: &str = "hq.key";
const SIGNING_PUBLIC: &str = "hq.pub";
const SEALING_SECRET: &str = "hq-age.key";
const SEALING_PUBLIC: &str = "hq-age.pub";
/// How the public files of sites end, beside the keys.
const SITE_PUBLIC_END: &str = "site-public.json";
/// Most files of a keys folder looked at.
const SITE_FILES_MAX: usize = 1_000;

/// Arguments of `keys new`.
#[derive(Args)]
pub(crate) struct NewArgs {
    /// Folder for the four files; made if it does not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// HQ's keys as building a package needs them: to sign, and to say whom bundles are for.
pub(crate) struct HqKeys {
    /// minisign secret key file.
    pub(crate) signing_secret: Zeroizing<String>,
    /// Its public line.
    pub(crate) signing_public: String,
    /// age recipient that bundles are sealed to.
    pub(crate) recipient: String,
}

/// `keys new`: four new files, or none.
pub(crate) fn new(args: &NewArgs, say: &Say) -> Result<()> {
    let dir = &args.out;
    for name in [SIGNING_SECRET, SIGNING_PUBLIC, SEALING_SECRET, SEALING_PUBLIC] {
        disk::must_be_free(&dir.join(name))?;
    }
    let signing = sealed_keys::generate_minisign()?;
    let sealing = sealed_keys::generate_age();
    let recipient_file = format!("{}\n", sealing.recipient);
    let files = [
        (SIGNING_SECRET, signing.secret_file.as_bytes(), Access::Secret),
        (SIGNING_PUBLIC, signing.public_file.as_bytes(), Access::Shared),
        (SEALING_SECRET, sealing.identity_file.as_bytes(), Access::Secret),
        (SEALING_PUBLIC, recipient_file.as_bytes(), Access::Shared),
    ];
    for (index, (name, bytes, access)) in files.iter().enumerate() {
        if let Err(error) = disk::write_new(&dir.join(name), bytes, *access) {
            for (made, ..) in &files[..index] {
                let _ = fs::remove_file(dir.join(made)); // made by this very run; the first error is the one to tell
            }
            return Err(error);
        }
    }
    let text = format!(
        "HQ keys written to {}\n  signing key (minisign)  {}\n  opening key (age)       {}\nKeep {SIGNING_SECRET} and {SEALING_SECRET} \
         secret and back them up: without {SEALING_SECRET} no result bundle can be opened.",
        dir.display(),
        signing.key_id,
        sealing.recipient
    );
    say.result(&text, &json!({ "dir": dir, "key_id": signing.key_id, "minisign": signing.public_line, "age_recipient": sealing.recipient }));
    Ok(())
}

impl HqKeys {
    /// Loads the keys of a folder that `keys new` filled.
    pub(crate) fn load(dir: &Path) -> Result<Self> {
        let bad = |name: &str| format!("{} is not the key file it should be", dir.join(name).display());
        let signing_secret = Zeroizing::new(disk::read_text(&dir.join(SIGNING_SECRET))?);
        let signing_public = sealed_keys::public_line_of_secret(&signing_secret)
            .map_err(|e| Exit::Validation.of(e).context(bad(SIGNING_SECRET)))?;
        let recipient = sealed_keys::recipient_of_identity(&load_sealing_identity(dir)?)
            .map_err(|e| Exit::Validation.of(e).context(bad(SEALING_SECRET)))?;
        Ok(Self { signing_secret, signing_public, recipient })
    }
}

/// The age identity alone: opening a bundle needs no signing key.
pub(crate) fn load_sealing_identity(dir: &Path) -> Result<Zeroizing<String>> {
    Ok(Zeroizing::new(disk::read_text(&dir.join(SEALING_SECRET))?))
}

/// Reads a site's public file.
pub(crate) fn read_site(path: &Path) -> Result<SitePublic> {
    let text = disk::read_text(path)?;
    json::read_versioned(text.as_bytes(), SITE_PUBLIC_FORMAT)
        .map_err(|e| Exit::Validation.of(e).context(format!("{} is not a site's public file", path.display())))
}

/// The public file of `site`: `given`, or the one beside HQ's keys (`*site-public.json`).
pub(crate) fn find_site(keys_dir: &Path, given: Option<&Path>, site: &SiteId) -> Result<SitePublic> {
    if let Some(path) = given {
        let public = read_site(path)?;
        if public.site != *site {
            let (names, path) = (&public.site, path.display());
            return Err(
                Exit::Integrity.error(format!("the bundle says it is from site {site}, but {path} is of site {names}"))
            );
        }
        return Ok(public);
    }
    let mut found: Option<(PathBuf, SitePublic)> = None;
    for path in site_files(keys_dir)? {
        let public = read_site(&path)?;
        if public.site != *site {
            continue;
        }
        if let Some((first, known)) = &found
            && *known != public
        {
            let (first, second) = (first.display(), path.display());
            return Err(Exit::Validation
                .error(format!("{first} and {second} contradict each other about site {site}: keep the right one")));
        }
        found = Some((path, public));
    }
    found.map(|(_, public)| public).ok_or_else(|| {
        Exit::NotFound.error(format!(
            "the bundle says it is from site {site}, which HQ does not know: put the site's {SITE_PUBLIC_END} into {} (as {site}.{SITE_PUBLIC_END}) \
             or name it with --site",
            keys_dir.display()
        ))
    })
}

fn site_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("{} cannot be read", dir.display()))?;
    let mut paths = Vec::new();
    for entry in entries.take(SITE_FILES_MAX) {
        let path = entry.with_context(|| format!("{} cannot be read", dir.display()))?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(SITE_PUBLIC_END)) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
