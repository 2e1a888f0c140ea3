//! Seats that fetch a sealed paper all at once, chunk by chunk as the product does; from the bare server in one piece. What arrives
//! is counted and forgotten: forty disks and forty hashes belong to forty machines, and here there is one.

use crate::{
    deeds::Items,
    seats::{SeatsArgs, Sitter, spread, us},
};
use anyhow::{Context, Result, bail, ensure};
use exam_link::{Link, transport, wire::FrameReader};
use exam_protocol::{
    frame::{DOWN_FRAME_BYTES_MAX, RequestId},
    ids::Sha256,
    message::transfer::{CHUNK_BYTES_MAX, GetChunk},
    tag::{Down, Up},
};
use quinn::RecvStream;
use std::time::{Duration, Instant};
use tokio::{sync::watch, task::JoinSet};

/// The sealed paper: a large one, with pictures.
pub(crate) const PAPER_BYTES: u64 = 20_000_000;
/// Chunks asked for ahead, as the product does.
const CHUNKS_AHEAD: usize = 3;

/// All fetch; the savers go on until the last has its paper.
pub(crate) async fn fetching(args: &SeatsArgs, sitters: Vec<Sitter>) -> Result<serde_json::Value> {
    let (blob, bare, count) = (args.blob.context("--blob")?, args.bare, sitters.len());
    let begun = Instant::now();
    let mut fetches = JoinSet::new();
    for sitter in &sitters {
        let link = sitter.link.clone();
        fetches.spawn(async move {
            if bare {
                whole(&link, blob).await?
            } else {
                in_chunks(&link, blob).await?
            }
            anyhow::Ok(us(begun.elapsed()))
        });
    }
    let (over, going_on) = watch::channel(());
    let savers = savers(args, sitters, &going_on);
    let mut fetched = Vec::new();
    while let Some(one) = fetches.join_next().await {
        fetched.push(one??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    drop(over);
    let saved = savers.join_all().await.into_iter().collect::<Result<Vec<_>>>()?.concat();
    let mib_per_s = PAPER_BYTES as f64 * count as f64 / seconds / f64::from(1 << 20);
    Ok(serde_json::json!({
        "mib_per_s": mib_per_s, "fetched_us": spread(fetched), "saves": saved.len(), "us": spread(saved),
    }))
}

/// A save every so often at each seat, evenly apart, until the fetches are over.
fn savers(args: &SeatsArgs, sitters: Vec<Sitter>, going_on: &watch::Receiver<()>) -> JoinSet<Result<Vec<u64>>> {
    let (every, items, count) = (Duration::from_millis(args.every), Items::of(args), sitters.len() as u32);
    let (begun, mut saving) = (Instant::now(), JoinSet::new());
    for (index, mut sitter) in sitters.into_iter().enumerate() {
        let mut going_on = going_on.clone();
        saving.spawn(async move {
            let (mut next, mut took) = (begun + every * index as u32 / count, Vec::new());
            if every.is_zero() {
                let _ = going_on.changed().await; // the connection stays as long as its fetch
                return Ok(took);
            }
            loop {
                tokio::select! {
                    _ = going_on.changed() => return Ok(took),
                    () = tokio::time::sleep_until(next.into()) => took.push(us(sitter.save(items).await?)),
                }
                next += every;
            }
        });
    }
    saving
}

async fn in_chunks(link: &Link, blob: Sha256) -> Result<()> {
    let (mut next, mut have, mut ahead) = (0, 0, JoinSet::new());
    while have < PAPER_BYTES {
        while ahead.len() < CHUNKS_AHEAD && next < PAPER_BYTES {
            ahead.spawn(chunk(link.clone(), GetChunk { blob, offset: next, bytes_max: CHUNK_BYTES_MAX }));
            next += u64::from(CHUNK_BYTES_MAX);
        }
        have += ahead.join_next().await.context("a chunk is on its way")???;
    }
    ensure!(have == PAPER_BYTES, "{have} bytes came of a paper of {PAPER_BYTES}");
    Ok(())
}

async fn chunk(link: Link, get: GetChunk) -> Result<u64> {
    let mut reader = FrameReader::new(question(&link, get).await?, DOWN_FRAME_BYTES_MAX);
    let raw = reader.frame().await?.context("a reply to GetChunk")?;
    let chunk = match Down::from_frame(&raw)? {
        Down::Chunk(chunk) => chunk,
        other => bail!("GetChunk was answered with {}", other.name()),
    };
    Ok(reader.raw(chunk.bytes as usize).await?.len() as u64)
}

/// The limit: all bytes on one stream.
async fn whole(link: &Link, blob: Sha256) -> Result<()> {
    let mut stream = question(link, GetChunk { blob, offset: 0, bytes_max: CHUNK_BYTES_MAX }).await?;
    let mut have = 0;
    while let Some(piece) = stream.read_chunk(usize::MAX, true).await? {
        have += piece.bytes.len() as u64;
    }
    ensure!(have == PAPER_BYTES, "{have} bytes came of a paper of {PAPER_BYTES}");
    Ok(())
}

async fn question(link: &Link, get: GetChunk) -> Result<RecvStream> {
    let (mut send, receive) = link.connection().open_bi().await?;
    send.set_priority(transport::BULK_PRIORITY)?;
    send.write_all(&Up::from(get).to_frame(RequestId(1))).await?;
    send.finish()?;
    Ok(receive)
}
