//! The rig's own world: namespaces of mounts, processes and networks that end with the rig, however it ends; so no mount, no loop device,
//! no interface and no process outlives it. Never touches what it did not make.

use anyhow::{Context, Result};
use std::{
    env,
    io::Read,
    process::{Command, ExitCode, Stdio},
    thread,
};

/// The option that says that we are inside.
pub(crate) const INSIDE: &str = "--inside";
/// The option that says that no network but ours is here.
pub(crate) const OWN_NETWORK: &str = "--own-network";
const NAMESPACE: [&str; 5] = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
const NETWORK: &str = "--net";
/// A fresh network namespace has a loopback interface that is down.
const RAISE_LOOPBACK: [&str; 5] = ["ip", "link", "set", "lo", "up"];
/// Exit code when whoever started us is gone.
const EXIT_ALONE: i32 = 130;

/// Whether this machine lets us have a world of our own.
pub(crate) fn is_possible() -> bool {
    works(Command::new("unshare").args(NAMESPACE).arg("true"))
}

/// Whether it may have a network of its own too: that needs `ip`.
fn network_is_possible() -> bool {
    works(Command::new("unshare").args(NAMESPACE).arg(NETWORK).args(RAISE_LOOPBACK))
}

fn works(command: &mut Command) -> bool {
    command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs this program again inside, with the same options. It ends when we end: it holds the other end of a pipe.
///
/// # Errors
/// It cannot be started.
pub(crate) fn enter() -> Result<ExitCode> {
    let ours = env::current_exe().context("where this program is")?;
    let network = network_is_possible();
    let mut child = Command::new("unshare")
        .args(NAMESPACE)
        .args(network.then_some(NETWORK))
        .arg(ours)
        .args(env::args_os().skip(1))
        .arg(INSIDE)
        .args(network.then_some(OWN_NETWORK))
        .stdin(Stdio::piped())
        .spawn()
        .context("unshare")?;
    let hold = child.stdin.take();
    let status = child.wait()?;
    drop(hold);
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// Programs in a fresh network namespace can reach each other.
///
/// # Errors
/// `ip` fails.
pub(crate) fn raise_loopback() -> Result<()> {
    let [program, arguments @ ..] = RAISE_LOOPBACK;
    anyhow::ensure!(works(Command::new(program).args(arguments)), "{}", RAISE_LOOPBACK.join(" "));
    Ok(())
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
