//! What the guard wants of the copies at home, before either is overwritten: partner off, online, saved to a file, verified.

use async_trait::async_trait;
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::new_file::new_file;
use crate::error::{Error, ErrorKind, Result};
use crate::failback::guard::{HomeRole, Measure, Treatment};
use crate::failback::plan::step_name;
use crate::failback::stage::behind_the_tail;
use crate::failback::{Failback, Run};
use crate::journal::crash_points;
use crate::log_chain::{gate, RedoPoint};
use crate::names::{InstanceName, Lsn, ServerPath};
use crate::run::{OnFailure, Seen, Step};
use crate::sql::backup::{self, BackupOrder, BackupWhat};
use crate::sql::backup_file::{self, read_headers, HeaderAnswer};
use crate::sql::database::{self, DatabaseState};
use crate::sql::{mirror, offline, salvage, Connection, Purpose};

pub(crate) struct SaveCopies;

/// A file that holds what an old copy held, verified and kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub file: ServerPath,
    pub last_lsn: Lsn,
    pub last_fork_id: Uuid,
}

#[async_trait]
impl Step<Failback> for SaveCopies {
    fn name(&self) -> &'static str {
        step_name::SAVE_COPIES
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        if let Some(seen) = behind_the_tail(run).await? {
            return Ok(seen);
        }
        for treatment in run.work.guard.in_order() {
            if treatment.saves() && saved(run, treatment.role).is_none() {
                return Ok(Seen::NotYet(format!("the copy on {} is not saved yet", treatment.instance)));
            }
            let mut connection = run.connect_to(&treatment.instance.parse()?, Purpose::Catalog).await?;
            let is_off = mirror::read(&mut connection, run.database()).await?.is_none();
            if treatment.measures.contains(&Measure::PartnerOff) && !is_off {
                return Ok(Seen::NotYet(format!("the copy on {} is still mirrored", treatment.instance)));
            }
            let awaits = treatment.measures.contains(&Measure::AwaitOther);
            if awaits && run.book.fact::<bool>(&covered_fact(treatment.role)).is_none() {
                return Ok(Seen::NotYet(format!("the copy on {} is not compared yet", treatment.instance)));
            }
        }
        let files: Vec<String> = [HomeRole::Primary, HomeRole::Mirror]
            .iter()
            .filter_map(|role| saved(run, *role))
            .map(|s| s.file.to_string())
            .collect();
        Ok(Seen::So(match files.is_empty() {
            true => "there is nothing to save".to_string(),
            false => format!("saved to {}", files.join(", ")),
        }))
    }

    async fn act(&self, run: &Run) -> Result<String> {
        for treatment in run.work.guard.in_order() {
            let instance: InstanceName = treatment.instance.parse()?;
            for measure in &treatment.measures {
                take(run, treatment, &instance, *measure).await?;
            }
        }
        Ok(String::new())
    }
}

/// What was saved of a copy, by this process or an earlier one.
pub(crate) fn saved(run: &Run, role: HomeRole) -> Option<Saved> {
    run.book.fact(&saved_fact(role))
}

fn saved_fact(role: HomeRole) -> String {
    format!("saved_copy_{}", word(role))
}

fn covered_fact(role: HomeRole) -> String {
    format!("covered_copy_{}", word(role))
}

fn word(role: HomeRole) -> &'static str {
    match role {
        HomeRole::Primary => "primary",
        HomeRole::Mirror => "primary_mirror",
    }
}

async fn take(run: &Run, treatment: &Treatment, instance: &InstanceName, measure: Measure) -> Result<()> {
    let database = run.database();
    let mut work = run.connect_to(instance, Purpose::Work).await?;
    match measure {
        Measure::PartnerOff => {
            if mirror::read(&mut work, database).await?.is_some() {
                let statement = mirror::partner_off_statement(database)?;
                run.change(&instance.to_string(), &statement, mirror::partner_off(&mut work, database)).await?;
                crash_points::reach("home.partner_off");
            }
        }
        Measure::SetOnline => {
            if database::need(&mut work, database).await?.state == DatabaseState::Offline {
                let statement = offline::online_statement(database)?;
                run.change(&instance.to_string(), &statement, offline::set_online(&mut work, database)).await?;
            }
        }
        Measure::Recover => recover(run, instance, &mut work).await?,
        Measure::SaveFull | Measure::SaveLog => {
            if saved(run, treatment.role).is_none() {
                save(run, treatment, instance, &mut work, measure).await?;
            }
        }
        Measure::AwaitOther => compare(run, treatment, &mut work).await?,
    }
    Ok(())
}

async fn recover(run: &Run, instance: &InstanceName, work: &mut Connection) -> Result<()> {
    let database = run.database();
    if database::need(work, database).await?.state == DatabaseState::Online {
        return Ok(());
    }
    let redo = database::redo_point(work, database).await?;
    let permit = gate::open_to_save(&instance.to_string(), database, &redo);
    let statement = database::recover_statement(database)?;
    let mut tell = |_| run.tell_progress("recovery of an old copy", None);
    let connector = run.session.connector();
    run.change(&instance.to_string(), &statement, database::recover(connector, instance, permit, &mut tell)).await?;
    Ok(())
}

async fn save(
    run: &Run,
    treatment: &Treatment,
    instance: &InstanceName,
    work: &mut Connection,
    measure: Measure,
) -> Result<()> {
    let sent = match measure {
        Measure::SaveLog => save_log(run, treatment, instance).await,
        _ => save_full(run, treatment, instance, work).await,
    };
    crash_points::reach("old_copy.saved");
    let file = sent.map_err(|error| match measure {
        Measure::SaveLog => Error {
            kind: ErrorKind::OldCopyAtRisk,
            ..error.with_next(
                "The copy is damaged and its log cannot be read. What it holds is out of reach for us: remove the database there by \
                 hand once you have given it up, then make a new plan.",
            )
        },
        _ => error,
    })?;
    let found = verified(run, instance, &file).await?;
    run.book.set_fact(&saved_fact(treatment.role), &found).await
}

/// A full backup with nobody else in the copy; every try writes a file of its own.
async fn save_full(
    run: &Run,
    treatment: &Treatment,
    instance: &InstanceName,
    work: &mut Connection,
) -> Result<ServerPath> {
    let mut tries = 0;
    loop {
        tries += 1;
        let file = file_for(run, treatment, Measure::SaveFull).await?;
        run.tell_progress(&format!("saving the copy on {instance} to {file}"), None);
        let statement = salvage::save_full_statement(run.database(), &file)?;
        let what = format!("{instance} to {file}");
        match run.change(&what, &statement, salvage::send(work, &statement)).await {
            Ok(()) => return Ok(file),
            Err(error) => salvage::make_room(work, run.database(), tries, error).await?,
        }
    }
}

/// The log of a copy whose data is damaged.
async fn save_log(run: &Run, treatment: &Treatment, instance: &InstanceName) -> Result<ServerPath> {
    let file = file_for(run, treatment, Measure::SaveLog).await?;
    let what = format!("{instance} to {file}");
    let order = BackupOrder {
        database: run.database().to_string(),
        what: BackupWhat::Salvage,
        file: file.clone(),
        copy_only: true,
    };
    let mut tell = |_| run.tell_progress("saving the log of a damaged copy", None);
    let connector = run.session.connector();
    run.change(&what, &backup::backup_statement(&order)?, backup::take(connector, instance, &order, &mut tell)).await?;
    Ok(file)
}

/// The header and the whole of a saved file, as the instance itself reads it back.
async fn verified(run: &Run, instance: &InstanceName, file: &ServerPath) -> Result<Saved> {
    let mut work = run.connect_to(instance, Purpose::Work).await?;
    let header = match read_headers(&mut work, file).await? {
        HeaderAnswer::Read(headers) => headers.into_iter().max_by_key(|header| header.position),
        HeaderAnswer::Trouble(_, error) => return Err(error),
    };
    let header = header.ok_or_else(|| {
        Error::new(ErrorKind::StepNotVerified, format!("{file} holds no backup.")).with_target(file.as_str())
    })?;
    run.tell_progress(&format!("verifying {file}"), None);
    backup_file::verify(&mut work, std::slice::from_ref(file), header.position, header.has_checksums).await?;
    Ok(Saved { file: file.clone(), last_lsn: header.last_lsn, last_fork_id: header.last_fork_id })
}

/// A former mirror may go once the other copy's file, or the history, reaches at least as far as it does.
async fn compare(run: &Run, treatment: &Treatment, work: &mut Connection) -> Result<()> {
    if run.book.fact::<bool>(&covered_fact(treatment.role)).is_some() {
        return Ok(());
    }
    let other = match treatment.role {
        HomeRole::Primary => HomeRole::Mirror,
        HomeRole::Mirror => HomeRole::Primary,
    };
    let state = database::read(work, run.database()).await?.map(|facts| facts.state);
    let own = match state.is_some_and(DatabaseState::is_secondary) {
        true => Some(database::redo_point(work, run.database()).await),
        false => None,
    };
    if let Some(why) = doubt(saved(run, other).as_ref(), own)? {
        return Err(Error::new(ErrorKind::OldCopyAtRisk, format!("the copy on {} {why}.", treatment.instance))
            .with_unchanged("Neither copy was overwritten.")
            .with_next(format!(
                "Give the run up, and name this copy in a new plan: `-RecoverAndSave '{}'`.",
                treatment.instance
            )));
    }
    run.book.set_fact(&covered_fact(treatment.role), &true).await
}

/// What a copy may hold beside a saved file; `None` where the file reaches at least as far on the same fork. A restoring copy
/// that does not tell where it stands may hold anything. Pure.
///
/// # Errors
/// What says nothing about the copy, such as a lost connection.
fn doubt(saved: Option<&Saved>, own: Option<Result<RedoPoint>>) -> Result<Option<String>> {
    let own = match own {
        None => return Ok(None),
        Some(Ok(own)) => own,
        Some(Err(error)) if error.outcome_unknown() => return Err(error),
        Some(Err(error)) => {
            let why = error.message.trim_end_matches('.');
            return Ok(Some(format!("does not tell where it stands, and may be ahead of the other one: {why}")));
        }
    };
    let Some(saved) = saved else { return Ok(None) };
    let reaches = saved.last_fork_id == own.fork_id && saved.last_lsn >= own.lsn;
    let (file, end) = (&saved.file, saved.last_lsn);
    Ok((!reaches).then(|| format!("stands at LSN {}, and {file} of the other one ends at LSN {end}", own.lsn)))
}

/// `mgc_saved_P-RTC_20260314021500.bak` on the share: a new file every time.
async fn file_for(run: &Run, treatment: &Treatment, measure: Measure) -> Result<ServerPath> {
    let ending = if measure == Measure::SaveLog { "trn.saved" } else { "bak" };
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let instance: String = treatment.instance.chars().map(safe).collect();
    let name =
        |now: NaiveDateTime| format!("{}_saved_{instance}_{}.{ending}", run.database(), now.format("%Y%m%d%H%M%S"));
    new_file(run, &treatment.instance.parse()?, name).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_former_mirror_goes_only_where_the_saved_file_is_seen_to_reach_as_far() {
        let lsn = |lsn: u128| Lsn::new(lsn).unwrap();
        let at = |place: u128, fork: u128| Some(Ok(RedoPoint::new(lsn(place), Uuid::from_u128(fork))));
        let saved = Saved {
            file: ServerPath::new(r"\\fs1\LogShip\mgc_saved.bak"),
            last_lsn: lsn(200),
            last_fork_id: Uuid::from_u128(7),
        };
        let doubt = |own| doubt(Some(&saved), own).unwrap();
        assert_eq!((doubt(at(150, 7)), doubt(at(200, 7)), doubt(None)), (None, None, None));
        assert!(doubt(at(201, 7)).unwrap().contains("ends at LSN 200"));
        assert!(doubt(at(150, 8)).is_some(), "another fork");
        let unreadable = || Error::new(ErrorKind::RedoPointUnknown, "a restore was cut off.");
        assert!(doubt(Some(Err(unreadable()))).unwrap().contains("does not tell where it stands"));
        assert!(super::doubt(None, Some(Err(unreadable()))).unwrap().is_some(), "with nothing saved beside it");
    }
}
