//! The administrator's side: how a command reaches the running server, as an enrolled machine over QUIC.
//! Never goes around the server to its journal while it runs.

use crate::vault::Vault;
use exam_link::{Dial, Identity, Link, LinkError, Trust, client_endpoint};
use exam_protocol::message::hello::Welcome;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Why a command does not reach the server.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// Nobody has written where the server listens.
    #[error("no server is running on {0}: start it with `exam-server run`")]
    NotRunning(PathBuf),
    /// The address file is not an address.
    #[error("{0} does not hold an address: is the server just starting? Try again")]
    Address(PathBuf),
    /// No identity, or another site's.
    #[error("this machine has no identity to speak with")]
    Identity(#[source] exam_link::identity::IdentityError),
    /// The public file is missing or damaged.
    #[error("the site's public file cannot be used")]
    Trust(#[source] exam_link::trust::TrustError),
    /// No socket.
    #[error("no UDP socket can be opened")]
    Socket(#[source] std::io::Error),
    /// The server does not answer, or says no.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// Connects to the server that runs on data folder `dir`, or to `server` with the identity of that folder.
///
/// # Errors
/// Says what is missing.
pub async fn connect(dir: &Path, server: Option<SocketAddr>) -> Result<(Link, Welcome), ReachError> {
    let vault = Vault::new(dir);
    let addr = match server {
        Some(addr) => addr,
        None => running_at(&vault)?,
    };
    let trust = Trust::load(&vault.site_public()).map_err(ReachError::Trust)?;
    let identity = Identity::load(&vault.admin(), &trust.public().site).map_err(ReachError::Identity)?;
    let endpoint = client_endpoint(addr).map_err(ReachError::Socket)?;
    let build = concat!("exam-server ", env!("CARGO_PKG_VERSION")).to_owned();
    let dial = Dial { endpoint, trust, identity: Some(identity), addr, build };
    let (link, welcome, _) = Link::connect(&dial).await?;
    Ok((link, welcome))
}

/// Where the server of this data folder says it listens; an address of "everywhere" is reached through loopback.
fn running_at(vault: &Vault) -> Result<SocketAddr, ReachError> {
    let path = vault.address_file();
    let text = std::fs::read_to_string(&path).map_err(|_| ReachError::NotRunning(vault.dir().to_owned()))?;
    let mut addr: SocketAddr = text.trim().parse().map_err(|_| ReachError::Address(path))?;
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(addr)
}
