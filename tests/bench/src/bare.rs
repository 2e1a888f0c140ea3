//! The limit our server is compared with: the same QUIC, TLS and frames, and behind them nothing, or nothing but a group
//! commit of the same bytes. Judges nothing, chains nothing, tells nobody.

use crate::fetching::PAPER_BYTES;
use anyhow::{Context, Result};
use clap::Args;
use exam_link::{
    socket::{endpoint_over, endpoint_socket},
    transport::BULK_PRIORITY,
    wire::FrameReader,
};
use exam_protocol::{
    frame::UP_FRAME_BYTES_MAX,
    ids::SiteId,
    message::{
        candidate::{SaveAnswer, Saved},
        hello::{Role, Welcome},
    },
    tag::{Down, Up},
    time::Now,
    version::SPOKEN,
};
use exam_server::{
    net::{endpoint_config, server_config},
    site::SiteKeys,
};
use quinn::{Connection, Incoming};
use rusqlite::params;
use std::path::{Path, PathBuf};
use tokio::sync::{mpsc, oneshot};

/// Saves of one commit, as our clerk takes them.
const BATCH_MAX: usize = 512;
/// Saves that may wait.
const WAITING_MAX: usize = 8_192;

#[derive(Clone, Debug, Args)]
pub(crate) struct BareArgs {
    /// A site's data folder: the keys the seats trust.
    #[arg(long)]
    data: PathBuf,
    /// Commit every save to a database at this path before it is answered.
    #[arg(long)]
    commit: Option<PathBuf>,
}

type Job = (SaveAnswer, oneshot::Sender<()>);

pub(crate) fn serve(args: &BareArgs) -> Result<()> {
    let keys = SiteKeys::load(&args.data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let socket = endpoint_socket("127.0.0.1:0".parse()?)?;
        let endpoint = endpoint_over(socket, endpoint_config(&keys), Some(server_config(&keys)?))?;
        let disk = args.commit.as_deref().map(committing).transpose()?;
        println!("{}", serde_json::json!({"event": "listening", "address": endpoint.local_addr()?.to_string()}));
        let site = keys.site().clone();
        while let Some(incoming) = endpoint.accept().await {
            tokio::spawn(one(incoming, site.clone(), disk.clone()));
        }
        Ok(())
    })
}

/// One connection, to its end. Whatever goes wrong ends it: the seats report who was not answered.
async fn one(incoming: Incoming, site: SiteId, disk: Option<mpsc::Sender<Job>>) -> Result<()> {
    let connection = incoming.accept()?.await?;
    let (mut send, receive) = connection.accept_bi().await?;
    tokio::spawn(papers(connection));
    let mut reader = FrameReader::new(receive, UP_FRAME_BYTES_MAX);
    while let Some(raw) = reader.frame().await? {
        let reply: Down = match Up::from_frame(&raw)? {
            Up::Hello(_) => welcome(&site).into(),
            Up::SaveAnswer(save) => {
                let saved = Saved { item: save.item.clone(), number: save.number };
                if let Some(disk) = &disk {
                    let (tell, kept) = oneshot::channel();
                    disk.send((save, tell)).await?;
                    kept.await?;
                }
                saved.into()
            }
            other => anyhow::bail!("a bare server knows no {}", other.name()),
        };
        send.write_all(&reply.to_frame(raw.request)).await?;
    }
    Ok(())
}

/// Every other stream of a connection asks for the paper, and gets its bytes at once: the least a prefetch can cost.
async fn papers(connection: Connection) -> Result<()> {
    static PIECE: [u8; 256 * 1024] = [7; 256 * 1024];
    loop {
        let (mut send, mut receive) = connection.accept_bi().await?;
        tokio::spawn(async move {
            receive.read_to_end(UP_FRAME_BYTES_MAX).await?;
            send.set_priority(BULK_PRIORITY)?;
            let mut left = PAPER_BYTES as usize;
            while left > 0 {
                let take = left.min(PIECE.len());
                send.write_all(&PIECE[..take]).await?;
                left -= take;
            }
            send.finish()?;
            anyhow::Ok(())
        });
    }
}

fn welcome(site: &SiteId) -> Welcome {
    Welcome {
        version: SPOKEN.newest,
        build: "bare".to_owned(),
        site: site.clone(),
        site_name: "bare".to_owned(),
        boot: 1,
        now: Now::default(),
        role: Role::Station,
        station: None,
    }
}

/// A thread that commits whatever waits in one transaction: the least a durable acknowledgement can cost.
fn committing(path: &Path) -> Result<mpsc::Sender<Job>> {
    let mut connection = open(path)?;
    let (jobs, mut waiting) = mpsc::channel::<Job>(WAITING_MAX);
    std::thread::Builder::new().name("commit".to_owned()).spawn(move || {
        while let Some(first) = waiting.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH_MAX
                && let Ok(job) = waiting.try_recv()
            {
                batch.push(job);
            }
            let bodies: Vec<String> = batch.iter().map(|(save, _)| body(save)).collect();
            if let Err(error) = commit(&mut connection, &bodies) {
                eprintln!("the bare commit failed: {error}");
                return;
            }
            // A seat that is gone does not wait for it.
            batch.into_iter().for_each(|(_, tell)| tell.send(()).unwrap_or(()));
        }
    })?;
    Ok(jobs)
}

/// The text our journal keeps of a save, as near as makes no difference in bytes.
fn body(save: &SaveAnswer) -> String {
    let SaveAnswer { attempt, item, number, answer, made_at } = save;
    serde_json::json!({"sitting": "S1", "attempt": attempt, "item": item, "number": number, "answer": answer, "made_at": made_at})
        .to_string()
}

/// A database as our journal has it: WAL, FULL, no memory map, the same columns.
pub(crate) fn open(path: &Path) -> Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(path).with_context(|| path.display().to_string())?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS fact (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, boot INTEGER NOT NULL, wall INTEGER NOT NULL,
         scope TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL) STRICT",
    )?;
    Ok(connection)
}

pub(crate) fn commit(connection: &mut rusqlite::Connection, bodies: &[String]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO fact (at, boot, wall, scope, kind, body, hash) VALUES (?1, 1, ?1, 'sitting:S1', 'answer_saved', ?2, ?3)",
        )?;
        for body in bodies {
            insert.execute(params![1_790_000_000_000_i64, body, [0_u8; 32]])?;
        }
    }
    transaction.commit()
}
