//! The frame codec: `len u32 LE | tag u16 LE | request u32 LE | payload`, payload in bincode 2.
//! The only file that knows the codec. Never decodes a byte before its limits are checked, and never panics on any input.

use serde::{Serialize, de::DeserializeOwned};

/// Bytes before the payload that `len` counts: tag and request id.
pub const HEAD_BYTES: usize = 2 + 4;
/// Bytes of the length field.
pub const LEN_BYTES: usize = 4;
/// Largest frame from a client, in bytes after the length field. A full answer (40,000 bytes) fits with room.
pub const UP_FRAME_BYTES_MAX: usize = 64 * 1024;
/// Largest frame from the server, in bytes after the length field: a page of answers, the status of 500 seats.
pub const DOWN_FRAME_BYTES_MAX: usize = 1024 * 1024;
/// What one payload from a client may claim in memory while it is decoded (bincode counts in-memory size, not bytes on the wire, and
/// reserves a text before it has read it; P10: at most four times the frame).
pub const UP_CLAIMS_MAX: usize = 4 * UP_FRAME_BYTES_MAX;
/// The same for what comes from the server, and for a seat's own records.
pub const DOWN_CLAIMS_MAX: usize = 4 * DOWN_FRAME_BYTES_MAX;
const _: () = assert!(crate::answer::ANSWER_BYTES_MAX + 1024 < UP_FRAME_BYTES_MAX); // else a full answer could not be sent

/// Identifies a request on one connection, so that a reply finds its asker. Zero marks a push nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u32);

/// A push: nobody asked.
pub const PUSH: RequestId = RequestId(0);

/// Why bytes are not a frame or a message. A peer that sends such bytes is disconnected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length field claims more than this direction allows.
    #[error("a frame of {claimed} bytes, at most {max} are allowed")]
    TooLong {
        /// What the length field says.
        claimed: usize,
        /// The limit of this direction.
        max: usize,
    },
    /// The length field claims less than a head.
    #[error("a frame of {claimed} bytes has no room for its head")]
    TooShort {
        /// What the length field says.
        claimed: usize,
    },
    /// No message has this tag, or not in this direction.
    #[error("unknown tag {0}")]
    UnknownTag(u16),
    /// The payload is not what the tag says.
    #[error("message {tag} cannot be read")]
    Malformed {
        /// The tag of the frame.
        tag: u16,
    },
    /// Bytes are left after the message.
    #[error("message {tag} is followed by {extra} stray bytes")]
    Trailing {
        /// The tag of the frame.
        tag: u16,
        /// How many bytes too many.
        extra: usize,
    },
}

/// A frame whose head has been read and whose payload has not been looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// Which message.
    pub tag: u16,
    /// Which request it is, or answers.
    pub request: RequestId,
    /// The encoded message.
    pub payload: Vec<u8>,
}

/// Checks a length field before anything is allocated. Returns how many bytes follow it.
pub fn body_len(len_field: [u8; LEN_BYTES], max: usize) -> Result<usize, FrameError> {
    let claimed = u32::from_le_bytes(len_field) as usize;
    if claimed > max {
        return Err(FrameError::TooLong { claimed, max });
    }
    if claimed < HEAD_BYTES {
        return Err(FrameError::TooShort { claimed });
    }
    Ok(claimed)
}

/// Splits what follows the length field into head and payload.
pub fn split_body(mut body: Vec<u8>) -> Result<RawFrame, FrameError> {
    if body.len() < HEAD_BYTES {
        return Err(FrameError::TooShort { claimed: body.len() });
    }
    let payload = body.split_off(HEAD_BYTES);
    let tag = u16::from_le_bytes([body[0], body[1]]);
    let request = RequestId(u32::from_le_bytes([body[2], body[3], body[4], body[5]]));
    Ok(RawFrame { tag, request, payload })
}

/// Takes the first whole frame off `bytes`, if there is one. For files and tests; streams read exact lengths instead.
pub fn take_frame(bytes: &[u8], max: usize) -> Result<Option<(RawFrame, usize)>, FrameError> {
    let Some(field) = bytes.first_chunk::<LEN_BYTES>() else { return Ok(None) };
    let len = body_len(*field, max)?;
    let Some(body) = bytes.get(LEN_BYTES..LEN_BYTES + len) else { return Ok(None) };
    Ok(Some((split_body(body.to_vec())?, LEN_BYTES + len)))
}

/// The bytes of one frame, length field included.
pub fn write_frame(tag: u16, request: RequestId, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(HEAD_BYTES + payload.len()).expect("payloads are limited far below 4 GiB");
    let mut bytes = Vec::with_capacity(LEN_BYTES + HEAD_BYTES + payload.len());
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(&tag.to_le_bytes());
    bytes.extend_from_slice(&request.0.to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Encodes a message of ours. Our own types always encode: a failure is a mistake of ours, not of a peer.
pub fn encode<M: Serialize>(message: &M) -> Vec<u8> {
    bincode::serde::encode_to_vec(message, bincode::config::standard()).expect("our own messages can be encoded")
}

/// Decodes a payload: within limits, and with nothing left over.
pub fn decode<M: DeserializeOwned, const CLAIMS_MAX: usize>(tag: u16, payload: &[u8]) -> Result<M, FrameError> {
    let config = bincode::config::standard().with_limit::<CLAIMS_MAX>();
    let (message, used) =
        bincode::serde::decode_from_slice(payload, config).map_err(|_| FrameError::Malformed { tag })?;
    match payload.len() - used {
        0 => Ok(message),
        extra => Err(FrameError::Trailing { tag, extra }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_as_it_was_written() {
        let bytes = write_frame(7, RequestId(9), b"abc");
        let (frame, used) = take_frame(&bytes, UP_FRAME_BYTES_MAX).unwrap().unwrap();
        assert_eq!(
            (frame.tag, frame.request, frame.payload.as_slice(), used),
            (7, RequestId(9), b"abc".as_slice(), bytes.len())
        );
    }

    #[test]
    fn lengths_are_checked_on_both_sides_of_the_limit() {
        let field = |n: u32| n.to_le_bytes();
        assert!(body_len(field(UP_FRAME_BYTES_MAX as u32), UP_FRAME_BYTES_MAX).is_ok());
        assert!(body_len(field(UP_FRAME_BYTES_MAX as u32 + 1), UP_FRAME_BYTES_MAX).is_err());
        assert!(body_len(field(6), UP_FRAME_BYTES_MAX).is_ok());
        assert!(body_len(field(5), UP_FRAME_BYTES_MAX).is_err());
        assert!(body_len(field(u32::MAX), UP_FRAME_BYTES_MAX).is_err());
    }

    #[test]
    fn stray_bytes_after_a_message_are_refused() {
        let mut payload = encode(&(1_u32, String::from("x")));
        payload.push(0);
        assert_eq!(decode::<(u32, String), UP_CLAIMS_MAX>(3, &payload), Err(FrameError::Trailing { tag: 3, extra: 1 }));
    }

    #[test]
    fn a_text_that_claims_more_than_a_client_may_is_refused_before_it_is_reserved() {
        let claims = |bytes: usize| encode(&(bytes as u64));
        let (below, above) = (claims(UP_CLAIMS_MAX - 64), claims(UP_CLAIMS_MAX + 1));
        assert_eq!((below.len(), above.len()), (5, 5), "few bytes that claim many");
        for claim in [below, above] {
            assert!(decode::<String, UP_CLAIMS_MAX>(1, &claim).is_err());
        }
        let text = "字".repeat(UP_FRAME_BYTES_MAX / 4);
        assert_eq!(decode::<String, UP_CLAIMS_MAX>(1, &encode(&text)), Ok(text), "the longest answer is within it");
    }

    #[test]
    fn a_nine_byte_claim_of_a_trillion_elements_is_refused() {
        let bomb = [253, 0, 0, 0, 0, 0, 1, 0, 0];
        assert!(decode::<Vec<u8>, UP_CLAIMS_MAX>(1, &bomb).is_err());
        assert!(decode::<Vec<String>, UP_CLAIMS_MAX>(1, &bomb).is_err());
    }
}
