//! The bundle in the hands of stock tools: `age`, `unzip`, `sha256sum`, `minisign`, as anybody would use them.
//! Never runs a line of our own code on the bundle.

use crate::{
    folder::Folder,
    process::{COMMAND_DEADLINE, Finished, run},
};
use anyhow::{Context, Result};
use std::{env, fmt, path::Path, process::Command};

/// The tools, in the order a person would use them.
pub const TOOLS: [&str; 4] = ["age", "unzip", "sha256sum", "minisign"];

/// What the tools said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Tools that are not installed here.
    pub missing: Vec<&'static str>,
    /// Tools that found the bundle good.
    pub passed: Vec<&'static str>,
}

impl Verdict {
    /// Whether every tool had its say.
    pub fn complete(&self) -> bool {
        self.missing.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ✓", self.passed.join(" ✓ "))?;
        if !self.complete() {
            write!(f, "; not installed: {}", self.missing.join(" "))?;
        }
        Ok(())
    }
}

/// Checks `bundle` with every tool that is installed. A tool whose input another, missing tool would have made counts as missing.
///
/// # Errors
/// A tool found fault.
pub fn check(folder: &Folder, bundle: &Path) -> Result<Verdict> {
    let mut verdict = Verdict { missing: Vec::new(), passed: Vec::new() };
    let scratch = tempfile::tempdir_in(folder.root())?;
    let zip = scratch.path().join("bundle.zip");
    let content = scratch.path().join("content");
    std::fs::create_dir(&content)?;
    for tool in TOOLS {
        let made_for_it = match tool {
            "age" => true,
            "unzip" => zip.is_file(),
            _ => content.join("SHA256SUMS").is_file(),
        };
        if !made_for_it || !on_path(tool) {
            verdict.missing.push(tool);
            continue;
        }
        for command in commands(tool, folder, bundle, &zip, &content) {
            run(command, COMMAND_DEADLINE, &folder.command_log())
                .and_then(|finished: Finished| finished.expect_code(0))
                .with_context(|| format!("{tool} found fault with the bundle"))?;
        }
        verdict.passed.push(tool);
    }
    Ok(verdict)
}

fn commands(tool: &str, folder: &Folder, bundle: &Path, zip: &Path, content: &Path) -> Vec<Command> {
    let begin = || {
        let mut command = Command::new(tool);
        command.current_dir(content);
        command
    };
    let mut first = begin();
    let mut second = begin();
    match tool {
        "age" => {
            first.arg("-d").arg("-i").arg(folder.keys().join("hq-age.key")).arg("-o").arg(zip).arg(bundle);
            vec![first]
        }
        "unzip" => {
            first.arg("-tq").arg(zip);
            second.arg("-q").arg(zip).arg("-d").arg(content);
            vec![first, second]
        }
        "sha256sum" => {
            first.args(["--strict", "-c", "SHA256SUMS"]);
            vec![first]
        }
        _ => {
            first.arg("-V").arg("-p").arg(folder.keys().join("site-minisign.pub")).args(["-m", "SHA256SUMS"]);
            vec![first]
        }
    }
}

fn on_path(program: &str) -> bool {
    let file = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|dir| dir.join(&file).is_file())
}
