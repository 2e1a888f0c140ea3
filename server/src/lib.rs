//! The room's machine: one clerk, one journal, one QUIC endpoint. Never acknowledges what is not on disk.

pub mod attachments;
pub mod backup;
pub mod bundle;
pub mod clerk;
pub mod client;
pub mod clock;
pub mod config;
pub mod import;
pub mod init;
pub mod journal;
pub mod net;
pub mod passwords;
pub mod reception;
pub mod run;
pub mod site;
pub mod vault;
pub mod watch;
pub mod workers;

/// An error with everything that caused it, on one line.
pub fn error_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
