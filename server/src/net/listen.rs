//! The server's QUIC endpoint: its TLS, its limits, its beginning and its end. Never resumes a session, never takes 0-RTT,
//! and believes no client certificate that is not from the site's own CA.

use super::{
    CONNECTIONS_MAX, Counter,
    door::{Door, INCOMING_MAX},
    serve::{Hall, serve_connection},
};
use crate::site::{IssueError, SiteKeys};
use exam_link::{
    CloseCode,
    socket::{endpoint_over, endpoint_socket, server_endpoint_config},
    transport::server_transport,
    trust::provider,
};
use exam_protocol::ALPN;
use quinn::{Endpoint, EndpointConfig, ServerConfig, crypto::rustls::QuicServerConfig};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// Packets kept for one handshake that waits its turn.
const INCOMING_BYTES_MAX: u64 = 16 * 1024;
/// Packets kept for all of them.
const INCOMING_BYTES_TOTAL_MAX: u64 = 32 * 1024 * 1024;
/// How long a stopping server waits for its farewells to be heard.
const FAREWELL_MS_MAX: u64 = 3_000;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {addr}: is another server running, or is the address not this machine's?")]
    Bind {
        /// What was asked for.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No certificate for this start.
    #[error("the server's certificate could not be made")]
    Certificate(#[from] IssueError),
    /// The site's CA cannot be used.
    #[error("the site's CA cannot be used for TLS: {0}")]
    Tls(String),
}

/// The QUIC side of the site's keys: connection ids and reset tokens that survive a restart.
pub fn endpoint_config(keys: &SiteKeys) -> EndpointConfig {
    server_endpoint_config(keys.at_rest().endpoint_secret())
}

/// The TLS side of the site's keys, with a fresh certificate, and every limit on what strangers may cost.
///
/// # Errors
/// [`ListenError::Certificate`] and [`ListenError::Tls`].
pub fn server_config(keys: &SiteKeys) -> Result<ServerConfig, ListenError> {
    let tls = |e: &dyn std::fmt::Display| ListenError::Tls(e.to_string());
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(keys.public().ca_pem.as_bytes()).map_err(|e| tls(&e))?;
    roots.add(ca).map_err(|e| tls(&e))?;
    // A guest has no certificate yet; whoever shows one must have it from this CA.
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .allow_unauthenticated()
        .build()
        .map_err(|e| tls(&e))?;
    let own = keys.server_certificate()?;
    let mut config = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| tls(&e))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![own.certificate], own.key)
        .map_err(|e| tls(&e))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    let crypto = QuicServerConfig::try_from(config).map_err(|e| tls(&e))?;
    let mut server = ServerConfig::with_crypto(Arc::new(crypto));
    server
        .transport_config(Arc::new(server_transport()))
        .max_incoming(INCOMING_MAX)
        .incoming_buffer_size(INCOMING_BYTES_MAX)
        .incoming_buffer_size_total(INCOMING_BYTES_TOTAL_MAX)
        .migration(false);
    server.validation_token.sent(0);
    Ok(server)
}

/// A server that listens. Nothing is answered before [`serve`](Self::serve).
pub struct Server {
    endpoint: Endpoint,
}

impl Server {
    /// Listens on `addr`. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn bind(addr: SocketAddr, keys: &SiteKeys) -> Result<Server, ListenError> {
        let bind = |source| ListenError::Bind { addr, source };
        let config = server_config(keys)?;
        let socket = endpoint_socket(addr).map_err(bind)?;
        let endpoint = endpoint_over(socket, endpoint_config(keys), Some(config)).map_err(bind)?;
        Ok(Server { endpoint })
    }

    /// A server over an endpoint made elsewhere from [`endpoint_config`] and [`server_config`].
    pub fn over(endpoint: Endpoint) -> Server {
        Server { endpoint }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    /// Serves until `shutdown` is ready, then tells every peer that the server stops, and waits a moment for them.
    pub async fn serve<C: Counter>(self, counter: Arc<C>, shutdown: impl Future<Output = ()>) {
        let hall = Arc::new(Hall::new(counter));
        let door = Arc::new(Door::default());
        let mut guests = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(_) = guests.join_next(), if !guests.is_empty() => {}
                incoming = self.endpoint.accept() => {
                    let Some(incoming) = incoming else { break };
                    let Some(handshake) = door.receive(incoming) else { continue };
                    let hall = Arc::clone(&hall);
                    guests.spawn(async move {
                        if let Some(connection) = handshake.finish().await {
                            // In a box: thousands of callers may wait in line, and most of a flood's never get this far.
                            Box::pin(serve_connection(hall, connection)).await;
                        }
                    });
                }
            }
        }
        self.stop(guests).await;
    }

    async fn stop(self, mut guests: JoinSet<()>) {
        self.endpoint.set_server_config(None);
        self.endpoint.close(CloseCode::Stopping.number().into(), CloseCode::Stopping.words().as_bytes());
        let all_gone = async {
            while guests.join_next().await.is_some() {}
            self.endpoint.wait_idle().await;
        };
        if tokio::time::timeout(Duration::from_millis(FAREWELL_MS_MAX), all_gone).await.is_err() {
            tracing::info!("some peers did not hear the farewell");
        }
    }
}

const _: () = assert!(CONNECTIONS_MAX <= INCOMING_MAX); // else a whole campus could not call at once
