//! `Copy-PChatLogBackup`: what is needed and missing gets into the copy folder.

use std::sync::Arc;

use async_trait::async_trait;

use super::change::{self, Action, Asked, Change, Context, Planned, Reached};
use super::look::{as_failover, facts, look, need_folders, need_rights, need_secondary, redo_unknown, Site};
use crate::document::{FailoverRequest, LogBackupCopyRequest};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::{count, Evidence};
use crate::failover::copies::{Copies, CopyItem};
use crate::failover::plan::{find_way, Decision, MissingCopy, Way};
use crate::failover::single::Begin;
use crate::failover::step::copy_and_restore::run_copy_job;
use crate::failover::Run;
use crate::files::{client_candidates, not_proved};
use crate::host::{Cancel, Host, Level};
use crate::log_chain::Doubt;
use crate::names::{is_plain_file_name, shown, ClientPath, ServerPath};
use crate::operation::{OperationResult, Session};
use crate::run::Locks;
use crate::sql::job;

const FACTS: &[&str] =
    &["instance", "database", "database_state", "lab", "log_shipping", "share", "copy_folder", "way_of_files"];

/// Copies by this machine into the proved copy folder, or by the copy job; says so where neither is needed, because the
/// instance can restore straight from the share.
///
/// # Errors
/// `InvalidValue` (1002) for a name that is no plain file name. In the result: `CopyFolderNotProved` (5007),
/// `SpaceTooLow` (5009), `CopyFailed` (4007), `DatabaseNotSecondary` (5004), `Locked` (5008).
pub(crate) async fn log_backup_copy(
    session: Arc<Session>,
    request: LogBackupCopyRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    for name in request.names.iter().flatten().filter(|name| !name.is_empty()) {
        if !is_plain_file_name(name) {
            return Err(Error::new(ErrorKind::InvalidValue, format!("`{}` is no name of a log backup.", shown(name)))
                .with_unchanged("Nothing was copied.")
                .with_next("Give plain file names, without folders.")
                .with_target(shown(name)));
        }
    }
    change::run(CopyLogBackups(request), session, host, cancel).await
}

struct CopyLogBackups(LogBackupCopyRequest);

/// What it decided on.
pub(super) struct Found {
    evidence: Evidence,
    request: FailoverRequest,
    missing: Vec<MissingCopy>,
    way: Way,
}

#[async_trait]
impl Change for CopyLogBackups {
    type Look = Found;

    const KIND: &'static str = "copy";

    fn asked(&self) -> Asked<'_> {
        Asked::of(&self.0.target, self.0.plan_only, self.0.approved_digest.as_deref())
    }

    async fn look(&self, at: &Context) -> Result<(Found, Planned)> {
        let asked = &self.0;
        let mut request = as_failover(&asked.target, &asked.folders, &asked.journal);
        request.max_megabytes_per_second = asked.max_megabytes_per_second;
        let evidence = look(&at.session, &at.host, &mut request, Site::LeftOut, &at.cancel).await?;
        need_rights(&evidence)?;
        need_secondary(&evidence)?;
        need_folders(&evidence)?;
        for name in asked.names.iter().flatten() {
            if !name.is_empty() && name != "(missing)" && !evidence.files.places.iter().any(|place| place.has(name)) {
                at.host.message(Level::Warning, format!("`{name}` lies in no folder that is known; it is left out."));
            }
        }
        let decision = Decision::of(&evidence, &request);
        let (missing, way) = narrowed(&evidence, &decision, asked.names.as_deref());
        let planned = plan(&evidence, &request, &decision, &missing, &way, asked.names.as_deref())?;
        Ok((Found { evidence, request, missing, way }, planned))
    }

    async fn carry_out(&self, at: &Context, found: Found, planned: &Planned, locks: Locks) -> Result<Reached> {
        let Found { evidence, request, missing, way } = found;
        let run = Run::of_command(Begin {
            session: Arc::clone(&at.session),
            host: Arc::clone(&at.host),
            cancel: at.cancel.clone(),
            view: Arc::clone(&at.view),
            locks,
            evidence,
            request,
            journal_kind: None,
            needs_journal_copy: false,
            proves_copy_folder: matches!(way, Way::CopyByUs { .. }),
        })
        .await?;
        let copied = match &way {
            Way::CopyByUs { folder, .. } => by_us(at, &run, folder, &missing, planned).await,
            Way::CopyJob { job_id, job_name } => by_job(at, &run, *job_id, job_name, &missing, planned).await,
            _ => Ok(()),
        };
        run.end_command(copied.as_ref().map_or_else(|e| e.kind.outcome(), |()| Outcome::Done), "").await;
        copied?;
        Ok(Reached {
            text: format!("{} copied, verified.", count(missing.len(), "log backup", "log backups")),
            next: vec![format!("Restore them: Restore-PChatLogBackup {}", at.target.sql_instance)],
            error: None,
        })
    }
}

/// What is missing among the names that were asked for, and the way for that.
pub(super) fn narrowed(evidence: &Evidence, decision: &Decision, names: Option<&[String]>) -> (Vec<MissingCopy>, Way) {
    let Some(names) = names else { return (decision.missing.clone(), decision.way.clone()) };
    let is_asked = |file: &&MissingCopy| names.iter().any(|name| name.eq_ignore_ascii_case(&file.name));
    let missing: Vec<MissingCopy> = decision.missing.iter().filter(is_asked).cloned().collect();
    let way = find_way(evidence, &missing);
    (missing, way)
}

pub(super) fn plan(
    evidence: &Evidence,
    request: &FailoverRequest,
    decision: &Decision,
    missing: &[MissingCopy],
    way: &Way,
    names: Option<&[String]>,
) -> Result<Planned> {
    if decision.chain.is_none() {
        return Err(redo_unknown(evidence));
    }
    let mut planned = Planned { facts: facts(evidence, request, decision, FACTS), ..Planned::default() };
    let mut wanted: Vec<String> = names.unwrap_or_default().iter().map(|name| name.to_lowercase()).collect();
    wanted.sort();
    planned.facts.insert("names".to_string(), if names.is_some() { wanted.join(", ") } else { "all".to_string() });
    let files = count(missing.len(), "log backup", "log backups");
    match way {
        Way::NothingToCopy => {
            planned.text = "Every log backup that is needed lies in the copy folder, or none is needed.".to_string();
            planned.refusal = share_unreachable(evidence, decision);
        }
        Way::StraightFromShare => {
            planned.text = format!(
                "Nothing is copied: {files} can be restored straight from where they lie, since the instance reads them there."
            );
            planned.next = vec![format!("Restore them: Restore-PChatLogBackup {}", evidence.sql_instance)];
        }
        Way::Refused { why } => planned.refusal = Some(no_way(evidence, missing, why)),
        Way::CopyByUs { folder, client_folder } => {
            let seen: Vec<&MissingCopy> = missing.iter().filter(|file| is_seen(evidence, file)).collect();
            let bytes: u64 = seen.iter().map(|file| file.size_bytes).sum();
            planned.refusal = too_little_space(evidence, folder, bytes);
            planned.actions = seen.iter().map(|file| copy_action(file, folder)).collect();
            planned.text = format!(
                "Copy {} ({bytes} bytes) to {folder}, which this machine opens as {client_folder} (proved by a marker at the start).",
                count(seen.len(), "log backup", "log backups")
            );
        }
        Way::CopyJob { job_id, job_name } => {
            let bytes: u64 = missing.iter().map(|file| file.size_bytes).sum();
            let folder = evidence.files.copy_folder().map_or(ServerPath::new(""), |folder| folder.path.clone());
            planned.refusal = too_little_space(evidence, &folder, bytes);
            planned.text = format!(
                "Run the copy job `{job_name}` and wait for it: {files} ({bytes} bytes) are missing. It copies all that it finds."
            );
            planned.actions.push(Action {
                action: "start_job",
                object: job_name.clone(),
                statement: job::start_statement(*job_id)?,
                text: format!("the copy job copies {files}"),
            });
        }
    }
    Ok(planned)
}

fn is_seen(evidence: &Evidence, file: &MissingCopy) -> bool {
    evidence.files.place(file.place).is_some_and(|place| place.size_of(&file.name).is_some())
}

fn copy_action(file: &MissingCopy, folder: &ServerPath) -> Action {
    Action {
        action: "copy",
        object: file.name.to_string(),
        statement: format!("copy {} to {}", file.path, folder.join(&file.name)),
        text: format!("{} bytes, under a temporary name, verified, then renamed", file.size_bytes),
    }
}

fn no_way(evidence: &Evidence, missing: &[MissingCopy], why: &str) -> Error {
    Error::new(
        ErrorKind::CopyFolderNotProved,
        format!("no way is left for {}: {why}.", count(missing.len(), "log backup", "log backups")),
    )
    .with_unchanged("Nothing was copied.")
    .with_next(
        "Tell where the copy folder is with `-PathMap`, start SQL Server Agent, or give the service account the right to read \
         the share.",
    )
    .with_target(evidence.database.as_str())
}

/// With the share out of reach nobody knows what there is to copy.
fn share_unreachable(evidence: &Evidence, decision: &Decision) -> Option<Error> {
    let is_it = |doubt: &&Doubt| matches!(doubt, Doubt::ShareUnreachable { .. } | Doubt::ShareUnknown);
    let doubt = decision.doubts.iter().find(is_it)?;
    Some(
        Error::new(ErrorKind::ShareUnreachable, doubt.to_string())
            .with_unchanged("Nothing was copied.")
            .with_next(
                "Make the share readable, or name it with `-LogBackupShare`. What is copied already can be restored without it.",
            )
            .with_target(evidence.database.as_str()),
    )
}

fn too_little_space(evidence: &Evidence, folder: &ServerPath, bytes: u64) -> Option<Error> {
    let free = *evidence.files.free_bytes.known()?;
    (free < bytes).then(|| {
        Error::new(ErrorKind::SpaceTooLow, format!("{folder} has {free} bytes free, and the copies need {bytes}."))
            .with_unchanged("Nothing was copied.")
            .with_next("Make room on the disk of the copy folder, or copy fewer with `-Name`.")
            .with_target(folder.as_str())
    })
}

async fn by_us(at: &Context, run: &Run, folder: &ServerPath, missing: &[MissingCopy], planned: &Planned) -> Result<()> {
    let to = run.work.proved_copy_folder.clone().ok_or_else(|| {
        not_proved(folder, &client_candidates(folder, &run.work.instance.host, &run.work.request.folders.path_map))
    })?;
    run.ready_to_change().await?;
    let items: Vec<CopyItem> = missing
        .iter()
        .filter(|file| is_seen(&run.work.evidence, file))
        .filter_map(|file| {
            let place = run.work.evidence.files.place(file.place)?;
            let from_folder = ClientPath::new(place.client_path.as_deref()?);
            Some(CopyItem { name: file.name.clone(), from_folder, size_bytes: place.size_of(&file.name) })
        })
        .collect();
    let total: u64 = items.iter().filter_map(|item| item.size_bytes).sum();
    at.view.set_status("copying log backups");
    let mut done: u64 = 0;
    let copies = Copies::start(run, items.clone(), to);
    for (number, item) in (1..).zip(&items) {
        let percent = u8::try_from(done * 100 / total.max(1)).ok();
        run.tell_progress(&format!("{} ({number} of {})", item.name, items.len()), percent);
        if let Err(error) = copies.wait_for(&item.name).await {
            copies.abandon().await;
            return Err(error);
        }
        done += item.size_bytes.unwrap_or_default();
        if let Some(action) = planned.actions.iter().find(|action| action.object == item.name) {
            at.tell(action, "done").await;
        }
    }
    Ok(())
}

async fn by_job(
    at: &Context,
    run: &Run,
    job_id: uuid::Uuid,
    job_name: &str,
    missing: &[MissingCopy],
    planned: &Planned,
) -> Result<()> {
    at.view.set_status("waiting for the copy job");
    run_copy_job(run, job_id, job_name).await?;
    let now = run.look_again().await?;
    let folder = now.files.copy_folder();
    let left = missing.iter().find(|file| !folder.is_some_and(|folder| folder.has(&file.name)));
    if let Some(file) = left {
        return Err(Error::new(
            ErrorKind::CopyFailed,
            format!("the copy job `{job_name}` ended, and `{}` is not in the copy folder.", file.name),
        )
        .with_next("Look at the job's history: its account must read the share and write to the copy folder.")
        .with_target(file.name.as_str()));
    }
    for action in &planned.actions {
        at.tell(action, "done").await;
    }
    Ok(())
}
