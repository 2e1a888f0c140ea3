//! Coded words (`power`, `end_exam`) as they stand in the journal and on the wire, typed and shown. Never a list of its own.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

/// The value a coded word names: a parser of arguments.
///
/// # Errors
/// There is no such word; the message lists those there are.
pub(super) fn coded<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(json!(text)).map_err(|error| error.to_string())
}

/// The word of a value.
pub(super) fn code_of(value: &impl Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}
