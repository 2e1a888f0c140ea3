//! The shell under the candidate's window (考生机的外壳, without a window): it links the pure session to the server, to the
//! seat's own encrypted journal and to the clock. Never writes an answer, a paper or a key to disk in the clear, and never
//! decides anything about the exam.

pub mod clock;
mod controller;
pub mod disk;
pub mod journal;
mod replies;
mod seat;
mod shelf;
pub mod station;
pub mod vault;

pub use seat::{News, NewsKind, Random, Seat, SeatConfig, SeatHandle, system_random};
