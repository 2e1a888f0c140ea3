//! `exam-server run`: puts journal, clerk, reception and network together, and takes them apart in the right order.
//! Never serves before the journal has been checked, never ends before it is folded.

use crate::{
    clerk::Clerk,
    clock::SiteClock,
    config::Config,
    journal::Journal,
    net,
    passwords::Passwords,
    reception::{Parts, Presence, Reception},
    site::SiteKeys,
    vault::Vault,
};
use anyhow::{Context, Result, bail};
use exam_protocol::time::minutes;
use exam_room::rules::founding::{NoteServer, ServerEvent};
use std::{
    fs::File,
    net::SocketAddr,
    path::Path,
    sync::{Arc, OnceLock},
    thread::JoinHandle,
};

/// A server that listens but does not serve yet.
pub struct Ready {
    server: net::Server,
    reception: Reception,
    clerk: Clerk,
    clock: SiteClock,
    thread: JoinHandle<()>,
    vault: Vault,
    _lock: File,
}

/// Checks the journal, starts the clerk, journals the start, and opens the socket.
///
/// # Errors
/// Says what is in the way: another process, a damaged journal, a busy port.
pub async fn prepare(dir: &Path, config: &Config) -> Result<Ready> {
    let vault = Vault::new(dir);
    let keys = Arc::new(SiteKeys::load(dir)?);
    let lock = vault.claim().with_context(|| format!("claiming the data folder {}", dir.display()))?;
    vault.create_folders()?;
    let (journal, site, last) = Journal::open(dir)?;
    let (clock, gap) = SiteClock::resume(&site, last.wall);
    tracing::info!(
        facts = journal.facts(),
        gap_ms = gap.ms,
        machine_restarted = gap.machine_restarted,
        "the journal has been checked"
    );
    if gap.implausible {
        tracing::warn!(
            "the wall clock cannot tell how long the machine was off: that time counts as not run; look at the clock"
        );
    }
    let presence = Arc::new(Presence::default());
    let (boot, site_name) = (journal.boot(), site.name.clone());
    let teller: Arc<OnceLock<Reception>> = Arc::default();
    let outbox = {
        let teller = teller.clone();
        Box::new(move |site: &_, now, tells| {
            if let Some(reception) = teller.get() {
                reception.show(site, now, &tells);
            }
        })
    };
    let (clerk, thread) = Clerk::start(journal, site, clock.clone(), outbox)?;
    let reception = Reception::new(Parts {
        clerk: clerk.clone(),
        clock: clock.clone(),
        keys: keys.clone(),
        vault: vault.clone(),
        presence,
        site_name,
        boot,
        enrol_code_valid_ms: minutes(config.enrol_code_valid_minutes),
        passwords: Passwords::start()?,
    });
    drop(teller.set(reception.clone()));
    clerk
        .ask(note(ServerEvent::Started, &clock, gap.ms, gap.machine_restarted))
        .await
        .context("journalling the start")?;
    let server = net::Server::bind(config.listen, &keys)
        .with_context(|| format!("listening on UDP {}: is another program using this port?", config.listen))?;
    Ok(Ready { server, reception, clerk, clock, thread, vault, _lock: lock })
}

fn note(event: ServerEvent, clock: &SiteClock, gap_ms: u64, machine_restarted: bool) -> NoteServer {
    NoteServer {
        event,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        gap_ms,
        machine_restarted,
        anchor: clock.anchor(),
    }
}

impl Ready {
    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.server.local_addr()?)
    }

    /// The reception, for tests beside the network.
    pub fn reception(&self) -> &Reception {
        &self.reception
    }

    /// Serves until `shutdown`, then closes connections, journals the stop and folds the journal.
    ///
    /// # Errors
    /// The clerk gave up: the journal could be neither written nor read.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
        let Ready { server, reception, clerk, clock, thread, vault, _lock } = self;
        exam_link::private_file::write_whole(&vault.address_file(), server.local_addr()?.to_string().as_bytes())?;
        let clerk_died = async {
            let mut every_second = tokio::time::interval(std::time::Duration::from_secs(1));
            while !thread.is_finished() {
                every_second.tick().await;
            }
        };
        let mut died = false;
        server
            .serve(Arc::new(reception), async {
                tokio::select! {
                    () = shutdown => {}
                    () = clerk_died => died = true,
                }
            })
            .await;
        drop(std::fs::remove_file(vault.address_file()));
        clerk.stop(note(ServerEvent::Stopped, &clock, 0, false));
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if died || !matches!(joined, Ok(Ok(()))) {
            bail!("the journal could be neither written nor read; look at the disk, then start the server again");
        }
        tracing::info!("the server has stopped");
        Ok(())
    }
}
