//! Calling cargo, and finding what it built. One profile (release) for programs and tests, so that dependencies are built
//! once. Never assumes the current folder: a task works from anywhere in the checkout.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// Crates whose programs the demo, the end-to-end tests, the rigs and the bench start.
const PROGRAM_CRATES: &[&str] = &["exam-server", "exam-hq", "exam-load", "exam-e2e", "exam-rigs", "exam-bench"];

/// The checkout.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The commit that is checked out; `unknown` without git, with a mark if something was changed since.
pub(crate) fn commit() -> String {
    let git = |args: &[&str]| Command::new("git").args(args).current_dir(root()).output().ok();
    let head = git(&["rev-parse", "--short", "HEAD"]).filter(|output| output.status.success());
    let Some(head) = head else { return "unknown".to_owned() };
    let changed = git(&["status", "--porcelain"]).is_some_and(|output| !output.stdout.is_empty());
    format!("{}{}", String::from_utf8_lossy(&head.stdout).trim(), if changed { "+changes" } else { "" })
}

/// The cargo that started us.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(root());
    command
}

/// Builds every program in the release profile. Returns whether that went well.
pub(crate) fn programs() -> bool {
    let mut build = cargo();
    build.args(["build", "--release", "--bins"]);
    for name in PROGRAM_CRATES {
        build.args(["--package", name]);
    }
    build.status().is_ok_and(|status| status.success())
}

/// Builds the simulator. Not among the programs, because its tokio can stop time, and theirs must not be able to.
pub(crate) fn simulator() -> bool {
    cargo().args(["build", "--release", "--package", "exam-sim"]).status().is_ok_and(|status| status.success())
}

/// A program that [`programs`] built: it lies in `release/` beside the profile folder we were started from.
pub(crate) fn program(name: &str) -> Command {
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    Command::new(target_dir().join("release").join(file))
}

/// Cargo's target folder, wherever it was told to put it.
pub(crate) fn target_dir() -> PathBuf {
    let ours = env::current_exe().ok();
    ours.as_deref().and_then(|exe| exe.ancestors().nth(2)).map_or_else(|| root().join("target"), Path::to_path_buf)
}
