//! Where the programs under test are: in the folder cargo built them into, beside the program or test that asks.
//! Never searches the path: an older installation must not be tested by mistake.

use anyhow::{Context, Result, ensure};
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The folder with the programs.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

/// One of the product's programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The room's machine.
    Server,
    /// The other end.
    Hq,
    /// Headless seats.
    Load,
}

impl Program {
    const ALL: [Program; 3] = [Program::Server, Program::Hq, Program::Load];

    fn file(self) -> String {
        let name = match self {
            Program::Server => "exam-server",
            Program::Hq => "exam-hq",
            Program::Load => "exam-load",
        };
        format!("{name}{}", env::consts::EXE_SUFFIX)
    }
}

impl Programs {
    /// The programs beside the running one: `target/PROFILE`, also for a test in `target/PROFILE/deps`.
    ///
    /// # Errors
    /// One of them has not been built.
    pub fn beside_us() -> Result<Self> {
        let ours = env::current_exe().context("where this program is")?;
        let folder = ours.parent().context("a program lies in a folder")?;
        let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
        Self::in_folder(folder)
    }

    fn in_folder(folder: &Path) -> Result<Self> {
        for program in Program::ALL {
            ensure!(
                folder.join(program.file()).is_file(),
                "{} has not been built: run `cargo xtask test`, or `cargo build --bins` in the profile of this test first",
                program.file()
            );
        }
        Ok(Self { folder: folder.to_path_buf() })
    }

    /// A command that starts the program.
    pub fn command(&self, program: Program) -> Command {
        Command::new(self.folder.join(program.file()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_the_programs_is_refused_in_words() {
        let empty = tempfile::tempdir().unwrap();
        let refusal = Programs::in_folder(empty.path()).unwrap_err().to_string();
        assert!(refusal.contains("exam-server") && refusal.contains("has not been built"), "{refusal}");
    }
}
