//! `exam-server init`: a site begins to exist, whole or not at all. Never touches a folder that has something in it.

use crate::{
    clock,
    journal::Journal,
    site::{CreatedSite, SiteKeys},
    vault::Vault,
};
use anyhow::{Context, Result, ensure};
use exam_protocol::time::{Now, SiteMs};
use exam_room::{Ask, rules::founding::Found};
use std::{fs, path::Path};

/// Makes the data folder of a new site. Everything is made beside it and moved into place as the last step.
///
/// # Errors
/// The folder has something in it, or the disk says no; then there is no site.
pub fn init(dir: &Path, name: &str, hq_minisign: Option<String>) -> Result<CreatedSite> {
    let empty =
        !dir.exists() || fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?.next().is_none();
    ensure!(empty, "{} is not empty: a site is never overwritten; choose an empty folder", dir.display());
    let mut making = dir.as_os_str().to_owned();
    making.push(".making");
    let making = Path::new(&making);
    if making.exists() {
        fs::remove_dir_all(making)
            .with_context(|| format!("removing {}, left over from an init that was cut short", making.display()))?;
    }
    exam_link::private_file::private_folder(making).with_context(|| format!("making {}", making.display()))?;
    let created = found(making, name, hq_minisign)?;
    if dir.exists() {
        fs::remove_dir(dir)?;
    }
    fs::rename(making, dir).with_context(|| format!("moving the new site to {}", dir.display()))?;
    exam_link::private_file::sync_folder(dir)?;
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
