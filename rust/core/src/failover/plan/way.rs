//! How the log backups get to where they are restored from.

use std::collections::HashSet;

use uuid::Uuid;

use crate::evidence::{Evidence, PlaceEvidence};
use crate::log_chain::{Chain, PlaceId, PlaceKind};
use crate::names::{ServerPath, Text};
use crate::sql::instance::AgentState;

/// The way for the files. In the order of preference; the run never falls back to another one by itself, since that
/// would be another plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Every log backup that is needed lies in the copy folder.
    NothingToCopy,
    /// This process copies into the copy folder, which it proves at the start to be the instance's.
    CopyByUs { folder: ServerPath, client_folder: String },
    /// The copy job is run and waited for.
    CopyJob { job_id: Uuid, job_name: String },
    /// The instance restores where the files lie.
    StraightFromShare,
    /// None is left.
    Refused { why: String },
}

impl Way {
    /// The word for it in facts and checks.
    pub fn as_str(&self) -> &'static str {
        match self {
            Way::NothingToCopy => "nothing to copy",
            Way::CopyByUs { .. } => "copied by this machine",
            Way::CopyJob { .. } => "copied by the copy job",
            Way::StraightFromShare => "restored straight from the share",
            Way::Refused { .. } => "none",
        }
    }

    /// True where files are put into the copy folder.
    pub fn copies(&self) -> bool {
        matches!(self, Way::CopyByUs { .. } | Way::CopyJob { .. })
    }
}

/// A log backup that is not in the copy folder yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingCopy {
    pub name: Text,
    pub place: PlaceId,
    /// As the instance names it.
    pub path: ServerPath,
    pub size_bytes: u64,
    /// True where the instance has read its header there, so that it could restore it there.
    pub instance_reads_it: bool,
}

/// The files that are needed and lie only outside the copy folder: links of the chain, and files that can be read only
/// once they are copied.
///
/// A file whose name is taken in the copy folder, by a damaged or another file, is not among them: nothing is copied over
/// a file that is there, so it is restored where it lies whole.
pub fn missing_copies(evidence: &Evidence, chain: &Chain, read_after_copy: &[String]) -> Vec<MissingCopy> {
    let listing = &evidence.files.listing;
    let mut missing = Vec::with_capacity(chain.restore.len());
    let mut listed: HashSet<(&str, PlaceId)> = HashSet::new();
    for stripe in chain.restore.iter().flat_map(|link| &link.stripes) {
        let mut sources = stripe.sources.iter().filter_map(|index| listing.candidates.get(*index as usize));
        let Some(first) = sources.next() else { continue };
        let is_copied = std::iter::once(first).chain(sources).any(|c| c.place.kind() == PlaceKind::CopyFolder);
        let is_taken = first.place.kind() != PlaceKind::CopyFolder
            && evidence.files.copy_folder().is_some_and(|folder| folder.has(&first.name));
        if !is_copied && !is_taken && listed.insert((first.name.as_str(), first.place)) {
            missing.push(MissingCopy {
                name: first.name.clone(),
                place: first.place,
                path: first.path.clone(),
                size_bytes: evidence.files.size_of(first),
                instance_reads_it: true,
            });
        }
    }
    for name in read_after_copy {
        if let Some(file) = listing.unread.iter().find(|file| *file.name == **name) {
            missing.push(MissingCopy {
                name: file.name.clone(),
                place: file.place,
                path: file.path.clone(),
                size_bytes: file.file_bytes,
                instance_reads_it: false,
            });
        }
    }
    missing.shrink_to_fit();
    missing
}

/// Finds the way for the files that are missing.
///
/// # Source
/// Order of preference: a copy by us needs a client path that can be proved; then the copy job, whose account may read what
/// the service account may not; then a restore straight from the share.
pub fn find_way(evidence: &Evidence, missing: &[MissingCopy]) -> Way {
    if missing.is_empty() {
        return Way::NothingToCopy;
    }
    let mut why = Vec::new();
    match copy_by_us(evidence, missing) {
        Ok(way) => return way,
        Err(reason) => why.push(format!("this machine cannot copy: {reason}")),
    }
    let unread = missing.iter().find(|file| !file.instance_reads_it);
    match copy_job(evidence, missing) {
        // A copy job that failed last would fail again; where the instance reads the files itself, it is not needed.
        Ok(_) if evidence.log_shipping.copy_job_failed && unread.is_none() => {}
        Ok(way) => return way,
        Err(reason) => why.push(format!("the copy job cannot: {reason}")),
    }
    match unread {
        None => Way::StraightFromShare,
        Some(file) => {
            why.push(format!("the instance cannot read {} on the share", file.name));
            Way::Refused { why: why.join("; ") }
        }
    }
}

fn copy_by_us(evidence: &Evidence, missing: &[MissingCopy]) -> Result<Way, String> {
    let folder = evidence.files.copy_folder().ok_or("no copy folder is known")?;
    let client_folder = folder.client_path.clone().ok_or_else(|| {
        format!("it does not know how to open {} of {}; `-PathMap` tells it", folder.path, evidence.sql_instance)
    })?;
    if !folder.is_candidate {
        return Err(format!(
            "{client_folder} and {} of {} do not show the same files",
            folder.path, evidence.sql_instance
        ));
    }
    for file in missing {
        let seen = evidence.files.place(file.place).and_then(|place| place.size_of(&file.name));
        if seen.is_none() && !file.instance_reads_it {
            return Err(format!("it does not see {}", file.path));
        }
    }
    if missing.iter().all(|file| !client_sees(evidence.files.place(file.place), &file.name)) {
        return Err("it does not see the files that are missing".to_string());
    }
    Ok(Way::CopyByUs { folder: folder.path.clone(), client_folder })
}

fn copy_job(evidence: &Evidence, missing: &[MissingCopy]) -> Result<Way, String> {
    if !evidence.log_shipping.is_configured() {
        return Err("log shipping is no longer configured".to_string());
    }
    let job = evidence.log_shipping.copy_job.as_ref().ok_or("there is none")?;
    if evidence.instance.agent != AgentState::Running {
        return Err(format!("SQL Server Agent is {}", evidence.instance.agent.as_text()));
    }
    if let Some(file) = missing.iter().find(|f| f.place.kind() != PlaceKind::Share && !f.instance_reads_it) {
        return Err(format!("{} does not lie on the share", file.path));
    }
    if missing.iter().all(|file| file.place.kind() != PlaceKind::Share) {
        return Err("the missing files do not lie on the share".to_string());
    }
    Ok(Way::CopyJob { job_id: job.job_id, job_name: job.name.clone() })
}

fn client_sees(place: Option<&PlaceEvidence>, name: &str) -> bool {
    place.is_some_and(|place| place.size_of(name).is_some())
}

/// The way that a file on the share would take, though none may be missing right now. A fact of the decision: it does not
/// change when the copy job has meanwhile done its work.
pub fn usual_way(evidence: &Evidence) -> &'static str {
    let share = evidence.files.share();
    let copies = share.is_some_and(|share| share.by_client.known().is_some())
        && evidence.files.copy_folder().is_some_and(|folder| folder.client_path.is_some() && folder.is_candidate);
    let has_job = evidence.log_shipping.is_configured()
        && evidence.instance.agent == AgentState::Running
        && evidence.log_shipping.copy_job.is_some()
        && !evidence.log_shipping.copy_job_failed;
    if copies {
        "copied by this machine"
    } else if has_job {
        "copied by the copy job"
    } else if share.is_some_and(|share| share.by_server.known().is_some()) {
        "restored straight from the share"
    } else {
        "none"
    }
}

/// Where a missing file is restored from under this way: its copy, or where it lies.
pub fn restored_from(evidence: &Evidence, way: &Way, file: &MissingCopy) -> ServerPath {
    let copied = match way {
        Way::CopyByUs { .. } => client_sees(evidence.files.place(file.place), &file.name),
        Way::CopyJob { .. } => file.place.kind() == PlaceKind::Share,
        _ => false,
    };
    match evidence.files.copy_folder() {
        Some(folder) if copied => folder.path.join(&file.name),
        _ => file.path.clone(),
    }
}
