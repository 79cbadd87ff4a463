//! Files as far as names and times tell: hints on which of two is newer.

use std::collections::HashMap;

use chrono::NaiveDateTime;

use super::super::{listing, Candidate, Listing, UnreadFile};

/// A file as far as its name and time tell.
pub(super) struct Seen<'a> {
    pub name: &'a str,
    pub stamp: Option<NaiveDateTime>,
    pub modified_at: Option<NaiveDateTime>,
}

impl<'a> Seen<'a> {
    pub fn of(candidate: &'a Candidate) -> Seen<'a> {
        Seen { modified_at: candidate.modified_at, ..Seen::of_name(&candidate.name) }
    }

    pub fn of_unread(file: &'a UnreadFile) -> Seen<'a> {
        Seen { modified_at: file.modified_at, ..Seen::of_name(&file.name) }
    }

    pub fn of_name(name: &'a str) -> Seen<'a> {
        Seen { name, stamp: listing::name_stamp(name), modified_at: None }
    }

    pub fn same_name(&self, other: &Seen) -> bool {
        self.name.to_lowercase() == other.name.to_lowercase()
    }

    /// By the stamps in the names where both have one: a copy's time may be that of copying.
    pub fn is_newer_than(&self, other: &Seen) -> bool {
        match (self.stamp, other.stamp) {
            (Some(mine), Some(theirs)) => mine > theirs,
            _ => matches!((self.modified_at, other.modified_at), (Some(mine), Some(theirs)) if mine > theirs),
        }
    }
}

/// The size of the largest file of each name whose header is known; empty where nothing asks for it.
pub(super) fn known_sizes(listing: &Listing) -> HashMap<String, u64> {
    let mut sizes = HashMap::new();
    if listing.unread.is_empty() {
        return sizes;
    }
    for candidate in &listing.candidates {
        let size: &mut u64 = sizes.entry(candidate.name.to_lowercase()).or_default();
        *size = candidate.file_bytes.max(*size);
    }
    sizes
}

/// Whether the header was read at another place, of a file that is no smaller: then nothing is hidden.
pub(super) fn is_known_elsewhere(sizes: &HashMap<String, u64>, file: &UnreadFile) -> bool {
    sizes.get(&file.name.to_lowercase()).is_some_and(|size| *size >= file.file_bytes)
}
