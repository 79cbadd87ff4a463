//! Extended procedures that look at the host's disks and registry, as the service account.

use super::{Answered, Bound, Reply};
use crate::engine::catalog::columns::*;
use crate::engine::connection::Connection;
use crate::engine::disk::{OsError, Who};
use crate::engine::error::SqlMessage;
use crate::scenario::Account;
use lab_tsql::{ResultSet, Value};
use std::path::Path;

impl Connection {
    /// Calls one of the `xp_` procedures.
    pub(super) fn machine(&mut self, name: &str, bound: &Bound) -> Answered {
        let who = Who { instance: self.instance, account: Account::Service };
        let path = bound.text("path").unwrap_or_default();
        match name {
            "xp_dirtree" => {
                let depth = bound.number("depth", 0);
                let files = bound.number("file", 0) != 0;
                let mut rows = Vec::new();
                let real = self.engine.world().resolve(who, &path, false);
                if let Ok(real) = real {
                    walk(&real, 1, depth, files, &mut rows);
                }
                let mut columns = vec![null("subdirectory", nv(512)), null("depth", INT)];
                if files {
                    columns.push(null("file", INT));
                }
                Ok(Reply { sets: vec![ResultSet { columns, rows, returns_rows: true }], ..Reply::default() })
            }
            "xp_fileexist" => {
                let real = self.engine.world().resolve(who, &path, false).ok();
                let file = real.as_ref().is_some_and(|p| p.is_file());
                let folder = real.as_ref().is_some_and(|p| p.is_dir());
                let parent = real.as_ref().and_then(|p| p.parent()).is_some_and(Path::is_dir);
                if bound.wants("result") {
                    return Ok(Reply { outputs: vec![("result", Value::Int(i32::from(file)))], ..Reply::default() });
                }
                let columns = vec![
                    null("File Exists", TINYINT),
                    null("File is a Directory", TINYINT),
                    null("Parent Directory Exists", TINYINT),
                ];
                let rows = vec![[file, folder, parent].map(|b| Value::TinyInt(u8::from(b))).to_vec()];
                Ok(Reply { sets: vec![ResultSet { columns, rows, returns_rows: true }], ..Reply::default() })
            }
            "xp_fixeddrives" => {
                let world = self.engine.world();
                let host = world.instances[self.instance].host;
                let rows = world.hosts[host]
                    .drives
                    .iter()
                    .map(|d| {
                        let free = world.free_bytes(self.instance, &format!("{}:\\", d.letter)) >> 20;
                        vec![text(&d.letter.to_string()), Value::Int(free as i32)]
                    })
                    .collect();
                let columns = vec![not_null("drive", ch(1)), not_null("MB free", INT)];
                Ok(Reply { sets: vec![ResultSet { columns, rows, returns_rows: true }], ..Reply::default() })
            }
            "xp_create_subdir" => {
                let mut world = self.engine.world();
                let made = world
                    .resolve(who, &path, true)
                    .and_then(|real| std::fs::create_dir_all(&real).map_err(|e| OsError::of(&e, &real)));
                if let Err(error) = made {
                    let text = format!(
                        "xp_create_subdir() returned error {}, '{}'",
                        error.0,
                        error.text().split_once('(').map_or("", |(_, t)| t.trim_end_matches(')'))
                    );
                    return Err(SqlMessage::new(22048, 16, 1, text));
                }
                let instance = world.instances[self.instance].name.clone();
                world.effect(&instance, "folder_created", path, &self.client.program);
                Ok(Reply::default())
            }
            "xp_delete_file" => self.delete_files(who, bound),
            _ => self.registry(bound),
        }
    }

    /// Deletes backup files only, as the maintenance helper does: a file that is no backup stays.
    fn delete_files(&mut self, who: Who, bound: &Bound) -> Answered {
        let folder = bound.text("folder").unwrap_or_default();
        let extension = bound.text("extension").unwrap_or_else(|| "bak".into()).trim_start_matches('.').to_lowercase();
        let cutoff = bound.text("cutoff");
        let mut world = self.engine.world();
        let failed = |error: OsError| {
            SqlMessage::new(
                22049,
                16,
                1,
                format!("Error executing extended stored procedure: Specified path '{folder}': {}", error.text()),
            )
        };
        let real = world.resolve(who, &folder, true).map_err(failed)?;
        if cutoff.is_some() && !real.is_file() {
            // Age is not simulated: only a named file, or a whole folder without a date, is deleted.
            return Ok(Reply::default());
        }
        let candidates: Vec<_> = if real.is_file() {
            vec![real]
        } else {
            std::fs::read_dir(&real).map_err(|e| failed(OsError::of(&e, &real)))?.flatten().map(|e| e.path()).collect()
        };
        for file in candidates {
            let fits = file.extension().is_some_and(|e| e.to_string_lossy().eq_ignore_ascii_case(&extension));
            if fits && crate::engine::backup_file::scan(&file).is_ok() && std::fs::remove_file(&file).is_ok() {
                let instance = world.instances[self.instance].name.clone();
                let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                world.effect(&instance, "file_deleted", format!("{folder}\\{name}"), &self.client.program);
            }
        }
        Ok(Reply::default())
    }

    fn registry(&mut self, bound: &Bound) -> Answered {
        let wanted = bound.text("value_name").unwrap_or_default();
        let world = self.engine.world();
        let inst = &world.instances[self.instance];
        let found = match wanted.to_lowercase().as_str() {
            "backupdirectory" => Some(inst.backup_folder()),
            "defaultdata" | "defaultlog" => Some(inst.data_folder()),
            "sqlpath" | "sqldataroot" => Some(inst.root_folder()),
            "objectname" => Some("CONTOSO\\sqlservice".to_owned()),
            _ => None,
        };
        let Some(found) = found else {
            let text = "RegQueryValueEx() returned error 2, 'The system cannot find the file specified.'";
            let mut reply = Reply { status: 1, ..Reply::default() };
            reply.messages.push(SqlMessage::new(22001, 0, 1, text));
            return Ok(reply);
        };
        if bound.wants("value") {
            return Ok(Reply { outputs: vec![("value", text(&found))], ..Reply::default() });
        }
        let columns = vec![null("Value", nv(255)), null("Data", nv(2000))];
        let rows = vec![vec![text(&wanted), text(&found)]];
        Ok(Reply { sets: vec![ResultSet { columns, rows, returns_rows: true }], ..Reply::default() })
    }
}

fn walk(folder: &Path, level: i64, depth: i64, files: bool, rows: &mut Vec<Vec<Value>>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.path().is_dir();
        if !is_folder && !files {
            continue;
        }
        let mut row = vec![text(&name), Value::Int(level as i32)];
        if files {
            row.push(Value::Int(i32::from(!is_folder)));
        }
        rows.push(row);
        if is_folder && (depth == 0 || level < depth) {
            walk(&entry.path(), level + 1, depth, files, rows);
        }
    }
}
