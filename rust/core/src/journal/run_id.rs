//! Names of runs: the time and something random, so that they sort by age and never meet.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A new name, such as `20260314T021500Z-9f2c41d7`.
pub fn new_run_id(now: DateTime<Utc>) -> String {
    let random = Uuid::new_v4().simple().to_string();
    format!("{}-{}", now.format("%Y%m%dT%H%M%SZ"), &random[..8])
}

/// True for a name that [`new_run_id`] could have made; nothing else becomes part of a path.
pub fn is_run_id(text: &str) -> bool {
    let pattern = "########T######Z-xxxxxxxx";
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'#' => byte.is_ascii_digit(),
            b'x' => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            other => byte == other,
        })
}
