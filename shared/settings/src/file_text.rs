//! The text of a file, and why a file has none.

use std::{fs, io, path::Path};

/// The longest file that is read, in bytes. A configuration has some kilobytes; a bigger file is some other file.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// Why a file has no text: what was found, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// What was found.
    pub found: String,
    /// What would be right.
    pub wanted: &'static str,
    /// Whether there is no file at all.
    pub is_missing: bool,
}

impl Unreadable {
    fn new(found: impl Into<String>, wanted: &'static str) -> Self {
        Self { found: found.into(), wanted, is_missing: false }
    }
}

/// Reads a file as UTF-8, with or without a byte order mark.
///
/// # Errors
///
/// There is no file, it cannot be read, or it is no text in UTF-8.
pub fn read(path: &Path) -> Result<String, Unreadable> {
    let wanted = "a readable text file in UTF-8";
    let unreadable = |error: io::Error| {
        let kind = error.kind();
        if kind == io::ErrorKind::NotFound {
            return Unreadable { is_missing: true, ..Unreadable::new("no file of this name", wanted) };
        }
        if kind == io::ErrorKind::PermissionDenied {
            let wanted = "read permission for the user that Magpie runs as";
            return Unreadable::new("a file that this process may not read", wanted);
        }
        Unreadable::new(format!("a file that cannot be read ({kind})"), wanted)
    };
    let about = fs::metadata(path).map_err(unreadable)?;
    if about.is_dir() {
        let wanted =
            "a file; Docker makes a folder of this name when the file that is to be mounted is not there";
        return Err(Unreadable::new("a folder", wanted));
    }
    if about.len() > FILE_MAX {
        return Err(Unreadable::new(format!("a file of more than {} MiB", FILE_MAX >> 20), wanted));
    }
    decode(fs::read(path).map_err(unreadable)?)
}

/// The text of these bytes, without a byte order mark.
///
/// # Errors
///
/// They are no UTF-8.
pub fn decode(bytes: Vec<u8>) -> Result<String, Unreadable> {
    let save = "UTF-8: choose it as the encoding when saving the file";
    let is_wide = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    let zeros = bytes.iter().take(64).filter(|byte| **byte == 0).count();
    if is_wide || zeros >= 8 {
        return Err(Unreadable::new("a file in UTF-16, which Notepad calls Unicode", save));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Unreadable::new(format!("a file that is not in UTF-8 (see line {line})"), save)
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_utf_8_is_told_in_plain_words() {
        let wide: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("[bots]\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let bare: Vec<u8> = "[bots.helpdesk]".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, found) in [
            (wide, "a file in UTF-16, which Notepad calls Unicode"),
            (bare, "a file in UTF-16, which Notepad calls Unicode"),
            (b"a = 1\n# \xC5\xE4\xD6\xC3\n".to_vec(), "a file that is not in UTF-8 (see line 2)"),
        ] {
            assert_eq!(decode(bytes).unwrap_err().found, found);
        }
        assert_eq!(decode("\u{feff}a = 1".into()).unwrap(), "a = 1");
    }

    #[test]
    fn what_is_no_file_is_told_in_plain_words() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap_err().found, "a folder");
        let missing = read(&folder.path().join("none")).unwrap_err();
        assert!(missing.is_missing);
        assert_eq!(missing.found, "no file of this name");
    }
}
