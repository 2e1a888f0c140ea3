//! How a command ends: what it says and with which exit code. Results go to stdout, everything else to stderr.
//! Never prints a secret that the command was not asked for.

use serde_json::{Value, json};
use std::{fmt, process::ExitCode};

/// The table every `--help` ends with.
pub(crate) const EXIT_CODES_HELP: &str = "Exit codes: 0 ok, 1 failure, 2 usage, 3 validation (a file says something \
impossible), 4 not found, 5 refused by a rule, 6 signature or integrity, 7 unreachable";

/// Why a command ended without success. Stable: scripts switch on the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The world failed (disk full, no permission).
    Failure = 1,
    /// A file a person made says something impossible.
    Validation = 3,
    /// A named thing does not exist.
    NotFound = 4,
    /// A rule said no, e.g. never overwrite.
    Refused = 5,
    /// A signature, hash or seal does not hold.
    Integrity = 6,
}

/// An error that knows its exit code; reads like the error it wraps.
#[derive(Debug)]
struct Coded {
    exit: Exit,
    error: anyhow::Error,
}

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Coded {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl Exit {
    /// A new error with this exit code.
    pub(crate) fn error(self, message: impl fmt::Display) -> anyhow::Error {
        self.of(anyhow::anyhow!("{message}"))
    }

    /// `error`, ending with this exit code.
    pub(crate) fn of(self, error: impl Into<anyhow::Error>) -> anyhow::Error {
        anyhow::Error::new(Coded { exit: self, error: error.into() })
    }
}

/// The code of the outermost error that has one; [`Exit::Failure`] if none has.
pub(crate) fn exit_of(error: &anyhow::Error) -> Exit {
    // `context` hides the wrapped type from `chain`, but not from anyhow's own `downcast_ref`.
    let coded = error.downcast_ref::<Coded>().or_else(|| error.chain().find_map(|cause| cause.downcast_ref::<Coded>()));
    coded.map_or(Exit::Failure, |coded| coded.exit)
}

/// How this run speaks: in sentences, or in one JSON object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Say {
    json: bool,
}

impl Say {
    /// Speaks JSON if `json`.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// The command's result: `text` for people, `value` for programs.
    pub(crate) fn result(&self, text: &str, value: &Value) {
        if self.json {
            println!("{value}");
        } else {
            println!("{}", text.trim_end());
        }
    }

    /// A remark that is no result: always stderr.
    pub(crate) fn note(&self, text: impl fmt::Display) {
        eprintln!("{text}");
    }

    /// The command failed: the whole chain to stderr (and as JSON to stdout if asked for), the code to the caller.
    pub(crate) fn failure(&self, error: &anyhow::Error) -> ExitCode {
        let exit = exit_of(error);
        eprintln!("error: {error:#}");
        if self.json {
            println!("{}", json!({ "error": format!("{error:#}"), "exit": exit as u8 }));
        }
        ExitCode::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn an_error_keeps_its_exit_code_under_any_context() {
        let bare = Exit::NotFound.error("no such sitting");
        assert_eq!(exit_of(&bare), Exit::NotFound);
        let wrapped = Err::<(), _>(bare).context("code unlock").unwrap_err();
        assert_eq!(exit_of(&wrapped), Exit::NotFound);
        assert_eq!(format!("{wrapped:#}"), "code unlock: no such sitting");
        assert_eq!(exit_of(&anyhow::anyhow!("disk full")), Exit::Failure);
    }
}
