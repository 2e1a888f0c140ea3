//! The rig's own world: a mount and process namespace that ends with the rig, however it ends; so no mount, no loop device and no
//! process outlives it. Never touches what it did not make.

use anyhow::{Context, Result};
use std::{
    env,
    io::Read,
    process::{Command, ExitCode, Stdio},
    thread,
};

/// The option that says that we are inside.
pub(crate) const INSIDE: &str = "--inside";
const NAMESPACE: [&str; 5] = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
/// Exit code when whoever started us is gone.
const EXIT_ALONE: i32 = 130;

/// Whether this machine lets us have a world of our own.
pub(crate) fn is_possible() -> bool {
    let tried = Command::new("unshare").args(NAMESPACE).arg("true").stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// Runs this program again inside, with the same options. It ends when we end: it holds the other end of a pipe.
///
/// # Errors
/// It cannot be started.
pub(crate) fn enter() -> Result<ExitCode> {
    let ours = env::current_exe().context("where this program is")?;
    let mut child = Command::new("unshare")
        .args(NAMESPACE)
        .arg(ours)
        .args(env::args_os().skip(1))
        .arg(INSIDE)
        .stdin(Stdio::piped())
        .spawn()
        .context("unshare")?;
    let hold = child.stdin.take();
    let status = child.wait()?;
    drop(hold);
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// Ends this world when the one outside is gone.
///
/// # Errors
/// No thread.
pub(crate) fn end_with_parent() -> Result<()> {
    thread::Builder::new().name("parent".into()).spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(EXIT_ALONE);
    })?;
    Ok(())
}
