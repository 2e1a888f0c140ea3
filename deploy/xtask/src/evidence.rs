//! What a run leaves behind for the report over all promises: `target/evidence` with test results, the rigs' reports, the simulator's
//! and the bench's; and the report itself. Never mixes what two commits left.

use crate::build;
use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process::Command,
};

const COMMIT: &str = "commit";
const RIGS: &str = "rigs";

/// The folder of the runs of one commit.
pub(crate) struct Evidence {
    folder: PathBuf,
}

impl Evidence {
    /// The folder, without anything from another commit, or from before a change that is not committed.
    pub(crate) fn of_this_commit() -> Self {
        let folder = build::target_dir().join("evidence");
        let commit = build::commit();
        if fs::read_to_string(folder.join(COMMIT)).is_ok_and(|there| there == commit && !commit.contains('+')) {
            return Self { folder };
        }
        Self { folder }.cleared()
    }

    /// The folder, empty: everything is about to run.
    pub(crate) fn cleared(self) -> Self {
        // What cannot be cleared or written is told by whoever writes a report there.
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::create_dir_all(self.folder.join(RIGS));
        let _ = fs::write(self.folder.join(COMMIT), build::commit());
        self
    }

    /// Without the rigs' reports: all of them are about to run.
    pub(crate) fn without_rigs(self) -> Self {
        let _ = fs::remove_dir_all(self.folder.join(RIGS));
        let _ = fs::create_dir_all(self.folder.join(RIGS));
        self
    }

    /// Lines of test programs go here.
    pub(crate) fn tests(&self) -> Option<File> {
        File::options().create(true).append(true).open(self.folder.join("tests.txt")).ok()
    }

    /// A file of the folder, as an argument.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Marks every promise and writes the report. Returns whether none is broken.
    pub(crate) fn report(&self) -> bool {
        let mut promises = build::program("exam-promises");
        promises.arg("--root").arg(build::root()).arg("--run").arg(&self.folder).args(["--commit", &build::commit()]);
        well(promises.arg("--out").arg(self.file("report.json")))
    }
}

/// Notes a line of a test program, if it tells of a test.
pub(crate) fn note(tests: Option<&mut File>, line: &str) {
    if let Some(file) = tests.filter(|_| line.starts_with("test ")) {
        let _ = writeln!(file, "{line}");
    }
}

fn well(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}
