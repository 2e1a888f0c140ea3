//! The QUIC client of every program that talks to the site's server: pinned trust, enrolment, request and reply, pushes,
//! bulk transfers, endless reconnecting; and the sockets and frames the server shares. Never trusts anything but the
//! site's own CA, and never judges what a message means.

pub mod bulk;
pub mod close;
pub mod enrol;
pub mod error;
pub mod identity;
pub mod link;
pub mod no_dump;
pub mod private_file;
pub mod reconnect;
pub mod socket;
pub mod transport;
pub mod trust;
pub mod wire;

pub use close::CloseCode;
pub use enrol::enrol;
pub use error::LinkError;
pub use identity::{Identity, MachineKey};
pub use link::{Dial, Link, Pushes};
pub use reconnect::connect_until;
pub use socket::client_endpoint;
pub use trust::Trust;
