//! The readers against files as people have them: every fixture is made here, nothing is anybody's real data.

#![allow(clippy::unwrap_used, reason = "a test may panic, and says where")]

mod any_bytes;
mod banks;
mod fixture;
mod marks;
mod photos;
mod rosters;
mod tables;
