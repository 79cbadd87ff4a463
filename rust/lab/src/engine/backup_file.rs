//! Backup files: a container of our own that every instance of the lab reads.
//!
//! A file holds one media header and any number of backup sets. A set is a header (what HEADERONLY, FILELISTONLY and
//! LABELONLY show), a payload (the log records with their message numbers, then padding up to a realistic size) and an
//! end mark with the payload's checksum. A cut file lacks its end, a turned bit breaks a checksum.

use super::disk::OsError;
use super::lsn::Lsn;
use super::model::{DataFile, Fork, Record, User};
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use uuid::Uuid;

const MEDIA_MARK: &[u8; 16] = b"PCHAT-LAB-MEDIA1";
const SET_MARK: &[u8; 16] = b"PCHAT-LAB-SET-01";
const END_MARK: &[u8; 16] = b"PCHAT-LAB-END-01";

/// What a file says about its media set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MediaHeader {
    pub media_name: Option<String>,
    pub media_set: Uuid,
    pub family: Uuid,
    pub family_count: u32,
    pub family_sequence: u32,
    pub date: NaiveDateTime,
    pub compressed: bool,
}

/// What a backup set says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetHeader {
    pub set_guid: Uuid,
    pub name: Option<String>,
    pub description: Option<String>,
    /// 1 database, 2 log.
    pub backup_type: i16,
    pub compressed: bool,
    pub position: i16,
    pub user: String,
    pub server: String,
    pub machine: String,
    pub database: String,
    pub internal_version: i32,
    pub created: NaiveDateTime,
    pub backup_size: i64,
    pub first_lsn: Lsn,
    pub last_lsn: Lsn,
    pub checkpoint_lsn: Lsn,
    pub database_backup_lsn: Lsn,
    pub started: NaiveDateTime,
    pub finished: NaiveDateTime,
    pub compatibility: u8,
    /// Major, minor, build.
    pub version: (i32, i32, i32),
    pub flags: i32,
    pub binding: Uuid,
    pub family: Uuid,
    pub first_fork: Uuid,
    pub last_fork: Uuid,
    pub fork_point: Option<Lsn>,
    pub collation: String,
    pub read_only: bool,
    pub single_user: bool,
    pub checksums: bool,
    pub damaged: bool,
    pub begins_chain: bool,
    pub incomplete_metadata: bool,
    pub force_offline: bool,
    pub copy_only: bool,
    pub recovery_model: String,
    pub differential_base: Option<(Lsn, Uuid)>,
    /// All forks up to the end of the set.
    pub forks: Vec<Fork>,
    pub files: Vec<DataFile>,
    pub users: Vec<User>,
    pub chat: bool,
    /// Bytes of the payload in this file.
    pub payload_bytes: u64,
    /// Bytes of records at the head of the payload.
    pub records_bytes: u64,
}

/// A set as found in a file.
#[derive(Clone, Debug)]
pub struct FoundSet {
    pub header: SetHeader,
    pub payload_at: u64,
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Empty file: 3254.
    Empty,
    /// Not a backup, or cut within its headers: 3241.
    Malformed,
    /// Cut within a payload: 3203 with OS error 38.
    Cut,
    /// All of the payload and no end mark: 3256.
    Unfinished,
    /// The payload's checksum does not fit: 3183 or 3189.
    Damaged,
    /// The operating system refused: 3203 with its code.
    Os(OsError),
}

/// The headers of a file.
#[derive(Clone, Debug)]
pub struct Contents {
    pub media: MediaHeader,
    pub sets: Vec<FoundSet>,
    /// Set after the last whole one that is cut.
    pub unfinished: Option<Fault>,
    pub length: u64,
}

/// A running checksum over words of eight bytes.
#[derive(Clone, Copy)]
pub struct Checksum(u64);

impl Checksum {
    /// The start value.
    pub fn new() -> Self {
        Checksum(0xCBF2_9CE4_8422_2325)
    }

    /// Takes in bytes; all pieces but the last have a multiple of eight.
    pub fn add(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let word = u64::from_le_bytes([word[0], word[1], word[2], word[3], word[4], word[5], word[6], word[7]]);
            self.0 = (self.0 ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        }
        for byte in words.remainder() {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }

    /// The sum.
    pub fn value(self) -> u64 {
        self.0
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Checksum::new()
    }
}

fn block(mark: &[u8; 16], json: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(json.len() + 32);
    bytes.extend_from_slice(mark);
    bytes.extend_from_slice(&(json.len() as u32).to_le_bytes());
    bytes.extend_from_slice(json);
    let mut sum = Checksum::new();
    sum.add(json);
    bytes.extend_from_slice(&sum.value().to_le_bytes());
    bytes
}

/// The bytes of a media header.
pub fn media_bytes(media: &MediaHeader) -> Vec<u8> {
    block(MEDIA_MARK, &serde_json::to_vec(media).unwrap_or_default())
}

/// The bytes of a set, padded to at least `size` bytes. Fills in the sizes of `header`.
pub fn set_bytes(header: &mut SetHeader, records: &[Record], size: u64, seed: u64) -> Vec<u8> {
    let pairs: Vec<(Lsn, u64)> = records.iter().map(|r| (r.lsn, r.message)).collect();
    let mut payload = serde_json::to_vec(&pairs).unwrap_or_default();
    header.records_bytes = payload.len() as u64;
    let mut random = super::model::Random(seed);
    let pattern: Vec<u8> = (0..512).flat_map(|_| random.next_bits().to_le_bytes()).collect();
    while (payload.len() as u64) < size {
        let missing = (size as usize - payload.len()).min(pattern.len());
        payload.extend_from_slice(&pattern[..missing]);
    }
    header.payload_bytes = payload.len() as u64;
    header.backup_size = header.payload_bytes as i64;
    let mut bytes = block(SET_MARK, &serde_json::to_vec(header).unwrap_or_default());
    bytes.reserve(payload.len() + 24);
    let mut sum = Checksum::new();
    sum.add(&payload);
    bytes.append(&mut payload);
    bytes.extend_from_slice(END_MARK);
    bytes.extend_from_slice(&sum.value().to_le_bytes());
    bytes
}

/// Reads a block's JSON; `None` when there is nothing left.
fn read_block<T: serde::de::DeserializeOwned>(
    file: &mut File,
    mark: &[u8; 16],
    path: &Path,
) -> Result<Option<T>, Fault> {
    let mut head = [0u8; 20];
    let mut got = 0;
    while got < head.len() {
        match file.read(&mut head[got..]).map_err(|e| Fault::Os(OsError::of(&e, path)))? {
            0 if got == 0 => return Ok(None),
            0 => return Err(Fault::Malformed),
            n => got += n,
        }
    }
    if &head[..16] != mark {
        return Err(Fault::Malformed);
    }
    let length = u32::from_le_bytes([head[16], head[17], head[18], head[19]]) as usize;
    if length > 16 << 20 {
        return Err(Fault::Malformed);
    }
    let mut rest = vec![0u8; length + 8];
    file.read_exact(&mut rest).map_err(|_| Fault::Malformed)?;
    let mut sum = Checksum::new();
    sum.add(&rest[..length]);
    if sum.value().to_le_bytes() != rest[length..] {
        return Err(Fault::Malformed);
    }
    serde_json::from_slice(&rest[..length]).map(Some).map_err(|_| Fault::Malformed)
}

/// Reads the headers of a file. Reads only.
///
/// # Errors
/// `Empty`, `Malformed`, `Os`; a cut last set is told in `unfinished`.
pub fn scan(path: &Path) -> Result<Contents, Fault> {
    let mut file = File::open(path).map_err(|e| Fault::Os(OsError::of(&e, path)))?;
    let length = file.metadata().map_err(|e| Fault::Os(OsError::of(&e, path)))?.len();
    if length == 0 {
        return Err(Fault::Empty);
    }
    let media: MediaHeader = read_block(&mut file, MEDIA_MARK, path)?.ok_or(Fault::Malformed)?;
    let mut contents = Contents { media, sets: Vec::new(), unfinished: None, length };
    loop {
        let header: SetHeader = match read_block(&mut file, SET_MARK, path) {
            Ok(Some(header)) => header,
            Ok(None) => return Ok(contents),
            Err(fault) => {
                contents.unfinished = Some(fault);
                return Ok(contents);
            }
        };
        let os = |e: std::io::Error| Fault::Os(OsError::of(&e, path));
        let payload_at = file.stream_position().map_err(os)?;
        let end = payload_at + header.payload_bytes;
        if end + 24 > length {
            contents.unfinished = Some(if end > length { Fault::Cut } else { Fault::Unfinished });
            return Ok(contents);
        }
        file.seek(SeekFrom::Start(end + 24)).map_err(os)?;
        contents.sets.push(FoundSet { header, payload_at });
    }
}

/// Reads a payload piece by piece, as a restore does.
pub struct PayloadReader {
    file: File,
    left: u64,
    records: Vec<u8>,
    records_bytes: usize,
    sum: Checksum,
}

impl PayloadReader {
    /// Opens the payload of a set.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open(path: &Path, set: &FoundSet) -> Result<Self, Fault> {
        let os = |e: std::io::Error| Fault::Os(OsError::of(&e, path));
        let mut file = File::open(path).map_err(os)?;
        file.seek(SeekFrom::Start(set.payload_at)).map_err(os)?;
        Ok(PayloadReader {
            file,
            left: set.header.payload_bytes,
            records: Vec::new(),
            records_bytes: set.header.records_bytes as usize,
            sum: Checksum::new(),
        })
    }

    /// Reads up to `bytes` more; 0 at the end. `bytes` is a multiple of eight.
    ///
    /// # Errors
    /// `Cut` when the file ends too early.
    pub fn advance(&mut self, bytes: usize) -> Result<u64, Fault> {
        let wanted = (bytes as u64).min(self.left) as usize;
        if wanted == 0 {
            return Ok(0);
        }
        let mut buffer = vec![0u8; wanted];
        self.file.read_exact(&mut buffer).map_err(|_| Fault::Cut)?;
        self.sum.add(&buffer);
        let missing = self.records_bytes.saturating_sub(self.records.len()).min(wanted);
        self.records.extend_from_slice(&buffer[..missing]);
        self.left -= wanted as u64;
        Ok(wanted as u64)
    }

    /// The records, once everything was read.
    ///
    /// # Errors
    /// `Damaged` when the checksum does not fit, `Unfinished` without an end mark.
    pub fn finish(mut self) -> Result<Vec<Record>, Fault> {
        let mut end = [0u8; 24];
        self.file.read_exact(&mut end).map_err(|_| Fault::Unfinished)?;
        if &end[..16] != END_MARK {
            return Err(Fault::Unfinished);
        }
        if self.sum.value().to_le_bytes() != end[16..] {
            return Err(Fault::Damaged);
        }
        if self.records.is_empty() {
            return Ok(Vec::new());
        }
        let pairs: Vec<(Lsn, u64)> = serde_json::from_slice(&self.records).map_err(|_| Fault::Damaged)?;
        Ok(pairs.into_iter().map(|(lsn, message)| Record { lsn, message }).collect())
    }
}

/// Writes a whole file at once, as the scenario builder does.
///
/// # Errors
/// The operating system's.
pub fn write_file(path: &Path, media: &MediaHeader, set: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = File::create(path)?;
    file.write_all(&media_bytes(media))?;
    file.write_all(set)
}
