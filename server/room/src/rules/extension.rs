//! Extension (延时, HB-26): up to 15 minutes by chief and inspector together, more by a code from HQ that works offline, is
//! bound to sitting and minutes, and works once. Never grants time on one person's word.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Tell, Wanted},
    rules::{
        numbers::{EXTENSION_BY_HQ_MAX_MIN, EXTENSION_ON_SITE_MS},
        pause::{fits, hear, idle_until},
        people::{REASON_CHARS_MAX, given},
        report::of_extension,
    },
    state::{Authority, Granted, Target},
};
use exam_protocol::{
    code::Refusal,
    ids::{AccountId, Sha256, SittingId, StationId},
    message::candidate::AttemptId,
    staff::{Act, StaffRole},
    time::{Now, minutes},
};
use serde::{Deserialize, Serialize};

/// Grant time on site: two people, both proven by password (the shell has checked both).
#[derive(Clone, Debug)]
pub struct Extend {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub target: Target,
    /// How much.
    pub minutes: u32,
    /// In words.
    pub reason: String,
    /// The people who agree, in any order.
    pub agreed: Vec<AccountId>,
    /// At which machine it is entered.
    pub by: StationId,
}

impl Wanted for Extend {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        given(&self.reason, REASON_CHARS_MAX)?;
        let (chief, inspector) = both(site, &self.agreed)?;
        fits(site, &self.sitting, &self.target, Act::Extend, Act::Extend, now)?;
        let ms = minutes(u64::from(self.minutes));
        let used = self.used_on_site(site)?;
        if self.minutes == 0 || used + ms > EXTENSION_ON_SITE_MS {
            return Err(Refusal::ExtensionLimit {
                used_minutes: (used / minutes(1)) as u32,
                limit_minutes: (EXTENSION_ON_SITE_MS / minutes(1)) as u32,
            });
        }
        let by = Actor { station: self.by.clone(), account: Some(chief.clone()) };
        let idle = idle_until(site, &self.sitting, &self.target, &self.reason, &by, now)?;
        let authority = Authority::ChiefAndInspector { chief, inspector };
        let granted = TimeGranted {
            sitting: self.sitting.clone(),
            target: self.target.clone(),
            ms,
            reason: self.reason.clone(),
            authority,
            code: None,
        };
        Ok(idle.into_iter().chain([granted.into()]).chain(of_extension(site, &self.sitting)).collect())
    }
}

impl Extend {
    /// The most any touched candidate has been granted on site so far: the limit is per candidate, in sum (F-47).
    fn used_on_site(&self, site: &Site) -> Result<u64, Refusal> {
        let sitting = site.sitting(&self.sitting)?;
        let used_by = |attempt: Option<AttemptId>| -> u64 {
            let on_site = sitting.granted.iter().filter(|g| matches!(g.authority, Authority::ChiefAndInspector { .. }));
            let touching =
                on_site.filter(|g| attempt.map_or(g.target == Target::Sitting, |attempt| g.target.touches(attempt)));
            touching.map(|g| g.ms).sum()
        };
        Ok(match &self.target {
            Target::Attempt(attempt) => used_by(Some(*attempt)),
            Target::Sitting => {
                let each = sitting.attempts.values().map(|attempt| used_by(Some(*attempt)));
                each.max().unwrap_or(0).max(used_by(None))
            }
        })
    }
}

/// One chief and one inspector, two different people, both in office.
pub(crate) fn both(site: &Site, agreed: &[AccountId]) -> Result<(AccountId, AccountId), Refusal> {
    let of = |role: StaffRole| {
        agreed.iter().find(|account| site.accounts.get(account).is_some_and(|a| a.active && a.role == role)).cloned()
    };
    match (of(StaffRole::Chief), of(StaffRole::Inspector)) {
        (Some(chief), Some(inspector)) => Ok((chief, inspector)),
        _ => Err(Refusal::SecondPersonMissing { needs: vec![StaffRole::Chief, StaffRole::Inspector] }),
    }
}

/// Grant time on HQ's word. The shell has hashed the code; the package brought the hashes HQ signed.
#[derive(Clone, Debug)]
pub struct ExtendByHq {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub target: Target,
    /// How much, as HQ said.
    pub minutes: u32,
    /// In words.
    pub reason: String,
    /// Hash of the code as `exam_protocol::grant` makes it.
    pub code: Sha256,
    /// Who types it in.
    pub by: StationId,
}

impl Wanted for ExtendByHq {
    fn decide(&self, site: &Site, now: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::ExtendByHq)?;
        given(&self.reason, REASON_CHARS_MAX)?;
        fits(site, &self.sitting, &self.target, Act::ExtendByHq, Act::ExtendByHq, now)?;
        if self.minutes == 0 || self.minutes > EXTENSION_BY_HQ_MAX_MIN {
            return Err(Refusal::HqCodeInvalid);
        }
        let sitting = site.sitting(&self.sitting)?;
        if sitting.hq_codes_used.contains(&self.code) {
            return Err(Refusal::HqCodeUsed);
        }
        if !sitting.plan.hq_grants.contains(&self.code) {
            return Err(Refusal::HqCodeInvalid);
        }
        let idle = idle_until(site, &self.sitting, &self.target, &self.reason, &by, now)?;
        let granted = TimeGranted {
            sitting: self.sitting.clone(),
            target: self.target.clone(),
            ms: minutes(u64::from(self.minutes)),
            reason: self.reason.clone(),
            authority: Authority::Hq { by },
            code: Some(self.code),
        };
        Ok(idle.into_iter().chain([granted.into()]).collect())
    }
}

/// 已延时.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeGranted {
    /// In which sitting.
    pub sitting: SittingId,
    /// Whose.
    pub target: Target,
    /// How much, milliseconds.
    pub ms: u64,
    /// In words.
    pub reason: String,
    /// On whose word.
    pub authority: Authority,
    /// HQ's code, hashed; it is used up now.
    pub code: Option<Sha256>,
}

impl Happened for TimeGranted {
    fn scope(&self) -> Scope {
        Scope::Sitting(self.sitting.clone())
    }

    fn apply(&self, site: &mut Site, now: Now) {
        let Some(sitting) = site.sittings.get_mut(&self.sitting) else { return };
        sitting.hq_codes_used.extend(self.code);
        sitting.granted.push(Granted {
            target: self.target.clone(),
            ms: self.ms,
            reason: self.reason.clone(),
            at: now.at,
            authority: self.authority.clone(),
        });
    }

    fn tell(&self, site: &Site) -> Vec<Tell> {
        hear(site, &self.sitting, &self.target)
    }
}
