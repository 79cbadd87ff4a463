//! Whether a folder here and a folder of the server are the same one.

use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::files::system::{Entry, FileSystem};
use crate::names::{ClientPath, ServerPath};
use crate::sql::file::{self, PathState, ServerEntry};
use crate::sql::Connection;

/// How long a client path may take to answer before it counts as out of reach.
const LIMIT: Duration = Duration::from_secs(20);

/// A folder that was seen through both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedFolder {
    pub server: ServerPath,
    pub client: ClientPath,
    /// A marker that could not be removed again.
    pub marker_left: Option<String>,
}

/// Tries candidates until one is proved: a marker file is written through it, seen by the server, and removed.
///
/// # Errors
/// Only what the server's side brings; a candidate that cannot be written is no folder of ours.
pub async fn prove_folder(
    system: &dyn FileSystem,
    connection: &mut Connection,
    server: &ServerPath,
    candidates: &[ClientPath],
) -> Result<Option<ProvedFolder>> {
    for candidate in candidates {
        let marker = format!("pchat-proof-{}.tmp", Uuid::new_v4().simple());
        let path = candidate.join(&marker);
        if !write_marker(system, &path).await {
            continue;
        }
        let seen = file::look(connection, &server.join(&marker)).await;
        let removed = matches!(tokio::time::timeout(LIMIT, system.remove(&path)).await, Ok(Ok(())));
        if seen? == PathState::File {
            return Ok(Some(ProvedFolder {
                server: server.clone(),
                client: candidate.clone(),
                marker_left: (!removed).then_some(marker),
            }));
        }
    }
    Ok(None)
}

async fn write_marker(system: &dyn FileSystem, path: &ClientPath) -> bool {
    let write = async {
        let mut file = system.create(path).await?;
        file.append(b"PersistentChatFailover looks whether the server sees this folder.\r\n".to_vec()).await?;
        file.sync().await
    };
    match tokio::time::timeout(LIMIT, write).await {
        Ok(Ok(())) => true,
        // A marker may have been made before the failure.
        _ => {
            let _ = tokio::time::timeout(LIMIT, system.remove(path)).await;
            false
        }
    }
}

/// What a look without a marker tells: the same names, and the same sizes where the server tells sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidateLook {
    pub client: ClientPath,
    /// Files that both sides show.
    pub names_in_common: usize,
    /// Files that one side shows and the other does not, or with another size.
    pub differences: usize,
    pub sizes_compared: bool,
}

impl CandidateLook {
    /// True where nothing speaks against it and something for it. To be proved before anything is written all the same.
    pub fn is_likely(&self) -> bool {
        self.names_in_common > 0 && self.differences == 0
    }
}

/// Looks at the candidates without writing anything and hands out the likeliest; `None` where none can be listed.
///
/// # Errors
/// `LogBackupUnreadable` (4006) where the server cannot list the folder.
pub async fn candidate_look(
    system: &dyn FileSystem,
    connection: &mut Connection,
    server: &ServerPath,
    candidates: &[ClientPath],
) -> Result<Option<CandidateLook>> {
    let theirs = match file::list_with_sizes(connection, server).await? {
        Some(entries) => entries,
        None => file::list(connection, server).await?,
    };
    let mut best: Option<CandidateLook> = None;
    for candidate in candidates {
        let Ok(Ok(ours)) = tokio::time::timeout(LIMIT, system.list(candidate)).await else { continue };
        let look = compare(candidate, &ours, &theirs);
        let better = match &best {
            Some(best) => (look.is_likely(), look.names_in_common) > (best.is_likely(), best.names_in_common),
            None => true,
        };
        if better {
            best = Some(look);
        }
    }
    Ok(best)
}

fn compare(candidate: &ClientPath, ours: &[Entry], theirs: &[ServerEntry]) -> CandidateLook {
    let mut look =
        CandidateLook { client: candidate.clone(), names_in_common: 0, differences: 0, sizes_compared: false };
    let mut left: HashMap<String, u64> = ours
        .iter()
        .filter(|entry| !entry.is_folder)
        .map(|entry| (entry.name.to_lowercase(), entry.size_bytes))
        .collect();
    for entry in theirs.iter().filter(|entry| !entry.is_folder) {
        match (left.remove(&entry.name.to_lowercase()), entry.size_bytes) {
            (Some(ours), Some(theirs)) => {
                look.sizes_compared = true;
                look.names_in_common += 1;
                look.differences += usize::from(ours != theirs);
            }
            (Some(_), None) => look.names_in_common += 1,
            (None, _) => look.differences += 1,
        }
    }
    look.differences += left.len();
    look
}

/// The refusal where no candidate was proved and no other way is left.
pub fn not_proved(server: &ServerPath, candidates: &[ClientPath]) -> Error {
    let tried: Vec<String> = candidates.iter().map(|path| format!("`{path}`")).collect();
    let tried =
        if tried.is_empty() { "no path was known to try".to_string() } else { format!("tried: {}", tried.join(", ")) };
    Error::new(
        ErrorKind::CopyFolderNotProved,
        format!("no path of this machine is proved to be the server's folder `{server}` ({tried})."),
    )
    .with_unchanged("Nothing was copied.")
    .with_next(format!(
        "Give the path of this folder on this machine: `-PathMap @{{'{server}'='\\\\host\\share\\folder'}}`."
    ))
    .with_target(server.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(name: &str, size_bytes: u64) -> Entry {
        Entry { name: name.into(), is_folder: false, size_bytes, modified_at: None }
    }

    fn theirs(name: &str, size_bytes: Option<u64>) -> ServerEntry {
        ServerEntry { name: name.into(), is_folder: false, size_bytes, modified_at: None }
    }

    #[test]
    fn the_same_names_and_sizes_are_likely_and_nothing_else_is() {
        let here = ClientPath::new("/mnt/copy");
        let files = [ours("A.trn", 5), ours("b.trn", 6)];
        assert!(compare(&here, &files, &[theirs("a.trn", Some(5)), theirs("b.trn", Some(6))]).is_likely());
        assert!(compare(&here, &files, &[theirs("a.trn", None), theirs("b.trn", None)]).is_likely());
        for other in [vec![], vec![theirs("a.trn", Some(5))], vec![theirs("a.trn", Some(5)), theirs("b.trn", Some(7))]]
        {
            assert!(!compare(&here, &files, &other).is_likely(), "{other:?}");
        }
        assert!(!compare(&here, &[], &[]).is_likely(), "two empty folders prove nothing");
    }
}
