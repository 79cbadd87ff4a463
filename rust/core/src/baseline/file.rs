//! Baselines as files: each save writes a new one, whole or not at all; the newest are kept.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{Duration, NaiveDateTime};

use super::{Baseline, BASELINE_VERSION};
use crate::error::{Error, ErrorKind, Result};

/// The end of a file's name: `mgc_20260314021500.baseline.json`.
const EXTENSION: &str = ".baseline.json";
const PARTIAL: &str = ".pchat-partial";
const STAMP: &str = "%Y%m%d%H%M%S";
/// A baseline is some hundred kilobytes; what is a hundred times as long is none.
const SIZE_LIMIT: u64 = 64 << 20;

/// A baseline and where it lies.
#[derive(Debug, Clone)]
pub struct StoredBaseline {
    pub path: PathBuf,
    pub baseline: Baseline,
}

/// Writes a baseline into a folder under a new name, flushed before it gets that name, and removes old ones of the same
/// database beyond `keep`. The newest complete one always stays, and the newest of those that shows log shipping. Returns the file and what could not be tidied up.
///
/// # Errors
/// `BaselineNotWritten` (7008).
pub fn save(folder: &Path, baseline: &Baseline, keep: usize) -> Result<(PathBuf, Vec<String>)> {
    let failed = |error: io::Error| {
        Error::new(
            ErrorKind::BaselineNotWritten,
            format!("the baseline cannot be written to `{}`: {error}.", folder.display()),
        )
        .with_unchanged("Earlier baselines are as they were.")
        .with_next("Give a folder with -Path that this account can write to, and that outlives the site.")
        .with_target(folder.display().to_string())
    };
    let text = serde_json::to_vec_pretty(baseline)
        .map_err(|error| Error::new(ErrorKind::InternalFault, format!("the baseline cannot be written: {error}.")))?;
    fs::create_dir_all(folder).map_err(failed)?;
    let path = write_new(folder, baseline, &text).map_err(failed)?;
    Ok((path.clone(), remove_old(folder, &baseline.database, keep.max(1), &path)))
}

fn write_new(folder: &Path, baseline: &Baseline, text: &[u8]) -> io::Result<PathBuf> {
    // Never an older name than the newest one, though the clock went back.
    let newest = stamped(folder, Some(&baseline.database)).unwrap_or_default().pop();
    let mut at = baseline.saved_at_utc.naive_utc();
    if let Some((newest, _)) = newest.filter(|(newest, _)| *newest >= at) {
        at = newest + Duration::seconds(1);
    }
    loop {
        let path = folder.join(format!("{}_{}{EXTENSION}", safe(&baseline.database), at.format(STAMP)));
        let mut partial = path.clone().into_os_string();
        partial.push(PARTIAL);
        if path.exists() {
            at += Duration::seconds(1);
            continue;
        }
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&partial) {
            Ok(file) => file,
            // Another save at the same second, or one that was cut off.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                at += Duration::seconds(1);
                continue;
            }
            Err(error) => return Err(error),
        };
        let written = file.write_all(text).and_then(|()| file.sync_all());
        drop(file);
        if let Err(error) = written.and_then(|()| fs::rename(&partial, &path)) {
            let _ = fs::remove_file(&partial);
            return Err(error);
        }
        #[cfg(unix)]
        fs::File::open(folder)?.sync_all()?;
        return Ok(path);
    }
}

/// A database's name as part of a file's name.
fn safe(database: &str) -> String {
    database.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '.') { c } else { '-' }).collect()
}

fn remove_old(folder: &Path, database: &str, keep: usize, newest: &Path) -> Vec<String> {
    let files = match list(folder, Some(database)) {
        Ok(files) => files,
        Err(error) => return vec![error.to_string()],
    };
    let first =
        |fits: &dyn Fn(&Baseline) -> bool| files.iter().find(|path| read_file(path).is_ok_and(|found| fits(&found)));
    // Saved on and on while the backup serves, they would push out what the way home needs.
    let needed = [first(&Baseline::is_complete), first(&|found| found.is_complete() && found.shows_shipping())];
    let mut warnings = Vec::new();
    for path in files.iter().skip(keep).filter(|path| !needed.contains(&Some(*path)) && path.as_path() != newest) {
        if let Err(error) = fs::remove_file(path) {
            warnings.push(format!("The old baseline `{}` cannot be removed: {error}.", path.display()));
        }
    }
    warnings
}

/// The baselines of a folder, newest first by the time in their names; those of one database where it is named.
///
/// # Errors
/// `BaselineNotFound` (7007) where the folder cannot be read.
pub fn list(folder: &Path, database: Option<&str>) -> Result<Vec<PathBuf>> {
    let found = stamped(folder, database).map_err(|error| not_found(folder, &error.to_string()))?;
    Ok(found.into_iter().rev().map(|(_, path)| path).collect())
}

/// The same with the times of their names, oldest first.
fn stamped(folder: &Path, database: Option<&str>) -> io::Result<Vec<(NaiveDateTime, PathBuf)>> {
    let mut found: Vec<(NaiveDateTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Some((owner, stamp)) = name.strip_suffix(EXTENSION).and_then(|stem| stem.rsplit_once('_')) else {
            continue;
        };
        let Ok(at) = NaiveDateTime::parse_from_str(stamp, STAMP) else { continue };
        if database.is_none_or(|database| safe(database) == owner) {
            found.push((at, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// The baseline of a file, or the newest readable one of a folder.
///
/// # Errors
/// `BaselineNotFound` (7007), `BaselineUnreadable` (7009).
pub fn newest(path: &Path, database: Option<&str>) -> Result<StoredBaseline> {
    if !path.is_dir() {
        return Ok(StoredBaseline { baseline: read_file(path)?, path: path.to_path_buf() });
    }
    let mut first_error = None;
    for file in list(path, database)? {
        match read_file(&file) {
            Ok(baseline) => return Ok(StoredBaseline { path: file, baseline }),
            Err(error) => drop(first_error.get_or_insert(error)),
        }
    }
    Err(first_error.unwrap_or_else(|| not_found(path, "the folder has no baseline")))
}

/// What a way home comes back to: the baseline of a file, or of a folder the newest readable one that shows log shipping as it
/// was while all was well. How many newer ones were passed over is told; where none shows it, the newest is taken.
///
/// # Errors
/// As [`newest`].
pub fn newest_shipping(path: &Path, database: Option<&str>) -> Result<(StoredBaseline, usize)> {
    if path.is_dir() {
        for (newer, file) in list(path, database)?.into_iter().enumerate() {
            if let Some(baseline) = read_file(&file).ok().filter(Baseline::shows_shipping) {
                return Ok((StoredBaseline { path: file, baseline }, newer));
            }
        }
    }
    newest(path, database).map(|found| (found, 0))
}

/// The folder that a baseline lies in, by its place: a file, or the folder itself. Looks at nothing.
pub(crate) fn folder_of(baseline: &Path) -> &Path {
    // A folder may have a dot in its name.
    let is_file = baseline.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    match baseline.parent() {
        Some(folder) if is_file => folder,
        _ => baseline,
    }
}

/// Reads a baseline. Strict: a missing or an unknown member is an error.
///
/// # Errors
/// `BaselineNotFound` (7007), `BaselineUnreadable` (7009).
pub fn read_file(path: &Path) -> Result<Baseline> {
    let unreadable = |why: String| {
        Error::new(ErrorKind::BaselineUnreadable, format!("the baseline `{}` cannot be used: {why}.", path.display()))
            .with_unchanged("Nothing was changed.")
            .with_next("Use another baseline, or the release that wrote this one.")
            .with_target(path.display().to_string())
    };
    let about = fs::metadata(path).map_err(|error| not_found(path, &error.to_string()))?;
    if !about.is_file() || about.len() > SIZE_LIMIT {
        return Err(unreadable("it is no file of a baseline's size".to_string()));
    }
    let text = fs::read(path).map_err(|error| not_found(path, &error.to_string()))?;
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(BASELINE_VERSION) => {}
        found => {
            let found = found.map_or("no version".to_string(), |version| format!("version {version}"));
            return Err(unreadable(format!("it has {found}; this release reads version {BASELINE_VERSION}")));
        }
    }
    let baseline: Baseline = serde_json::from_value(value.clone()).map_err(|error| unreadable(error.to_string()))?;
    // Parts that other documents share take unknown members in silence; written again, they would be missing.
    let again = serde_json::to_value(&baseline).map_err(|error| unreadable(error.to_string()))?;
    match first_difference("", &value, &again) {
        Some(place) => Err(unreadable(format!("the member `{place}` is unknown or missing"))),
        None => Ok(baseline),
    }
}

/// The first member that only one of two documents has.
fn first_difference(path: &str, left: &serde_json::Value, right: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (left.get(name), right.get(name)) {
                    (Some(left), Some(right)) => first_difference(&place, left, right),
                    _ => Some(place),
                }
            })
        }
        (Value::Array(left), Value::Array(right)) => {
            left.iter().zip(right).find_map(|(left, right)| first_difference(path, left, right))
        }
        _ => None,
    }
}

fn not_found(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::BaselineNotFound, format!("there is no baseline at `{}`: {why}.", path.display()))
        .with_unchanged("Nothing was changed.")
        .with_next("Name the file, or the folder that holds it.")
        .with_target(path.display().to_string())
}
