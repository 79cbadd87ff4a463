//! Where the journal and its second copy would go. Nothing is written to find out.

use std::path::{Path, PathBuf};

use super::files::CLIENT_LIMIT;
use crate::document::{FailoverRequest, JournalPlace};
use crate::evidence::{JournalEvidence, PlaceEvidence, PlaceRole};
use crate::files::FileSystem;
use crate::journal::default_folder;
use crate::names::ClientPath;
use crate::run::open;

/// The folders as asked for; the second one by default the copy folder, as this process opens it. An
/// open run is looked for where one is to be begun: one that is resumed is itself the open one.
pub(super) async fn read(
    files: &dyn FileSystem,
    request: &FailoverRequest,
    places: &[PlaceEvidence],
    wants_open_run: bool,
) -> JournalEvidence {
    let of_copy = || {
        let place = places.iter().find(|place| place.role == PlaceRole::CopyFolder && place.is_candidate)?;
        place.client_path.clone()
    };
    let mut found = journal_places(files, &request.journal, of_copy).await;
    if wants_open_run {
        let (folder, copy) = (PathBuf::from(&found.folder), found.copy_folder.as_ref().map(PathBuf::from));
        let target = &request.target;
        found.open_run = open::find_in(folder, copy, &target.sql_instance, &target.database).await;
    }
    found
}

/// Where a journal and its second copy would go: as asked for, the copy else into `default_copy`, unless it is declined.
pub(crate) async fn journal_places(
    files: &dyn FileSystem,
    asked: &JournalPlace,
    default_copy: impl FnOnce() -> Option<String>,
) -> JournalEvidence {
    let folder = asked.journal_path.as_deref().map_or_else(default_folder, PathBuf::from);
    let copy_folder = match asked.no_journal_copy {
        true => asked.journal_copy_path.clone(),
        false => asked.journal_copy_path.clone().or_else(default_copy),
    };
    let copy_problem = match copy_folder.as_deref().map(Path::new) {
        Some(copy) if copy == folder => Some("it is the folder of the journal itself".to_string()),
        Some(copy) => problem(files, copy).await,
        None => None,
    };
    JournalEvidence {
        open_run: None,
        folder_problem: problem(files, &folder).await,
        folder: folder.display().to_string(),
        copy_problem,
        copy_folder,
    }
}

/// Why a folder cannot hold a journal, as far as looking tells: it, or the nearest parent that exists, is no folder, or
/// takes no file from this account.
async fn problem(files: &dyn FileSystem, folder: &Path) -> Option<String> {
    if !folder.is_absolute() {
        return Some("it is no full path".to_string());
    }
    for path in folder.ancestors() {
        match tokio::time::timeout(CLIENT_LIMIT, files.look(&ClientPath::new(path))).await {
            Err(_) => return Some(format!("no answer within {} s", CLIENT_LIMIT.as_secs())),
            Ok(Ok(Some(entry))) if entry.is_folder => return refused(path).await,
            Ok(Ok(Some(_))) => return Some(format!("{} is a file", path.display())),
            Ok(Ok(None)) => continue,
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Ok(Err(error)) => return Some(error.to_string()),
        }
    }
    Some("no part of it exists".to_string())
}

async fn refused(folder: &Path) -> Option<String> {
    let path = folder.to_path_buf();
    let asked = tokio::task::spawn_blocking(move || crate::journal::refusal(&path));
    match tokio::time::timeout(CLIENT_LIMIT, asked).await {
        Ok(Ok(refusal)) => refusal.map(|why| format!("nothing can be created in {}: {why}", folder.display())),
        Ok(Err(_)) => None,
        Err(_) => Some(format!("no answer within {} s", CLIENT_LIMIT.as_secs())),
    }
}
