//! Passwords of staff (HB-04): changed by the person with the old one, reset by the chief or the administrator where it is
//! forgotten. Never sees a password; the shell has checked the old one and hashed the new one.

use crate::{
    Fact, Scope, Site,
    authority::Actor,
    rule::{Happened, Wanted},
};
use exam_protocol::{
    code::Refusal,
    ids::{AccountId, SealedBytes, StationId},
    staff::Act,
    time::Now,
};
use serde::{Deserialize, Serialize};

/// A person changes their own password; the shell has checked the old one.
#[derive(Clone, Debug)]
pub struct ChangePassword {
    /// Whose.
    pub account: AccountId,
    /// Argon2id hash of the new one, sealed under the site's at-rest key.
    pub password: SealedBytes,
    /// At which machine.
    pub station: StationId,
}

impl Wanted for ChangePassword {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        in_use(site, &self.account)?;
        site.stations.get(&self.station).ok_or(Refusal::RoleMayNot)?;
        let by = Actor { station: self.station.clone(), account: Some(self.account.clone()) };
        let Self { account, password, .. } = self.clone();
        Ok(vec![PasswordChanged { account, reset: false, password, by }.into()])
    }
}

/// Somebody has forgotten theirs.
#[derive(Clone, Debug)]
pub struct ResetPassword {
    /// Whose.
    pub account: AccountId,
    /// Argon2id hash of the new one, sealed.
    pub password: SealedBytes,
    /// Who resets it.
    pub by: StationId,
}

impl Wanted for ResetPassword {
    fn decide(&self, site: &Site, _: Now) -> Result<Vec<Fact>, Refusal> {
        let by = site.may_reset(&self.by, &self.account)?;
        let Self { account, password, .. } = self.clone();
        Ok(vec![PasswordChanged { account, reset: true, password, by }.into()])
    }
}

impl Site {
    /// Who resets the password of `account` at this machine.
    ///
    /// # Errors
    /// The role may not; no such account; or it is their own, which takes the old one.
    pub fn may_reset(&self, by: &StationId, account: &AccountId) -> Result<Actor, Refusal> {
        let by = self.actor(by, Act::KeepPeople)?;
        in_use(self, account)?;
        if by.account.as_ref() == Some(account) { Err(Refusal::OldPasswordMissing) } else { Ok(by) }
    }
}

fn in_use(site: &Site, account: &AccountId) -> Result<(), Refusal> {
    site.accounts.get(account).filter(|account| account.active).map(drop).ok_or(Refusal::AccountUnknown)
}

/// 密码已改.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordChanged {
    /// Whose.
    pub account: AccountId,
    /// Whether somebody else reset it.
    pub reset: bool,
    /// Argon2id hash of the new one, sealed.
    pub password: SealedBytes,
    /// Who.
    pub by: Actor,
}

impl Happened for PasswordChanged {
    fn scope(&self) -> Scope {
        Scope::Site
    }

    fn apply(&self, site: &mut Site, _: Now) {
        if let Some(account) = site.accounts.get_mut(&self.account) {
            account.password = self.password.clone();
        }
        // Whoever was signed on with a password that is no longer theirs has to prove themselves again.
        let elsewhere = site.stations.iter_mut().filter(|(station, _)| **station != self.by.station);
        let theirs = elsewhere.filter(|(_, machine)| machine.staff.as_ref() == Some(&self.account));
        theirs.for_each(|(_, machine)| machine.staff = None);
    }
}
