//! What the machine does without us: hashes and commits, in this process, one thread.

use crate::{
    bare::{commit, open},
    figures::Figures,
};
use anyhow::{Result, anyhow};
use argon2::{Algorithm, Argon2, Params, Version};
use exam_protocol::ids::Sha256;
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// How long each is tried.
const TRY: Duration = Duration::from_millis(500);
/// A fact's body, about as long as a saved answer's.
const BODY_BYTES: usize = 110;

/// Measures each limit once and notes it.
pub(crate) fn measure(figures: &mut Figures, folder: &Path) -> Result<()> {
    figures.note("argon2id_19mib_2_ms", 1_000.0 / argon2_per_s()?);
    let block = vec![7_u8; 1 << 20];
    figures.note("sha256_mib_per_s", hashes_per_s(&block)?);
    let body = "x".repeat(BODY_BYTES);
    for rows in [1, 64] {
        let mut database = open(&folder.join(format!("rows-{rows}.db")))?;
        let bodies = vec![body.clone(); rows];
        let commits = per_s(|| Ok(commit(&mut database, &bodies)?))?;
        figures.note(&format!("sqlite_rows_per_s_by_{rows}"), commits * rows as f64);
    }
    Ok(())
}

fn hashes_per_s(block: &[u8]) -> Result<f64> {
    per_s(|| {
        std::hint::black_box(Sha256::of(std::hint::black_box(block)));
        Ok(())
    })
}

/// Hashes a second with the parameters of our staff passwords.
fn argon2_per_s() -> Result<f64> {
    let no = |error: argon2::Error| anyhow!("argon2: {error}");
    let params = Params::new(19 * 1024, 2, 1, Some(32)).map_err(no)?;
    let mut blocks = vec![argon2::Block::default(); params.block_count()];
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    per_s(|| hasher.hash_password_into_with_memory(b"password", &[3; 16], &mut [0; 32], &mut blocks).map_err(no))
}

fn per_s(mut once: impl FnMut() -> Result<()>) -> Result<f64> {
    once()?; // the first one pays for memory and files
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < TRY {
        once()?;
        count += 1;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}
