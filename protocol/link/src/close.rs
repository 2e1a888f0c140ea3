//! Why one side closed a connection: the numbers that travel in QUIC's CONNECTION_CLOSE.
//! Numbers are never reused; an unknown one is still a plain close.

/// Why a connection was closed on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCode {
    /// The client is done.
    Ended,
    /// The server is stopping.
    Stopping,
    /// The peer sent bytes that are no frame, or no message.
    Malformed,
    /// The journal does not know the peer's certificate.
    UnknownCertificate,
    /// The server let this connection go: the same machine connected anew, or its pushes were given up.
    LetGo,
    /// The peer does not read what it is sent.
    Slow,
    /// No `Hello` came in time.
    LateHello,
    /// The server has as many connections as it takes.
    Full,
    /// A guest stayed longer than an enrolment takes.
    GuestOver,
    /// `Hello` was refused; the frame before says why.
    Refused,
}

impl CloseCode {
    const ALL: &[(CloseCode, u32, &str)] = &[
        (CloseCode::Ended, 0, "the client ended the connection"),
        (CloseCode::Stopping, 1, "the server is stopping"),
        (CloseCode::Malformed, 2, "the other side could not read a message"),
        (CloseCode::UnknownCertificate, 3, "the server does not know this machine's certificate"),
        (CloseCode::LetGo, 4, "the server let the connection go: this machine is connected anew"),
        (CloseCode::Slow, 5, "messages were not read in time"),
        (CloseCode::LateHello, 6, "no greeting came in time"),
        (CloseCode::Full, 7, "the server has too many connections"),
        (CloseCode::GuestOver, 8, "the time for enrolling is over"),
        (CloseCode::Refused, 9, "the greeting was refused"),
    ];

    fn row(self) -> &'static (CloseCode, u32, &'static str) {
        Self::ALL.iter().find(|row| row.0 == self).expect("every code has a row; a test looks at all")
    }

    /// The number on the wire.
    pub fn number(self) -> u32 {
        self.row().1
    }

    /// The code of a number, unless a newer program made it.
    pub fn from_number(number: u64) -> Option<CloseCode> {
        Self::ALL.iter().find(|row| u64::from(row.1) == number).map(|row| row.0)
    }

    /// In words.
    pub fn words(self) -> &'static str {
        self.row().2
    }

    /// Closes `connection` with this code, unless it is closed already: the first reason is the one that tells something, and
    /// quinn would put ours in its place.
    pub fn close(self, connection: &quinn::Connection) {
        if connection.close_reason().is_none() {
            connection.close(self.number().into(), self.words().as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_number_and_words() {
        for (at, (code, number, words)) in CloseCode::ALL.iter().enumerate() {
            assert_eq!(*number as usize, at, "numbers are given in order and never reused");
            assert_eq!(CloseCode::from_number(u64::from(*number)), Some(*code));
            assert!(!words.is_empty());
        }
        for code in [CloseCode::Ended, CloseCode::Refused] {
            assert_eq!(CloseCode::from_number(u64::from(code.number())), Some(code));
        }
        assert_eq!(CloseCode::from_number(1 << 40), None);
    }
}
