//! The people of the site (HB-04): accounts, signing on, passwords, and one person's agreement to an act of two.

use crate::{
    ids::{AccountId, RoomId, StationId},
    staff::StaffRole,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most people who may agree to one act.
pub const APPROVALS_MAX: usize = 4;
/// Shortest password of a member of staff, in characters.
pub const STAFF_PASSWORD_CHARS_MIN: usize = 8;
/// Longest password looked at, in bytes.
pub const STAFF_PASSWORD_BYTES_MAX: usize = 256;
const _: () = assert!(STAFF_PASSWORD_CHARS_MIN * 4 <= STAFF_PASSWORD_BYTES_MAX); // else a shortest one could be too long

/// Console → server: the people of the site (HB-04).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleCall {
    /// Somebody gets an account.
    Make(MakeAccount),
    /// A person answers for this console from now on.
    SignOn(SignOn),
    /// And no longer.
    SignOff,
    /// Who there is; answered with [`People`].
    List,
    /// One's own password, with the old one; nobody has to be signed on.
    ChangePassword(ChangePassword),
    /// A forgotten password of somebody else.
    ResetPassword(ResetPassword),
}

/// A person and both passwords.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePassword {
    /// Whose.
    pub account: AccountId,
    /// The old one, as typed.
    pub old: String,
    /// The new one, at least [`STAFF_PASSWORD_CHARS_MIN`] characters.
    pub new: String,
}

impl fmt::Debug for ChangePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChangePassword({})", self.account)
    }
}

/// A new password for a person who has forgotten theirs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetPassword {
    /// Whose.
    pub account: AccountId,
    /// The new one, at least [`STAFF_PASSWORD_CHARS_MIN`] characters.
    pub new: String,
}

impl fmt::Debug for ResetPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResetPassword({})", self.account)
    }
}

/// A new account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeAccount {
    /// Its id.
    pub account: AccountId,
    /// 姓名.
    pub name: String,
    /// Role.
    pub role: StaffRole,
    /// The room a proctor watches; none for the whole site.
    pub room: Option<RoomId>,
    /// For whom this person stands in; that account is retired.
    pub stands_in_for: Option<AccountId>,
    /// Why, when standing in; else empty.
    pub reason: String,
    /// Password, at least [`STAFF_PASSWORD_CHARS_MIN`] characters.
    pub password: String,
}

impl fmt::Debug for MakeAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MakeAccount").field("account", &self.account).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A person and the proof.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOn {
    /// Who.
    pub account: AccountId,
    /// As typed.
    pub password: String,
}

impl fmt::Debug for SignOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignOn({})", self.account)
    }
}

/// Server → console: everybody with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// By account.
    pub people: Vec<Person>,
    /// Who is signed on at the machine that asks.
    pub own: Option<AccountId>,
}

/// A person of the site.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Account.
    pub account: AccountId,
    /// 姓名.
    pub name: String,
    /// Role.
    pub role: StaffRole,
    /// The room a proctor watches.
    pub room: Option<RoomId>,
    /// For whom this person stands in.
    pub stands_in_for: Option<AccountId>,
    /// Whether the account may be used.
    pub active: bool,
    /// Machines this person is signed on at.
    pub signed_on: Vec<StationId>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("account", &self.account).field("role", &self.role).finish_non_exhaustive()
    }
}

/// One person's agreement to an act of two (HB-26).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub account: AccountId,
    /// As typed.
    pub password: String,
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Approval({})", self.account)
    }
}
