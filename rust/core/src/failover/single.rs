//! A run for a single command: the same locks, changes and steps as in a failover, with a plan of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Utc;

use super::places::prove;
use super::{plan, Failover, Run};
use crate::document::FailoverRequest;
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::evidence::{capture, Evidence};
use crate::host::{Cancel, Host, Level};
use crate::journal;
use crate::names::ClientPath;
use crate::operation::Session;
use crate::run::start::{create, head, journal_folder};
use crate::run::{Book, Locks, Outside, Parts, View};
use crate::system_log;

/// What a single command starts with, once it may change something.
pub(crate) struct Begin {
    pub session: Arc<Session>,
    pub host: Arc<dyn Host>,
    pub cancel: Cancel,
    pub view: Arc<View>,
    pub locks: Locks,
    pub evidence: Evidence,
    pub request: FailoverRequest,
    /// The journal's word for it; `None` where no journal is kept, since nothing is removed or recovered.
    pub journal_kind: Option<&'static str>,
    /// True where the journal must have its second copy, unless that is declined.
    pub needs_journal_copy: bool,
    /// True where the copy folder is to be proved by a marker.
    pub proves_copy_folder: bool,
}

impl Run {
    /// Begins: proves the copy folder where that is wanted, and creates the journal with its capture.
    ///
    /// A missing second copy of the journal only warns where the command can be repeated.
    ///
    /// # Errors
    /// `JournalFolderInvalid` (7005); `JournalCopyMissing` (7006) where the copy is needed; those of the instance. Nothing was
    /// changed.
    pub(crate) async fn of_command(begin: Begin) -> Result<Run> {
        let Begin {
            session,
            host,
            cancel,
            view,
            locks,
            evidence,
            request,
            journal_kind,
            needs_journal_copy,
            proves_copy_folder,
        } = begin;
        let instance = request.target.sql_instance.parse()?;
        let plan = plan::make(&evidence, &request)?;
        let proved = match proves_copy_folder || journal_kind.is_some() {
            true => prove(&session, &instance, &evidence, &request.folders.path_map, &host).await?,
            false => None,
        };
        let (run_id, book, plan, capture) = match journal_kind {
            None => (String::new(), Book::unwritten(Arc::clone(&host)), plan, capture(&evidence)),
            Some(kind) => {
                let run_id = journal::new_run_id(Utc::now());
                let copy = second_folder(&request, proved.as_ref());
                let is_missing = copy.is_none() && !request.journal.no_journal_copy;
                if is_missing && needs_journal_copy {
                    locks.release().await;
                    return Err(copy_missing(&evidence.database));
                }
                if is_missing {
                    let text =
                        "The journal has no second copy: no folder of this machine is proved to be the copy folder.";
                    host.message(Level::Warning, text.to_string());
                }
                let head = head(&run_id, kind, plan, capture(&evidence), copy.as_deref());
                cancel.check()?;
                let (journal, head) = create(journal_folder(&request.journal), copy, head).await?;
                let book = Book::new(journal, Arc::clone(&host), &[]);
                view.set_journal(&run_id, &book.path());
                (run_id, book, head.plan, head.capture)
            }
        };
        let outside = Outside { session, host, cancel, view };
        let mut work = Failover::new(request, evidence)?;
        work.proved_copy_folder = proved;
        Ok(Run::new(&outside, Parts { run_id, plan, capture, work, book, locks, is_committed: false }))
    }

    /// Closes the journal, where there is one, and gives the locks back. A single command is never resumed: it is run
    /// again, and goes on from what it finds.
    pub(crate) async fn end_command(&self, outcome: Outcome, text: &str) {
        if let Err(error) = self.book.ended(outcome, text).await {
            self.host.message(Level::Warning, error.to_string());
        }
        if !self.run_id.is_empty() {
            system_log::ends(&self.plan, &self.view.kind(), &self.run_id, outcome, text);
        }
        self.locks.release().await;
    }
}

/// The refusal to delete what a single journal alone would know of.
pub(crate) fn copy_missing(database: &str) -> Error {
    Error::new(
        ErrorKind::JournalCopyMissing,
        "there is no folder for the second copy of the journal: this machine alone would know what is deleted.",
    )
    .with_unchanged("Nothing was changed.")
    .with_next("Name a folder at the backup site with `-JournalCopyPath`, or decline with `-NoJournalCopy`.")
    .with_target(database)
}

fn second_folder(request: &FailoverRequest, proved: Option<&ClientPath>) -> Option<PathBuf> {
    let place = &request.journal;
    let named = place.journal_copy_path.as_ref().map(PathBuf::from);
    let first = journal_folder(place);
    let found =
        named.or_else(|| proved.map(|folder| folder.as_path().to_path_buf()).filter(|_| !place.no_journal_copy));
    found.filter(|copy| copy.as_path() != Path::new(&first))
}
