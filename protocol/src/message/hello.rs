//! The first words: who speaks, which version, and how a machine becomes one of the site's.
//! Never carries a secret of the site.

use crate::{
    code::{ErrorCode, Refusal},
    ids::{SiteId, StationId},
    time::Now,
    version::VersionRange,
};
use serde::{Deserialize, Serialize};

/// What a connection may do. Proven by its certificate, never by what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// No certificate yet: may only enrol.
    Guest,
    /// 考生机.
    Station,
    /// 监考机.
    Console,
    /// The administrator's command line on the server itself.
    Admin,
}

/// Client → server, first frame of the control stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Versions the client speaks.
    pub versions: VersionRange,
    /// Program and version, for the log, e.g. `exam-load 0.1.0`. At most 64 bytes are kept.
    pub build: String,
}

/// Server → client, answer to [`Hello`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The agreed version.
    pub version: u16,
    /// The server's version.
    pub build: String,
    /// Which site this is.
    pub site: SiteId,
    /// The site's name, for people.
    pub site_name: String,
    /// Changes with every start of the server.
    pub boot: u64,
    /// The server's time.
    pub now: Now,
    /// The role the certificate proves.
    pub role: Role,
    /// Which station the certificate belongs to; none for a guest.
    pub station: Option<StationId>,
}

/// Client → server as a guest: makes this machine one of the site's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrol {
    /// One-time enrolment code as typed.
    pub code: String,
    /// The machine's own public key (SubjectPublicKeyInfo, DER). The private key never leaves it.
    pub public_key: Vec<u8>,
    /// Host name, for the administrator. At most 64 bytes are kept.
    pub host: String,
}

impl std::fmt::Debug for Enrol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrol").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Server → client: the machine belongs to the site; it reconnects with this certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// Its id.
    pub station: StationId,
    /// Its role.
    pub role: Role,
    /// Certificate (DER) signed by the site CA.
    pub certificate: Vec<u8>,
}

/// Server → client: done, nothing more to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done;

/// Server → client: a rule said no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Which rule.
    pub refusal: Refusal,
}

/// Server → client: the world failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// What failed.
    pub error: ErrorCode,
}
