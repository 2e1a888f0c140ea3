//! The man in the middle: TLS with the rogue's papers on one side, a connection of his own to the true server on the other. Who holds
//! the site's CA also swaps keys at enrolment, so that machines keep working through him. Never judges what he passes on.

use super::{Heard, lock, papers::Papers};
use anyhow::{Context, Result};
use exam_link::{
    Identity, MachineKey, Trust, socket::client_endpoint, transport::server_transport, trust::provider,
    wire::FrameReader,
};
use exam_protocol::{
    ALPN, SERVER_NAME,
    frame::{DOWN_FRAME_BYTES_MAX, RawFrame, UP_FRAME_BYTES_MAX, write_frame},
    tag::{Down, Up},
};
use quinn::{Connection, Endpoint, ServerConfig, crypto::rustls::QuicServerConfig};
use rustls::{
    RootCertStore,
    pki_types::CertificateDer,
    server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier},
    sign::CertifiedKey,
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// The true server, and how the rogue speaks to it.
pub(super) struct Upstream {
    endpoint: Endpoint,
    server: SocketAddr,
    papers: Papers,
    /// Of machines enrolled through him: the certificate he gave them, and who he is instead of them at the true server.
    instead: Mutex<BTreeMap<Vec<u8>, Identity>>,
}

impl Upstream {
    pub(super) fn new(server: SocketAddr, papers: Papers) -> Result<Self> {
        Ok(Self { endpoint: client_endpoint(server)?, server, papers, instead: Mutex::default() })
    }

    /// His own identity for the machine with this certificate.
    fn identity_for(&self, certificate: &[u8]) -> Option<Identity> {
        self.instead.lock().unwrap_or_else(PoisonError::into_inner).get(certificate).cloned()
    }

    /// A connection to the true server in the place of `seat`.
    async fn call(&self, trust: &Trust, seat: &Connection) -> Result<Connection> {
        let shown = seat.peer_identity().and_then(|shown| shown.downcast::<Vec<CertificateDer<'static>>>().ok());
        let identity = shown.and_then(|chain| self.identity_for(chain.first()?));
        let config = trust.client_config(identity.as_ref())?;
        Ok(self.endpoint.connect_with(config, self.server, SERVER_NAME)?.await?)
    }
}

/// Shows one certificate to everybody; whether the key is the certificate's is not asked.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// As the true server's, but for the papers.
pub(super) fn server_config(papers: &Papers) -> Result<ServerConfig> {
    let key = provider().key_provider.load_private_key(papers.key.clone_key())?;
    let mut roots = RootCertStore::empty();
    roots.add(papers.site_ca.clone())?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).allow_unauthenticated().build()?;
    let mut tls = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(Shown(Arc::new(CertifiedKey::new(papers.chain.clone(), key)))));
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(Arc::new(server_transport()));
    Ok(config)
}

pub(super) async fn serve(endpoint: Endpoint, upstream: Arc<Upstream>, heard: Arc<Mutex<Heard>>) {
    while let Some(incoming) = endpoint.accept().await {
        lock(&heard).called(incoming.remote_address());
        let (upstream, heard) = (Arc::clone(&upstream), Arc::clone(&heard));
        tokio::spawn(async move {
            let Ok(seat) = incoming.await else { return };
            lock(&heard).believed += 1;
            // A seat that goes away, or a server that does, ends it: what was read is noted by then.
            let _ = pass_on(seat, &upstream, &heard).await;
        });
    }
}

/// Carries frames both ways.
async fn pass_on(seat: Connection, upstream: &Upstream, heard: &Mutex<Heard>) -> Result<()> {
    let (mut to_seat, from_seat) = seat.accept_bi().await?;
    let mut from_seat = FrameReader::new(from_seat, UP_FRAME_BYTES_MAX);
    let server = upstream.call(&upstream.papers.trust, &seat).await?;
    let (mut to_server, from_server) = server.open_bi().await?;
    let mut from_server = FrameReader::new(from_server, DOWN_FRAME_BYTES_MAX);
    let mut swapped = None;
    loop {
        tokio::select! {
            raw = from_seat.frame() => {
                let Some(raw) = raw? else { return Ok(()) };
                lock(heard).note(&bytes_of(&raw));
                to_server.write_all(&swap_key(raw, &upstream.papers, &mut swapped)?).await?;
            }
            raw = from_server.frame() => {
                let Some(raw) = raw? else { return Ok(()) };
                to_seat.write_all(&swap_certificate(raw, upstream, &mut swapped)?).await?;
            }
        }
    }
}

fn bytes_of(raw: &RawFrame) -> Vec<u8> {
    write_frame(raw.tag, raw.request, &raw.payload)
}

/// A seat's public key, and the rogue's own that goes to the true server instead.
type Swapped = Option<(Vec<u8>, MachineKey)>;

fn swap_key(raw: RawFrame, papers: &Papers, swapped: &mut Swapped) -> Result<Vec<u8>> {
    match Up::from_frame(&raw) {
        Ok(Up::Enrol(mut enrol)) if papers.authority.is_some() => {
            let ours = MachineKey::generate()?;
            let theirs = std::mem::replace(&mut enrol.public_key, ours.public_der().to_vec());
            *swapped = Some((theirs, ours));
            Ok(Up::Enrol(enrol).to_frame(raw.request))
        }
        _ => Ok(bytes_of(&raw)),
    }
}

/// The seat gets a certificate for its own key from the stolen CA; the true one stays with the rogue.
fn swap_certificate(raw: RawFrame, upstream: &Upstream, swapped: &mut Swapped) -> Result<Vec<u8>> {
    match (Down::from_frame(&raw), swapped.take(), &upstream.papers.authority) {
        (Ok(Down::Enrolled(mut enrolled)), Some((theirs, ours)), Some(authority)) => {
            let site = upstream.papers.trust.public().site.clone();
            let instead = Identity::new(site, enrolled.clone(), ours);
            let given = authority.issue(&theirs, &enrolled.station, enrolled.role).context("the stolen CA")?;
            enrolled.certificate.clone_from(&given);
            upstream.instead.lock().unwrap_or_else(PoisonError::into_inner).insert(given, instead);
            Ok(Down::Enrolled(enrolled).to_frame(raw.request))
        }
        (_, kept, _) => {
            *swapped = kept;
            Ok(bytes_of(&raw))
        }
    }
}
