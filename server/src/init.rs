//! `exam-server init`: a site begins to exist, whole or not at all. Never touches a folder that has something in it.

use crate::{
    clock,
    journal::Journal,
    site::{CreatedSite, SiteKeys},
    vault::{self, Vault, VaultError},
};
use anyhow::{Context, Result};
use exam_link::private_file;
use exam_protocol::time::{Now, SiteMs};
use exam_room::{Ask, rules::founding::Found};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Makes the data folder of a new site. Everything is made beside it and moved into place as the last step.
///
/// # Errors
/// The folder has something in it, or the disk says no; then there is no site.
pub fn init(dir: &Path, name: &str, hq_minisign: Option<String>) -> Result<CreatedSite> {
    // `D:\kaodian\` and `D:\kaodian` are one folder: what is made beside it must not land inside it.
    let dir: PathBuf = std::path::absolute(dir)?.components().collect();
    let dir = dir.as_path();
    if !vault::is_free(dir)? {
        return Err(VaultError::NotEmpty(dir.to_owned()).into());
    }
    if std::env::current_dir().is_ok_and(|here| here == dir) {
        return Err(VaultError::Here(dir.to_owned()).into()); // it is replaced as a whole, and nobody may stand in it
    }
    let mut making = dir.as_os_str().to_owned();
    making.push(".making");
    let making = Path::new(&making);
    if making.exists() {
        fs::remove_dir_all(making)
            .with_context(|| format!("removing {}, left over from an init that was cut short", making.display()))?;
    }
    made(making, dir, name, hq_minisign).inspect_err(|_| {
        let _ = fs::remove_dir_all(making); // no keys of a site that does not exist; the first error is the one to tell
    })
}

fn made(making: &Path, dir: &Path, name: &str, hq_minisign: Option<String>) -> Result<CreatedSite> {
    private_file::private_folder(making).with_context(|| format!("making {}", making.display()))?;
    let created = found(making, name, hq_minisign)?;
    let moving = || format!("moving the new site to {}", dir.display());
    if dir.exists() {
        fs::remove_dir(dir).with_context(moving)?;
    }
    fs::rename(making, dir).with_context(moving)?;
    private_file::sync_folder(dir)?;
    Ok(created)
}

fn found(dir: &Path, name: &str, hq_minisign: Option<String>) -> Result<CreatedSite> {
    Vault::new(dir).create_folders()?;
    let created = SiteKeys::create(dir, name)?;
    Journal::create(dir, &created.public.site)?;
    let (mut journal, site, _) = Journal::open(dir)?;
    let now = Now { at: SiteMs(0), wall: clock::wall_now() };
    let ask: Ask = Found {
        name: created.public.name.clone(),
        admin: created.admin.clone(),
        certificate: created.admin_certificate,
        hq_minisign,
    }
    .into();
    let facts = site.decide(now, &ask)?.into_iter().map(|fact| (now, fact)).collect::<Vec<_>>();
    journal.append(&facts)?;
    journal.close()?;
    Ok(created)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::SiteError;

    #[test]
    fn a_folder_written_with_a_slash_at_its_end_becomes_a_site() {
        let dir = tempfile::tempdir().unwrap();
        let mut slashed = dir.path().join("site").into_os_string();
        slashed.push("/");
        init(Path::new(&slashed), "考点", None).unwrap();
        SiteKeys::load(&dir.path().join("site")).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside the site");
    }

    #[test]
    fn a_refused_init_leaves_no_keys_behind() {
        let dir = tempfile::tempdir().unwrap();
        let error = init(&dir.path().join("site"), " ", None).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(SiteError::BadName)), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "there is no site, so there are no keys");
    }

    #[test]
    fn a_site_is_never_made_over_another() {
        let dir = tempfile::tempdir().unwrap();
        init(dir.path(), "考点", None).unwrap();
        let error = init(dir.path(), "考点", None).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(VaultError::NotEmpty(_))), "{error}");
    }
}
