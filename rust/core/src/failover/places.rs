//! What a failover proves and locks before its journal is begun: the copy folder, the journal's second place, the mirror.

use std::path::PathBuf;
use std::sync::Arc;

use crate::document::JournalPlace;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{EndpointAnswer, Evidence};
use crate::files::{client_candidates, prove_folder};
use crate::host::{Host, Level};
use crate::names::{ClientPath, InstanceName};
use crate::operation::Session;
use crate::run::Locks;
use crate::sql::Purpose;

/// The mirror of the backup gets our log backup job, so it is locked too where it answers.
pub(crate) async fn lock_mirror(
    session: &Session,
    evidence: &Evidence,
    locks: &Locks,
    host: &Arc<dyn Host>,
) -> Result<()> {
    let mirror = &evidence.backup_mirror;
    let Some(name) = mirror.name.as_deref().filter(|_| mirror.answer == EndpointAnswer::LoggedIn) else {
        return Ok(());
    };
    let name: InstanceName = name.parse()?;
    match locks.add(session.connector(), &name, &evidence.database).await {
        Err(error) if error.kind != ErrorKind::Locked => {
            host.message(
                Level::Warning,
                format!("{name} is not locked, so nothing is written there: {}", error.message),
            );
            Ok(())
        }
        other => other,
    }
}

/// Proves by a marker which folder of this machine is the copy folder; `None` where none is.
pub(super) async fn prove(
    session: &Session,
    instance: &InstanceName,
    evidence: &Evidence,
    path_map: &[crate::document::PathMapEntry],
    host: &Arc<dyn Host>,
) -> Result<Option<ClientPath>> {
    let Some(folder) = evidence.files.copy_folder() else { return Ok(None) };
    let candidates = client_candidates(&folder.path, &instance.host, path_map);
    if candidates.is_empty() {
        return Ok(None);
    }
    let mut connection = session.connector().connect(instance, Purpose::Files).await?;
    let proved = prove_folder(session.file_system().as_ref(), &mut connection, &folder.path, &candidates).await?;
    if let Some(left) = proved.as_ref().and_then(|proved| proved.marker_left.as_ref()) {
        host.message(
            Level::Warning,
            format!("The marker `{left}` in {} could not be removed; it can be deleted.", folder.path),
        );
    }
    Ok(proved.map(|proved| proved.client))
}

/// The folder for the second copy of the journal: as asked, or the proved copy folder.
///
/// # Errors
/// `JournalCopyMissing` where there is neither, and it was not declined by name.
pub(super) fn journal_copy(place: &JournalPlace, proved: Option<&ClientPath>) -> Result<Option<PathBuf>> {
    if let Some(path) = &place.journal_copy_path {
        return Ok(Some(PathBuf::from(path)));
    }
    match proved {
        _ if place.no_journal_copy => Ok(None),
        Some(folder) => Ok(Some(folder.as_path().to_path_buf())),
        None => Err(Error::new(ErrorKind::JournalCopyMissing, "there is no place for the second copy of the journal: no folder of this machine is proved to be the copy folder.")
            .with_unchanged("Nothing was changed.")
            .with_next("Name a folder at the backup site with `-JournalCopyPath`, tell where the copy folder is with `-PathMap`, or decline with `-NoJournalCopy`.")),
    }
}
