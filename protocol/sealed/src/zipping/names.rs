//! Which member names are safe in every folder of every system. Never repairs a name.

use super::ZipFault;

/// Longest member name, in bytes.
const NAME_BYTES_MAX: usize = 200;
/// Names Windows gives to devices, whatever their extension.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Whether a name is safe in every folder of every system: relative, forward slashes, no `..`, no device.
///
/// # Errors
/// [`ZipFault::Name`] with the rule in words.
pub fn check_name(name: &str) -> Result<(), ZipFault> {
    let broken = || -> Option<&'static str> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Some("a name needs 1 to 200 bytes");
        }
        if name.contains('\\') {
            return Some("backslashes are not allowed (UNC or Windows paths)");
        }
        if name.starts_with('/') {
            return Some("absolute paths are not allowed");
        }
        if name.contains(|c: char| c.is_control() || "<>:\"|?*".contains(c)) {
            return Some("drive letters and characters Windows does not allow are refused");
        }
        name.split('/').find_map(|part| match part {
            "" => Some("folders and empty path parts are not allowed"),
            "." | ".." => Some("'.' and '..' are not allowed"),
            _ if part.ends_with(['.', ' ']) => Some("Windows drops dots and spaces at the end of a name"),
            _ if is_device(part) => Some("Windows takes this name for a device"),
            _ => None,
        })
    };
    broken().map_or(Ok(()), |rule| Err(ZipFault::Name { member: name.to_owned(), rule }))
}

fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    DEVICES.contains(&stem.as_str())
}
