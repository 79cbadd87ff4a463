//! What follows from the evidence before any step is written: the chain, the way of the files, the loss.

use super::loss::{self, LossFacts};
use super::way::{self, MissingCopy, Way};
use crate::document::{FailoverRequest, Loss};
use crate::evidence::Evidence;
use crate::log_chain::{prove, Chain, Doubt, PlaceKind, Trouble, Verdict};
use crate::names::is_plain_file_name;

/// Everything that checks and steps share. Pure: made of evidence and request alone.
#[derive(Debug, Clone)]
pub struct Decision {
    /// `None`: the redo point is unknown, so nothing can be proved.
    pub chain: Option<Chain>,
    /// Log backups on the share that the instance may not read there; they are proved once they are copied.
    pub read_after_copy: Vec<String>,
    /// The doubts that remain when those files are left out.
    pub doubts: Vec<Doubt>,
    pub missing: Vec<MissingCopy>,
    pub way: Way,
    pub loss: Loss,
    /// True where the request accepts this loss by name.
    pub loss_is_accepted: bool,
}

impl Decision {
    /// Works out chain, way and loss.
    pub fn of(evidence: &Evidence, request: &FailoverRequest) -> Decision {
        let listing = &evidence.files.listing;
        let chain = evidence.files.redo.known().map(|redo| prove(redo, listing));
        let Some(chain) = chain else {
            let loss = loss::unknown();
            let why = "the redo point is unknown, so nobody can tell which log backups are needed".to_string();
            let (missing, doubts) = (Vec::new(), Vec::new());
            return Decision {
                chain: None,
                read_after_copy: Vec::new(),
                doubts,
                missing,
                way: Way::Refused { why },
                loss,
                loss_is_accepted: false,
            };
        };
        let closed = closed_files(evidence, &chain);
        let missing = way::missing_copies(evidence, &chain, &closed);
        let way = way::find_way(evidence, &missing);
        let read_after_copy = if way.copies() { closed } else { Vec::new() };
        let doubts: Vec<Doubt> =
            chain.doubts.iter().filter(|doubt| !is_settled_by_copy(doubt, &read_after_copy)).cloned().collect();
        let facts = LossFacts { request, chain: &chain, doubts: &doubts, read_after_copy: &read_after_copy };
        let (loss, loss_is_accepted) = (loss::of(&facts), loss::is_accepted(&facts));
        Decision { chain: Some(chain), read_after_copy, doubts, missing, way, loss, loss_is_accepted }
    }

    /// The verdict on the chain in one word, for facts: it does not change while the jobs go on with their work.
    pub fn verdict_word(&self) -> &'static str {
        let Some(chain) = &self.chain else { return "unknown" };
        match &chain.verdict {
            Verdict::Gap { .. } => "gap",
            Verdict::Damaged { .. } => "damaged",
            Verdict::StripeMissing { .. } => "stripe missing",
            Verdict::RecoveryPathDiffers { .. } => "recovery path differs",
            Verdict::Complete => self.doubt_word(),
        }
    }

    fn doubt_word(&self) -> &'static str {
        let has = |wanted: fn(&Doubt) -> bool| self.doubts.iter().any(wanted);
        if has(|d| matches!(d, Doubt::ShareUnreachable { .. } | Doubt::ShareUnknown)) {
            "complete, share unreachable"
        } else if has(|d| matches!(d, Doubt::UnreadableFile { .. })) {
            "complete up to an unreadable file"
        } else if has(|d| matches!(d, Doubt::WitnessKnowsLater { .. })) {
            "complete, a later log backup is known"
        } else if has(|d| matches!(d, Doubt::StillGrowing { .. })) {
            "complete, the newest file is growing"
        } else {
            "complete"
        }
    }
}

/// Files on the share that the instance cannot open there and that are not in the copy folder: a copy may open them.
fn closed_files(evidence: &Evidence, chain: &Chain) -> Vec<String> {
    let listing = &evidence.files.listing;
    let mut names: Vec<String> = Vec::new();
    for doubt in &chain.doubts {
        let Doubt::UnreadableFile { file, .. } = doubt else { continue };
        let lies_on_share = listing.unread.iter().any(|unread| {
            *unread.name == **file
                && unread.place.kind() != PlaceKind::CopyFolder
                && matches!(unread.trouble, Trouble::Unreadable(_))
        });
        // A name that is a path is copied nowhere.
        let lies_on_share = lies_on_share && is_plain_file_name(file);
        let is_copied = evidence.files.copy_folder().is_some_and(|folder| folder.has(file));
        if lies_on_share && !is_copied && !names.contains(file) {
            names.push(file.clone());
        }
    }
    names
}

fn is_settled_by_copy(doubt: &Doubt, read_after_copy: &[String]) -> bool {
    match doubt {
        Doubt::UnreadableFile { file, .. } | Doubt::WitnessKnowsLater { file, .. } => read_after_copy.contains(file),
        _ => false,
    }
}
