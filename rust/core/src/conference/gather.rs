//! Reading everything that a restore is decided on. Reads only.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use serde_json::{Map, Value};

use super::door;
use super::evidence::{ConferenceEvidence, FileShare, FrontEnd, PoolSide, ShareSeen};
use super::pair::{self, Pair};
use super::status::{get_status, read_status};
use super::wait;
use crate::command::sync_interval;
use crate::document::{ConferenceRestoreRequest, PathMapEntry};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{CommandOrigin, Reading};
use crate::files::{client_candidates, FileSystem};
use crate::host::{Cancel, Host, Level, NativeCommand, NativeOutcome, NativeState, Progress, Question};
use crate::journal::default_folder;
use crate::names::{ClientPath, ServerPath};
use crate::pool;

/// How long a share may stay silent.
const SHARE_LIMIT: Duration = Duration::from_secs(10);
/// The Windows service behind the backup service, on Lync Server 2013 and Skype for Business Server 2015.
const SERVICE: &str = "LYNCBACKUP";

/// Reads both pools through the shell, and their file shares where this machine can open them.
///
/// # Errors
/// `DamagedPoolAsSource` (6010), `PartnerNotFound` (6009), `PoolNotFound` (6004), `InvalidValue` (1002).
pub(crate) async fn gather(
    host: &dyn Host,
    files: &dyn FileSystem,
    request: &ConferenceRestoreRequest,
    cancel: &Cancel,
) -> Result<ConferenceEvidence> {
    let noted = Noted { host, commands: Mutex::default() };
    let (pair, partner) = find_pair(&noted, request).await?;
    cancel.check()?;
    let modules = wait::modules(&request.backup_modules, false);
    let interval = sync_interval(request.sync_interval_seconds, &noted).await;
    let holds_cms = wait::holds_cms(&noted, &pair, &modules).await;
    let stores = file_stores(&noted).await;
    let survivor = side(&noted, files, &pair.survivor, &stores, &request.path_map).await;
    cancel.check()?;
    let damaged = side(&noted, files, &pair.damaged, &stores, &request.path_map).await;
    cancel.check()?;
    let folder = request.journal.journal_path.as_deref().map_or_else(default_folder, PathBuf::from);
    Ok(ConferenceEvidence {
        gathered_at_utc: Utc::now(),
        sync_parameters: parameters(&noted, "Invoke-CsBackupServiceSync").await,
        compare_parameters: parameters(&noted, "Debug-CsInterPoolReplication").await,
        journal_problem: problem(files, &folder).await,
        journal_folder: folder.display().to_string(),
        pair,
        partner,
        modules,
        interval_milliseconds: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
        holds_cms,
        survivor,
        damaged,
        commands: noted.commands.into_inner().unwrap_or_else(PoisonError::into_inner),
    })
}

/// The survivor is the partner that the shell names, unless the operator does.
async fn find_pair(host: &dyn Host, request: &ConferenceRestoreRequest) -> Result<(Pair, Reading<String>)> {
    let damaged = request.damaged_pool_fqdn.trim().to_string();
    let limits = [request.backup_service_timeout_seconds, request.comparison_timeout_seconds];
    if damaged.is_empty() || limits.contains(&0) || request.sync_interval_seconds == Some(0) {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            "the damaged pool must be named, and neither the sync interval nor a limit may be 0 seconds.",
        ));
    }
    let named = request.pool_fqdn.as_deref().map(str::trim).filter(|name| !name.is_empty());
    if let Some(survivor) = named {
        Pair { survivor: survivor.to_string(), damaged: damaged.clone() }.check()?;
    }
    let given: Vec<&str> = named.into_iter().chain([damaged.as_str()]).collect();
    door::refuse_unknown_pools(&given, pair::known_pools(host).await.as_deref())?;
    let partner = pair::partner_of(host, &damaged).await;
    let survivor = match (named, &partner) {
        (Some(name), _) => name.to_string(),
        (None, Ok(partner)) => partner.clone(),
        (None, Err(error)) => {
            return Err(error.clone().with_next(format!(
                "Name the surviving pool with `-PoolFqdn`: the one that is paired with {damaged}."
            )))
        }
    };
    Ok((Pair { survivor, damaged }, partner.into()))
}

async fn run(host: &dyn Host, command: NativeCommand) -> Result<Vec<Map<String, Value>>> {
    pool::objects(&command, host.native(command.clone()).await)
}

async fn side(
    host: &dyn Host,
    files: &dyn FileSystem,
    pool_fqdn: &str,
    stores: &Reading<Vec<Store>>,
    path_map: &[PathMapEntry],
) -> PoolSide {
    let status = run(host, get_status(pool_fqdn)).await.map(|objects| {
        let words = |status: super::status::ModuleStatus| {
            let word = |word: Option<String>| word.unwrap_or_else(|| "none".to_string());
            format!("{}: export {}, import {}", status.module, word(status.export), word(status.import))
        };
        read_status(&objects).into_iter().map(words).collect()
    });
    PoolSide {
        status: status.into(),
        services: front_ends(host, pool_fqdn).await.into(),
        file_share: file_share(host, files, pool_fqdn, stores, path_map).await,
    }
}

/// The service is active on one Front End of a pool at a time and runs on all of them.
async fn front_ends(host: &dyn Host, pool_fqdn: &str) -> Result<Vec<FrontEnd>> {
    let members = pool::read_members(&run(host, pool::get_pool(pool_fqdn)).await?).unwrap_or_default();
    let mut found = Vec::new();
    for server in members {
        let state = run(host, pool::get_windows_services(&server)).await.and_then(|objects| {
            let services = pool::read_windows_services(&objects);
            services
                .into_iter()
                .find(|service| service.name.eq_ignore_ascii_case(SERVICE))
                .map(|s| s.status)
                .ok_or_else(|| {
                    Error::new(ErrorKind::NativeCommandFailed, format!("{server} shows no service {SERVICE}."))
                })
        });
        found.push(FrontEnd {
            server,
            state: state.map_err(|e| e.message).map_or_else(Reading::Unknown, Reading::Known),
        });
    }
    Ok(found)
}

/// A file store of the topology.
#[derive(Debug, Clone)]
struct Store {
    identity: String,
    path: String,
}

async fn file_stores(host: &dyn Host) -> Reading<Vec<Store>> {
    let command = NativeCommand::get("Get-CsService").with("FileStore", true).wanting(&[
        "Identity",
        "PoolFqdn",
        "UncPath",
        "ShareName",
    ]);
    let text = |object: &Map<String, Value>, name: &str| {
        object.get(name).and_then(Value::as_str).map(str::trim).unwrap_or_default().to_string()
    };
    run(host, command)
        .await
        .map(|objects| {
            let path = |object: &Map<String, Value>| {
                let (unc, share, server) =
                    (text(object, "UncPath"), text(object, "ShareName"), text(object, "PoolFqdn"));
                if unc.is_empty() && !share.is_empty() && !server.is_empty() {
                    return format!(r"\\{server}\{share}");
                }
                unc
            };
            objects.iter().map(|object| Store { identity: text(object, "Identity"), path: path(object) }).collect()
        })
        .into()
}

/// The share of a pool: one of its services refers to the file store by identity.
async fn file_share(
    host: &dyn Host,
    files: &dyn FileSystem,
    pool_fqdn: &str,
    stores: &Reading<Vec<Store>>,
    path_map: &[PathMapEntry],
) -> Reading<FileShare> {
    let stores = match stores {
        Reading::Known(stores) => stores,
        Reading::Unknown(why) | Reading::NotAsked(why) => return Reading::Unknown(why.clone()),
    };
    let asked = NativeCommand::get("Get-CsService").with("PoolFqdn", pool_fqdn).wanting(&["Identity", "FileStore"]);
    let services = match run(host, asked).await {
        Ok(services) => services,
        Err(error) => return Reading::Unknown(error.message),
    };
    let store = services
        .iter()
        .filter_map(|service| service.get("FileStore").and_then(Value::as_str))
        .find_map(|wanted| stores.iter().find(|store| store.identity.eq_ignore_ascii_case(wanted.trim())));
    match store {
        Some(store) if !store.path.is_empty() => {
            Reading::Known(FileShare { seen: look(files, &store.path, path_map).await, path: store.path.clone() })
        }
        Some(store) => Reading::Unknown(format!("the topology shows no path of {}", store.identity)),
        None => Reading::Unknown(format!("no service of {pool_fqdn} names its file store")),
    }
}

async fn look(files: &dyn FileSystem, path: &str, path_map: &[PathMapEntry]) -> ShareSeen {
    let candidates = client_candidates(&ServerPath::new(path), "", path_map);
    let Some(client) = candidates.first() else {
        return ShareSeen::NotSeen("this machine has no path to it; `-PathMap` names one".to_string());
    };
    match tokio::time::timeout(SHARE_LIMIT, files.list(client)).await {
        Err(_) => ShareSeen::NotSeen(format!("no answer within {} s", SHARE_LIMIT.as_secs())),
        Ok(Ok(_)) => ShareSeen::Listed,
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => ShareSeen::Absent(error.to_string()),
        Ok(Err(error)) => ShareSeen::NotSeen(error.to_string()),
    }
}

/// The parameters of a command as it is installed.
async fn parameters(host: &dyn Host, command: &str) -> Reading<Vec<String>> {
    match run(host, pool::get_parameters(command)).await {
        Ok(objects) => pool::read_parameters(&objects)
            .map_or_else(|| Reading::Unknown(format!("`{command}` is not available in this shell")), Reading::Known),
        Err(error) => Reading::Unknown(error.message),
    }
}

/// Why a folder cannot hold the journal, as far as looking tells.
async fn problem(files: &dyn FileSystem, folder: &Path) -> Option<String> {
    if !folder.is_absolute() {
        return Some("it is no full path".to_string());
    }
    for path in folder.ancestors() {
        match tokio::time::timeout(SHARE_LIMIT, files.look(&ClientPath::new(path))).await {
            Err(_) => return Some(format!("no answer within {} s", SHARE_LIMIT.as_secs())),
            Ok(Ok(Some(entry))) if entry.is_folder => return None,
            Ok(Ok(Some(_))) => return Some(format!("{} is a file", path.display())),
            Ok(Ok(None)) => {}
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(Err(error)) => return Some(error.to_string()),
        }
    }
    Some("no part of it exists".to_string())
}

/// A host that takes down which module each command came from.
struct Noted<'a> {
    host: &'a dyn Host,
    commands: Mutex<Vec<CommandOrigin>>,
}

#[async_trait]
impl Host for Noted<'_> {
    fn progress(&self, progress: Progress) {
        self.host.progress(progress);
    }

    fn message(&self, level: Level, text: String) {
        self.host.message(level, text);
    }

    async fn item(&self, kind: &'static str, item: Value) -> Result<()> {
        self.host.item(kind, item).await
    }

    async fn confirm(&self, question: Question) -> bool {
        self.host.confirm(question).await
    }

    async fn native(&self, command: NativeCommand) -> NativeOutcome {
        let name = command.name.clone();
        let outcome = self.host.native(command).await;
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = commands.iter().any(|known| known.name == name && known.stand_in == outcome.stand_in);
        if matches!(outcome.state, NativeState::Completed | NativeState::Failed) && !is_known {
            commands.push(CommandOrigin { name, module: outcome.module.clone(), stand_in: outcome.stand_in });
        }
        outcome
    }
}
