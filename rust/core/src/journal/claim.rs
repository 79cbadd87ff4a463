//! A claim on something that two runs of one journal folder must not work on at once, where there is no instance to lock.

use std::path::Path;

use super::folder;
use super::lock::{self, LockError, RunLock};
use super::runs;
use crate::error::{Error, ErrorKind, Result};

/// A held claim; it goes with this value, and with the process however that ends.
#[derive(Debug)]
pub struct Claim {
    _lock: RunLock,
}

impl Claim {
    /// Takes the claim of this name in a journal's folder, at once or not at all.
    ///
    /// # Errors
    /// `Locked` (5008) with the run that holds it, as far as its journal tells; `JournalFolderInvalid` (7005).
    pub fn take(folder: &Path, name: &str) -> Result<Claim> {
        folder::ensure(folder)?;
        let file: String = name
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() || "-.+_".contains(letter) { letter } else { '_' })
            .collect();
        match lock::take(folder, &file) {
            Ok(lock) => Ok(Claim { _lock: lock }),
            Err(LockError::Held) => Err(held(folder, name)),
            Err(LockError::Io(error)) => Err(Error::new(
                ErrorKind::JournalFolderInvalid,
                format!("`{}` cannot hold a lock: {error}.", folder.join(format!("{file}.lock")).display()),
            )
            .with_unchanged("Nothing was changed.")
            .with_next("Correct the rights in the journal's folder, or give another one with `-JournalPath`.")),
        }
    }
}

/// The refusal, with the run that is under way.
fn held(folder: &Path, name: &str) -> Error {
    let by = runs::list(folder).into_iter().find_map(|run| {
        let head = run.head.filter(|_| run.is_open && run.is_held)?;
        let pool = head.pool_fqdn.as_deref()?.to_lowercase();
        name.contains(&pool).then(|| format!("run {} of {} on {}", run.run_id, head.operator, head.machine))
    });
    Error::new(ErrorKind::Locked, format!("{} works on these pools.", by.unwrap_or_else(|| "another run".to_string())))
        .with_unchanged("Nothing was changed.")
        .with_next("Wait for its end; `Get-PChatRun` shows it.")
        .with_target(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_held_by_one_at_a_time_and_goes_with_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let claim = Claim::take(folder.path(), "conference-pool1.contoso.com+pool2.contoso.com").unwrap();
        let error = Claim::take(folder.path(), "conference-pool1.contoso.com+pool2.contoso.com").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Locked);
        Claim::take(folder.path(), "conference-pool3.contoso.com+pool4.contoso.com").unwrap();
        drop(claim);
        Claim::take(folder.path(), "conference-pool1.contoso.com+pool2.contoso.com").unwrap();
    }
}
