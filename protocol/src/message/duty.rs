//! What staff on duty and seats say to each other while a room runs: raised hands, messages, visits, looking for a
//! candidate, accounts, and the clock. Calls that belong together are one message with one variant each; variants are only
//! added at the end. Never carries a question, an answer, or more of an ID number than its last four characters.

mod clock;
mod find;
mod hand;
mod people;
mod visit;
mod words;

pub use clock::*;
pub use find::*;
pub use hand::*;
pub use people::*;
pub use visit::*;
pub use words::*;
