//! The backup and restore history of msdb.

use super::backup_file::{MediaHeader, SetHeader};
use chrono::NaiveDateTime;

/// A row of `backupset` with its media set.
#[derive(Clone, Debug)]
pub struct BackupSetRow {
    pub id: i32,
    pub media_set_id: i32,
    pub header: SetHeader,
}

/// A row of `backupmediafamily`.
#[derive(Clone, Debug)]
pub struct MediaFamilyRow {
    pub media_set_id: i32,
    pub media: MediaHeader,
    pub device: String,
}

/// A row of `restorehistory`.
#[derive(Clone, Debug)]
pub struct RestoreRow {
    pub id: i32,
    pub date: NaiveDateTime,
    pub database: String,
    pub user: String,
    pub backup_set_id: i32,
    /// D or L.
    pub kind: char,
    pub replace: bool,
    pub recovery: bool,
    pub restart: bool,
    pub devices: u8,
    /// Physical files with their numbers.
    pub files: Vec<(i32, String)>,
}

/// The history tables of one msdb.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub sets: Vec<BackupSetRow>,
    pub families: Vec<MediaFamilyRow>,
    pub restores: Vec<RestoreRow>,
}

impl History {
    /// Adds a backup set and its devices, unless the set is known; returns its id.
    pub fn add_set(&mut self, header: &SetHeader, media: &[(MediaHeader, String)]) -> i32 {
        if let Some(known) = self.sets.iter().find(|s| s.header.set_guid == header.set_guid) {
            return known.id;
        }
        let known_media = media.first().and_then(|(m, device)| {
            self.families.iter().find(|f| f.media.media_set == m.media_set && &f.device == device)
        });
        let media_set_id = match known_media {
            Some(row) => row.media_set_id,
            None => {
                let id = self.families.iter().map(|f| f.media_set_id).max().unwrap_or(0) + 1;
                self.families.extend(media.iter().map(|(media, device)| MediaFamilyRow {
                    media_set_id: id,
                    media: media.clone(),
                    device: device.clone(),
                }));
                id
            }
        };
        let id = self.sets.last().map_or(0, |s| s.id) + 1;
        self.sets.push(BackupSetRow { id, media_set_id, header: header.clone() });
        id
    }

    /// Adds a restore; its id is filled in.
    pub fn add_restore(&mut self, mut row: RestoreRow) {
        row.id = self.restores.last().map_or(0, |r| r.id) + 1;
        self.restores.push(row);
    }
}
