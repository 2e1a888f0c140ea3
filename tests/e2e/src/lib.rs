//! Real processes on one machine: start, wait for what they say, kill, compare what they leave behind.
//! Never reaches into a program: everything goes through command lines, files and the wire.

pub mod answers;
pub mod folder;
pub mod load;
pub mod process;
pub mod programs;
pub mod search;
pub mod site;
pub mod stock;
