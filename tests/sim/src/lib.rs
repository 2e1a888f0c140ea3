//! The simulator: a whole exam in one process, on virtual time, an in-memory network and disks that forget what was not
//! synced. The server, its journal and wire code, and the seats are the real ones; a seed draws the day and the faults.
//! Never reads a real clock, and never opens a real socket.

pub mod candidate;
pub mod check;
pub mod chronicle;
mod day;
pub mod dice;
pub mod disk;
pub mod model;
pub mod net;
mod outcome;
pub mod plant;
pub mod power;
pub mod run;
mod runtime;
pub mod script;
pub mod seat;
pub mod server;
pub mod site;
mod slow;
pub mod staff;
mod steps;
