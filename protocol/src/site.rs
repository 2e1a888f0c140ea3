//! What a site shows the world: the public file that HQ seals packages to and that every machine of the room trusts.
//! Never holds a private key.

use crate::ids::{Sha256, SiteId};
use serde::{Deserialize, Serialize};

/// Newest format of the public file this build reads and writes.
pub const SITE_PUBLIC_FORMAT: u32 = 1;

/// `site-public.json`: written by `exam-server init`, given to HQ (to seal packages) and to every machine (to trust the
/// server). Whoever has it can do nothing but trust and seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SitePublic {
    /// [`SITE_PUBLIC_FORMAT`] at the time of writing.
    pub format: u32,
    /// The site's id.
    pub site: SiteId,
    /// The site's name, for people.
    pub name: String,
    /// Certificate of the site CA, PEM. Clients trust only what it signed.
    pub ca_pem: String,
    /// minisign public key that verifies the site's bundles (the base64 line of a `.pub` file).
    pub minisign: String,
    /// age recipient that rosters and wrapped paper keys are sealed to (`age1…`).
    pub age_recipient: String,
}

impl SitePublic {
    /// Fingerprint over everything a machine trusts; people compare [`fingerprint_text`](Self::fingerprint_text).
    pub fn fingerprint(&self) -> Sha256 {
        let whole =
            [self.site.as_str(), self.ca_pem.trim(), self.minisign.trim(), self.age_recipient.trim()].join("\n");
        Sha256::of(whole.as_bytes())
    }

    /// The first 128 bits of the fingerprint in eight groups, to be read aloud: `a1b2-c3d4-…`.
    pub fn fingerprint_text(&self) -> String {
        let hex = self.fingerprint().hex();
        (0..8).map(|group| &hex[group * 4..group * 4 + 4]).collect::<Vec<_>>().join("-")
    }
}
