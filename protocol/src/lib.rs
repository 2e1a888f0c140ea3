//! Every word two programs of the exam site share: ids, time, frames, messages, papers, answers, and ways of saying no.
//! Pure: no clock, file, socket, thread or randomness. See `DESIGN.md` and `GLOSSARY.md` beside this crate.

pub mod answer;
pub mod chain;
pub mod checklist;
pub mod code;
pub mod frame;
pub mod grant;
pub mod ids;
pub mod incident;
pub mod key;
pub mod message;
pub mod paper;
pub mod plan;
pub mod seal;
pub mod site;
pub mod staff;
pub mod tag;
pub mod time;
pub mod version;
pub mod words;

/// TLS application protocol: another number is another, incompatible wire.
pub const ALPN: &[u8] = b"exam/1";
/// The name in the server's certificate: trust comes from the site's CA, not from DNS.
pub const SERVER_NAME: &str = "exam-server";
/// UDP port a site server listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 4843;
