//! A portrait of nobody: head and shoulders in two colours, 295×413 pixels on red ground (HB-08), as a PNG that every
//! viewer opens (ISO/IEC 15948). Never compresses: one stored deflate block is enough.

const WIDTH: u32 = 295;
const HEIGHT: u32 = 413;
const ROW_BYTES: usize = (WIDTH as usize).div_ceil(8);
const RAW_BYTES: usize = (1 + ROW_BYTES) * HEIGHT as usize;
const _: () = assert!(RAW_BYTES <= u16::MAX as usize); // else one stored block does not hold it

/// The portrait that belongs to `look`: other numbers have other heads and shades.
pub(super) fn portrait(look: u32) -> Vec<u8> {
    let mut png = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];
    let size = [WIDTH.to_be_bytes(), HEIGHT.to_be_bytes()].concat();
    let shade = (look % 64) as u8;
    chunk(&mut png, b"IHDR", &[&size[..], &[1, 3, 0, 0, 0]].concat()); // one bit a pixel, palette
    chunk(&mut png, b"PLTE", &[196, 32 + shade / 4, 38, 250 - shade, 226 - shade, 205 - shade]);
    chunk(&mut png, b"IDAT", &stored(&pixels(look)));
    chunk(&mut png, b"IEND", &[]);
    png
}

/// Rows of pixels, each after its filter byte.
fn pixels(look: u32) -> Vec<u8> {
    let (wide, high) = (58 + i64::from(look / 64 % 16), 74 + i64::from(look / 1024 % 16));
    let mut raw = vec![0; RAW_BYTES];
    for y in 0..HEIGHT {
        for x in (0..WIDTH).filter(|x| is_figure(i64::from(*x), i64::from(y), wide, high)) {
            raw[y as usize * (1 + ROW_BYTES) + 1 + x as usize / 8] |= 0x80 >> (x % 8);
        }
    }
    raw
}

fn is_figure(x: i64, y: i64, wide: i64, high: i64) -> bool {
    let inside =
        |cx: i64, cy: i64, rx: i64, ry: i64| (x - cx).pow(2) * ry * ry + (y - cy).pow(2) * rx * rx <= rx * rx * ry * ry;
    inside(147, 165, wide, high) || inside(147, 413, 130, 140) || ((x - 147).abs() < 26 && (165..300).contains(&y))
}

/// A zlib stream of one stored block (RFC 1950, RFC 1951 §3.2.4).
fn stored(raw: &[u8]) -> Vec<u8> {
    let length = raw.len() as u16; // RAW_BYTES fits, see above
    let mut out = vec![0x78, 0x01, 1];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(raw);
    out.extend(adler32(raw).to_be_bytes());
    out
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) {
    let body = [&kind[..], content].concat();
    png.extend((content.len() as u32).to_be_bytes());
    png.extend(&body);
    png.extend(crc32(&body).to_be_bytes());
}

fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_are_the_published_ones() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }
}
