//! A name on the share that no file has yet: a process that goes on may be there within the second of the one that was cut
//! off, and no backup is written over another.

use std::time::Duration;

use chrono::{NaiveDateTime, Utc};

use crate::error::Result;
use crate::failback::Run;
use crate::names::{InstanceName, ServerPath};
use crate::sql::file::{self, PathState};
use crate::sql::{log_backup_job, Purpose};

const POLL: Duration = Duration::from_millis(300);

/// `mgc_20260314021500.bak`, as the instance that writes it sees the share.
pub(super) async fn full_backup_file(run: &Run, writer: &InstanceName) -> Result<ServerPath> {
    new_file(run, writer, |now| log_backup_job::file_name(run.database(), now, "bak")).await
}

/// A file named by the second; where that one is taken, by a later one.
pub(super) async fn new_file(
    run: &Run,
    writer: &InstanceName,
    name: impl Fn(NaiveDateTime) -> String + Send + Sync,
) -> Result<ServerPath> {
    let share = run.work.share()?;
    let mut connection = run.connect_to(writer, Purpose::Files).await?;
    loop {
        let path = share.join(&name(Utc::now().naive_utc()));
        if let PathState::Absent { .. } = file::look(&mut connection, &path).await? {
            return Ok(path);
        }
        run.pause(POLL).await?;
    }
}
