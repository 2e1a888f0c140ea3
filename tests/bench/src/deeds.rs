//! What seats that are in do with answers: save as fast as they are answered, save at a pace, and come back after the server
//! was gone. Never counts a save that was not acknowledged.

use crate::seats::{PATIENCE, SeatsArgs, Sitter, connected, ms, spread, us};
use anyhow::{Context, Result, bail, ensure};
use exam_protocol::{answer::Answer, message::candidate::SaveAnswer, tag::Down};
use std::time::{Duration, Instant, UNIX_EPOCH};
use tokio::task::JoinSet;

/// What the saves of one deed go round.
#[derive(Clone, Copy)]
pub(crate) struct Items {
    deed: u32,
    count: u32,
}

impl Items {
    pub(crate) fn of(args: &SeatsArgs) -> Self {
        Self { deed: args.nth, count: args.items.max(1) }
    }
}

impl Sitter {
    /// One save, acknowledged: the items in turn, then a next version of each.
    pub(crate) async fn save(&mut self, items: Items) -> Result<Duration> {
        let (nth, version) = (self.saved % items.count, 1 + self.saved / items.count);
        self.saved += 1;
        let item = format!("d{}q{:03}", items.deed, 1 + nth).parse()?;
        let answer = Answer::Single(["A", "B", "C", "D"][version as usize % 4].parse()?);
        let made_at = self.began.plus(ms(self.in_at.elapsed()));
        let begun = Instant::now();
        match self.link.ask(SaveAnswer { attempt: self.attempt, item, number: version, answer, made_at }).await? {
            Down::Saved(saved) if saved.number == version => Ok(begun.elapsed()),
            other => bail!("a save was answered with {}", other.name()),
        }
    }
}

/// Everybody saves for so many seconds; paced seats begin at different moments.
pub(crate) async fn saving(
    args: &SeatsArgs,
    sitters: Vec<Sitter>,
    every: Option<Duration>,
) -> Result<serde_json::Value> {
    let count = sitters.len() as u32;
    let begun = Instant::now();
    let until = begun + Duration::from_secs(args.seconds);
    let (items, saves) = (Items::of(args), args.saves);
    let mut working = JoinSet::new();
    for (index, mut sitter) in sitters.into_iter().enumerate() {
        working.spawn(async move {
            let mut next = begun + every.map_or(Duration::ZERO, |every| every * index as u32 / count);
            let mut took = Vec::new();
            while Instant::now() < until && next < until && took.len() < saves {
                tokio::time::sleep_until(next.into()).await;
                took.push(us(sitter.save(items).await?));
                next = every.map_or(next, |every| next + every);
            }
            drop(sitter.views);
            anyhow::Ok(took)
        });
    }
    let mut took = Vec::new();
    while let Some(one) = working.join_next().await {
        took.extend(one??);
    }
    let per_s = took.len() as f64 / begun.elapsed().as_secs_f64();
    Ok(serde_json::json!({"saves": took.len(), "per_s": per_s, "us": spread(took)}))
}

/// When each seat was answered for the first time after the server had gone, in wall-clock milliseconds of this machine.
pub(crate) async fn again(args: &SeatsArgs, sitters: Vec<Sitter>) -> Result<serde_json::Value> {
    let (mut working, items) = (JoinSet::new(), Items::of(args));
    for mut sitter in sitters {
        let pause = Duration::from_millis(args.every);
        working.spawn(async move {
            while sitter.save(items).await.is_ok() {
                tokio::time::sleep(pause).await;
            }
            let back = async {
                loop {
                    let (link, _views) = connected(&sitter.dial).await?;
                    sitter.link = link;
                    sitter.saved -= 1; // what was not acknowledged is sent again
                    if sitter.save(items).await.is_ok() {
                        return anyhow::Ok(UNIX_EPOCH.elapsed()?);
                    }
                }
            };
            tokio::time::timeout(PATIENCE, back).await.context("a seat was not back within a minute")?
        });
    }
    let mut back: Vec<u64> = Vec::new();
    while let Some(one) = working.join_next().await {
        back.push(ms(one??));
    }
    ensure!(!back.is_empty(), "nobody was there");
    Ok(serde_json::json!({"seats": back.len(), "unix_ms": spread(back)}))
}
