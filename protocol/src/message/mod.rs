//! Every message on the wire, one file a conversation. Fields are only ever added at the end of a new message version;
//! order and types never change (golden vectors in `vectors/`).

pub mod admin;
pub mod attendance;
pub mod board;
pub mod candidate;
pub mod duty;
pub mod hello;
pub mod incident;
pub mod readiness;
pub mod transfer;
