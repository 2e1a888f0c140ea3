//! P7, P18: a process that dies leaves no image of its memory, whatever the machine would allow.

#![cfg(target_os = "linux")]

mod common;

use anyhow::{Context, Result, ensure};
use common::small_exam;
use exam_e2e::{search::files_under, site::Sample};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::{fs, path::Path, process::Command};

const SEATS: u16 = 2;

/// What this process starts may leave images as large as the machine allows.
fn allow_images() -> Result<()> {
    let mut limit = getrlimit(Resource::Core);
    limit.current = limit.maximum;
    setrlimit(Resource::Core, limit)?;
    Ok(())
}

fn images_in(folder: &Path) -> Result<Vec<String>> {
    let names = files_under(folder)?.into_iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
    Ok(names.filter(|name| name == "core" || name.starts_with("core.")).collect())
}

/// How large an image of the process the system would write.
fn image_limit(process: u32) -> Result<String> {
    let limits = fs::read_to_string(format!("/proc/{process}/limits"))?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).context("no limit of images")?;
    Ok(line.split_whitespace().next().unwrap_or_default().to_owned())
}

fn abort(process: u32) -> Result<()> {
    ensure!(Command::new("kill").args(["-ABRT", &process.to_string()]).status()?.success(), "kill");
    Ok(())
}

#[test]
fn a_server_that_is_aborted_leaves_no_image_of_its_memory() -> Result<()> {
    allow_images()?;
    let place = tempfile::tempdir()?;
    let mut exam = small_exam(Sample { seats: SEATS, questions: 5, seed: 41 }, None)?;
    exam.site.stop_server()?;
    exam.site.start_server_with(|command| {
        command.current_dir(place.path());
    })?;
    let process = exam.site.server_id().context("the server runs")?;
    assert_eq!(image_limit(process)?, "0");
    abort(process)?;
    assert!(!exam.site.server_ends()?.success());
    assert_eq!(images_in(place.path())?, [] as [String; 0]);

    // Negative control: another program aborted in the same way leaves one, where the machine writes images into the folder.
    let mut other = Command::new("sleep").arg("120").current_dir(place.path()).spawn()?;
    assert_ne!(image_limit(other.id())?, "0", "images are allowed here");
    abort(other.id())?;
    other.wait()?;
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern")?;
    if pattern.trim() == "core" {
        assert_eq!(images_in(place.path())?.len(), 1, "the control left no image: nothing was shown");
    }
    Ok(())
}
