//! What kind of picture some bytes are, and its size, from the header alone.
//! Never decodes a picture.

use std::fmt;

/// Kinds of pictures taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureKind {
    /// image/jpeg.
    Jpeg,
    /// image/png.
    Png,
}

impl PictureKind {
    /// The usual extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            PictureKind::Jpeg => "jpg",
            PictureKind::Png => "png",
        }
    }
}

/// Pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.width, self.height)
    }
}

/// Kind and size, or `None` if the bytes are neither a PNG nor a JPEG with a readable header.
pub(super) fn look(bytes: &[u8]) -> Option<(PictureKind, Size)> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => png_size(bytes).map(|size| (PictureKind::Png, size)),
        [0xff, 0xd8, 0xff, ..] => jpeg_size(bytes).map(|size| (PictureKind::Jpeg, size)),
        _ => None,
    }
}

fn png_size(bytes: &[u8]) -> Option<Size> {
    if bytes.get(12..16)? != b"IHDR" {
        return None;
    }
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some(Size { width: number(16)?, height: number(20)? })
}

/// Walks the segments to the first start-of-frame (ITU T.81, B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<Size> {
    let short = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        match *bytes.get(at + 1)? {
            0xff => at += 1,
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Some(Size { width: short(at + 7)?.into(), height: short(at + 5)?.into() });
            }
            0x01 | 0xd0..=0xd7 => at += 2,
            0xd9 | 0xda => return None,
            _ => at += 2 + usize::from(short(at + 2)?.max(2)),
        }
    }
}
