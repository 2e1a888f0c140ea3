//! How a machine becomes one of the site's: a one-time code, the machine's own key, a certificate (DESIGN §7).
//! Never sees a code in the clear, nor a private key.

use crate::{
    Fact, Reply, Scope, Site,
    rule::{Happened, Wanted},
    rules::numbers::{ENROL_CODE_USES_MAX, ENROL_CODES_OPEN_MAX},
    state::{EnrolCode, Station},
};
use exam_protocol::{
    code::Refusal,
    ids::{Sha256, StationId},
    message::hello::Role,
    time::{Now, SiteMs},
};
use serde::{Deserialize, Serialize};

/// The administrator wants a code.
#[derive(Clone, Debug)]
pub struct IssueCode {
    /// Keyed hash of the code.
    pub tag: Sha256,
    /// For stations or consoles.
    pub role: Role,
    /// How many machines it may enrol.
    pub uses: u16,
    /// When it runs out.
    pub valid_until: SiteMs,
}

impl Wanted for IssueCode {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        if !matches!(self.role, Role::Station | Role::Console) {
            return Err(Refusal::RoleMayNot);
        }
        let open = site.codes.values().filter(|code| code.uses_left > 0 && code.valid_until > now.at).count();
        if self.uses == 0 || self.uses > ENROL_CODE_USES_MAX || open >= ENROL_CODES_OPEN_MAX {
            return Err(Refusal::TooMany { max: u32::from(ENROL_CODE_USES_MAX) });
        }
        let Self { tag, role, uses, valid_until } = self.clone();
        Ok(vec![CodeIssued { tag, role, uses, valid_until }.into()])
    }
}

/// A code is good from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeIssued {
    /// Keyed hash of the code.
    pub tag: Sha256,
    /// For which role.
    pub role: Role,
    /// How many machines.
    pub uses: u16,
    /// Until when.
    pub valid_until: SiteMs,
}

impl Happened for CodeIssued {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        site.codes.insert(self.tag, EnrolCode { role: self.role, uses_left: self.uses, valid_until: self.valid_until });
    }
}

/// A guest typed a code; the shell has made a certificate that is worthless unless this is granted.
#[derive(Clone, Debug)]
pub struct EnrolStation {
    /// Keyed hash of what was typed.
    pub tag: Sha256,
    /// Id for the machine, derived from its key: a machine whose reply was lost asks again under the same id and does not
    /// use the code up twice.
    pub station: StationId,
    /// Role the certificate was made for.
    pub role: Role,
    /// Fingerprint of the certificate.
    pub certificate: Sha256,
    /// Host name as the machine says.
    pub host: String,
}

impl Wanted for EnrolStation {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let code = site.codes.get(&self.tag).ok_or(Refusal::EnrolCodeInvalid)?;
        let again = site.stations.get(&self.station).is_some_and(|known| known.code == Some(self.tag));
        if (code.uses_left == 0 && !again) || now.at >= code.valid_until || code.role != self.role {
            return Err(Refusal::EnrolCodeInvalid);
        }
        Ok(vec![
            StationEnrolled {
                station: self.station.clone(),
                role: code.role,
                certificate: self.certificate,
                code: Some(self.tag),
                host: self.host.clone(),
            }
            .into(),
        ])
    }

    fn reply(&self, _: &Site) -> Reply {
        Reply::Enrolled { station: self.station.clone() }
    }
}

/// A machine belongs to the site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationEnrolled {
    /// Its id.
    pub station: StationId,
    /// Its role.
    pub role: Role,
    /// Fingerprint of its certificate.
    pub certificate: Sha256,
    /// The code it used; none for the administrator's command line.
    pub code: Option<Sha256>,
    /// Host name as the machine said.
    pub host: String,
}

impl Happened for StationEnrolled {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        site.certificates.insert(self.certificate, self.station.clone());
        if site.stations.contains_key(&self.station) {
            return; // the reply was lost: the same machine has one more certificate, and its desk is still its desk
        }
        if let Some(code) = self.code.and_then(|tag| site.codes.get_mut(&tag)) {
            code.uses_left = code.uses_left.saturating_sub(1);
        }
        site.stations.insert(self.station.clone(), Station::new(self.role, self.host.clone(), self.code));
    }
}
