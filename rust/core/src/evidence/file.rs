//! The log backups, as far as the proof needs them.

use super::{PlaceEvidence, PlaceRole, Reading};
use crate::log_chain::{Candidate, Listing, PlaceId, RedoPoint};

/// Folders, headers and space.
#[derive(Debug, Clone)]
pub struct FileEvidence {
    pub places: Vec<PlaceEvidence>,
    /// Headers and files, ready for [`crate::log_chain::prove`].
    pub listing: Listing,
    /// Where the database stands; without it nothing can be proved.
    pub redo: Reading<RedoPoint>,
    /// Free bytes on the disk of the copy folder.
    pub free_bytes: Reading<u64>,
}

impl FileEvidence {
    /// The share, where one is known.
    pub fn share(&self) -> Option<&PlaceEvidence> {
        self.places.iter().find(|place| place.role == PlaceRole::Share)
    }

    /// The copy folder, where one is known.
    pub fn copy_folder(&self) -> Option<&PlaceEvidence> {
        self.places.iter().find(|place| place.role == PlaceRole::CopyFolder)
    }

    /// The folder of a candidate.
    pub fn place(&self, id: PlaceId) -> Option<&PlaceEvidence> {
        self.places.iter().find(|place| place.place == id.0)
    }

    /// The size of a candidate's file on disk, or of its content where the file could not be seen.
    pub fn size_of(&self, candidate: &Candidate) -> u64 {
        if candidate.file_bytes > 0 {
            return candidate.file_bytes;
        }
        let seen = self.place(candidate.place).and_then(|place| place.size_of(&candidate.name));
        seen.unwrap_or(candidate.header.size_bytes)
    }
}
