//! Reading JSON that crossed the border: a newer format is refused in words before its content is judged, and errors name
//! line and column. Never quotes the content: it may be a question, a name or an answer.

use serde::{Deserialize, de::DeserializeOwned};

/// Why a JSON member cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// Written by a newer program.
    #[error("it has format {found}, this program reads up to {known}: install the newer version")]
    NewerFormat {
        /// Format of the file.
        found: u32,
        /// Newest format known here.
        known: u32,
    },
    /// Not the JSON that is expected here.
    #[error("line {line}, column {column}: {what}")]
    Unreadable {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What kind of fault, without quoting the content.
        what: &'static str,
    },
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// Reads JSON that begins its life with a `format` number.
///
/// # Errors
/// A newer format, or anything that is not a `T`.
pub fn read_versioned<T: DeserializeOwned>(bytes: &[u8], known: u32) -> Result<T, JsonFault> {
    let FormatOnly { format } = read(bytes)?;
    if format > known {
        return Err(JsonFault::NewerFormat { found: format, known });
    }
    read(bytes)
}

/// Reads JSON without a `format` number.
///
/// # Errors
/// Anything that is not a `T`.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonFault> {
    serde_json::from_slice(bytes).map_err(|e| {
        let what = match e.classify() {
            serde_json::error::Category::Io => "it cannot be read",
            serde_json::error::Category::Syntax => "it is not JSON",
            serde_json::error::Category::Data => "a field is missing, unknown or has a value it cannot have",
            serde_json::error::Category::Eof => "it ends too early",
        };
        JsonFault::Unreadable { line: e.line(), column: e.column(), what }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use exam_protocol::paper::Paper;

    #[test]
    fn a_newer_format_is_named_before_its_fields_are_judged() {
        let fault = read_versioned::<Paper>(br#"{"format":7,"new":true}"#, 1).unwrap_err();
        assert_eq!(fault, JsonFault::NewerFormat { found: 7, known: 1 });
        assert!(fault.to_string().contains("format 7") && fault.to_string().contains("up to 1"));
    }

    #[test]
    fn errors_name_the_place_and_never_the_content() {
        let fault = read_versioned::<Paper>(b"{\"format\":1,\n\"title\":\"x\",\"id\":\"SECRET WORD\"}", 1).unwrap_err();
        assert!(fault.to_string().starts_with("line 2, column "), "{fault}");
        assert!(!fault.to_string().contains("SECRET"));
    }
}
