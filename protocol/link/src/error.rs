//! What can go wrong between a client and its server, told apart by what a person has to do about it.
//! Never carries a message's content.

use crate::close::CloseCode;
use exam_protocol::{
    code::{ErrorCode, Refusal},
    frame::FrameError,
};
use quinn::{ConnectionError, TransportErrorCode};

/// Why there is no connection, or no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Nobody answers there, or not in time: try again; the cable, the address, the server.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// Somebody answers who is not this site's server. Nothing was said to it.
    #[error("this is not the site's server (its certificate is not from the site's CA): {0}")]
    NotTrusted(String),
    /// The site's server does not accept this machine's certificate: the machine has to be enrolled again.
    #[error("the server does not know this machine: enrol it again")]
    NotKnown,
    /// A rule said no.
    #[error("refused: {0}")]
    Refused(#[source] Refusal),
    /// The server's world failed.
    #[error("failed: {0}")]
    Failed(#[source] ErrorCode),
    /// The other side does not speak as it should.
    #[error("the server does not speak this protocol: {0}")]
    Protocol(String),
    /// There was a connection and it is gone: reconnect.
    #[error("the connection is gone: {0}")]
    Closed(String),
    /// This machine's own key, certificate or socket cannot be used.
    #[error("this machine cannot connect: {0}")]
    Here(String),
}

/// TLS alert `no_application_protocol` as QUIC carries it.
const NO_APPLICATION_PROTOCOL: u64 = 0x178;

fn is_tls(code: TransportErrorCode) -> bool {
    (0x100..0x200).contains(&u64::from(code))
}

impl LinkError {
    /// What a lost connection means to the client.
    pub fn lost(error: &ConnectionError) -> LinkError {
        match error {
            ConnectionError::TransportError(e) if is_tls(e.code) => LinkError::NotTrusted(e.reason.clone()),
            ConnectionError::ConnectionClosed(close) if u64::from(close.error_code) == NO_APPLICATION_PROTOCOL => {
                LinkError::Protocol("it has another wire version".to_owned())
            }
            ConnectionError::ConnectionClosed(close) if is_tls(close.error_code) => LinkError::NotKnown,
            ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::CONNECTION_REFUSED => {
                LinkError::Unreachable("it takes no more connections now".to_owned())
            }
            ConnectionError::ApplicationClosed(close) => Self::closed_with(close.error_code.into_inner()),
            ConnectionError::TimedOut => LinkError::Closed("the server was silent for too long".to_owned()),
            ConnectionError::Reset => LinkError::Closed("the server no longer knows this connection".to_owned()),
            ConnectionError::LocallyClosed => LinkError::Closed("ended here".to_owned()),
            ConnectionError::VersionMismatch => LinkError::Protocol("it has another QUIC version".to_owned()),
            ConnectionError::TransportError(_)
            | ConnectionError::ConnectionClosed(_)
            | ConnectionError::CidsExhausted => LinkError::Closed(error.to_string()),
        }
    }

    fn closed_with(number: u64) -> LinkError {
        match CloseCode::from_number(number) {
            Some(CloseCode::UnknownCertificate) => LinkError::NotKnown,
            Some(CloseCode::Malformed) => LinkError::Protocol(CloseCode::Malformed.words().to_owned()),
            Some(CloseCode::Full) => LinkError::Unreachable(CloseCode::Full.words().to_owned()),
            Some(code) => LinkError::Closed(code.words().to_owned()),
            None => LinkError::Closed(format!("for a reason this program does not know ({number})")),
        }
    }

    /// What a failed first attempt means: a connection that never stood was not lost, but never reached.
    pub(crate) fn not_reached(error: &ConnectionError) -> LinkError {
        match Self::lost(error) {
            LinkError::Closed(why) => LinkError::Unreachable(why),
            other => other,
        }
    }
}

impl From<FrameError> for LinkError {
    fn from(error: FrameError) -> Self {
        LinkError::Protocol(error.to_string())
    }
}
