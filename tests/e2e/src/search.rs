//! A byte search through folders for sentences that must not be there, in every disguise a careless program would use.
//! Never trusts a file's name or kind: every byte of every file is looked at.

use anyhow::{Context, Result};
use data_encoding::{BASE64, HEXLOWER};
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Where a sentence was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// The file.
    pub file: PathBuf,
    /// In which disguise.
    pub form: &'static str,
    /// The sentence.
    pub sentence: String,
}

/// Looks for every sentence in every file under `folder`. Returns what was found and how many files were read.
///
/// # Errors
/// A file cannot be read.
pub fn search(folder: &Path, sentences: &[String]) -> Result<(Vec<Leak>, usize)> {
    let needles: Vec<(&str, &'static str, Vec<u8>)> = sentences
        .iter()
        .flat_map(|s| disguises(s).into_iter().map(move |(form, bytes)| (s.as_str(), form, bytes)))
        .collect();
    let files = files_under(folder)?;
    let (mut leaks, mut read) = (Vec::new(), 0);
    for file in &files {
        let bytes = match fs::read(file) {
            Ok(bytes) => bytes,
            // A running program renamed or removed it after we listed it.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("{}", file.display())),
        };
        read += 1;
        for (sentence, form, needle) in &needles {
            if contains(&bytes, needle) {
                leaks.push(Leak { file: file.clone(), form, sentence: (*sentence).to_owned() });
            }
        }
    }
    Ok((leaks, read))
}

/// Every file under `folder`, however deep, in order.
///
/// # Errors
/// A folder cannot be listed.
pub fn files_under(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("{}", next.display()))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The bytes a sentence leaves behind, form by form.
fn disguises(sentence: &str) -> Vec<(&'static str, Vec<u8>)> {
    let utf8 = sentence.as_bytes().to_vec();
    let utf16le: Vec<u8> = sentence.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16be: Vec<u8> = sentence.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let escaped: String = sentence.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let mut forms = vec![("utf-16le", utf16le), ("utf-16be", utf16be), ("hex", HEXLOWER.encode(&utf8).into_bytes())];
    forms.push(("json escapes", escaped.into_bytes()));
    forms.extend((0..3).map(|shift| ("base64", base64_core(&utf8, shift))));
    forms.push(("utf-8", utf8));
    forms
}

/// What base64 makes of `bytes` when `shift` bytes stand before them, without the characters that depend on neighbours.
fn base64_core(bytes: &[u8], shift: usize) -> Vec<u8> {
    let padded = [&vec![0; shift][..], bytes].concat();
    let whole = padded.len() / 3 * 3;
    let text = BASE64.encode(&padded[..whole]);
    let skip = if shift == 0 { 0 } else { 4 };
    text.as_bytes().get(skip..).unwrap_or_default().to_vec()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return false };
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|byte| byte == first) {
        from += at + 1;
        if haystack[from..].starts_with(rest) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENTENCE: &str = "金丝雀一号：液压系统的工作介质是什么";

    #[test]
    fn every_disguise_is_seen_through() {
        let dir = tempfile::tempdir().unwrap();
        let utf16 = |bytes: fn(u16) -> [u8; 2]| SENTENCE.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        let base64 = |before: &str| BASE64.encode(format!("{before}{SENTENCE}，后文").as_bytes()).into_bytes();
        let files = [
            SENTENCE.as_bytes().to_vec(),
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
            base64(""),
            base64("x"),
            base64("xy"),
            serde_json::to_vec(&SENTENCE).unwrap(),
        ];
        for (n, bytes) in files.iter().enumerate() {
            let folder = dir.path().join(n.to_string()).join("deep");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("f"), [b"before".as_slice(), bytes, b"after"].concat()).unwrap();
            let (leaks, read) = search(&dir.path().join(n.to_string()), &[SENTENCE.to_owned()]).unwrap();
            assert_eq!((leaks.len(), read), (1, 1), "file {n}");
        }
    }

    #[test]
    fn other_sentences_are_not_found() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("f"), "金丝雀二号：液压系统的工作介质是什么").unwrap();
        assert_eq!(search(dir.path(), &[SENTENCE.to_owned()]).unwrap(), (Vec::new(), 1));
    }
}
