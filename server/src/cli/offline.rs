//! Commands that work on the data folder itself: init, run, verify.

use super::{exit::Coded, output::Output};
use anyhow::{Context, Result};
use exam_link::private_file;
use exam_server::{config::Config, init, journal, run, vault::Vault};
use serde_json::json;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tracing_subscriber::{Layer, filter::LevelFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Largest file looked at as HQ's public key.
const HQ_KEY_BYTES_MAX: u64 = 64 * 1024;
/// Log files kept; one a day.
const LOG_FILES_MAX: usize = 30;

pub(super) fn init(dir: &Path, site: &str, hq_key: Option<&Path>, output: Output) -> Result<()> {
    let hq = hq_key.map(public_line).transpose()?;
    let created = init::init(dir, site, hq)?;
    let vault = Vault::new(std::path::absolute(dir)?);
    let public = vault.site_public();
    let minisign = vault.dir().join(exam_server::site::MINISIGN_PUBLIC_FILE);
    let fingerprint = created.public.fingerprint_text();
    output.result(
        || {
            format!(
                "考点已建立 · the site exists: {} ({})\n  指纹 fingerprint  {fingerprint}\n  公开文件 public file  {}\n\
                 下一步 next: give this file to HQ (packages are sealed to it) and to every machine of the room.",
                created.public.name,
                created.public.site,
                public.display()
            )
        },
        || {
            json!({ "site": created.public.site, "name": created.public.name, "fingerprint": fingerprint,
                "site_public": public, "minisign_public": minisign })
        },
    );
    Ok(())
}

/// The key line of a minisign `.pub` file.
fn public_line(path: &Path) -> Result<String> {
    if !path.exists() {
        return Err(Coded { text: format!("there is no file {}", path.display()), code: 4 }.into());
    }
    let bytes = private_file::read_limited(path, HQ_KEY_BYTES_MAX);
    let bytes = bytes.with_context(|| format!("reading HQ's key {}", path.display()))?;
    exam_sealed::keys::public_line(&String::from_utf8_lossy(&bytes)).map_err(|_| {
        let text = format!("{} is not a minisign public key file: give HQ's hq.pub", path.display());
        Coded { text, code: 3 }.into()
    })
}

/// What `run` was told.
pub(super) struct Serving {
    pub(super) listen: Option<SocketAddr>,
    pub(super) config: Option<PathBuf>,
    pub(super) backup: Option<PathBuf>,
}

pub(super) fn run(dir: &Path, serving: Serving, output: Output) -> Result<()> {
    let mut config = serving.config.as_deref().map(Config::read).transpose()?.unwrap_or_default();
    config.listen = serving.listen.unwrap_or(config.listen);
    let backup_dir = serving.backup.or(config.backup_dir);
    config.backup_dir = backup_dir.map(std::path::absolute).transpose()?;
    let vault = Vault::new(dir);
    vault.require_site()?;
    vault.create_folders().with_context(|| format!("making the folders of {}", dir.display()))?;
    let file = tracing_appender::rolling::Builder::new()
        .rotation(tracing_appender::rolling::Rotation::DAILY)
        .filename_prefix("exam-server")
        .filename_suffix("log")
        .max_log_files(LOG_FILES_MAX)
        .build(vault.logs())
        .with_context(|| format!("opening the log folder {}", vault.logs().display()))?;
    let (file, _flush) = tracing_appender::non_blocking(file);
    let level = LevelFilter::from_level(config.level());
    tracing_subscriber::registry()
        .with(fmt::layer().json().with_writer(file).with_filter(level))
        .with(
            fmt::layer()
                .compact()
                .with_ansi(false)
                .with_writer(std::io::stderr)
                .with_filter(LevelFilter::WARN.min(level)),
        )
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let ready = run::prepare(dir, &config).await?;
        let address = ready.address()?;
        tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
        output.result(
            || format!("考点服务器已启动 · listening on UDP {address}. 按 Ctrl+C 停止 · Ctrl+C stops it."),
            || json!({ "event": "listening", "address": address.to_string() }),
        );
        ready.serve(stop_signal()).await
    })
}

/// Ctrl+C, or what a service manager sends.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    drop(tokio::signal::ctrl_c().await);
}

pub(super) fn verify(dir: &Path, output: Output) -> Result<()> {
    let (facts, head) = journal::verify(dir)?;
    output.result(
        || format!("日志完整 · the journal is whole: {facts} facts, last hash {head}"),
        || json!({ "facts": facts, "head": head }),
    );
    Ok(())
}
