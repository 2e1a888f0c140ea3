//! Printing: sentences for people on stdout, or exactly one JSON object a line for machines; diagnostics on stderr.

use serde_json::Value;

/// How results are printed.
#[derive(Clone, Copy)]
pub(super) struct Output {
    pub(super) json: bool,
}

impl Output {
    /// Prints a result both audiences understand.
    pub(super) fn result(self, people: impl FnOnce() -> String, machine: impl FnOnce() -> Value) {
        match self.json {
            true => println!("{}", machine()),
            false => println!("{}", people()),
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
        if self.json {
            println!("{}", serde_json::json!({ "error": text, "exit": super::exit::code(error) }));
        }
        eprintln!("exam-server: {text}");
    }
}
