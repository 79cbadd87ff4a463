//! The documents that cross the boundary: requests in, items and results out. Strict both ways: an unknown or a
//! missing member is an error; a member without a value is `null`. LSNs and other wide numbers are strings; times are
//! UTC, `2026-03-14T02:15:00Z`.

mod baseline;
mod conference;
mod failback;
mod instance_step;
mod plain;
mod plan;
mod planned_switch;
mod pool;
mod request;
mod result;
mod statements;

pub use baseline::*;
pub use conference::*;
pub use failback::*;
pub use instance_step::*;
pub use plan::*;
pub use planned_switch::*;
pub use pool::*;
pub use request::*;
pub use result::*;
pub use statements::Statements;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::error::{Error, ErrorKind, Result};

/// The version of the documents of this release.
pub const DOCUMENT_VERSION: u32 = 1;

/// Reads a document of the boundary.
///
/// # Errors
/// `InvalidRequest` (1001) for anything that is not exactly the document; `UnsupportedVersion` (1003).
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    let bad = |why: String| {
        Error::new(ErrorKind::InvalidRequest, format!("the request document cannot be read: {why}."))
            .with_unchanged("Nothing was started.")
            .with_next("Send the document as the header describes it; the cmdlets do.")
    };
    let seen: Versioned = serde_json::from_slice(text).map_err(|e| bad(e.to_string()))?;
    match seen.version.as_ref().and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(DOCUMENT_VERSION) => {}
        Some(version) => {
            return Err(Error::new(
                ErrorKind::UnsupportedVersion,
                format!("the document has version {version}; this library reads version {DOCUMENT_VERSION}."),
            )
            .with_unchanged("Nothing was started.")
            .with_next("Use the assembly and the native library of one release."))
        }
        None => return Err(bad("the member `version` is missing or no number".to_string())),
    }
    serde_json::from_slice(text).map_err(|e| bad(e.to_string()))
}

/// Reads a request as it comes from outside.
///
/// # Errors
/// As [`read`]; `InvalidValue` (1002) for a value that no instance, path or name can have.
pub fn read_request<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    let request = read(text)?;
    plain::refuse_odd_values(text)?;
    Ok(request)
}

/// As much of a document as tells how the rest is to be read: a whole plan is not held twice.
#[derive(Deserialize)]
struct Versioned {
    #[serde(default)]
    version: Option<serde_json::Value>,
}

/// For an optional member that must be there all the same, as `null`.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> std::result::Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer)
}
