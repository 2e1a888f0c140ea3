//! What staff on duty and seats say while a room runs: hands, messages, visits, people, the clock, and where a candidate is.
//! Never decides a rule; passwords are checked here, because the core never sees one.

mod find;
mod people;
mod time;
mod words;
