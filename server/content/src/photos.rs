//! The zip of candidates' photos (HB-08), named by ID number, as Chinese Windows packs it.
//! Never trusts a name or a size in the zip; never writes a file.

mod picture;

use crate::{
    fault::{Faults, Findings, Imported, Place},
    fold, id_number,
    table::Encoding,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Cursor, Read},
};

pub use picture::{PictureKind, Size};

/// HB-08: largest photo, in bytes.
pub const PHOTO_BYTES_MAX: u64 = 5 * 1024 * 1024;
/// HB-08: width and height of a photo, in pixels.
pub const PHOTO_SIZE: Size = Size { width: 295, height: 413 };
/// Most files in the zip.
pub const FILES_MAX: usize = 10_000;
/// Largest sum of all photos, in bytes.
pub const PHOTOS_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// One photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// JPEG or PNG, by its first bytes.
    pub kind: PictureKind,
    /// The file as it stood in the zip.
    pub bytes: Vec<u8>,
}

/// Photos by ID number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Photos {
    /// ID number (upper case) → photo.
    pub by_id: BTreeMap<String, Photo>,
    /// Names of files in the zip that carry no ID number.
    pub unnamed: Vec<String>,
}

impl Photos {
    /// ID numbers of `expected` that have no photo.
    pub fn missing<'a>(&self, expected: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        expected.into_iter().filter(|id| !self.by_id.contains_key(*id)).collect()
    }

    /// ID numbers that have a photo and are not `expected`.
    pub fn unexpected<'a>(&self, expected: impl IntoIterator<Item = &'a str>) -> Vec<&str> {
        let expected: BTreeSet<&str> = expected.into_iter().collect();
        self.by_id.keys().map(String::as_str).filter(|id| !expected.contains(id)).collect()
    }
}

/// Reads a zip of photos. `known_ids` (upper case) helps with documents other than resident cards: a file named by one
/// of them is its photo.
///
/// # Errors
/// A damaged zip, too many or too large files, a file that is no picture, two photos for one ID number.
pub fn read(bytes: &[u8], file_name: &str, known_ids: &BTreeSet<String>) -> Result<Imported<Photos>, Faults> {
    let mut findings = Findings::default();
    let place = || Place::file(file_name);
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        return Err(findings.refuse(
            place(),
            "the file is not a zip, or it is damaged or cut short",
            "pack the photos into a .zip again",
        ));
    };
    if archive.len() > FILES_MAX {
        return Err(findings.refuse(place(), format!("the zip holds more than {FILES_MAX} files"), "split it by room"));
    }
    let mut photos = Photos::default();
    let mut total = 0_u64;
    for index in 0..archive.len() {
        let Some((name, content)) = member(&mut archive, index, file_name, &mut findings) else { continue };
        total += content.len() as u64;
        if total > PHOTOS_BYTES_MAX {
            return Err(findings.refuse(
                place(),
                "the photos unpack to more than 512 MiB",
                "make them smaller: 295×413 pixels need about 50 KB",
            ));
        }
        take(&mut photos, &name, content, known_ids, file_name, &mut findings);
    }
    if photos.by_id.is_empty() && findings.is_clean() {
        findings.fault(
            place(),
            "no file in the zip is named by an ID number",
            "name each photo 证件号码.jpg or 证件号码.png",
        );
    }
    findings.finish(photos, Encoding::Zip, String::new())
}

type Archive<'a> = zip::ZipArchive<Cursor<&'a [u8]>>;

/// Name and bytes of one member; `None` for folders, what the system added, and what is wrong.
fn member(archive: &mut Archive<'_>, index: usize, file: &str, findings: &mut Findings) -> Option<(String, Vec<u8>)> {
    let damaged = |findings: &mut Findings| {
        findings.fault(
            Place::file(file),
            format!("file {} of the zip is damaged or protected by a password", index + 1),
            "pack the zip again",
        );
    };
    let Ok(member) = archive.by_index(index) else {
        damaged(findings);
        return None;
    };
    let name = readable(member.name_raw());
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    if base.is_empty()
        || base.starts_with('.')
        || name.starts_with("__MACOSX/")
        || base.eq_ignore_ascii_case("thumbs.db")
    {
        return None;
    }
    let mut content = Vec::new();
    if member.take(PHOTO_BYTES_MAX + 1).read_to_end(&mut content).is_err() {
        damaged(findings);
        return None;
    }
    if content.len() as u64 > PHOTO_BYTES_MAX {
        findings.fault(
            Place::file(file),
            format!("file {} of the zip is larger than 5 MiB", index + 1),
            "save the photo smaller: 295×413 pixels",
        );
        return None;
    }
    Some((base, content))
}

/// A member's name: UTF-8 if it is, else GBK as Chinese Windows writes it; what fits neither keeps its ASCII part.
fn readable(raw: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(raw) {
        return text.to_owned();
    }
    encoding_rs::GB18030.decode_without_bom_handling(raw).0.into_owned()
}

fn take(
    photos: &mut Photos,
    name: &str,
    content: Vec<u8>,
    known: &BTreeSet<String>,
    file: &str,
    findings: &mut Findings,
) {
    let Some(id) = id_in(name, known) else {
        photos.unnamed.push(name.to_owned());
        return findings.warn(
            Place::file(file),
            format!("the file {} carries no ID number", shown(name)),
            "name it 证件号码.jpg or leave it out",
        );
    };
    let masked = format!("…{}", &id[id.len().saturating_sub(4)..]);
    let Some((kind, size)) = picture::look(&content) else {
        let problem = format!("the photo of the ID number ending {masked} is neither JPEG nor PNG, or is damaged");
        return findings.fault(Place::file(file), problem, "save it as .jpg or .png");
    };
    if size != PHOTO_SIZE {
        let problem = format!("the photo of the ID number ending {masked} has {size} pixels, not {PHOTO_SIZE}");
        findings.warn(Place::file(file), problem, "it is taken as it is; the platform asks for 295×413");
    }
    if photos.by_id.insert(id, Photo { kind, bytes: content }).is_some() {
        findings.fault(
            Place::file(file),
            format!("there are two photos for the ID number ending {masked}"),
            "keep one of them",
        );
    }
}

/// The ID number in a file name: all of the stem if it is known, or a resident card's number standing by itself.
fn id_in(name: &str, known: &BTreeSet<String>) -> Option<String> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let folded = fold::code(stem).to_ascii_uppercase();
    if known.contains(&folded) || id_number::is_card_shape(&folded) {
        return Some(folded);
    }
    let runs = folded.split(|c: char| !c.is_ascii_digit() && c != 'X');
    let mut cards = runs.filter(|run| id_number::is_card_shape(run));
    cards.next().filter(|_| cards.next().is_none()).map(str::to_owned)
}

/// A file name in a sentence: short, on one line.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}
