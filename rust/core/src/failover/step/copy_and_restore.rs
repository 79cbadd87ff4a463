//! Log backups are copied ahead while the next one is restored, all by LSN.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::restores::{wanted, Restores, Wanted};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::{count, Evidence};
use crate::failover::copies::{Copies, CopyItem};
use crate::failover::plan::{step_name, Decision, Way};
use crate::failover::SecondaryWork;
use crate::host::Level;
use crate::journal::crash_points;
use crate::log_chain::Listing;
use crate::memory;
use crate::names::{ClientPath, ServerPath};
use crate::run::{Announced, InTurn};
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::database::{self, DatabaseState};
use crate::sql::restore::{restore_log_statement, LogRestore, RestoreProgress, Restorer};
use crate::sql::{backup_file, job, Purpose};

/// A look at the folders, then everything that it shows; new files may come meanwhile, or only be readable once copied.
const ROUNDS: u32 = 8;
const COPY_JOB_LIMIT: Duration = Duration::from_secs(12 * 3600);

pub(crate) struct CopyAndRestore;

#[async_trait]
impl<W: SecondaryWork> Step<W> for CopyAndRestore {
    fn name(&self) -> &'static str {
        step_name::COPY_AND_RESTORE
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        let mut connection = run.connect(Purpose::Catalog).await?;
        if database::need(&mut connection, run.database()).await?.state == DatabaseState::Online {
            return Ok(Seen::So("the database is recovered already".to_string()));
        }
        let evidence = run.look_again().await?;
        let decision = Decision::of(&evidence, &run.work.secondary().request);
        Ok(match left(&decision) {
            0 => Seen::So(format!("nothing is left to restore at LSN {}", run.redo_of(&evidence)?.lsn)),
            left => Seen::NotYet(format!("{} still to be restored", count(left, "log backup is", "log backups are"))),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        let mut tally = Tally::default();
        for _ in 0..ROUNDS {
            // What the look before has read.
            memory::give_back();
            let evidence = run.look_again().await?;
            let decision = Decision::of(&evidence, &run.work.secondary().request);
            if left(&decision) == 0 {
                break;
            }
            let before = (tally.copied, tally.restored);
            one_round(run, &evidence, &decision, &mut tally).await?;
            if before == (tally.copied, tally.restored) {
                break;
            }
        }
        Ok(format!(
            "{} copied, {} restored",
            count(tally.copied, "log backup", "log backups"),
            count(tally.restored, "log backup", "log backups")
        ))
    }
}

#[derive(Default)]
struct Tally {
    copied: usize,
    restored: usize,
}

/// What is still to be restored, or to be copied so that it can be read.
fn left(decision: &Decision) -> usize {
    decision.chain.as_ref().map_or(0, |chain| chain.restore.len()) + decision.read_after_copy.len()
}

async fn one_round<W: SecondaryWork>(
    run: &Run<W>,
    evidence: &Evidence,
    decision: &Decision,
    tally: &mut Tally,
) -> Result<()> {
    let number = decision.chain.as_ref().map_or(0, |chain| chain.restore.len());
    let restores = wanted(evidence, decision);
    match &decision.way {
        Way::CopyByUs { folder, .. } => {
            overlapped(run, evidence, decision, folder, Restores::new(number, restores), tally).await
        },
        Way::CopyJob { job_id, job_name } => {
            run_copy_job(run, *job_id, job_name).await?;
            // What it brought is seen by the next look; it is progress in itself.
            tally.copied += decision.missing.len();
            let is_there = |wanted: &Wanted<'_>| !decision.missing.iter().any(|m| wanted.restore.paths.iter().any(|p| p.file_name() == m.name));
            let ready: Vec<Wanted<'_>> = restores.take_while(is_there).collect();
            let ready = Restores::new(ready.len(), ready.into_iter());
            restore_all(run, &evidence.files.listing, ready, None, tally).await
        }
        Way::NothingToCopy | Way::StraightFromShare => {
            restore_all(run, &evidence.files.listing, Restores::new(number, restores), None, tally).await
        }
        Way::Refused { why } => Err(Error::new(
            ErrorKind::CopyFolderNotProved,
            format!("no way is left for {}: {why}.", count(decision.missing.len(), "log backup", "log backups")),
        )
        .with_next("Tell where the copy folder is with `-PathMap`, start SQL Server Agent, or give the service account the right to read the share; then make a new plan.")),
    }
}

async fn overlapped<W: SecondaryWork>(
    run: &Run<W>,
    evidence: &Evidence,
    decision: &Decision,
    folder: &ServerPath,
    restores: Restores<'_>,
    tally: &mut Tally,
) -> Result<()> {
    let to = run.work.secondary().proved_copy_folder.clone().ok_or_else(|| {
        Error::new(
            ErrorKind::CopyFolderNotProved,
            format!("no path of this machine is proved to be {folder} of {}.", run.work.secondary().instance),
        )
        .with_next("Tell where it is with `-PathMap`, then run `Resume-PChatRun`, or make a new plan.")
    })?;
    let folders: Vec<Option<ClientPath>> =
        evidence.files.places.iter().map(|place| place.client_path.as_deref().map(ClientPath::new)).collect();
    let mut items: Vec<CopyItem> = Vec::with_capacity(decision.missing.len());
    items.extend(decision.missing.iter().filter_map(|missing| {
        let at = evidence.files.places.iter().position(|place| place.place == missing.place.0)?;
        evidence.files.places[at].size_of(&missing.name)?;
        let from_folder = folders[at].clone()?;
        Some(CopyItem { name: missing.name.clone(), from_folder, size_bytes: Some(missing.size_bytes) })
    }));
    tally.copied += items.len();
    run.ready_to_change().await?;
    let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
    let text = format!("copy to {folder}: {}", names.join(", "));
    run.book.change_begun("copy", &text).await?;
    let copies = Copies::start(run, items, to);
    let mut ended = restore_all(run, &evidence.files.listing, restores, Some(&copies), tally).await;
    match ended {
        Ok(()) => ended = copies.finish().await,
        Err(_) => copies.abandon().await,
    }
    let state = if ended.is_ok() { "done" } else { "failed" };
    run.book.change_ended("copy", &text, state, json!({})).await?;
    ended
}

/// Restores in order; each waits for its own copies only. Where a file turns out to be damaged, another one of the same set
/// takes its place.
async fn restore_all<W: SecondaryWork>(
    run: &Run<W>,
    listing: &Listing,
    mut restores: Restores<'_>,
    copies: Option<&Copies>,
    tally: &mut Tally,
) -> Result<()> {
    loop {
        let mut turns = InTurn::new(run);
        let ended = restore_in_turn(run, &mut turns, &mut restores, copies, tally).await;
        let written = turns.close().await;
        let damaged = match ended {
            Err(error) if error.kind == ErrorKind::LogBackupDamaged => error,
            ended => return ended.and(written),
        };
        written?;
        let Some(wanted) = restores.pop_front() else { return Err(damaged) };
        from_another_file(run, listing, &wanted, damaged).await?;
        tally.restored += 1;
    }
}

/// Restores from the front; what is left when it fails begins with the one that failed.
async fn restore_in_turn<W: SecondaryWork>(
    run: &Run<W>,
    turns: &mut InTurn<'_, W>,
    restores: &mut Restores<'_>,
    copies: Option<&Copies>,
    tally: &mut Tally,
) -> Result<()> {
    let mut restorer = Restorer::new(run.session.connector(), &run.work.secondary().instance);
    while let Some(Wanted { restore, .. }) = restores.current() {
        let (done, total) = restores.done_of_all();
        let change = announced(restore)?;
        let name = change.what.clone();
        let percent = u8::try_from(done * 100 / total.max(1)).ok();
        run.tell_progress(&format!("{name} ({} of {total})", done + 1), percent);
        if let Some(copies) = copies {
            for path in &restore.paths {
                copies.wait_for(path.file_name()).await?;
            }
        }
        let next = restores.after_next().map(|next| announced(&next.restore)).transpose()?;
        turns.change(change, next, restoring(run, &mut restorer, restore, &name, percent)).await?;
        crash_points::reach("restore.done");
        tally.restored += 1;
        restores.pop_front();
    }
    Ok(())
}

/// Restores a set from another file that holds it, once the instance has read that one to its end.
///
/// # Errors
/// The one of the damaged file where there is no other, or none that is whole.
async fn from_another_file<W: SecondaryWork>(
    run: &Run<W>,
    listing: &Listing,
    wanted: &Wanted<'_>,
    damaged: Error,
) -> Result<()> {
    let used = wanted.restore.paths.first();
    for candidate in wanted.spares.iter().filter_map(|index| listing.candidates.get(*index as usize)) {
        if used.is_some_and(|used| used.same_as(&candidate.path)) {
            continue;
        }
        let (paths, header) = (vec![candidate.path.clone()], &candidate.header);
        run.tell_progress(&format!("{} is read to its end", candidate.path), None);
        let mut work = run.connect(Purpose::Work).await?;
        if let Err(error) = backup_file::verify(&mut work, &paths, header.position, header.has_checksums).await {
            run.host.message(Level::Warning, format!("{} cannot take its place: {error}", candidate.path));
            continue;
        }
        run.host.message(
            Level::Warning,
            format!(
                "{} is damaged; {} is whole and is restored instead.",
                used.map_or("A log backup", ServerPath::as_str),
                candidate.path
            ),
        );
        let restore = LogRestore { paths, position: header.position, ..wanted.restore.clone() };
        let mut restorer = Restorer::new(run.session.connector(), &run.work.secondary().instance);
        return restore_one(run, &mut restorer, &restore, &candidate.name, None).await;
    }
    let name = used.map_or("A log backup", |path| path.as_str());
    let message = format!("`{name}` is damaged: {}", damaged.message);
    Err(Error { message, ..damaged }.with_next(
        "No other file that is known holds this log backup whole. Put a whole one on the share, or name its folder with \
         `-AdditionalLogBackupFolder` in a new plan.",
    ))
}

fn announced(restore: &LogRestore) -> Result<Announced> {
    let what = restore.paths.first().map_or(String::new(), |path| path.file_name().to_string());
    Ok(Announced { what, statement: restore_log_statement(restore)? })
}

/// Restores one log backup; `percent` is how far the whole is.
pub(crate) async fn restore_one<W: SecondaryWork>(
    run: &Run<W>,
    restorer: &mut Restorer<'_>,
    restore: &LogRestore,
    name: &str,
    percent: Option<u8>,
) -> Result<()> {
    let statement = restore_log_statement(restore)?;
    run.change(name, &statement, restoring(run, restorer, restore, name, percent)).await?;
    crash_points::reach("restore.done");
    Ok(())
}

/// The log backup whose restore was cut off, which nothing else passes (4319): by what the journal says was sent and not
/// answered, else the one that comes next. Reads only.
///
/// # Errors
/// Those of the instance.
pub(crate) async fn cut_off<W: SecondaryWork>(run: &Run<W>, by_journal: bool) -> Result<Option<LogRestore>> {
    let sent = run.book.unanswered(step_name::COPY_AND_RESTORE);
    if by_journal && sent.is_empty() {
        return Ok(None);
    }
    let evidence = run.look_back().await?;
    let decision = Decision::of(&evidence, &run.work.secondary().request);
    let next = wanted(&evidence, &decision).next().map(|wanted| wanted.restore);
    let is_sent = |restore: &LogRestore| announced(restore).is_ok_and(|change| sent.contains(&change.what));
    Ok(next.filter(|next| !by_journal || is_sent(next)))
}

/// Restores it to its end; its name.
///
/// # Errors
/// As [`Restorer::log`]; those of the journal.
pub(crate) async fn finish_cut_off<W: SecondaryWork>(run: &Run<W>, restore: &LogRestore) -> Result<String> {
    let change = announced(restore)?;
    let mut restorer = Restorer::new(run.session.connector(), &run.work.secondary().instance);
    let work = restoring(run, &mut restorer, restore, &change.what, None);
    run.change_back(&change.what, &change.statement, work).await?;
    Ok(change.what)
}

async fn restoring<W: SecondaryWork>(
    run: &Run<W>,
    restorer: &mut Restorer<'_>,
    restore: &LogRestore,
    name: &str,
    percent: Option<u8>,
) -> Result<()> {
    let (mut sent, mut middle) = (crash_points::Once::new("restore.sent"), crash_points::Once::new("restore.middle"));
    let mut tell = |seen: RestoreProgress| {
        // The instance shows the statement at work.
        sent.reach();
        if seen.percent > 0.0 && seen.percent < 100.0 {
            middle.reach();
        }
        run.tell_progress(&format!("{name}: {:.0} percent restored", seen.percent), percent);
    };
    restorer.log(restore, &mut tell).await.map(drop)
}

/// Runs the copy job and waits for its end.
///
/// # Errors
/// `CopyFailed` (4007) where it failed or does not end.
pub(crate) async fn run_copy_job<W: SecondaryWork>(run: &Run<W>, job_id: uuid::Uuid, name: &str) -> Result<()> {
    let mut connection = run.connect(Purpose::Catalog).await?;
    let before = job::last_outcome(&mut connection, job_id).await?.map(|outcome| outcome.instance_id);
    run.tell_progress(&format!("the copy job {name} copies"), None);
    let statement = job::start_statement(job_id)?;
    run.change(name, &statement, job::start(&mut connection, job_id)).await?;
    crash_points::reach("copy.middle");
    // The Agent takes a moment to show a job as running.
    run.pause(Duration::from_millis(500)).await?;
    if !job::wait_until_idle(&mut connection, job_id, COPY_JOB_LIMIT, &run.cancel).await? {
        return Err(Error::new(ErrorKind::CopyFailed, format!("the copy job `{name}` does not end.")));
    }
    match job::last_outcome(&mut connection, job_id).await? {
        Some(outcome) if Some(outcome.instance_id) != before && outcome.run_status != 1 => Err(Error::new(
            ErrorKind::CopyFailed,
            format!("the copy job `{name}` failed: {}", outcome.message),
        )
        .with_next(
            "Look at the job's history on the instance; its account must read the share and write to the copy folder.",
        )),
        _ => Ok(()),
    }
}
