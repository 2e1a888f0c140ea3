//! `exam-server run`: puts journal, clerk, reception and network together, and takes them apart in the right order.
//! Never serves before the journal has been checked, never ends before it is folded.

use crate::{
    backup,
    clerk::Clerk,
    clock::{Gap, MachineClock, SiteClock, SystemClock},
    config::Config,
    journal::Journal,
    net,
    passwords::Passwords,
    reception::{Parts, Presence, Reception, board},
    site::SiteKeys,
    vault::Vault,
    watch,
    workers::{self, Ended, Spawn},
};
use anyhow::{Context, Result, bail};
use exam_protocol::time::minutes;
use exam_room::{
    Site,
    rules::founding::{NoteServer, ServerEvent},
};
use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// Opens the socket a server listens on.
pub type Listen = Box<dyn FnOnce(SocketAddr, &SiteKeys) -> Result<net::Server, net::ListenError> + Send>;

/// What a server stands on. The default is this machine; a rig brings its own clock, workers and network.
pub struct Ground {
    /// The machine's clocks.
    pub clock: Arc<dyn MachineClock>,
    /// Where the clerk and the password worker run.
    pub spawn: Spawn,
    /// How the socket is opened.
    pub listen: Listen,
}

impl Default for Ground {
    fn default() -> Self {
        let listen = |addr, keys: &SiteKeys| net::Server::bind(addr, keys);
        Self { clock: Arc::new(SystemClock), spawn: workers::threads(), listen: Box::new(listen) }
    }
}

/// A server that listens but does not serve yet.
pub struct Ready {
    server: net::Server,
    reception: Reception,
    clerk: Clerk,
    clock: SiteClock,
    clerk_ended: Ended,
    vault: Vault,
    backup_dir: Option<PathBuf>,
    _lock: File,
}

/// Checks the journal, starts the clerk, journals the start, opens the socket, and writes down where it listens: whoever
/// hears that the server listens can reach it.
///
/// # Errors
/// Says what is in the way: another process, a damaged journal, a busy port.
pub async fn prepare(dir: &Path, config: &Config) -> Result<Ready> {
    prepare_on(Ground::default(), dir, config).await
}

/// As [`prepare`], on other ground than this machine's.
///
/// # Errors
/// As [`prepare`].
pub async fn prepare_on(ground: Ground, dir: &Path, config: &Config) -> Result<Ready> {
    let vault = Vault::new(dir);
    let keys = Arc::new(SiteKeys::load(dir)?);
    let lock = vault.claim()?;
    vault.create_folders()?;
    if let Some(place) = &config.backup_dir {
        backup::check_place(dir, place)?;
    }
    let (mut journal, mut site, last) = Journal::open(dir)?;
    let (clock, gap) = SiteClock::resume_on(ground.clock, &site, last.wall);
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
    journal_start(&mut journal, &mut site, &clock, gap).context("journalling the start")?;
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
    let (clerk, work) = Clerk::new(journal, site, clock.clone(), outbox);
    let clerk_ended = (ground.spawn)("clerk", Box::pin(work))?;
    let (passwords, work) = Passwords::new();
    (ground.spawn)("passwords", Box::pin(work))?;
    let reception = Reception::new(Parts {
        clerk: clerk.clone(),
        clock: clock.clone(),
        keys: keys.clone(),
        vault: vault.clone(),
        presence,
        site_name,
        boot,
        enrol_code_valid_ms: minutes(config.enrol_code_valid_minutes),
        passwords,
    });
    drop(teller.set(reception.clone()));
    reception.note_server_gap(gap.ms).await;
    let server = (ground.listen)(config.listen, &keys)
        .with_context(|| format!("listening on UDP {}: is another program using this port?", config.listen))?;
    exam_link::private_file::write_whole(&vault.address_file(), server.local_addr()?.to_string().as_bytes())?;
    let backup_dir = config.backup_dir.clone();
    Ok(Ready { server, reception, clerk, clock, clerk_ended, vault, backup_dir, _lock: lock })
}

/// The first fact of a process says that it began, before the clerk lets time speak: a sitting whose end has passed meanwhile
/// would else be over, and its bundle complete, without a word of the cut.
fn journal_start(journal: &mut Journal, site: &mut Site, clock: &SiteClock, gap: Gap) -> Result<()> {
    let (now, start) = (clock.now(), note(ServerEvent::Started, clock, gap.ms, gap.machine_restarted));
    let facts: Vec<_> = site.decide(now, &start.into())?.into_iter().map(|fact| (now, fact)).collect();
    journal.append(&facts)?;
    facts.iter().for_each(|(now, fact)| site.apply(*now, fact));
    Ok(())
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
        self.serve_as(|reception| reception, shutdown).await
    }

    /// As [`serve`](Self::serve), with `counter` made of the reception between it and the network.
    ///
    /// # Errors
    /// As [`serve`](Self::serve).
    pub async fn serve_as<C: net::Counter>(
        self,
        counter: impl FnOnce(Reception) -> C + Send,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<()> {
        let Ready { server, reception, clerk, clock, mut clerk_ended, vault, backup_dir, _lock } = self;
        let watch = watch::keep(reception.clone(), clock.now().at);
        let board = board::keep(reception.clone());
        let backup = backup::keep(reception.clone(), backup_dir.clone());
        let mut died = false;
        server
            .serve(Arc::new(counter(reception)), async {
                tokio::select! {
                    biased;
                    () = shutdown => {}
                    _ = &mut clerk_ended => died = true,
                    () = watch => {}
                    () = board => {}
                    () = backup => {}
                }
            })
            .await;
        drop(std::fs::remove_file(vault.address_file()));
        clerk.stop(note(ServerEvent::Stopped, &clock, 0, false)).await;
        if died || clerk_ended.await.is_err() {
            bail!("the journal could be neither written nor read; look at the disk, then start the server again");
        }
        if let Some(place) = backup_dir {
            let last = tokio::task::spawn_blocking(move || backup::refresh(&vault, &place)).await?;
            last.context("the journal is whole, but the last backup failed")?;
        }
        tracing::info!("the server has stopped");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::JournalReader;
    use exam_protocol::{
        ids::{SealedBytes, Sha256},
        paper::Subject,
        plan::{AdmissionPolicy, RuleOverrides, SittingPlan},
        time::{Now, SiteMs, WallMs},
    };
    use exam_room::{
        Fact,
        authority::Actor,
        rules::{founding::ServerNoted, package::PackageTaken, start::SittingStarted},
    };

    /// A sitting of five minutes that began at once.
    fn running_sitting() -> [Fact; 2] {
        let hash = Sha256::of(b"x");
        let plan = SittingPlan {
            sitting: "s1".parse().unwrap(),
            title: "理论".to_owned(),
            room: "r1".parse().unwrap(),
            subject: Subject::Theory,
            level: "中级".to_owned(),
            paper: "p1".parse().unwrap(),
            planned_start: WallMs(0),
            duration_min: 5,
            admission: AdmissionPolicy::Automatic,
            hq_grants: Vec::new(),
            group_waits: false,
            mock: false,
        };
        let started = SittingStarted {
            sitting: plan.sitting.clone(),
            paper: plan.paper.clone(),
            secret: SealedBytes(Vec::new()),
            by: Actor { station: "admin-1".parse().unwrap(), account: None },
        };
        let package = PackageTaken {
            package: hash,
            exam: "e1".parse().unwrap(),
            title: "t".to_owned(),
            hq_minisign: String::new(),
            hq_recipient: String::new(),
            rooms: Vec::new(),
            sittings: vec![plan],
            papers: Vec::new(),
            rules: RuleOverrides::default(),
            candidates: Vec::new(),
        };
        [package.into(), started.into()]
    }

    #[tokio::test]
    async fn a_sitting_that_ended_while_the_server_was_down_ends_after_the_start_is_journalled() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("data");
        crate::init::init(&dir, "示范考点", None).unwrap();
        let (mut journal, site, _) = Journal::open(&dir).unwrap();
        let (clock, _) = SiteClock::resume(&site, WallMs(0));
        let NoteServer { event, version, gap_ms, machine_restarted, mut anchor } =
            note(ServerEvent::Started, &clock, 0, false);
        anchor.offset_ms += 600_000; // the same machine, ten minutes ago
        let start = ServerNoted { event, version, gap_ms, machine_restarted, anchor }.into();
        let [package, started] = running_sitting();
        let now = Now { at: SiteMs(clock.now().at.0.max(site.latest.0)), wall: WallMs(0) };
        journal.append(&[start, package, started].map(|fact| (now, fact))).unwrap();
        drop(journal);
        let config = Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::default() };
        let ready = prepare(&dir, &config).await.unwrap();
        ready.clerk.read(|_, _| ()).await.unwrap();
        let mut kinds = Vec::new();
        let reader = JournalReader::open(&dir).unwrap();
        reader
            .each(u64::MAX, |row| {
                kinds.push(row.kind.clone());
                Ok(())
            })
            .unwrap();
        let last = |kind: &str| kinds.iter().rposition(|one| one == kind).expect("the fact is in the journal");
        assert!(last("server_noted") < last("sitting_ended"), "{kinds:?}");
        assert_eq!(kinds.iter().filter(|kind| *kind == "server_noted").count(), 2, "the start before, and this one");
    }
}
