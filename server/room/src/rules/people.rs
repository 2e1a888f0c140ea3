//! The people of the site (HB-04): accounts with roles, signing on at a console, stand-ins for the absent.
//! Never sees a password; the shell has checked it.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Wanted},
    state::Account,
};
use exam_protocol::{
    code::Refusal,
    ids::{AccountId, RoomId, SealedBytes, StationId},
    staff::{Act, StaffRole},
    time::Now,
};
use serde::{Deserialize, Serialize};

/// Longest name of a person, in characters.
pub const NAME_CHARS_MAX: usize = 50;
/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 500;
/// Most accounts of a site.
pub const ACCOUNTS_MAX: usize = 500;

/// Checks a text a person typed: not empty, not too long.
///
/// # Errors
/// [`Refusal::ReasonMissing`], [`Refusal::TextTooLong`].
pub(crate) fn given(text: &str, chars_max: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::ReasonMissing);
    }
    if text.chars().count() > chars_max {
        return Err(Refusal::TextTooLong { max_chars: chars_max as u32 });
    }
    Ok(())
}

/// Somebody gets an account.
#[derive(Clone, Debug)]
pub struct MakeAccount {
    /// Its id.
    pub account: AccountId,
    /// 姓名.
    pub name: String,
    /// Role.
    pub role: StaffRole,
    /// The room a proctor watches; none for the whole site.
    pub room: Option<RoomId>,
    /// For whom this person stands in (HB-04); that account is retired.
    pub stands_in_for: Option<AccountId>,
    /// Why, when standing in.
    pub reason: String,
    /// Argon2id hash of the password, sealed under the site's at-rest key.
    pub password: SealedBytes,
    /// Who makes it.
    pub by: StationId,
}

impl Wanted for MakeAccount {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.actor(&self.by, Act::KeepPeople)?;
        given(&self.name, NAME_CHARS_MAX)?;
        if site.accounts.contains_key(&self.account) {
            return Err(Refusal::AccountExists);
        }
        if site.accounts.len() >= ACCOUNTS_MAX {
            return Err(Refusal::TooMany { max: ACCOUNTS_MAX as u32 });
        }
        if self.room.as_ref().is_some_and(|room| !site.rooms.contains_key(room)) {
            return Err(Refusal::SeatUnknown);
        }
        if let Some(absent) = &self.stands_in_for {
            site.accounts.get(absent).filter(|account| account.active).ok_or(Refusal::AccountUnknown)?;
            given(&self.reason, REASON_CHARS_MAX)?;
        }
        let Self { account, name, role, room, stands_in_for, reason, password, .. } = self.clone();
        Ok(vec![AccountMade { account, name, role, room, stands_in_for, reason, password, by }.into()])
    }
}

/// An account exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountMade {
    /// Its id.
    pub account: AccountId,
    /// 姓名.
    pub name: String,
    /// Role.
    pub role: StaffRole,
    /// The room a proctor watches.
    pub room: Option<RoomId>,
    /// For whom this person stands in.
    pub stands_in_for: Option<AccountId>,
    /// Why.
    pub reason: String,
    /// Argon2id hash of the password, sealed.
    pub password: SealedBytes,
    /// Who made it.
    pub by: Actor,
}

impl Happened for AccountMade {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(absent) = self.stands_in_for.as_ref().and_then(|absent| site.accounts.get_mut(absent)) {
            absent.active = false;
        }
        if let Some(absent) = &self.stands_in_for {
            site.stations.values_mut().filter(|s| s.staff.as_ref() == Some(absent)).for_each(|s| s.staff = None);
        }
        let account = Account {
            name: self.name.clone(),
            role: self.role,
            room: self.room.clone(),
            password: self.password.clone(),
            stands_in_for: self.stands_in_for.clone(),
            active: true,
        };
        site.accounts.insert(self.account.clone(), account);
    }
}

/// A person signs on at a console; the shell has checked the password.
#[derive(Clone, Debug)]
pub struct SignOn {
    /// At which machine.
    pub station: StationId,
    /// Who.
    pub account: AccountId,
}

impl Wanted for SignOn {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        site.accounts.get(&self.account).filter(|account| account.active).ok_or(Refusal::AccountUnknown)?;
        match site.stations.get(&self.station).map(|machine| machine.staff.as_ref() == Some(&self.account)) {
            Some(true) => Ok(Vec::new()),
            Some(false) => Ok(vec![SignedOn { station: self.station.clone(), account: self.account.clone() }.into()]),
            None => Err(Refusal::RoleMayNot),
        }
    }
}

/// A person answers for what this console does from now on. Signing on where somebody else is signed on is a handover.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedOn {
    /// At which machine.
    pub station: StationId,
    /// Who.
    pub account: AccountId,
}

impl Happened for SignedOn {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(machine) = site.stations.get_mut(&self.station) {
            machine.staff = Some(self.account.clone());
        }
    }
}

/// A person signs off.
#[derive(Clone, Debug)]
pub struct SignOff {
    /// At which machine.
    pub station: StationId,
}

impl Wanted for SignOff {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let machine = site.stations.get(&self.station).ok_or(Refusal::RoleMayNot)?;
        let left = |account: &AccountId| SignedOff { station: self.station.clone(), account: account.clone() }.into();
        Ok(machine.staff.iter().map(left).collect())
    }
}

/// Nobody answers for this console any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedOff {
    /// At which machine.
    pub station: StationId,
    /// Who left.
    pub account: AccountId,
}

impl Happened for SignedOff {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(machine) = site.stations.get_mut(&self.station) {
            machine.staff = None;
        }
    }
}
