//! Listing each folder through this process and through the instance, side by side.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::NaiveDateTime;

use super::{naive, Folder, CLIENT_LIMIT};
use crate::document::PathMapEntry;
use crate::error::{ErrorKind, Result};
use crate::evidence::{FileSeen, PlaceEvidence, PlaceRole, Reading};
use crate::files::{client_candidates, FileSystem};
use crate::log_chain::{is_log_backup_name, name_stamp, PlaceId, SeenFile, Trouble, UnreadFile};
use crate::names::{is_plain_file_name, ClientPath, InstanceName, ServerPath, Text};
use crate::sql::file::{self, ServerEntry};
use crate::sql::{Connection, Connector, Purpose};

/// Before a second look, when both sides differ: the copy job may be at work.
const SECOND_LOOK: Duration = Duration::from_millis(500);

/// Files in such folders that are no log backups: ours, and the system's.
const OTHER_ENDINGS: [&str; 6] = [".journal", ".lock", ".tmp", ".ini", ".db", ".txt"];

/// Looks into all folders at once.
pub(super) async fn look(
    connector: &Connector,
    files: &dyn FileSystem,
    instance: &InstanceName,
    folders: &[Folder],
    path_map: &[PathMapEntry],
) -> Result<Vec<PlaceEvidence>> {
    let mut additional = 0;
    let looks = folders.iter().map(|folder| {
        let id = match folder.role {
            PlaceRole::CopyFolder => PlaceId::COPY_FOLDER,
            PlaceRole::Share => PlaceId::SHARE,
            PlaceRole::Additional => {
                additional += 1;
                PlaceId::additional(additional - 1)
            }
        };
        look_at(connector, files, instance, folder, id, path_map)
    });
    let mut places = futures_util::future::try_join_all(looks).await?;
    let is_only_named = folders.iter().any(|folder| folder.is_only_named);
    let kept_since = folders.iter().find_map(|folder| folder.kept_since);
    distrust_share(&mut places, is_only_named, kept_since);
    let shares = places.iter_mut().zip(folders).filter(|(_, folder)| folder.tells_the_end);
    shares.for_each(|(place, _)| place.unproved = unproved(place));
    Ok(places)
}

/// Why a share's list does not tell where the log ends: only this machine sees it, and not under its own path but where the
/// path map has it. The map may be wrong, and an old copy of the share shows what was copied from it as well as the share
/// does. Where the instance lists the share too, its own list counts.
fn unproved(share: &PlaceEvidence) -> Option<String> {
    let path = share.client_path.as_deref().filter(|_| share.by_client.known().is_some())?;
    if share.by_server.known().is_some() || is_one_share(&ServerPath::new(path), &share.path) {
        return None;
    }
    Some(format!(
        "{path} is what `-PathMap` gives for {}, and nothing proves that it is that folder: the instance cannot list the share \
         to compare ({})",
        share.path,
        share.by_server.why().unwrap_or_default()
    ))
}

/// True where both name one share: written alike, or with and without the server's domain.
fn is_one_share(a: &ServerPath, b: &ServerPath) -> bool {
    let parts = |path: &ServerPath| -> Option<(String, String)> {
        let lower = path.as_str().trim_end_matches('\\').to_lowercase();
        let (server, rest) = lower.strip_prefix(r"\\")?.split_once('\\')?;
        // An address has no domain.
        let is_address = server.parse::<std::net::IpAddr>().is_ok();
        let server = if is_address { server } else { server.split('.').next().unwrap_or(server) };
        Some((server.to_string(), rest.to_string()))
    };
    a.same_as(b) || parts(a).is_some_and(|a| Some(a) == parts(b))
}

/// A share that only this machine lists, under another path than its own, may be another folder; so may one that is named
/// and stands in no record of log shipping. A wrong or stale one would hide later log backups. It counts as out of reach
/// where it shows nothing of what was copied from it, a named one also where it shows no log backup at all. The recorded one
/// under its own path may have been tidied, but never of what is younger than the retention.
fn distrust_share(places: &mut [PlaceEvidence], is_only_named: bool, kept_since: Option<NaiveDateTime>) {
    let names = |place: &PlaceEvidence| -> Vec<Text> {
        let theirs = place.by_server.known().cloned();
        let ours = || place.by_client.known().map(|files| files.iter().map(|file| file.name.clone()).collect());
        theirs.or_else(ours).unwrap_or_default().into_iter().filter(|name| may_be_log_backup(name)).collect()
    };
    let copied: Vec<Text> = places.iter().filter(|place| place.role == PlaceRole::CopyFolder).flat_map(names).collect();
    for share in places.iter_mut().filter(|place| place.role == PlaceRole::Share) {
        let is_empty = share.is_listed() && names(share).is_empty();
        if copied.iter().any(|name| share.has(name)) || (copied.is_empty() && !(is_only_named && is_empty)) {
            continue;
        }
        if is_only_named {
            let shows = match copied.is_empty() {
                true => "shows no log backup at all",
                false => "shows none of the log backups that were copied from the share",
            };
            let why = format!("{} {shows}, so it may be another folder", share.path);
            share.is_candidate = false;
            share.by_client = Reading::Unknown(why.clone());
            share.by_server = Reading::Unknown(why);
            continue;
        }
        let is_kept = |name: &&Text| kept_since.zip(name_stamp(name)).is_some_and(|(since, taken)| since < taken);
        let gone: Vec<&Text> = copied.iter().filter(is_kept).collect();
        if let (Some(first), true) = (gone.first(), share.is_listed()) {
            let why = format!(
                "{} shows none of the log backups that were copied from it, though {} of them are younger than the retention \
                 (`{first}` is one): it was emptied, or it is another folder",
                share.path,
                gone.len()
            );
            share.is_candidate = false;
            share.by_client = Reading::Unknown(why.clone());
            share.by_server = Reading::Unknown(why);
            continue;
        }
        let Some(path) = share.client_path.clone().filter(|path| !path.eq_ignore_ascii_case(share.path.as_str()))
        else {
            continue;
        };
        if share.by_server.known().is_none() && share.by_client.known().is_some() {
            share.is_candidate = false;
            share.by_client = Reading::Unknown(format!(
                "{path} shows none of the log backups that were copied from it, and the instance cannot list {} to compare",
                share.path
            ));
        }
    }
}

async fn look_at(
    connector: &Connector,
    files: &dyn FileSystem,
    instance: &InstanceName,
    folder: &Folder,
    id: PlaceId,
    path_map: &[PathMapEntry],
) -> Result<PlaceEvidence> {
    let candidates = client_candidates(&folder.path, &instance.host, path_map);
    let mut both = list_both(connector, files, instance, folder, &candidates).await?;
    let differ = |both: &Both| both.best().is_some_and(|best| !best.is_likely) && both.by_server.is_ok();
    if differ(&both) {
        tokio::time::sleep(SECOND_LOOK).await;
        both = list_both(connector, files, instance, folder, &candidates).await?;
    }
    let best = both.best_at().map(|at| both.listings.swap_remove(at));
    let (client_path, by_client, is_candidate) = match best {
        Some(best) => (Some(best.path.to_string()), Reading::Known(best.files), best.is_likely),
        None => {
            let why = both.why.unwrap_or_else(|| "this machine knows no path to it".to_string());
            (candidates.first().map(ClientPath::to_string), Reading::Unknown(why), false)
        }
    };
    let names: HashSet<Text> = by_client.known().into_iter().flatten().map(|file| file.name.clone()).collect();
    // A name that both sides see is kept once.
    let shared = |entry: ServerEntry| match names.get(entry.name.as_str()) {
        Some(name) => name.clone(),
        None => Text::from(entry.name),
    };
    let by_server = both.by_server.map(|entries| exact(entries.into_iter().map(shared)));
    Ok(PlaceEvidence {
        place: id.0,
        role: folder.role,
        path: folder.path.clone(),
        client_path,
        by_client,
        by_server: by_server.map_or_else(Reading::Unknown, Reading::Known),
        server_reads_files: false,
        is_candidate,
        unproved: None,
    })
}

/// One folder as the instance lists it, and as each path of this machine that answers does.
struct Both {
    by_server: std::result::Result<Vec<ServerEntry>, String>,
    listings: Vec<Listing>,
    /// Why the first path that did not answer did not.
    why: Option<String>,
}

struct Listing {
    path: ClientPath,
    files: Vec<FileSeen>,
    /// True where nothing that the instance sees speaks against it.
    is_likely: bool,
    in_common: usize,
}

impl Both {
    fn best(&self) -> Option<&Listing> {
        self.best_at().and_then(|at| self.listings.get(at))
    }

    fn best_at(&self) -> Option<usize> {
        let rank = |at: &usize| (self.listings[*at].is_likely, self.listings[*at].in_common);
        (0..self.listings.len()).max_by_key(rank)
    }
}

async fn list_both(
    connector: &Connector,
    files: &dyn FileSystem,
    instance: &InstanceName,
    folder: &Folder,
    candidates: &[ClientPath],
) -> Result<Both> {
    let by_server = async {
        let mut connection = connector.connect(instance, Purpose::Files).await?;
        let listed = list_server(&mut connection, &folder.path).await;
        connection.close().await;
        Ok::<_, crate::error::Error>(listed)
    };
    let by_client = futures_util::future::join_all(candidates.iter().map(|path| list_client(files, path)));
    let (by_server, by_client) = tokio::join!(by_server, by_client);
    let by_server = by_server?.map_err(|error| error.message);
    let (mut listings, mut why) = (Vec::new(), None);
    for (path, listed) in candidates.iter().zip(by_client) {
        match listed {
            Ok(files) => {
                let (is_likely, in_common) = compare(&files, by_server.as_deref().ok());
                listings.push(Listing { path: path.clone(), files, is_likely, in_common });
            }
            Err(reason) => why = why.or(Some(reason)),
        }
    }
    Ok(Both { by_server, listings, why })
}

async fn list_server(connection: &mut Connection, folder: &ServerPath) -> Result<Vec<ServerEntry>> {
    let entries = match file::list_with_sizes(connection, folder).await? {
        Some(entries) if !entries.is_empty() => entries,
        _ => file::list(connection, folder).await?,
    };
    Ok(entries.into_iter().filter(|entry| !entry.is_folder).collect())
}

/// The names of a folder's files as the instance lists them; the reason in words where it cannot.
pub(super) async fn list_by_server(
    connector: &Connector,
    instance: &InstanceName,
    folder: &ServerPath,
) -> std::result::Result<Vec<Text>, String> {
    let listed = async {
        let mut connection = connector.connect(instance, Purpose::Files).await?;
        let listed = list_server(&mut connection, folder).await;
        connection.close().await;
        listed
    };
    let names = |entries: Vec<ServerEntry>| exact(entries.into_iter().map(|entry| entry.name.into()));
    listed.await.map(names).map_err(|error| error.message)
}

/// The files of a folder of this machine, within the limit; the reason in words where it does not answer.
pub(super) async fn list_client(
    files: &dyn FileSystem,
    folder: &ClientPath,
) -> std::result::Result<Vec<FileSeen>, String> {
    match tokio::time::timeout(CLIENT_LIMIT, files.list(folder)).await {
        Err(_) => Err(format!("{folder}: no answer within {} s", CLIENT_LIMIT.as_secs())),
        Ok(Err(error)) => Err(format!("{folder}: {error}")),
        Ok(Ok(entries)) => Ok(exact(entries.into_iter().filter(|entry| !entry.is_folder).map(|e| FileSeen {
            name: e.name.into(),
            size_bytes: e.size_bytes,
            modified_at_utc: e.modified_at,
        }))),
    }
}

/// Collects without room to spare: a list made of a larger one would keep its place.
fn exact<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut list: Vec<T> = items.collect();
    list.shrink_to_fit();
    list
}

/// Whether both sides may be the same folder, and how many files they have in common. Files in the making differ for a
/// moment and are left out. Two empty folders do not contradict each other; the marker decides at the start of a run.
fn compare(ours: &[FileSeen], theirs: Option<&[ServerEntry]>) -> (bool, usize) {
    let Some(theirs) = theirs else { return (true, 0) };
    let finished = |name: &str| is_log_backup_name(name);
    let mut left: HashMap<Text, u64> =
        ours.iter().filter(|f| finished(&f.name)).map(|f| (f.name.in_lower_case(), f.size_bytes)).collect();
    let mut in_common = 0;
    for entry in theirs.iter().filter(|entry| finished(&entry.name)) {
        match left.remove(entry.name.to_lowercase().as_str()) {
            Some(size) if entry.size_bytes.is_none_or(|theirs| theirs == size) => in_common += 1,
            _ => return (false, in_common),
        }
    }
    (left.is_empty(), in_common)
}

/// The files whose headers may matter, as the instance opens them.
///
/// Names come from the instance where it lists the folder, sizes and times from this machine where it shows the same
/// folder. Where only this machine lists it, its names are used.
pub(super) fn seen_files(places: &[PlaceEvidence]) -> Vec<SeenFile> {
    let number = |place: &PlaceEvidence| {
        let ours = place.by_client.known().filter(|_| place.is_candidate).map(Vec::len);
        place.by_server.known().map(Vec::len).or(ours).unwrap_or_default()
    };
    let mut seen = Vec::with_capacity(places.iter().map(number).sum());
    for place in places {
        let ours = place.by_client.known().filter(|_| place.is_candidate);
        let details: HashMap<Text, &FileSeen> =
            ours.into_iter().flatten().map(|file| (file.name.in_lower_case(), file)).collect();
        let names: Vec<&Text> = match (place.by_server.known(), ours) {
            (Some(names), _) => names.iter().collect(),
            (None, Some(files)) => files.iter().map(|file| &file.name).collect(),
            (None, None) => Vec::new(),
        };
        for name in names.into_iter().filter(|name| may_be_log_backup(name)) {
            let file = details.get(&name.in_lower_case());
            seen.push(SeenFile {
                name: name.clone(),
                place: PlaceId(place.place),
                path: place.path.join(name),
                size_bytes: file.map_or(0, |file| file.size_bytes),
                modified_at: naive(file.and_then(|file| file.modified_at_utc)),
            });
        }
    }
    seen
}

/// Log backups whose name is a path in disguise, which a folder that no Windows server serves may hold. They are told, and
/// never opened or copied under any name.
pub(super) fn bad_names(places: &[PlaceEvidence]) -> Vec<UnreadFile> {
    let mut bad: Vec<UnreadFile> = Vec::new();
    for place in places {
        let theirs = place.by_server.known().into_iter().flatten();
        let ours = place.by_client.known().into_iter().flatten().map(|file| &file.name);
        for name in theirs.chain(ours).filter(|name| is_path(name) && name.to_lowercase().ends_with(".trn")) {
            let path = place.path.join(name);
            if bad.iter().any(|known| known.path == path) {
                continue;
            }
            let why = format!(
                "PCHAT{}: its name is no plain file name, so it is neither opened nor copied; give it one, or move it away",
                ErrorKind::InvalidValue.code()
            );
            bad.push(UnreadFile {
                name: name.clone(),
                place: PlaceId(place.place),
                path,
                file_bytes: place.size_of(name).unwrap_or_default(),
                modified_at: None,
                trouble: Trouble::Unreadable(why),
            });
        }
    }
    bad
}

/// True for a name that would lead to another folder.
fn is_path(name: &str) -> bool {
    name.contains(['\\', '/', ':'])
}

/// True for a name that a log backup may have; our own files and the copy job's working files have other ones.
pub(crate) fn may_be_log_backup(name: &str) -> bool {
    let lower = name.to_lowercase();
    is_plain_file_name(name) && is_log_backup_name(name) && !OTHER_ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::sample;

    fn theirs(names: &[(&str, Option<u64>)]) -> Vec<ServerEntry> {
        let entry = |(name, size): &(&str, Option<u64>)| ServerEntry {
            name: name.to_string(),
            is_folder: false,
            size_bytes: *size,
            modified_at: None,
        };
        names.iter().map(entry).collect()
    }

    fn ours(names: &[(&str, u64)]) -> Vec<FileSeen> {
        let file =
            |(name, size): &(&str, u64)| FileSeen { name: (*name).into(), size_bytes: *size, modified_at_utc: None };
        names.iter().map(file).collect()
    }

    #[test]
    fn a_folder_with_other_names_or_sizes_is_no_candidate() {
        let here = ours(&[("A.trn", 1), ("b.trn", 2), ("c.wrk", 3)]);
        assert_eq!(compare(&here, Some(&theirs(&[("a.trn", None), ("b.trn", Some(2))]))), (true, 2));
        assert_eq!(compare(&here, Some(&theirs(&[("a.trn", None), ("b.trn", Some(9))]))), (false, 1));
        assert!(!compare(&here, Some(&theirs(&[("a.trn", None)]))).0);
        assert!(!compare(&here, Some(&theirs(&[("a.trn", None), ("b.trn", None), ("x.trn", None)]))).0);
        assert_eq!(compare(&here, None), (true, 0));
        assert_eq!(compare(&[], Some(&[])), (true, 0));
    }

    #[test]
    fn a_path_that_shows_another_folder_lends_no_sizes() {
        let mut place = sample::place(PlaceId::COPY_FOLDER, PlaceRole::CopyFolder, &[1, 2]);
        let sizes = |place: &PlaceEvidence| -> Vec<u64> {
            seen_files(std::slice::from_ref(place)).iter().map(|file| file.size_bytes).collect()
        };
        assert_eq!(sizes(&place), [1 << 20, 1 << 20]);
        place.is_candidate = false;
        assert_eq!(sizes(&place), [0, 0]);
        place.by_server = Reading::Unknown("denied".into());
        assert!(sizes(&place).is_empty(), "names of another folder are worth nothing");
    }

    #[test]
    fn a_mapped_share_that_shows_nothing_of_what_was_copied_is_out_of_reach() {
        let copy = sample::place(PlaceId::COPY_FOLDER, PlaceRole::CopyFolder, &[1, 2]);
        let mut share = sample::place(PlaceId::SHARE, PlaceRole::Share, &[]);
        share.client_path = Some("/mnt/elsewhere".into());
        share.by_client = Reading::Known(Vec::new());
        let listed = |share: &PlaceEvidence| {
            let mut places = [copy.clone(), share.clone()];
            distrust_share(&mut places, false, None);
            places[1].is_listed()
        };
        assert!(listed(&share), "the instance sees it too");
        share.by_server = Reading::Unknown("denied".into());
        assert!(!listed(&share));
        let mut known = share.clone();
        known.by_client = copy.by_client.clone();
        assert!(listed(&known));
        share.client_path = Some(share.path.to_string());
        assert!(listed(&share), "its own path is no other folder");
    }

    #[test]
    fn a_named_share_that_shows_nothing_of_what_was_copied_is_out_of_reach() {
        let copy = sample::place(PlaceId::COPY_FOLDER, PlaceRole::CopyFolder, &[1, 2]);
        let listed = |copy: &PlaceEvidence, on_share: &[u32], is_only_named: bool| {
            let mut places = [copy.clone(), sample::place(PlaceId::SHARE, PlaceRole::Share, on_share)];
            distrust_share(&mut places, is_only_named, None);
            places[1].is_listed()
        };
        assert!(!listed(&copy, &[], true));
        assert!(!listed(&copy, &[3], true));
        assert!(listed(&copy, &[2, 3], true));
        assert!(listed(&copy, &[], false), "the recorded share may have been tidied");
        let nothing_copied = sample::place(PlaceId::COPY_FOLDER, PlaceRole::CopyFolder, &[]);
        assert!(listed(&nothing_copied, &[1], true), "there is nothing to compare");
    }

    #[test]
    fn the_recorded_share_is_out_of_reach_where_it_lacks_what_its_retention_keeps() {
        let copy = sample::place(PlaceId::COPY_FOLDER, PlaceRole::CopyFolder, &[1, 2]);
        let listed = |on_share: &[u32], kept_since: Option<NaiveDateTime>| {
            let mut places = [copy.clone(), sample::place(PlaceId::SHARE, PlaceRole::Share, on_share)];
            distrust_share(&mut places, false, kept_since);
            places[1].is_listed()
        };
        assert!(!listed(&[], Some(sample::at(1, 0))), "both are younger");
        assert!(!listed(&[3], Some(sample::at(2, 10))), "the second is");
        assert!(listed(&[], Some(sample::at(3, 0))), "both are old enough to have been tidied");
        assert!(listed(&[2], Some(sample::at(1, 0))));
        assert!(listed(&[], None));
    }

    #[test]
    fn a_share_that_only_the_path_map_shows_is_proved_by_nothing() {
        let why = |client: &str, by_server: bool| {
            let mut share = sample::place(PlaceId::SHARE, PlaceRole::Share, &[1]);
            share.client_path = Some(client.into());
            if !by_server {
                share.by_server = Reading::Unknown("denied".into());
            }
            unproved(&share)
        };
        let told = why("/mnt/old", false).expect("a doubt");
        assert!(told.starts_with(r"/mnt/old is what `-PathMap` gives for \\fs1\LogShip,"), "{told}");
        assert_eq!(why("/mnt/old", true), None, "the instance lists the share itself");
        for own in [r"\\FS1\logship\", r"\\fs1.contoso.com\LogShip"] {
            assert_eq!(why(own, false), None, "{own}");
        }
        for other in [r"\\fs1\LogShip\old", r"\\fs2\LogShip", r"\\10.0.0.1\LogShip", r"C:\LogShip"] {
            assert!(why(other, false).is_some(), "{other}");
        }
    }

    #[test]
    fn our_own_files_and_dangerous_names_are_no_log_backups() {
        let mut place = sample::place(PlaceId::SHARE, PlaceRole::Share, &[]);
        let names = ["a.trn", "run.journal", "a.wrk", "b.trn.pchat-partial", r"..\x.trn", "Thumbs.db", "CON", "c.bak"];
        place.by_server = Reading::Known(names.map(Text::from).to_vec());
        let seen: Vec<String> = seen_files(&[place]).iter().map(|file| file.name.to_string()).collect();
        assert_eq!(seen, ["a.trn", "c.bak"]);
    }

    #[test]
    fn a_name_that_is_a_path_is_told_and_never_opened() {
        let mut place = sample::place(PlaceId::SHARE, PlaceRole::Share, &[]);
        let names = ["a.trn", r"mgc_..\..\x.trn", r"..\b.txt", "C:c.trn", "d/e.trn"];
        place.by_server = Reading::Known(names.map(Text::from).to_vec());
        place.by_client = Reading::Known(ours(&[(r"mgc_..\..\x.trn", 7)]));
        let bad = bad_names(&[place]);
        let told: Vec<&str> = bad.iter().map(|file| &*file.name).collect();
        assert_eq!(told, [r"mgc_..\..\x.trn", "C:c.trn", "d/e.trn"]);
        assert_eq!(bad[0].file_bytes, 7);
        assert!(bad[0].trouble.why().starts_with("PCHAT1002"), "{:?}", bad[0].trouble);
    }
}
