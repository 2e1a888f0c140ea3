//! Where the server's time goes, while seats keep it busy: `perf`, where it is installed, beside what each thread used.
//! Never fails a run: a machine without `perf` has only the threads.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Lines of the table that are kept.
const LINES_MAX: usize = 60;

/// Samples a process from now on.
pub(crate) fn begin(pid: u32, folder: &Path, seconds: u64) -> Option<Child> {
    let mut perf = Command::new("perf");
    perf.args(["record", "--quiet", "-g", "-F", "499", "-p", &pid.to_string(), "-o"]).arg(folder.join("perf.data"));
    perf.args(["--", "sleep", &seconds.to_string()]);
    perf.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
}

/// Waits for the samples and returns functions by their own share, most first.
pub(crate) fn end(sampling: Option<Child>, folder: &Path, into: &Path) -> String {
    let Some(mut sampling) = sampling else { return "perf is not installed".to_owned() };
    if !sampling.wait().is_ok_and(|status| status.success()) {
        return "perf may not sample here".to_owned();
    }
    let mut report = Command::new("perf");
    report.args(["report", "--stdio", "--no-children", "-g", "none", "--percent-limit", "0.5", "-i"]);
    let Ok(output) = report.arg(folder.join("perf.data")).stderr(Stdio::null()).output() else { return String::new() };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).take(LINES_MAX).collect();
    let table = lines.join("\n");
    // The table is on stderr as well; a folder that cannot be written loses only the copy.
    let _ = fs::write(into, &table);
    table
}
