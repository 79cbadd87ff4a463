//! What the benchmarks stand on: a lab with log backups of a given number and size, on the disk of the build.

use std::error::Error;
use std::path::{Path, PathBuf};

use pchat_core::files::{FileSystem, LocalFileSystem};
use pchat_core::names::ClientPath;
use pchat_tests::lab::LabProcess;
use pchat_tests::request::{failover_request, journal_place, path_map};
use serde_json::{json, Value};
use tempfile::TempDir;

/// Log backups of one size, none copied, none restored; the primary site is dead.
pub struct LogBackups {
    pub number: u32,
    pub kilobytes: u32,
    /// Bytes a second of RESTORE on the backup instance; as fast as it goes where there is none.
    pub restore_bytes_per_second: Option<u64>,
}

impl LogBackups {
    /// Bytes on the share.
    pub fn bytes(&self) -> u64 {
        u64::from(self.number) * u64::from(self.kilobytes) * 1024
    }
}

/// A lab with its files and a journal folder. Everything goes with this value.
pub struct Situation {
    pub lab: LabProcess,
    folder: TempDir,
}

impl Situation {
    /// Starts a lab. Refuses where the disk has no room for the files, their copies and as much again.
    pub fn start(files: &LogBackups) -> Result<Situation, Box<dyn Error>> {
        let folder = tempfile::Builder::new().prefix("pchat-bench-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let needed = files.bytes() * 4;
        match free_bytes(folder.path())? {
            Some(free) if free < needed => {
                return Err(format!(
                    "the disk of {} has {free} bytes free, and {needed} are wanted",
                    folder.path().display()
                )
                .into());
            }
            _ => {}
        }
        let mut scenario = json!({
            "name": "bench",
            "root": folder.path().join("lab"),
            "primary_site_lost": true,
            "log_shipping": {
                "log_backups": files.number,
                "not_copied": files.number,
                "not_restored": files.number,
                "log_backup_kilobytes": files.kilobytes,
                "interval_minutes": 1,
                "jobs_enabled": false,
            },
        });
        if let Some(rate) = files.restore_bytes_per_second {
            scenario["faults"] =
                json!([{"name": "slow_restore", "args": {"instance": "B\\RTC", "bytes_per_second": rate}}]);
        }
        let (file, journal) = (folder.path().join("scenario.json"), folder.path().join("journal"));
        std::fs::write(&file, scenario.to_string())?;
        std::fs::create_dir(journal)?;
        let program = artifact("PCHAT_TEST_LAB", &format!("pchat-lab{}", std::env::consts::EXE_SUFFIX))?;
        let lab = LabProcess::start(&program, &file.display().to_string())?;
        Ok(Situation { lab, folder })
    }

    /// The folder of the run's journal.
    pub fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// The request of the whole failover; `max_megabytes_per_second` limits its copying.
    pub fn failover(&self, max_megabytes_per_second: Option<u64>) -> Value {
        let mut request = failover_request(&self.lab.about, journal_place(&self.journal().display().to_string()));
        request["max_megabytes_per_second"] = json!(max_megabytes_per_second);
        request
    }

    /// The request of a single command on log backups, approved as it stands.
    pub fn command(&self) -> Value {
        json!({
            "version": 1,
            "target": {"sql_instance": "B\\RTC", "database": "mgc", "pool_fqdn": null},
            "plan_only": false,
            "approved_digest": null,
            "folders": {
                "log_backup_share": null,
                "copy_folder": null,
                "additional_log_backup_folders": [],
                "path_map": path_map(&self.lab.about),
            },
            "journal": journal_place(&self.journal().display().to_string()),
        })
    }
}

/// A built artifact, named by the environment as `cargo xtask bench` does.
pub fn artifact(variable: &str, name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let path = std::env::var_os(variable)
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/drill").join(name), PathBuf::from);
    if path.is_file() {
        return Ok(path);
    }
    Err(format!("{} is not built: run `cargo xtask bench`", path.display()).into())
}

/// The library.
pub fn library() -> Result<PathBuf, Box<dyn Error>> {
    artifact("PCHAT_TEST_LIBRARY", if cfg!(windows) { "pchat.dll" } else { "libpchat.so" })
}

/// The machine in one line.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores, {} {}", std::env::consts::OS, std::env::consts::ARCH)
}

fn free_bytes(folder: &Path) -> Result<Option<u64>, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(LocalFileSystem.free_space(&ClientPath::new(folder)))?)
}
