//! A site begins to exist, and its server starts and stops. Never says anything of candidates.

use crate::{
    Fact, Scope, Site,
    rule::{Happened, Wanted},
    rules::{enrolment::StationEnrolled, power_cut, seal::SealBroken},
    state::{Hq, Sitting},
};
use exam_protocol::{
    code::{PackageNo, Refusal},
    ids::{Sha256, StationId},
    message::hello::Role,
    seal::SealBreak,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// `exam-server init`: names the site and makes the administrator's own command line its first machine.
#[derive(Clone, Debug)]
pub struct Found {
    /// Name for people.
    pub name: String,
    /// The administrator's machine id.
    pub admin: StationId,
    /// Fingerprint of its certificate.
    pub certificate: Sha256,
    /// HQ's public key, when it is known from the start.
    pub hq_minisign: Option<String>,
}

impl Wanted for Found {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        if !site.name.is_empty() {
            return Err(Refusal::PackageRefused { why: PackageNo::Plan, reason: "the site exists already".to_owned() });
        }
        Ok(vec![
            SiteFounded { name: self.name.clone(), hq_minisign: self.hq_minisign.clone() }.into(),
            StationEnrolled {
                station: self.admin.clone(),
                role: Role::Admin,
                certificate: self.certificate,
                code: None,
                host: "localhost".to_owned(),
            }
            .into(),
        ])
    }
}

/// The site exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteFounded {
    /// Name for people.
    pub name: String,
    /// HQ's public key, when it was given.
    pub hq_minisign: Option<String>,
}

impl Happened for SiteFounded {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        site.name.clone_from(&self.name);
        site.hq = self.hq_minisign.clone().map(|minisign| Hq { minisign });
    }
}

/// A server process says that it starts or stops.
#[derive(Clone, Debug)]
pub struct NoteServer {
    /// What it does.
    pub event: ServerEvent,
    /// Its version.
    pub version: String,
    /// Milliseconds between the last fact and this start, as well as the clocks can tell; 0 at a stop.
    pub gap_ms: u64,
    /// Whether the machine itself was restarted in between, so that only wall time could measure the gap.
    pub machine_restarted: bool,
    /// How this process's timeline rests on the machine's own clock.
    pub anchor: ClockAnchor,
}

/// How a server process's timeline rests on the machine's monotonic clock: a restart on the same machine start continues
/// it to the millisecond.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockAnchor {
    /// Names one start of the machine.
    pub machine: String,
    /// Site timeline minus the machine's monotonic clock, milliseconds.
    pub offset_ms: i64,
}

/// What a server process did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerEvent {
    /// It serves.
    Started,
    /// It was asked to stop and did.
    Stopped,
}

impl Wanted for NoteServer {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let noted = ServerNoted {
            event: self.event,
            version: self.version.clone(),
            gap_ms: self.gap_ms,
            machine_restarted: self.machine_restarted,
            anchor: self.anchor.clone(),
        };
        let mut facts: Vec<Fact> = vec![noted.into()];
        let known = &site.readiness.server_version;
        if self.event == ServerEvent::Started && !known.is_empty() && *known != self.version {
            let broken = |sitting: &Sitting| {
                SealBroken { sitting: sitting.plan.sitting.clone(), why: SealBreak::ServerChanged }.into()
            };
            facts.extend(site.sealed().map(broken));
        }
        if self.event == ServerEvent::Started && self.machine_restarted {
            facts.extend(power_cut::noticed(site, now, self.gap_ms));
        }
        Ok(facts)
    }
}

/// A server process started or stopped. A start without a stop before it tells of a crash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerNoted {
    /// What it did.
    pub event: ServerEvent,
    /// Its version.
    pub version: String,
    /// Milliseconds since the last fact.
    pub gap_ms: u64,
    /// Whether the machine was restarted too.
    pub machine_restarted: bool,
    /// How the timeline rests on the machine's clock.
    pub anchor: ClockAnchor,
}

impl Happened for ServerNoted {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        match self.event {
            ServerEvent::Started => {
                site.server_starts += 1;
                site.readiness.server_version.clone_from(&self.version);
            }
            ServerEvent::Stopped => {}
        }
        site.anchor = Some(self.anchor.clone());
    }
}
