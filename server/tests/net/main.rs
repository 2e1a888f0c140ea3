//! The network side with real sockets and a counter that only pretends: trust, greetings, roles, frames, bulk, storms.
//! Never waits by sleeping and never uses a fixed port.

#![allow(clippy::unwrap_used, reason = "a test may panic, in its fixtures too")]

mod blobs;
mod fixture;
mod frames;
mod storm;
mod talk;
mod trust;
