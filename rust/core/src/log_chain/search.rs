//! Newest first search: which headers are worth reading, so that a folder of ten thousand files needs few.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDateTime;

use super::fork;
use super::prove::verdict;
use super::{
    is_log_backup_name, name_stamp, utc_offset_minutes, BackupType, Candidate, Header, KnownEnd, Listing, Place,
    PlaceId, RedoPoint, Trouble, UnreadFile, Verdict,
};
use crate::names::{ServerPath, Text};

/// A file as a folder shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenFile {
    /// Without folder.
    pub name: Text,
    pub place: PlaceId,
    /// As the instance opens it.
    pub path: ServerPath,
    pub size_bytes: u64,
    /// UTC; `None` where the way of looking does not tell it (`xp_dirtree`).
    pub modified_at: Option<NaiveDateTime>,
}

/// What a header is remembered by: two files that agree in it hold the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileKey {
    name: Text,
    size_bytes: u64,
    modified_at: Option<NaiveDateTime>,
    /// Only where no time is known: then nothing tells two equal names and sizes apart but the place.
    place: Option<PlaceId>,
}

impl FileKey {
    /// The key of a file; names compare without regard to case.
    pub fn of(file: &SeenFile) -> FileKey {
        FileKey {
            name: file.name.in_lower_case(),
            size_bytes: file.size_bytes,
            modified_at: file.modified_at,
            place: file.modified_at.is_none().then_some(file.place),
        }
    }
}

/// The headers of one file, which holds one set as a rule.
#[derive(Debug, Clone)]
enum Headers {
    One(Arc<Header>),
    Several(Box<[Arc<Header>]>),
}

impl Headers {
    fn as_slice(&self) -> &[Arc<Header>] {
        match self {
            Headers::One(header) => std::slice::from_ref(header),
            Headers::Several(headers) => headers,
        }
    }
}

impl From<Vec<Arc<Header>>> for Headers {
    fn from(mut headers: Vec<Arc<Header>>) -> Headers {
        match headers.pop() {
            Some(one) if headers.is_empty() => Headers::One(one),
            last => Headers::Several(headers.into_iter().chain(last).collect()),
        }
    }
}

/// Headers read so far. Lives as long as a run; a file that changed has another key.
#[derive(Debug, Clone, Default)]
pub struct HeaderBook {
    headers: HashMap<FileKey, Headers>,
    /// Names in headers, each once.
    names: HashSet<Text>,
    troubles: HashMap<(PlaceId, FileKey), Trouble>,
}

impl HeaderBook {
    /// Remembers what reading a file's headers brought.
    pub fn insert(&mut self, file: &SeenFile, outcome: std::result::Result<Vec<Header>, Trouble>) {
        match outcome {
            Ok(headers) if headers.is_empty() => {
                self.mark(file, Trouble::Malformed("it holds no backup set".to_string()))
            }
            Ok(headers) => {
                self.troubles.remove(&(file.place, FileKey::of(file)));
                let shared: Vec<Arc<Header>> = headers.into_iter().map(|header| self.shared(header)).collect();
                self.headers.insert(FileKey::of(file), shared.into());
            }
            Err(trouble) => self.mark(file, trouble),
        }
    }

    fn shared(&mut self, mut header: Header) -> Arc<Header> {
        for name in [&mut header.database_name, &mut header.server_name] {
            match self.names.get(name) {
                Some(known) => *name = known.clone(),
                None => drop(self.names.insert(name.clone())),
            }
        }
        Arc::new(header)
    }

    /// Remembers that this very file, at this place, turned out not to be whole; copies elsewhere stay as they are.
    pub fn mark(&mut self, file: &SeenFile, trouble: Trouble) {
        self.troubles.insert((file.place, FileKey::of(file)), trouble);
    }

    /// Forgets what could not be read, so that the next look tries it again.
    pub fn forget_troubles(&mut self) {
        self.troubles.clear();
    }

    /// The headers of a file, where they are known.
    pub fn headers(&self, file: &SeenFile) -> Option<&[Arc<Header>]> {
        self.headers.get(&FileKey::of(file)).map(Headers::as_slice)
    }

    fn is_bad(&self, file: &SeenFile) -> bool {
        !self.troubles.is_empty() && self.troubles.contains_key(&(file.place, FileKey::of(file)))
    }

    fn is_known(&self, file: &SeenFile) -> bool {
        let key = FileKey::of(file);
        self.headers.contains_key(&key) || self.troubles.contains_key(&(file.place, key))
    }

    /// Makes the input of the proof from a fresh look at the folders. Files without a known header are counted only.
    pub fn listing(&self, files: &[SeenFile], places: Vec<Place>, known_end: Option<KnownEnd>) -> Listing {
        let mut listing = Listing { places, known_end, ..Listing::default() };
        let mut newest: Option<(NaiveDateTime, i32)> = None;
        let known = files.iter().filter_map(|file| self.headers.get(&FileKey::of(file)));
        listing.candidates.reserve_exact(known.map(|headers| headers.as_slice().len()).sum());
        for file in files.iter().filter(|file| is_log_backup_name(&file.name)) {
            let key = FileKey::of(file);
            let headers = self.headers.get(&key);
            let trouble = self.troubles.get(&(file.place, key));
            let Some(headers) = headers else {
                match trouble {
                    Some(trouble) => listing.unread.push(UnreadFile {
                        name: file.name.clone(),
                        place: file.place,
                        path: file.path.clone(),
                        file_bytes: file.size_bytes,
                        modified_at: file.modified_at,
                        trouble: trouble.clone(),
                    }),
                    None => listing.not_read_count += 1,
                }
                continue;
            };
            for header in headers.as_slice() {
                if let Some(minutes) = utc_offset_minutes(&file.name, header) {
                    if newest.is_none_or(|(at, _)| at < header.finished_at) {
                        newest = Some((header.finished_at, minutes));
                    }
                }
                listing.candidates.push(Candidate {
                    name: file.name.clone(),
                    place: file.place,
                    path: file.path.clone(),
                    header: Arc::clone(header),
                    file_bytes: file.size_bytes,
                    modified_at: file.modified_at,
                    trouble: trouble.cloned(),
                });
            }
        }
        listing.writer_offset_minutes = newest.map(|(_, minutes)| minutes);
        listing
    }
}

/// Which files to read next, at most `batch`, as indexes into `files`. Empty when enough is known for the proof.
///
/// Names and times only say where to look first. Reading goes from the newest file back, once by time and once by the
/// stamp in the names, until each way has met a set that begins at or below the redo point. If the chain is not complete
/// with that, everything else is read too, so a gap is never told before every header is known.
pub fn next_to_read(
    redo: &RedoPoint,
    files: &[SeenFile],
    book: &HeaderBook,
    known_end: Option<&KnownEnd>,
    batch: usize,
) -> Vec<usize> {
    let mut wanted: Vec<usize> = Vec::new();
    let eligible: Vec<usize> = (0..files.len()).filter(|index| is_log_backup_name(&files[*index].name)).collect();
    // The file that a witness named, and other copies of what could not be read.
    let mut asked: HashSet<String> = known_end.iter().map(|end| end.file_name.to_lowercase()).collect();
    asked.extend(
        eligible.iter().filter(|index| book.is_bad(&files[**index])).map(|index| files[*index].name.to_lowercase()),
    );
    if !asked.is_empty() {
        let is_asked = |index: &usize| asked.contains(&files[*index].name.to_lowercase());
        wanted.extend(eligible.iter().copied().filter(|index| is_asked(index) && !book.is_known(&files[*index])));
    }
    let mut by_time: Vec<(NaiveDateTime, usize)> =
        eligible.iter().map(|index| (files[*index].modified_at.unwrap_or(NaiveDateTime::MAX), *index)).collect();
    let mut by_name: Vec<(NaiveDateTime, usize)> =
        eligible.iter().filter_map(|index| Some((name_stamp(&files[*index].name)?, *index))).collect();
    let mut is_anchored = true;
    for order in [&mut by_time, &mut by_name] {
        order.sort_unstable_by(|a, b| b.cmp(a));
        is_anchored &= take_until_anchor(redo, files, book, order, batch, &mut wanted);
    }
    if wanted.is_empty() && !(is_anchored && is_complete(redo, files, book)) {
        let rest = by_time.iter().map(|(_, index)| *index).filter(|index| !book.is_known(&files[*index]));
        wanted.extend(rest.take(batch));
    }
    wanted.truncate(batch);
    wanted
}

fn take_until_anchor(
    redo: &RedoPoint,
    files: &[SeenFile],
    book: &HeaderBook,
    order: &[(NaiveDateTime, usize)],
    batch: usize,
    wanted: &mut Vec<usize>,
) -> bool {
    let mut anchor = None;
    for &(time, index) in order {
        // Files of the same time, such as the stripes of one set, are read together.
        if anchor.is_some_and(|anchor| anchor != time) {
            return true;
        }
        if wanted.len() >= batch {
            return false;
        }
        let file = &files[index];
        if !book.is_known(file) {
            if !wanted.contains(&index) {
                wanted.push(index);
            }
        } else if book.headers(file).is_some_and(|headers| headers.iter().any(|header| is_anchor(redo, header))) {
            anchor = Some(time);
        }
    }
    anchor.is_some() || order.is_empty()
}

/// A set that begins where the database has been already: older ones cannot be needed while the chain is whole.
fn is_anchor(redo: &RedoPoint, header: &Header) -> bool {
    header.backup_type == BackupType::Log
        && header.first_lsn <= redo.lsn
        && redo.family_id.is_none_or(|family| family == header.family_id)
        && fork::fits(header, redo.lsn, redo.fork_id)
}

fn is_complete(redo: &RedoPoint, files: &[SeenFile], book: &HeaderBook) -> bool {
    verdict(redo, &book.listing(files, Vec::new(), None)) == Verdict::Complete
}
