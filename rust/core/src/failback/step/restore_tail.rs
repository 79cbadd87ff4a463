//! Everything up to the tail is restored on the primary, until both sides stand at one LSN and on one fork.

use async_trait::async_trait;

use crate::error::{Error, ErrorKind, Result};
use crate::failback::follow;
use crate::failback::plan::step_name;
use crate::failback::stage::behind_the_recovery;
use crate::failback::{Failback, Run};
use crate::journal::crash_points;
use crate::log_chain::{BackupType, RedoPoint};
use crate::run::{OnFailure, Seen, Step};
use crate::sql::backup_file::{self, read_headers, HeaderAnswer};
use crate::sql::database::{self, DatabaseState};
use crate::sql::Purpose;
use crate::switch::step::tail_file;

pub(crate) struct RestoreTail;

#[async_trait]
impl Step<Failback> for RestoreTail {
    fn name(&self) -> &'static str {
        step_name::RESTORE_TAIL
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        if let Some(seen) = behind_the_recovery(run).await? {
            return Ok(seen);
        }
        let (source, target) = (source_redo(run).await?, target_redo(run).await?);
        Ok(match source.lsn == target.lsn && source.fork_id == target.fork_id {
            true => Seen::So(format!("both sides stand at LSN {}", source.lsn)),
            false => Seen::NotYet(format!(
                "the primary stands at LSN {}, and the backup ended at LSN {}",
                target.lsn, source.lsn
            )),
        })
    }

    async fn act(&self, run: &Run) -> Result<String> {
        verify(run).await?;
        let count = follow::source(run).await?;
        crash_points::reach("tail.restored");
        let restored = crate::evidence::count(count, "log backup", "log backups");
        Ok(format!("{restored} restored on {}", run.work.names.primary))
    }
}

/// The tail as the primary reads it: whole, and a log backup.
async fn verify(run: &Run) -> Result<()> {
    let Some(file) = tail_file(run) else { return Ok(()) };
    let mut work = run.primary(Purpose::Work).await?;
    let header = match read_headers(&mut work, &file).await? {
        HeaderAnswer::Read(headers) => headers.into_iter().find(|header| header.backup_type == BackupType::Log),
        HeaderAnswer::Trouble(_, error) => return Err(error),
    };
    let header = header.ok_or_else(|| {
        Error::new(ErrorKind::StepNotVerified, format!("{file} holds no log backup.")).with_target(file.as_str())
    })?;
    run.tell_progress(&format!("verifying {file}"), None);
    backup_file::verify(&mut work, std::slice::from_ref(&file), header.position, header.has_checksums).await
}

/// Where the backup ended.
///
/// # Errors
/// `StepNotVerified` (5015) where it is anything but restoring.
pub(crate) async fn source_redo(run: &Run) -> Result<RedoPoint> {
    let mut connection = run.backup(Purpose::Catalog).await?;
    let state = database::need(&mut connection, run.database()).await?.state;
    if state != DatabaseState::Restoring {
        let backup = &run.work.names.backup;
        return Err(Error::new(
            ErrorKind::StepNotVerified,
            format!("`{}` on {backup} is {} instead of restoring.", run.database(), state.as_text()),
        )
        .with_next("Look at it before anything else is done."));
    }
    database::redo_point(&mut connection, run.database()).await
}

/// Where the primary stands.
pub(crate) async fn target_redo(run: &Run) -> Result<RedoPoint> {
    let mut connection = run.primary(Purpose::Catalog).await?;
    database::redo_point(&mut connection, run.database()).await
}
