//! Which log backups the secondary still needs, oldest first, and whether recovery is safe. Pure: nothing is read or
//! changed here.
//!
//! A caller lists files ([`SeenFile`]), asks [`search::next_to_read`] whose headers are worth reading, puts them into a
//! [`HeaderBook`], makes a [`Listing`] of it and calls [`prove`]. Right before recovery [`gate::open`] wants the redo point
//! read back from the database and a fresh listing, and hands out the only [`RecoveryPermit`].
//!
//! # Source
//! "RESTORE HEADERONLY", "Recovery Paths", "Log Sequence Numbers and Restore Planning".

mod chain;
mod fork;
pub mod gate;
mod header;
mod listing;
mod prove;
pub mod search;
mod set;
mod text;

pub use chain::{Chain, ChainLink, Doubt, SetStatus, Stripe, UnfinishedFile, UnreadStatus, Verdict};
pub use gate::{AcceptedLoss, RecoveryPermit};
pub use header::{BackupType, Header};
pub use listing::{
    is_log_backup_name, name_stamp, utc_offset_minutes, Candidate, KnownEnd, Listing, Place, PlaceId, PlaceKind,
    PlaceState, RedoPoint, Trouble, UnreadFile,
};
pub use prove::prove;
pub use search::{FileKey, HeaderBook, SeenFile};
