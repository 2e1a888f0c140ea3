//! What may be done to bytes on their way: cut, flipped, spliced, stuffed, or made up. Pure: the draw is an argument.
//! Never makes an input longer than [`INPUT_BYTES_MAX`].

/// Longest made-up or stuffed input: longer than any frame of a client.
pub const INPUT_BYTES_MAX: usize = 96 * 1024;

/// Length claims in the encodings our formats use: bincode's varint of 2⁴⁰ and 2⁶⁴ − 1, then little-endian 2³² − 1.
pub const CLAIMS: [&[u8]; 3] =
    [&[253, 0, 0, 0, 0, 0, 1, 0, 0], &[253, 255, 255, 255, 255, 255, 255, 255, 255], &[255, 255, 255, 255]];

/// One hostile deed. Places are drawn as any number and taken modulo what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Only the first bytes arrive.
    Cut(usize),
    /// One bit is another.
    Flip(usize, u8),
    /// A byte is replaced.
    Set(usize, u8),
    /// A byte comes in between.
    Insert(usize, u8),
    /// A byte is lost.
    Remove(usize),
    /// A giant length stands where something else stood.
    Claim(usize, usize),
    /// From here on, many times the same byte: thousands of smallest items.
    Stuff(usize, u8, usize),
    /// From here on, the end of another sample.
    Splice(usize, usize, usize),
    /// A piece comes twice.
    Repeat(usize, usize),
}

/// A hostile input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hostile {
    /// Bytes nobody ever wrote.
    MadeUp(Vec<u8>),
    /// A sample, and what was done to it.
    Changed(usize, Vec<Deed>),
}

impl Hostile {
    /// The bytes.
    pub fn bytes(&self, samples: &[Vec<u8>]) -> Vec<u8> {
        match self {
            Hostile::MadeUp(bytes) => bytes.clone(),
            Hostile::Changed(_, _) if samples.is_empty() => Vec::new(),
            Hostile::Changed(which, deeds) => {
                let mut bytes = samples[which % samples.len()].clone();
                deeds.iter().for_each(|deed| deed.done_to(&mut bytes, samples));
                bytes
            }
        }
    }
}

impl Deed {
    fn done_to(&self, bytes: &mut Vec<u8>, samples: &[Vec<u8>]) {
        let len = bytes.len();
        if len == 0 {
            return;
        }
        match *self {
            Deed::Cut(at) => bytes.truncate(at % len),
            Deed::Flip(at, bit) => bytes[at % len] ^= 1 << (bit % 8),
            Deed::Set(at, byte) => bytes[at % len] = byte,
            Deed::Insert(at, byte) => bytes.insert(at % (len + 1), byte),
            Deed::Remove(at) => drop(bytes.remove(at % len)),
            Deed::Claim(at, which) => {
                let at = at % len;
                let claim = CLAIMS[which % CLAIMS.len()];
                bytes.splice(at..len.min(at + claim.len()), claim.iter().copied());
            }
            Deed::Stuff(at, byte, count) => {
                bytes.truncate(at % (len + 1));
                let room = INPUT_BYTES_MAX.saturating_sub(bytes.len());
                bytes.resize(bytes.len() + count % (room + 1), byte);
            }
            Deed::Splice(at, other, from) => {
                let other = &samples[other % samples.len()];
                bytes.truncate(at % (len + 1));
                bytes.extend_from_slice(&other[from % (other.len() + 1)..]);
            }
            Deed::Repeat(at, count) => {
                let at = at % len;
                let end = at + 1 + count % (len - at).min(4_096);
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_deed_does_what_it_says_and_takes_any_number() {
        let samples = [b"abcdef".to_vec(), b"XYZ".to_vec()];
        let done = |deed: Deed| String::from_utf8_lossy(&Hostile::Changed(2, vec![deed]).bytes(&samples)).into_owned();
        assert_eq!(done(Deed::Cut(8)), "ab");
        assert_eq!(done(Deed::Flip(0, 8)), "`bcdef");
        assert_eq!(done(Deed::Set(7, b'!')), "a!cdef");
        assert_eq!(done(Deed::Insert(6, b'!')), "abcdef!");
        assert_eq!(done(Deed::Remove(6)), "bcdef");
        assert_eq!(done(Deed::Stuff(2, b'.', 3)), "ab...");
        assert_eq!(done(Deed::Splice(3, 1, 1)), "abcYZ");
        assert_eq!(done(Deed::Repeat(1, 1)), "abcbcdef");
        let far = usize::MAX;
        for deed in [Deed::Cut(far), Deed::Claim(far, far), Deed::Stuff(far, 0, far), Deed::Splice(far, far, far)] {
            assert!(Hostile::Changed(far, vec![deed]).bytes(&samples).len() <= INPUT_BYTES_MAX);
        }
        assert_eq!(Hostile::Changed(0, vec![Deed::Cut(0), Deed::Repeat(9, 9)]).bytes(&samples), b"");
    }
}
