//! Enrolment: a guest becomes one of the site's machines by a one-time code. The private key never leaves the machine.
//! Never keeps the code.

use crate::{
    error::LinkError,
    identity::{Identity, MachineKey},
    link::{Dial, Link, unexpected},
};
use exam_protocol::{message::hello::Enrol, tag::Down};

/// What the administrator typed, and what the machine brings.
pub struct Enrolment {
    /// One-time enrolment code, as typed.
    pub code: String,
    /// The machine's key; keep it in its folder first ([`MachineKey::load_or_create`]), so that an enrolment whose reply
    /// was lost is tried again with the same key.
    pub key: MachineKey,
    /// Host name, for the administrator.
    pub host: String,
}

/// Connects as a guest (whatever identity `dial` has) and enrols. The result is not saved yet: [`Identity::save`].
///
/// # Errors
/// [`LinkError::Refused`] when the code is not valid; otherwise as [`Link::connect`].
pub async fn enrol(dial: &Dial, enrolment: Enrolment) -> Result<Identity, LinkError> {
    let guest = Dial { identity: None, ..dial.clone() };
    let (link, welcome, _pushes) = Link::connect(&guest).await?;
    let Enrolment { code, key, host } = enrolment;
    match link.ask(Enrol { code, public_key: key.public_der().to_vec(), host }).await? {
        Down::Enrolled(enrolled) => Ok(Identity::new(welcome.site, enrolled, key)),
        other => Err(unexpected("Enrol", &other)),
    }
}
