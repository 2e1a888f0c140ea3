//! Making a site: every key fresh, every file new, the public file last, so that a site is whole or not yet one.
//! Never replaces anything.

use super::{
    ADMIN_FOLDER, AGE_IDENTITY, AT_REST, CA_CERTIFICATE, CA_KEY, KEYS_FOLDER, MINISIGN_PUBLIC_FILE, MINISIGN_SECRET,
    PUBLIC_FILE, SiteError, authority::Authority,
};
use exam_link::{Identity, MachineKey, private_file};
use exam_protocol::{
    ids::{Sha256, SiteId, StationId},
    message::hello::{Enrolled, Role},
    site::{SITE_PUBLIC_FORMAT, SitePublic},
};
use exam_sealed::keys;
use ring::rand::{SecureRandom, SystemRandom};
use std::path::Path;

/// Longest name of a site, in characters.
const NAME_CHARS_MAX: usize = 100;

/// What `init` made, and what the journal must know of it.
#[derive(Clone, Debug)]
pub struct CreatedSite {
    /// What the site shows the world.
    pub public: SitePublic,
    /// The first administrator, whose identity lies in `admin/`.
    pub admin: StationId,
    /// SHA-256 of the administrator's certificate: until it is in the journal, the server does not know this administrator.
    pub admin_certificate: Sha256,
}

pub(super) fn create(dir: &Path, name: &str) -> Result<CreatedSite, SiteError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(SiteError::BadName);
    }
    if let Some(there) =
        [KEYS_FOLDER, ADMIN_FOLDER, PUBLIC_FILE, MINISIGN_PUBLIC_FILE].iter().find(|file| dir.join(file).exists())
    {
        return Err(SiteError::AlreadyThere { file: (*there).to_owned() });
    }
    let generation = |e: &dyn std::fmt::Display| SiteError::Generation(e.to_string());
    let site: SiteId = format!("site-{}", random_hex::<4>()?).parse().map_err(|e| generation(&e))?;
    let authority = Authority::create(&site).map_err(|e| generation(&e))?;
    let minisign = keys::generate_minisign().map_err(|e| generation(&e))?;
    let age = keys::generate_age();
    let at_rest = random::<32>()?;

    let folder = dir.join(KEYS_FOLDER);
    private_file::private_folder(&folder).map_err(|source| SiteError::File { file: KEYS_FOLDER.to_owned(), source })?;
    write(&folder, CA_KEY, authority.key_pem().as_bytes())?;
    write(&folder, CA_CERTIFICATE, authority.pem().as_bytes())?;
    write(&folder, MINISIGN_SECRET, minisign.secret_file.as_bytes())?;
    write(&folder, AGE_IDENTITY, age.identity_file.as_bytes())?;
    write(&folder, AT_REST, &at_rest)?;
    write(dir, MINISIGN_PUBLIC_FILE, minisign.public_file.as_bytes())?;
    let (admin, admin_certificate) = create_admin(&dir.join(ADMIN_FOLDER), &site, &authority)?;

    let public = SitePublic {
        format: SITE_PUBLIC_FORMAT,
        site,
        name: name.to_owned(),
        ca_pem: authority.pem().to_owned(),
        minisign: minisign.public_line.clone(),
        age_recipient: age.recipient.clone(),
    };
    let mut json = serde_json::to_vec_pretty(&public).map_err(|e| generation(&e))?;
    json.push(b'\n');
    write(dir, PUBLIC_FILE, &json)?;
    Ok(CreatedSite { public, admin, admin_certificate })
}

/// The administrator's command line on this machine: enrolled by being made here.
fn create_admin(dir: &Path, site: &SiteId, authority: &Authority) -> Result<(StationId, Sha256), SiteError> {
    let generation = |e: &dyn std::fmt::Display| SiteError::Generation(e.to_string());
    let station: StationId = format!("admin-{}", random_hex::<4>()?).parse().map_err(|e| generation(&e))?;
    let key = MachineKey::generate().map_err(|e| generation(&e))?;
    let certificate = authority.issue(key.public_der(), &station, Role::Admin).map_err(|e| generation(&e))?;
    let identity =
        Identity::new(site.clone(), Enrolled { station: station.clone(), role: Role::Admin, certificate }, key);
    identity.save(dir).map_err(|e| generation(&e))?;
    Ok((station, identity.fingerprint()))
}

fn write(dir: &Path, file: &str, bytes: &[u8]) -> Result<(), SiteError> {
    private_file::write_new(&dir.join(file), bytes).map_err(|source| SiteError::File { file: file.to_owned(), source })
}

fn random<const N: usize>() -> Result<[u8; N], SiteError> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| SiteError::Generation("the system gives no randomness".to_owned()))?;
    Ok(bytes)
}

fn random_hex<const N: usize>() -> Result<String, SiteError> {
    Ok(data_encoding::HEXLOWER.encode(&random::<N>()?))
}

#[cfg(test)]
mod tests {
    use super::super::SiteKeys;
    use super::*;

    #[test]
    fn a_site_comes_back_as_it_was_made_and_is_never_made_twice() {
        let dir = tempfile::tempdir().unwrap();
        let created = SiteKeys::create(dir.path(), " 第一考点 ").unwrap();
        assert_eq!(created.public.name, "第一考点");
        let keys = SiteKeys::load(dir.path()).unwrap();
        assert_eq!(keys.public(), &created.public);
        let admin = Identity::load(&dir.path().join(ADMIN_FOLDER), keys.site()).unwrap();
        assert_eq!(
            (admin.role, admin.fingerprint(), admin.station),
            (Role::Admin, created.admin_certificate, created.admin)
        );
        assert!(matches!(SiteKeys::create(dir.path(), "again"), Err(SiteError::AlreadyThere { .. })));
        assert!(!format!("{keys:?}").contains("SECRET"));
    }

    #[test]
    fn keys_of_two_sites_do_not_mix() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        SiteKeys::create(one.path(), "one").unwrap();
        SiteKeys::create(two.path(), "two").unwrap();
        let file = |dir: &tempfile::TempDir, name: &str| dir.path().join(KEYS_FOLDER).join(name);
        for name in [MINISIGN_SECRET, AGE_IDENTITY, CA_CERTIFICATE, CA_KEY] {
            let mine = std::fs::read(file(&one, name)).unwrap();
            std::fs::copy(file(&two, name), file(&one, name)).unwrap();
            assert!(matches!(SiteKeys::load(one.path()), Err(SiteError::Damaged { .. })), "{name} of another site");
            std::fs::write(file(&one, name), b"nonsense").unwrap();
            assert!(matches!(SiteKeys::load(one.path()), Err(SiteError::Damaged { .. })), "nonsense in {name}");
            std::fs::write(file(&one, name), mine).unwrap();
        }
        std::fs::remove_file(file(&one, AT_REST)).unwrap();
        assert!(matches!(SiteKeys::load(one.path()), Err(SiteError::Missing { .. })));
    }

    #[test]
    fn a_name_is_one_line_of_1_to_100_characters() {
        let dir = tempfile::tempdir().unwrap();
        for bad in ["", "  ", "two\nlines", &"长".repeat(101)] {
            assert!(matches!(SiteKeys::create(dir.path(), bad), Err(SiteError::BadName)), "{bad:?}");
        }
        assert!(SiteKeys::create(dir.path(), &"长".repeat(100)).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_but_the_owner_reads_the_keys() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        SiteKeys::create(dir.path(), "site").unwrap();
        for folder in [KEYS_FOLDER, ADMIN_FOLDER] {
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&dir.path().join(folder)), 0o700);
            for entry in std::fs::read_dir(dir.path().join(folder)).unwrap() {
                assert_eq!(mode(&entry.unwrap().path()), 0o600);
            }
        }
    }
}
