//! How a command ends: what it says and with which exit code. Results go to stdout, everything else to stderr.
//! Never prints a secret that the command was not asked for.

use serde_json::{Value, json};
use std::{
    fmt,
    io::{ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{Mutex, PoisonError},
};

/// Where and how this program last broke one of its own assumptions.
static BROKEN: Mutex<Option<String>> = Mutex::new(None);

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
        let written = if self.json { line(&value.to_string()) } else { line(text.trim_end()) };
        if let Err(error) = written {
            self.note(format!("error: the result cannot be written to stdout: {error}"));
            std::process::exit(Exit::Failure as i32); // the command's work is done; only the telling failed
        }
    }

    /// A remark that is no result: always stderr. Where even this cannot be written nobody is left to tell.
    pub(crate) fn note(&self, text: impl fmt::Display) {
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// The command failed: the whole chain to stderr (and as JSON to stdout if asked for), the code to the caller.
    pub(crate) fn failure(&self, error: &anyhow::Error) -> ExitCode {
        let exit = exit_of(error);
        self.note(format!("error: {error:#}"));
        self.error_object(&format!("{error:#}"), exit as u8);
        ExitCode::from(exit as u8)
    }

    /// Wrong usage in clap's words, and for programs as the one object they wait for; help and version end with 0.
    pub(crate) fn wrong_usage(&self, wrong: &clap::Error) -> ExitCode {
        let _ = wrong.print(); // where even this cannot be written nobody is left to tell
        if !wrong.use_stderr() {
            return ExitCode::SUCCESS;
        }
        self.error_object(wrong.render().to_string().trim_end(), 2);
        ExitCode::from(2)
    }

    fn error_object(&self, error: &str, exit: u8) {
        if self.json {
            let _ = line(&json!({ "error": error, "exit": exit }).to_string()); // the exit code still tells
        }
    }
}

/// A reader that has gone away, as in `| head`, is no failure.
fn line(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Runs a command so that a broken assumption ends it in one sentence, and a library's, caught where a stranger's file is
/// read, in none.
pub(crate) fn guarded(command: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("no reason given");
        *BROKEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{what} ({place})"));
    }));
    catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|_| {
        let broken = BROKEN.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        Err(Exit::Failure.error(format!("exam-hq itself is at fault, please report this: {broken}")))
    })
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

    #[test]
    fn a_broken_assumption_ends_in_one_sentence() {
        let error = guarded(|| panic!("three desks are none")).unwrap_err();
        let _ = std::panic::take_hook();
        assert_eq!(exit_of(&error), Exit::Failure);
        assert!(error.to_string().contains("three desks are none (server"), "{error}");
    }
}
