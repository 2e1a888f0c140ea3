//! Printing: sentences for people on stdout, or exactly one JSON object a line for machines; diagnostics on stderr.
//! Never ends the program because nobody listens: a server goes on serving when its stdout is gone.

use serde_json::Value;
use std::{
    io::{ErrorKind, Write},
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether a result could not be written, as on a full disk: the command then does not end with 0.
static RESULT_LOST: AtomicBool = AtomicBool::new(false);

/// How results are printed.
#[derive(Clone, Copy)]
pub(super) struct Output {
    pub(super) json: bool,
}

impl Output {
    /// Prints a result both audiences understand.
    pub(super) fn result(self, people: impl FnOnce() -> String, machine: impl FnOnce() -> Value) {
        match self.json {
            true => line(&machine().to_string()),
            false => line(&people()),
        }
    }

    /// Prints an error with everything that caused it, each cause once.
    pub(super) fn error(self, error: &anyhow::Error) {
        let mut lines: Vec<String> = Vec::new();
        for cause in error.chain() {
            let text = cause.to_string();
            if lines.last().is_none_or(|last| !last.contains(&text)) {
                lines.push(text);
            }
        }
        let text = lines.join(": ");
        self.machine_error(&text, super::exit::code(error));
        diagnostic(&text);
    }

    /// The JSON half of an error, where it is asked for.
    pub(super) fn machine_error(self, text: &str, exit: u8) {
        if self.json {
            line(&serde_json::json!({ "error": text, "exit": exit }).to_string());
        }
    }

    /// Whether every result so far has been written.
    pub(super) fn is_whole(self) -> bool {
        !RESULT_LOST.load(Ordering::Relaxed)
    }
}

/// A reader that has gone away, as in `| head`, is no failure; a full disk is.
fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        RESULT_LOST.store(true, Ordering::Relaxed);
        diagnostic(&format!("the result cannot be written to stdout: {error}"));
    }
}

/// Where even this cannot be written nobody is left to tell.
fn diagnostic(text: &str) {
    let _ = writeln!(std::io::stderr(), "exam-server: {text}");
}
