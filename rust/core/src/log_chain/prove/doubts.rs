//! What speaks for something later than the end: unreadable files, unreachable places, a witness.

use super::super::{listing, Doubt, PlaceKind, PlaceState, SetStatus, Trouble, UnreadFile, UnreadStatus};
use super::seen::{is_known_elsewhere, Seen};
use super::Proof;

impl Proof<'_> {
    pub(super) fn unread_status(&self, file: &UnreadFile, passed: &[Seen]) -> UnreadStatus {
        let seen = Seen::of_unread(file);
        if is_known_elsewhere(&self.known_sizes, file) || passed.iter().any(|file| file.is_newer_than(&seen)) {
            return UnreadStatus::Harmless;
        }
        match file.trouble {
            Trouble::Unreadable(_) => UnreadStatus::Unreadable,
            _ if self.is_newest(&seen) => UnreadStatus::Unfinished,
            _ => UnreadStatus::Damaged,
        }
    }

    pub(super) fn place_doubts(&self, doubts: &mut Vec<Doubt>) {
        let mut share_listed = false;
        let mut share_known = false;
        for place in &self.listing.places {
            let kind = place.id.kind();
            share_known |= kind == PlaceKind::Share;
            match &place.state {
                PlaceState::Listed => share_listed |= kind == PlaceKind::Share,
                // Whatever the copy folder holds came from the share.
                PlaceState::Unreachable(_) if kind == PlaceKind::CopyFolder => {}
                PlaceState::Unreachable(why) => {
                    doubts.push(Doubt::ShareUnreachable { path: place.path.to_string(), why: why.clone() });
                }
            }
        }
        if !share_listed && !share_known {
            doubts.push(Doubt::ShareUnknown);
        }
    }

    pub(super) fn witness_doubt(&self, doubts: &mut Vec<Doubt>) {
        let Some(known) = &self.listing.known_end else { return };
        let wanted = Seen::of_name(&known.file_name);
        let has_it = |status: SetStatus| {
            !matches!(
                status,
                SetStatus::Unfinished | SetStatus::Damaged | SetStatus::StripeMissing | SetStatus::OtherDatabase
            )
        };
        let candidates = || self.listing.candidates.iter().zip(&self.status);
        let present = candidates().any(|(c, status)| has_it(*status) && Seen::of(c).same_name(&wanted));
        let was_restored = self.redo.file_name.as_deref().is_some_and(|name| {
            let last = Seen::of_name(name);
            last.same_name(&wanted) || last.is_newer_than(&wanted)
        });
        // Older than something of ours by the stamp in its name: restored long ago and cleaned away.
        let outlived = candidates().any(|(candidate, status)| {
            matches!(status, SetStatus::Restored | SetStatus::Needed | SetStatus::Covered)
                && listing::name_stamp(&candidate.name) > wanted.stamp
                && wanted.stamp.is_some()
        });
        if !present && !was_restored && !outlived {
            doubts.push(Doubt::WitnessKnowsLater { file: known.file_name.clone(), witness: known.witness.clone() });
        }
    }
}
