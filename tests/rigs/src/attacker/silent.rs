//! Guests who finish TLS, from many addresses, and say nothing: each costs the server a handshake and a place. Never more at once than a
//! server gives to strangers.

use super::{ADDRESSES_FROM, packet::Sent};
use anyhow::Result;
use exam_link::{Trust, socket};
use exam_protocol::SERVER_NAME;
use quinn::Endpoint;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinSet};

/// Sockets, one an address.
const SOCKETS: u32 = 64;
/// Calls that are under way or stand silent.
const AT_ONCE: usize = 2_500;
/// A call every so often.
const EVERY: Duration = Duration::from_millis(2);
/// An attempt is given up after this.
const PATIENCE: Duration = Duration::from_secs(4);

pub(super) fn run(server: SocketAddr, trust: &Path, until: Instant) -> Result<Sent> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let config = Trust::load(trust)?.client_config(None)?;
        let endpoints: Vec<Endpoint> = (0..SOCKETS).map(endpoint).collect::<Result<_>>()?;
        let (mut sent, mut calls, places) = (Sent::default(), JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
        while Instant::now() < until {
            tokio::time::sleep(EVERY).await;
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
            let endpoint = &endpoints[sent.count as usize % endpoints.len()];
            let connecting = endpoint.connect_with(config.clone(), server, SERVER_NAME)?;
            sent.count += 1;
            calls.spawn(async move {
                let _place = place;
                let Ok(Ok(connection)) = tokio::time::timeout(PATIENCE, connecting).await else { return false };
                let _ = tokio::time::timeout_at(until.into(), connection.closed()).await;
                true
            });
        }
        while let Some(stood) = calls.join_next().await {
            sent.answered += u64::from(stood.unwrap_or(false));
        }
        Ok(sent)
    })
}

fn endpoint(n: u32) -> Result<Endpoint> {
    let socket = socket::endpoint_socket((Ipv4Addr::from(ADDRESSES_FROM + n), 0).into())?;
    Ok(socket::endpoint_over(socket, Default::default(), None)?)
}
