//! What speaks for something later than the end: unreadable files, unreachable places, a witness.

use super::super::{
    listing, Doubt, KnownEnd, PlaceId, PlaceKind, PlaceState, SetStatus, Trouble, UnreadFile, UnreadStatus,
};
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

    pub(super) fn witness_doubt(&self, unread_status: &[UnreadStatus], doubts: &mut Vec<Doubt>) {
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
        if !present && !was_restored && !outlived && !self.is_unfinished_copy(known, unread_status) {
            doubts.push(Doubt::WitnessKnowsLater { file: known.file_name.clone(), witness: known.witness.clone() });
        }
    }

    /// True where the file that is named was only copied, and the share itself shows that it was never finished: the copy job
    /// takes such a file like any other. Where the share does not show it any more, or shows less than was copied, a whole
    /// one may have lain there.
    fn is_unfinished_copy(&self, known: &KnownEnd, unread_status: &[UnreadStatus]) -> bool {
        let wanted = Seen::of_name(&known.file_name);
        let candidates = self.listing.candidates.iter().zip(&self.status);
        let candidates = candidates.filter(|(file, _)| Seen::of(file).same_name(&wanted)).map(|(file, status)| {
            let size = file.modified_at.map(|_| file.file_bytes);
            (file.place, size, *status == SetStatus::Unfinished)
        });
        let unread = self.listing.unread.iter().zip(unread_status);
        let unread = unread.filter(|(file, _)| Seen::of_unread(file).same_name(&wanted)).map(|(file, status)| {
            let size = file.modified_at.map(|_| file.file_bytes);
            (file.place, size, *status == UnreadStatus::Unfinished)
        });
        let seen: Vec<(PlaceId, Option<u64>, bool)> = candidates.chain(unread).collect();
        let is_share = |place: PlaceId| place.kind() == PlaceKind::Share;
        let is_readable = self.listing.places.iter().any(|p| is_share(p.id) && p.state == PlaceState::Listed);
        let Some((_, on_share, _)) = seen.iter().find(|(place, ..)| is_share(*place)) else { return false };
        // Without a time the size is unknown, too.
        let is_part = |size: &Option<u64>| size.zip(*on_share).is_none_or(|(copied, whole)| copied <= whole);
        !known.is_newest && is_readable && seen.iter().all(|(_, size, is_unfinished)| *is_unfinished && is_part(size))
    }
}
