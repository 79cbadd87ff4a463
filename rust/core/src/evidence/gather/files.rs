//! Folders through both eyes, headers through the instance, free space.

mod headers;
mod places;

pub(crate) use places::may_be_log_backup;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::backup::Backup;
use super::Sources;
use crate::document::PathMapEntry;
use crate::error::Result;
use crate::evidence::{
    later_files, FileEvidence, FileSeen, LaterFile, MonitorEvidence, MonitoredBackup, PlaceEvidence, PlaceRole, Reading,
};
use crate::files::FileSystem;
use crate::log_chain::{
    name_stamp, BackupType, Header, HeaderBook, KnownEnd, Listing, Place, PlaceId, PlaceState, RedoPoint, SeenFile,
    Trouble,
};
use crate::names::{ClientPath, InstanceName, ServerPath, Text};
use crate::sql::database::Writer;
use crate::sql::log_shipping::SecondaryRecord;
use crate::sql::{file, Connector, Purpose};

/// How long a path of this machine may take to answer before it counts as out of reach: a dead share takes minutes.
pub(super) const CLIENT_LIMIT: Duration = Duration::from_secs(20);

/// How old the monitor's newest log backup may be when the primary falls silent: by default log shipping itself raises an
/// alarm beyond that.
const MONITOR_HOLDS: TimeDelta = TimeDelta::minutes(60);

/// A folder to look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    pub role: PlaceRole,
    /// As the instance names it.
    pub path: ServerPath,
    /// True for a share that somebody names and no record of log shipping does: it may be another folder.
    pub is_only_named: bool,
    /// True for the share, the named one and the recorded one: its list tells where the log ends.
    pub tells_the_end: bool,
    /// Log backups taken since then should lie there still, as far as a retention is known.
    pub kept_since: Option<NaiveDateTime>,
}

/// A look at the folders: what lies there, and the headers read so far.
pub struct FileLook {
    pub places: Vec<PlaceEvidence>,
    seen: Vec<SeenFile>,
    book: HeaderBook,
    redo: Option<RedoPoint>,
    known_end: Option<KnownEnd>,
    free_bytes: Reading<u64>,
}

/// Lists the folders and reads the headers that the proof needs, newest first. Reads only.
///
/// Without a redo point no header is read, for none could be placed.
///
/// # Errors
/// What keeps the backup instance from answering; a folder or file that cannot be read is told in the look.
pub async fn look_at_files(
    connector: &Connector,
    files: &dyn FileSystem,
    (instance, database): (&InstanceName, &str),
    folders: &[Folder],
    path_map: &[PathMapEntry],
    redo: Option<&RedoPoint>,
) -> Result<FileLook> {
    let mut places = places::look(connector, files, instance, folders, path_map).await?;
    let free_bytes = free_bytes(connector, files, instance, database, &places).await;
    let seen = places::seen_files(&places);
    let mut look = FileLook {
        seen,
        book: HeaderBook::default(),
        redo: redo.cloned(),
        known_end: None,
        free_bytes,
        places: Vec::new(),
    };
    headers::read(connector, instance, &look.seen, &mut look.book, redo, None).await?;
    for place in &mut places {
        let is_here = |file: &&SeenFile| file.place.0 == place.place;
        place.server_reads_files = look.seen.iter().filter(is_here).any(|file| look.book.headers(file).is_some());
    }
    look.places = places;
    Ok(look)
}

async fn free_bytes(
    connector: &Connector,
    files: &dyn FileSystem,
    instance: &InstanceName,
    database: &str,
    places: &[PlaceEvidence],
) -> Reading<u64> {
    let Some(folder) = places.iter().find(|place| place.role == PlaceRole::CopyFolder) else {
        return Reading::NotAsked("no copy folder is known".to_string());
    };
    let by_server = async {
        let mut connection = connector.connect(instance, Purpose::Files).await?;
        let mut volumes = file::fixed_drives(&mut connection).await?;
        // Folders under a mount point have room of their own; only volumes that hold the database's files are told.
        volumes.extend(file::volumes_of(&mut connection, database).await.unwrap_or_default());
        connection.close().await;
        Ok::<_, crate::error::Error>(volumes)
    };
    let mut why = "the instance does not tell it".to_string();
    match by_server.await {
        Ok(volumes) => {
            if let Some(free) = file::free_at(&folder.path, &volumes) {
                return Reading::Known(free);
            }
        }
        Err(error) => why = error.message,
    }
    if let Some(path) = folder.client_path.as_ref().filter(|_| folder.is_candidate) {
        let asked = tokio::time::timeout(CLIENT_LIMIT, files.free_space(&ClientPath::new(path.as_str()))).await;
        if let Ok(Ok(Some(free))) = asked {
            return Reading::Known(free);
        }
    }
    Reading::Unknown(why)
}

impl FileLook {
    fn share(&self) -> Option<&PlaceEvidence> {
        self.places.iter().find(|place| place.role == PlaceRole::Share)
    }

    /// Who wrote the newest log backup of this database, as the headers say.
    pub(super) fn newest_writer(&self) -> Option<Writer> {
        let redo = self.redo.as_ref()?;
        let is_ours = |header: &&Arc<Header>| {
            let on_fork = [header.first_fork_id, header.last_fork_id].contains(&redo.fork_id);
            header.backup_type == BackupType::Log
                && redo.family_id.map_or(on_fork, |family| family == header.family_id)
                && !header.server_name.is_empty()
        };
        let headers = self.seen.iter().filter_map(|file| self.book.headers(file)).flatten().filter(is_ours);
        let newest = headers.max_by_key(|header| header.last_lsn)?;
        Some(Writer { server: newest.server_name.to_string(), database: newest.database_name.to_string() })
    }

    /// Lists the share once more: what came, grew or changed since `baseline`. A file that grew is being written.
    ///
    /// Sizes and times are compared where this machine sees the share both times, names alone where only the instance
    /// does.
    pub(super) async fn watch_share(
        &mut self,
        sources: Sources<'_>,
        instance: &InstanceName,
        baseline: Option<PlaceEvidence>,
    ) -> Reading<Vec<LaterFile>> {
        let (Some(share), Some(baseline)) = (self.share(), baseline) else {
            return Reading::NotAsked("no share is known".to_string());
        };
        let place = PlaceId(share.place);
        let looked = match (baseline.by_client.known(), &share.client_path, baseline.by_server.known()) {
            (Some(before), Some(path), _) => {
                let now = places::list_client(sources.files, &ClientPath::new(path.as_str())).await;
                now.map(|now| later_files(before, &now))
            }
            (_, _, Some(before)) => {
                let now = places::list_by_server(sources.connector, instance, &share.path).await;
                now.map(|now| later_files(&by_name(before), &by_name(&now)))
            }
            _ => Err(share.by_client.why().unwrap_or("nobody sees it").to_string()),
        };
        let later = match looked {
            Ok(later) => later,
            Err(why) => return Reading::Unknown(why),
        };
        for file in later.iter().filter(|file| file.how == "grew") {
            let is_it = |seen: &&SeenFile| seen.place == place && seen.name.eq_ignore_ascii_case(&file.name);
            if let Some(seen) = self.seen.iter().find(is_it) {
                self.book.mark(seen, Trouble::Growing("its size changed between two looks".to_string()));
            }
        }
        Reading::Known(later)
    }

    /// Takes what the monitor knows into the proof, or else what log shipping copied last, and reads the header of the file
    /// that is named. A folder of the path map that shows the monitor's newest one is the share, as long as the monitor was up
    /// to date when the primary fell silent.
    ///
    /// # Errors
    /// What keeps the backup instance from answering.
    pub(super) async fn take_known_end(
        &mut self,
        connector: &Connector,
        instance: &InstanceName,
        monitor: &MonitorEvidence,
        record: Option<&SecondaryRecord>,
        silent_since: Option<DateTime<Utc>>,
    ) -> Result<()> {
        let finished = monitor.last_backup.known().and_then(|last| last.as_ref()?.file.clone());
        let finished = finished.map(|file| (file, monitor.name.clone().unwrap_or_default(), true));
        let copied = || {
            let file = ServerPath::new(record?.last_copied_file.as_deref()?).file_name().to_string();
            (!file.is_empty()).then(|| (file, instance.to_string(), false))
        };
        let Some((file_name, witness, is_newest)) = finished.or_else(copied) else { return Ok(()) };
        self.known_end = Some(KnownEnd { file_name, witness, is_newest });
        let (redo, known_end) = (self.redo.clone(), self.known_end.clone());
        headers::read(connector, instance, &self.seen, &mut self.book, redo.as_ref(), known_end.as_ref()).await?;
        let last = monitor.last_backup.known().and_then(Option::as_ref);
        let copied = record.and_then(|record| record.last_copied_file.as_deref());
        if let Some(file) = last.and_then(|last| self.up_to_date(last, copied, silent_since.unwrap_or_else(Utc::now))) {
            let unproved = self.places.iter_mut().filter(|place| place.unproved.is_some());
            unproved.filter(|place| place.has(file)).for_each(|place| place.unproved = None);
        }
        Ok(())
    }

    /// The monitor's newest log backup, where the monitor was up to date: of a later one nobody knows.
    fn up_to_date<'a>(
        &self,
        last: &'a MonitoredBackup,
        copied: Option<&str>,
        silent_since: DateTime<Utc>,
    ) -> Option<&'a str> {
        let (file, at) = last.file.as_deref().zip(last.at_our_clock_utc)?;
        let stamp = name_stamp(file)?;
        let is_later = |name: &str| name_stamp(name).is_none_or(|other| other > stamp);
        let holds_log = |file: &&SeenFile| {
            self.book.headers(file).is_some_and(|headers| headers.iter().any(|h| h.backup_type == BackupType::Log))
        };
        let knows_all = !self.seen.iter().filter(holds_log).any(|file| is_later(&file.name))
            && !copied.is_some_and(|path| is_later(ServerPath::new(path).file_name()));
        (knows_all && silent_since - at <= MONITOR_HOLDS).then_some(file)
    }

    /// The look as evidence.
    pub(super) fn into_evidence(self, backup: &Backup) -> FileEvidence {
        let state = |place: &PlaceEvidence| match (&place.unproved, place.is_listed()) {
            (Some(why), _) => PlaceState::Unreachable(why.clone()),
            (None, true) => PlaceState::Listed,
            (None, false) => PlaceState::Unreachable(
                place.by_server.why().or(place.by_client.why()).unwrap_or("it cannot be listed").to_string(),
            ),
        };
        let listed =
            |place: &PlaceEvidence| Place { id: PlaceId(place.place), path: place.path.clone(), state: state(place) };
        let places: Vec<Place> = self.places.iter().map(listed).collect();
        let mut listing = self.book.listing(&self.seen, places, self.known_end);
        listing.unread.extend(places::bad_names(&self.places));
        listing.writer_offset_minutes = settled_offset(&listing, backup.facts.utc_offset_minutes);
        FileEvidence { listing, places: self.places, redo: backup.redo.clone(), free_bytes: self.free_bytes }
    }
}

/// How far the writer's clock is from UTC. The stamp in a name tells it where names are in UTC, as log shipping has them; a
/// tool that stamps its own time would make that time pass for UTC. Where the two are equal on a server that is not in UTC,
/// the moments of the files on the share decide; where they do not agree, nobody knows.
fn settled_offset(listing: &Listing, own_offset_minutes: i32) -> Option<i32> {
    if own_offset_minutes == 0 || listing.writer_offset_minutes != Some(0) {
        return listing.writer_offset_minutes;
    }
    let on_share = listing.candidates.iter().filter(|candidate| candidate.place == PlaceId::SHARE);
    let mut offsets = on_share.map(|candidate| {
        let seconds = (candidate.header.finished_at - candidate.modified_at?).num_seconds();
        let quarters = (seconds as f64 / 900.0).round() as i64;
        let is_near = (seconds - quarters * 900).abs() <= 60 && quarters.abs() <= 56;
        is_near.then_some(quarters as i32 * 15)
    });
    let first = offsets.next()??;
    offsets.all(|offset| offset == Some(first)).then_some(first)
}

fn by_name(names: &[Text]) -> Vec<FileSeen> {
    names.iter().map(|name| FileSeen { name: name.clone(), size_bytes: 0, modified_at_utc: None }).collect()
}

/// A moment without its zone, for the log chain: UTC.
fn naive(moment: Option<DateTime<Utc>>) -> Option<chrono::NaiveDateTime> {
    moment.map(|moment| moment.naive_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::sample;

    #[test]
    fn names_in_the_writers_own_time_do_not_make_it_pass_for_utc() {
        let listing = |hours: i64| {
            let mut listing = sample::evidence().files.listing;
            for candidate in &mut listing.candidates {
                candidate.modified_at = candidate.modified_at.map(|at| at - chrono::Duration::hours(hours));
            }
            listing
        };
        assert_eq!(settled_offset(&listing(2), 0), Some(0), "a server in UTC");
        assert_eq!(settled_offset(&listing(0), 120), Some(0), "the files say so too");
        assert_eq!(settled_offset(&listing(2), 120), Some(120));
        let mut unsure = listing(2);
        unsure.candidates[3].modified_at = None;
        assert_eq!(settled_offset(&unsure, 120), None);
        unsure.writer_offset_minutes = Some(60);
        assert_eq!(settled_offset(&unsure, 120), Some(60), "names in UTC tell it themselves");
    }
}
