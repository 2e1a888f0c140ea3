//! Zip as we write it (the same members always give the same bytes) and as we read it (suspiciously). Members are stored, not
//! deflated, because what matters inside is encrypted anyway, and the byte-for-byte check of a bundle must not depend on a
//! compressor's version. Never extracts to a path, never trusts a size or a name.

mod names;

pub use names::check_name;

use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Seek, SeekFrom, Write},
};
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// Below this a high compression ratio harms nobody.
const RATIO_FREE_BYTES: u64 = 1024 * 1024;
/// Fixed part of a central directory header.
const CENTRAL_HEADER_BYTES: usize = 46;

/// What a zip may hold at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZipLimits {
    /// Members.
    pub entries_max: usize,
    /// Bytes of one member, unpacked.
    pub member_bytes_max: u64,
    /// Bytes of all members, unpacked.
    pub total_bytes_max: u64,
    /// Unpacked bytes for each packed one.
    pub ratio_max: u64,
}

/// Why a zip is refused. Names the member where there is one.
#[derive(Debug, thiserror::Error)]
pub enum ZipFault {
    /// Not a zip, or cut short.
    #[error("this is not a whole zip file ({0})")]
    NotAZip(String),
    /// Reading or writing failed.
    #[error("reading or writing the zip failed")]
    Io(#[from] std::io::Error),
    /// Too many members.
    #[error("it has {found} members, at most {max} are allowed")]
    TooMany {
        /// Members in the file.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// A name that could lead out of a folder, or means something else elsewhere.
    #[error("member {member:?}: {rule}")]
    Name {
        /// The member, made printable.
        member: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// A member of a kind we do not take.
    #[error("member {member}: {what} are not allowed")]
    Kind {
        /// The member.
        member: String,
        /// Which kind.
        what: &'static str,
    },
    /// Unpacks to more than allowed.
    #[error(
        "member {member} unpacks to {bytes} bytes: more than allowed, or far more than its packed size (a zip bomb?)"
    )]
    TooLarge {
        /// The member.
        member: String,
        /// Its size.
        bytes: u64,
    },
    /// All members together are too large.
    #[error("its members unpack to {bytes} bytes together, at most {max} are allowed")]
    TotalTooLarge {
        /// Sum of sizes.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// Members share bytes of the file.
    #[error("members overlap inside the file (a zip bomb?)")]
    Overlap,
    /// Content does not fit its size or checksum.
    #[error("member {member} is damaged: {why}")]
    Damaged {
        /// The member.
        member: String,
        /// What did not fit.
        why: String,
    },
    /// No such member.
    #[error("member {member} is missing")]
    Missing {
        /// The member.
        member: String,
    },
}

/// Writes members as one zip: sorted by name, stored, dated 1980-01-01, same bytes on every machine.
///
/// # Errors
/// A bad name, or a member too large for a plain zip (4 GiB).
pub fn write_zip<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Vec<u8>, ZipFault> {
    let sorted: BTreeMap<&str, &[u8]> = members.into_iter().collect();
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in sorted {
        check_name(name)?;
        writer.start_file(name, options).map_err(write_fault)?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish().map_err(write_fault)?.into_inner())
}

fn write_fault(error: ZipError) -> ZipFault {
    match error {
        ZipError::Io(e) => ZipFault::Io(e),
        other => ZipFault::NotAZip(other.to_string()),
    }
}

/// A zip whose every name and size was checked before a byte is unpacked.
#[derive(Debug)]
pub struct SafeZip<R> {
    archive: ZipArchive<R>,
    sizes: BTreeMap<String, u64>,
    limits: ZipLimits,
}

impl<R: Read + Seek> SafeZip<R> {
    /// Opens a zip and checks its directory.
    ///
    /// # Errors
    /// Any [`ZipFault`]; nothing was unpacked then.
    pub fn open(mut reader: R, limits: ZipLimits) -> Result<Self, ZipFault> {
        let not_a_zip = |e: ZipError| ZipFault::NotAZip(e.to_string());
        let start = ZipArchive::new(&mut reader).map_err(not_a_zip)?.central_directory_start();
        let names = directory_names(&mut reader, start, limits.entries_max)?;
        check_names(&names)?;
        let mut archive = ZipArchive::new(reader).map_err(not_a_zip)?;
        if archive.len() != names.len() {
            return Err(ZipFault::NotAZip("its directory contradicts itself".into()));
        }
        let sizes = check_entries(&mut archive, &limits)?;
        if archive.has_overlapping_entries().map_err(not_a_zip)? {
            return Err(ZipFault::Overlap);
        }
        Ok(Self { archive, sizes, limits })
    }

    /// Names of all members, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sizes.keys().map(String::as_str)
    }

    /// Unpacks one member.
    ///
    /// # Errors
    /// It is missing, or does not fit its size or checksum.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, ZipFault> {
        let member = || name.to_owned();
        let size = *self.sizes.get(name).ok_or_else(|| ZipFault::Missing { member: member() })?;
        let damaged = |why: String| ZipFault::Damaged { member: member(), why };
        let file = self.archive.by_name(name).map_err(|e| damaged(e.to_string()))?;
        let mut bytes = Vec::new();
        let cap = size.min(self.limits.member_bytes_max);
        file.take(cap + 1).read_to_end(&mut bytes).map_err(|e| damaged(e.to_string()))?;
        if bytes.len() as u64 != size {
            return Err(damaged("its size is not the one the directory names".into()));
        }
        Ok(bytes)
    }

    /// Unpacks every member.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_all(&mut self) -> Result<BTreeMap<String, Vec<u8>>, ZipFault> {
        let names: Vec<String> = self.sizes.keys().cloned().collect();
        names.into_iter().map(|name| self.read(&name).map(|bytes| (name, bytes))).collect()
    }
}

/// The names in the central directory as they stand there: the zip crate folds equal names into one.
fn directory_names<R: Read + Seek>(reader: &mut R, start: u64, entries_max: usize) -> Result<Vec<Vec<u8>>, ZipFault> {
    reader.seek(SeekFrom::Start(start))?;
    let mut names = Vec::new();
    let mut header = [0_u8; CENTRAL_HEADER_BYTES];
    loop {
        let mut magic = [0_u8; 4];
        reader.read_exact(&mut magic)?;
        if magic != *b"PK\x01\x02" {
            return Ok(names);
        }
        if names.len() == entries_max {
            return Err(ZipFault::TooMany { found: names.len() + 1, max: entries_max });
        }
        reader.read_exact(&mut header[4..])?;
        let length = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let mut name = vec![0; length(28)];
        reader.read_exact(&mut name)?;
        let rest = length(30) + length(32);
        reader.seek_relative(rest as i64)?;
        names.push(name);
    }
}

fn check_names(names: &[Vec<u8>]) -> Result<(), ZipFault> {
    let mut seen = BTreeMap::new();
    for raw in names {
        let name = std::str::from_utf8(raw).map_err(|_| ZipFault::Name {
            member: String::from_utf8_lossy(raw).into_owned(),
            rule: "its name is not UTF-8",
        })?;
        check_name(name)?;
        if seen.insert(name.to_lowercase(), ()).is_some() {
            return Err(ZipFault::Name {
                member: name.to_owned(),
                rule: "the name appears twice (Windows ignores case)",
            });
        }
    }
    Ok(())
}

fn check_entries<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    limits: &ZipLimits,
) -> Result<BTreeMap<String, u64>, ZipFault> {
    let mut sizes = BTreeMap::new();
    let mut total = 0_u64;
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(|e| ZipFault::NotAZip(e.to_string()))?;
        let member = String::from_utf8_lossy(file.name_raw()).into_owned();
        let kind = |what| Err(ZipFault::Kind { member: member.clone(), what });
        if file.encrypted() {
            return kind("encrypted members");
        }
        if file.is_symlink()
            || file.unix_mode().is_some_and(|mode| mode & 0o170_000 != 0o100_000 && mode & 0o170_000 != 0)
        {
            return kind("symbolic links and special files");
        }
        if !matches!(file.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return kind("compression methods other than store and deflate");
        }
        let (bytes, packed) = (file.size(), file.compressed_size());
        let bomb = bytes > RATIO_FREE_BYTES && bytes / packed.max(1) > limits.ratio_max;
        if bytes > limits.member_bytes_max || bomb {
            return Err(ZipFault::TooLarge { member, bytes });
        }
        total = total.saturating_add(bytes);
        if total > limits.total_bytes_max {
            return Err(ZipFault::TotalTooLarge { bytes: total, max: limits.total_bytes_max });
        }
        sizes.insert(member, bytes);
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ZipLimits =
        ZipLimits { entries_max: 10, member_bytes_max: 8 << 20, total_bytes_max: 12 << 20, ratio_max: 100 };

    fn raw_zip(members: &[(&str, &[u8], SimpleFileOptions)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes, options) in members {
            writer.start_file(*name, *options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn refusal(bytes: &[u8]) -> String {
        match SafeZip::open(Cursor::new(bytes), LIMITS).and_then(|mut zip| zip.read_all()) {
            Ok(_) => panic!("must be refused"),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn the_same_members_give_the_same_bytes_on_every_machine_and_forever() {
        let zip = write_zip([("b/2.txt", b"two".as_slice()), ("a.txt", b"one")]).unwrap();
        assert_eq!(zip, write_zip([("a.txt", b"one".as_slice()), ("b/2.txt", b"two")]).unwrap());
        // A bundle is compared with its re-zip: a new zip crate that writes other bytes would make old bundles unreadable.
        let frozen = "54b8cd31cb3374b48328ea1ba437d36d2c5ecfefc67f67f27d6a36c74836345f";
        assert_eq!(exam_protocol::ids::Sha256::of(&zip).hex(), frozen);
    }

    #[test]
    fn what_was_written_reads_back() {
        let bytes = write_zip([("b", b"two".as_slice()), ("a", b"")]).unwrap();
        let mut zip = SafeZip::open(Cursor::new(bytes), LIMITS).unwrap();
        assert_eq!(zip.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(zip.read("b").unwrap(), b"two");
        assert!(matches!(zip.read("c"), Err(ZipFault::Missing { .. })));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused_by_name() {
        let names = [
            "/etc/passwd",
            "../up",
            "a/../../b",
            "a/..",
            "C:/x",
            "C:x",
            "\\\\host\\share",
            "a\\b",
            "a//b",
            "dir/",
            "./a",
            "a\u{0}b",
            "a:b",
            "NUL",
            "a/con.txt",
            "end.",
            "end ",
        ];
        for name in names {
            assert!(check_name(name).is_err(), "{name:?} must be refused");
            let bytes = raw_zip(&[("ok", b"", SimpleFileOptions::default())]);
            let short = [name.as_bytes(), b"________"].concat();
            let Some(patched) = (name.len() == 2).then(|| replace(&bytes, b"ok", &short[..2])) else { continue };
            assert!(refusal(&patched).contains("member"), "{name}");
        }
        for name in ["a", "papers/p1.age", "answers/123456.json", "考.txt", "console.txt"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let slip = replace(&raw_zip(&[("xx/slip", b"", SimpleFileOptions::default())]), b"xx/slip", b"../slip");
        assert!(refusal(&slip).contains("../slip"));
    }

    fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let mut out = bytes.to_vec();
        for at in 0..=bytes.len() - from.len() {
            if &bytes[at..at + from.len()] == from {
                out[at..at + from.len()].copy_from_slice(to);
            }
        }
        out
    }

    #[test]
    fn duplicate_names_are_refused_whatever_their_case() {
        let options = SimpleFileOptions::default();
        let twice = replace(&raw_zip(&[("aaaa1", b"", options), ("aaaa2", b"", options)]), b"aaaa2", b"aaaa1");
        assert!(refusal(&twice).contains("aaaa1"), "{}", refusal(&twice));
        assert!(refusal(&raw_zip(&[("a", b"", options), ("A", b"", options)])).contains("twice"));
    }

    #[test]
    fn links_and_bombs_and_crowds_are_refused() {
        let options = SimpleFileOptions::default();
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.add_symlink("link", "/etc/passwd", options).unwrap();
        assert!(refusal(&writer.finish().unwrap().into_inner()).contains("symbolic links"));
        let zeros = vec![0_u8; 4 << 20];
        assert!(refusal(&raw_zip(&[("bomb", &zeros, options)])).contains("zip bomb"));
        let stored = options.compression_method(CompressionMethod::Stored);
        let large = vec![0_u8; 9 << 20];
        assert!(refusal(&raw_zip(&[("large", &large, stored)])).contains("large"));
        let half = vec![0_u8; 7 << 20];
        assert!(refusal(&raw_zip(&[("h1", &half, stored), ("h2", &half, stored)])).contains("together"));
        let names: Vec<String> = (0..11).map(|n| n.to_string()).collect();
        let many: Vec<_> = names.iter().map(|n| (n.as_str(), b"".as_slice(), options)).collect();
        assert!(refusal(&raw_zip(&many)).contains("at most 10"));
    }

    #[test]
    fn a_cut_or_changed_file_is_refused_and_never_panics() {
        let bytes = write_zip([("a", b"hello".as_slice()), ("b", b"world")]).unwrap();
        for length in 0..bytes.len() {
            assert!(SafeZip::open(Cursor::new(&bytes[..length]), LIMITS).is_err(), "cut at {length}");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x55;
            let _ = SafeZip::open(Cursor::new(changed), LIMITS).and_then(|mut zip| zip.read_all());
        }
        let damaged = replace(&bytes, b"hello", b"hallo");
        assert!(refusal(&damaged).contains("member a is damaged"));
    }
}
