//! Files of the dead fork lie on the share and in the copy folder, with LSNs that overlap those of the new log backups. They
//! go into an archive folder before log shipping starts; where this machine cannot reach a folder, a fresh one beside them
//! takes its place.

use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::failback::plan::step_name;
use crate::failback::{Failback, Run};
use crate::files::{client_candidates, prove_folder};
use crate::journal::crash_points;
use crate::names::{ClientPath, InstanceName, ServerPath};
use crate::run::{OnFailure, Seen, Step};
use crate::sql::{file, log_shipping_primary, Connection, Purpose};

/// Which folders log shipping uses from here on.
pub(crate) const FOLDERS: &str = "log_shipping_folders";
/// How long one rename may take on a slow share.
const LIMIT: Duration = Duration::from_secs(60);

/// The folders as they are used, and what became of the old files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Folders {
    pub share: ServerPath,
    pub copy_folder: ServerPath,
    pub archived: usize,
    /// Named drift: folders that are others than the baseline's.
    pub fresh: Vec<ServerPath>,
}

pub(crate) struct Archive;

#[async_trait]
impl Step<Failback> for Archive {
    fn name(&self) -> &'static str {
        step_name::ARCHIVE
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        Ok(match run.book.fact::<Folders>(FOLDERS) {
            Some(folders) => Seen::So(text(&folders)),
            None => Seen::NotYet("the old log backups are not out of the way yet".to_string()),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        let mut connection = run.primary(Purpose::Catalog).await?;
        if log_shipping_primary::read_primary(&mut connection, run.database()).await?.is_some() {
            return Err(Error::new(
                ErrorKind::StepNotVerified,
                "log shipping is configured on the primary already, and its folders are in use.",
            )
            .with_next("Look at the primary's log shipping by hand."));
        }
        let names = &run.work.names;
        let share = run.work.share()?;
        let copy_folder = copy_folder(run)?;
        let (share_now, moved) = clear(run, &names.primary, &share).await?;
        let (copy_now, more) = clear(run, &names.backup, &copy_folder).await?;
        let fresh = [(&share, &share_now), (&copy_folder, &copy_now)]
            .into_iter()
            .filter(|(old, new)| old != new)
            .map(|(_, new)| new.clone())
            .collect();
        let folders = Folders { share: share_now, copy_folder: copy_now, archived: moved + more, fresh };
        run.book.set_fact(FOLDERS, &folders).await?;
        Ok(text(&folders))
    }
}

fn text(folders: &Folders) -> String {
    let archived = crate::evidence::count(folders.archived, "old file archived", "old files archived");
    match folders.fresh.is_empty() {
        true => archived,
        false => {
            let list: Vec<&str> = folders.fresh.iter().map(ServerPath::as_str).collect();
            format!("{archived}; in use from here on: {}", list.join(", "))
        }
    }
}

/// The folder that the copy job puts files into, as the baseline has it.
pub(crate) fn copy_folder(run: &Run) -> Result<ServerPath> {
    let record = run.work.wanted.secondary.as_ref();
    record
        .map(|record| record.backup_destination_directory.clone())
        .ok_or_else(|| Error::new(ErrorKind::InvalidValue, "no baseline tells the copy folder of the secondary."))
}

/// Moves the log backups of a folder into an archive below it; the folder to use, and how many were moved.
async fn clear(run: &Run, instance: &InstanceName, folder: &ServerPath) -> Result<(ServerPath, usize)> {
    let mut connection = run.connect_to(instance, Purpose::Files).await?;
    let is_old = |name: &str| is_log_backup_of(name, run.database());
    let old: Vec<String> = match file::list(&mut connection, folder).await {
        Ok(entries) => entries
            .into_iter()
            .filter(|entry| !entry.is_folder && is_old(&entry.name))
            .map(|entry| entry.name)
            .collect(),
        // A rebuilt host has no such folder yet.
        Err(_) => {
            create(run, instance, &mut connection, folder).await?;
            Vec::new()
        }
    };
    if old.is_empty() {
        return Ok((folder.clone(), 0));
    }
    let stamp = Utc::now().format("%Y%m%d%H%M%S");
    let map = &run.work.request.path_map;
    let system = run.session.file_system();
    let candidates = client_candidates(folder, &instance.host, map);
    let proved = prove_folder(system.as_ref(), &mut connection, folder, &candidates).await?;
    let Some(proved) = proved else {
        let fresh = folder.join(&format!("since_{stamp}"));
        create(run, instance, &mut connection, &fresh).await?;
        return Ok((fresh, 0));
    };
    let name = format!("archive_{stamp}");
    create(run, instance, &mut connection, &folder.join(&name)).await?;
    crash_points::reach("archive.created");
    let to = proved.client.join(&name);
    let what = format!("{} log backups of {folder}", old.len());
    let moving = move_all(run, &proved.client, &to, &old);
    run.change(&what, &format!("-- files are moved to {}", folder.join(&name)), moving).await?;
    Ok((folder.clone(), old.len()))
}

async fn create(run: &Run, instance: &InstanceName, connection: &mut Connection, folder: &ServerPath) -> Result<()> {
    let statement = file::create_folder_statement(folder)?;
    run.change(&instance.to_string(), &statement, file::create_folder(connection, folder)).await
}

async fn move_all(run: &Run, from: &ClientPath, to: &ClientPath, names: &[String]) -> Result<()> {
    let system = run.session.file_system();
    for name in names {
        let moved = tokio::time::timeout(LIMIT, system.rename_new(&from.join(name), &to.join(name))).await;
        let why = match moved {
            Ok(Ok(())) => continue,
            // Retention may have been quicker, or an earlier process moved it.
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", LIMIT.as_secs()),
        };
        return Err(Error::new(ErrorKind::CopyFailed, format!("`{name}` could not be moved out of the way: {why}."))
            .with_next("Move the old log backups away by hand, then run `Resume-PChatRun`.")
            .with_target(name.as_str()));
    }
    Ok(())
}

/// `mgc_20260314021500.trn` and its relatives; a full backup and a saved copy stay where they are.
pub(crate) fn is_log_backup_of(name: &str, database: &str) -> bool {
    let lower = name.to_lowercase();
    let rest = lower.strip_prefix(&format!("{}_", database.to_lowercase()));
    let stamp = rest.and_then(|rest| rest.split_once('.'));
    stamp.is_some_and(|(stamp, ending)| {
        stamp.len() == 14 && stamp.bytes().all(|b| b.is_ascii_digit()) && matches!(ending, "trn" | "wrk" | "tuf")
    })
}

#[cfg(test)]
mod tests {
    use super::is_log_backup_of;

    #[test]
    fn only_log_backups_of_this_database_are_moved() {
        for (name, wanted) in [
            ("mgc_20260314021500.trn", true),
            ("MGC_20260314021500.TRN", true),
            ("mgc_20260314021500.wrk", true),
            ("mgc_20260314021500.bak", false),
            ("mgc_saved_P-RTC_20260314021500.bak", false),
            ("mgc_x_20260314021500.trn", false),
            ("mgc_2026031402150.trn", false),
            ("mgccomp_20260314021500.trn", false),
        ] {
            assert_eq!(is_log_backup_of(name, "mgc"), wanted, "{name}");
        }
    }
}
