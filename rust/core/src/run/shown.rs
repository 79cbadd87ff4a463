//! What a plan shows is what runs: the steps that were confirmed against those that the same facts make now.
//!
//! What the normal jobs and services get done meanwhile is no difference: log backups that are restored by now or came since,
//! jobs that run or rest, services that stopped or started. Nor is the time in the name of a file that is still to be written.

use std::borrow::Cow;

use uuid::Uuid;

use crate::document::{digest_of, is_log_restore, OutlinedFile, Plan, PlannedStep};
use crate::error::{Error, ErrorKind, Result};
use crate::names::Lsn;
use crate::pool;
use crate::sql::job;

/// Refuses a plan whose steps show anything else than what would run.
///
/// # Errors
/// `PlanOutdated` (5005), with the step and what it shows.
pub(super) fn refuse_other(confirmed: &Plan, fresh: &Plan) -> Result<()> {
    let names = |plan: &Plan| plan.steps.iter().map(|step| step.name.clone()).collect::<Vec<_>>().join(", ");
    let (shown, wanted) = (names(confirmed), names(fresh));
    let why = match shown == wanted {
        false => Some(format!("its steps are {shown}; those that would run are {wanted}")),
        true => confirmed.steps.iter().zip(&fresh.steps).find_map(|(shown, fresh)| {
            let why = difference(shown, fresh)?;
            Some(format!("step {} `{}` {why}", fresh.number, fresh.name))
        }),
    };
    let Some(why) = why else { return Ok(()) };
    Err(Error::new(ErrorKind::PlanOutdated, format!("the plan does not show what would run: {why}."))
        .with_unchanged("Nothing was changed.")
        .with_next("Make a new plan, look at it, and run that one; a plan is not edited by hand.")
        .with_target(confirmed.database.as_str()))
}

fn difference(shown: &PlannedStep, fresh: &PlannedStep) -> Option<String> {
    let texts = [(&shown.title, &fresh.title), (&shown.target, &fresh.target), (&shown.on_failure, &fresh.on_failure)];
    if let Some((shown, fresh)) = texts.iter().find(|(shown, fresh)| shown != fresh) {
        return Some(format!("says `{shown}` instead of `{fresh}`"));
    }
    let statements = |step: &PlannedStep| -> Vec<String> {
        step.statements.iter().filter(|text| !is_log_restore(text)).map(Cow::into_owned).collect()
    };
    lines(&statements(shown), &statements(fresh))
        .or_else(|| lines(&shown.native_commands, &fresh.native_commands))
        .or_else(|| log_backups(shown, fresh))
}

/// Statements and native commands, times apart. Those of jobs and services may have come or gone, but none stands in
/// another's place.
fn lines(shown: &[String], fresh: &[String]) -> Option<String> {
    let [shown, fresh] = [shown, fresh].map(|lines| lines.iter().map(|line| without_times(line)).collect::<Vec<_>>());
    let comes_and_goes = moving();
    let is_moving = |line: &&String| comes_and_goes.contains(&shape(line));
    let fixed = |lines: &[String]| lines.iter().filter(|line| !is_moving(line)).cloned().collect::<Vec<_>>();
    let (own, wanted) = (fixed(&shown), fixed(&fresh));
    if own != wanted {
        let at = own.iter().zip(&wanted).take_while(|(own, wanted)| own == wanted).count();
        return Some(match (own.get(at), wanted.get(at)) {
            (Some(own), Some(wanted)) => format!("shows `{own}` instead of `{wanted}`"),
            (Some(own), None) => format!("shows `{own}`"),
            (None, wanted) => format!("does not show `{}`", wanted.map_or("", String::as_str)),
        });
    }
    let gone = shown.iter().filter(|line| !fresh.contains(line));
    let come: Vec<&String> = fresh.iter().filter(|line| !shown.contains(line)).collect();
    gone.into_iter().find_map(|line| {
        let other = come.iter().find(|other| shape(other) == shape(line))?;
        Some(format!("shows `{line}` instead of `{other}`"))
    })
}

/// The lines that what goes on by itself makes come and go, by their shape.
fn moving() -> Vec<String> {
    let jobs = [
        job::set_enabled_statement(Uuid::nil(), false),
        job::start_statement(Uuid::nil()),
        job::stop_statement(Uuid::nil()),
    ];
    let services = [pool::stop_windows_service("s", "s"), pool::start_windows_service("s", "s")];
    let jobs = jobs.into_iter().flatten();
    jobs.chain(services.iter().map(|command| pool::plan_text(command, None))).map(|line| shape(&line)).collect()
}

/// A line without what stands between quotes, and without the module of its command.
fn shape(line: &str) -> String {
    let mut shape: String = line.split('\'').step_by(2).collect::<Vec<_>>().join("''");
    if let Some((module, command)) = shape.split_once('\\') {
        if module.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.') {
            shape = command.to_string();
        }
    }
    shape
}

/// A line without times such as `20260314021500`.
fn without_times(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut digits = String::new();
    for letter in line.chars().map(Some).chain([None]) {
        match letter.filter(char::is_ascii_digit) {
            Some(digit) => digits.push(digit),
            None => {
                text.push_str(if digits.len() == 14 { "<time>" } else { &digits });
                digits.clear();
                text.extend(letter);
            }
        }
    }
    text
}

/// Log backups in their order: the first may be restored by now, and later ones may have come.
fn log_backups(shown: &PlannedStep, fresh: &PlannedStep) -> Option<String> {
    let restores = |step: &PlannedStep| -> Vec<u64> {
        let own = step.statements.iter().filter(|text| is_log_restore(text)).map(|text| digest_of(&text));
        step.outlined.restores.iter().copied().chain(own).collect()
    };
    let files = |step: &PlannedStep| -> Vec<OutlinedFile> {
        step.outlined.files.iter().copied().chain(step.files.iter().map(OutlinedFile::from)).collect()
    };
    let (own, wanted) = (files(shown), files(fresh));
    let follows = match (own.last(), wanted.first()) {
        (Some(last), Some(first)) => last.last_lsn <= first.first_lsn,
        _ => true,
    };
    if !goes_on(&own, &wanted, is_same_file, follows) {
        return Some("lists other log backups than those that would be restored".to_string());
    }
    match goes_on(&restores(shown), &restores(fresh), |a, b| a == b, follows) {
        true => None,
        false => Some("shows other RESTORE LOG statements than those that would be sent".to_string()),
    }
}

fn is_same_file(a: &OutlinedFile, b: &OutlinedFile) -> bool {
    let is_open = [a, b].iter().any(|file| file.last_lsn == Lsn::ZERO);
    a.name == b.name && (is_open || (a.first_lsn, a.last_lsn) == (b.first_lsn, b.last_lsn))
}

/// True where `wanted` is `own` without its beginning, and with more behind it. `follows`: whether it may begin behind all of
/// `own`.
fn goes_on<T>(own: &[T], wanted: &[T], is_same: impl Fn(&T, &T) -> bool, follows: bool) -> bool {
    let Some(first) = wanted.first() else { return true };
    let Some(at) = own.iter().position(|one| is_same(one, first)) else { return own.is_empty() || follows };
    let left = &own[at..];
    left.len() <= wanted.len() && left.iter().zip(wanted).all(|(own, wanted)| is_same(own, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::sample;
    use crate::failover::plan::make;
    use crate::log_chain::PlaceId;

    fn plan() -> Plan {
        make(&sample::evidence(), &sample::request()).unwrap()
    }

    fn why(change: impl FnOnce(&mut Plan)) -> Option<String> {
        let mut confirmed = plan();
        change(&mut confirmed);
        // As it comes over the boundary: restores and files are digests.
        let read = |plan: &Plan| {
            let request = serde_json::json!({"version": 1, "plan": plan});
            serde_json::from_value::<crate::document::RunStartRequest>(request).unwrap().plan
        };
        let refused = [read(&confirmed), confirmed].map(|plan| refuse_other(&plan, &self::plan()).err());
        let [outlined, whole] = refused.map(|error| error.map(|error| error.message));
        assert_eq!(outlined, whole);
        outlined
    }

    fn edit(plan: &mut Plan, step: &str, from: &str, to: &str) {
        let step = plan.steps.iter_mut().find(|found| found.name == step).expect("the step");
        let edited = |text: &str| text.replacen(from, to, 1);
        let before = step.clone();
        step.title = edited(&step.title);
        step.statements = step.statements.iter().map(|text| edited(&text)).collect();
        step.native_commands = step.native_commands.iter().map(|text| edited(text)).collect();
        assert_ne!(*step, before, "nothing was edited");
    }

    #[test]
    fn what_was_not_edited_is_what_runs() {
        assert_eq!(why(|_| {}), None);
        assert_eq!(why(|plan| plan.steps.iter_mut().for_each(|step| step.expected_seconds = Some(7))), None);
    }

    #[test]
    fn every_text_that_was_edited_is_refused_with_its_step() {
        let edits = [
            ("recover", "WITH RECOVERY", "WITH NORECOVERY"),
            ("recover", "the point of no return", "harmless"),
            ("copy_and_restore", r"E:\LSCopy\mgc_20260314021500.trn", r"E:\LSCopy\other.trn"),
            ("remove_log_shipping", "mgc", "other"),
            ("quiesce_jobs", "@enabled = 0", "@enabled = 1"),
            ("quiesce_jobs", "00000000", "00000001"),
            ("pool_state", "FailedOver", "Normal"),
            ("active_servers", "s3.contoso.com", "s1.contoso.com"),
            ("log_backups", "BACKUP DATABASE", "BACKUP LOG"),
        ];
        for (step, from, to) in edits {
            let why = why(|plan| edit(plan, step, from, to)).unwrap_or_else(|| panic!("{step}: {from} passes"));
            assert!(why.contains(&format!("`{step}`")), "{why}");
        }
        let gone = why(|plan| drop(plan.steps.remove(1))).expect("a step less");
        assert!(gone.contains("its steps are"), "{gone}");
        let file = why(|plan| {
            let step = plan.steps.iter_mut().find(|step| step.name == "copy_and_restore").expect("the step");
            step.files[1].name = "other.trn".into();
        });
        assert!(file.is_some_and(|why| why.contains("log backups")));
    }

    #[test]
    fn what_the_jobs_get_done_meanwhile_is_no_difference() {
        let mut later = sample::evidence();
        if let crate::evidence::Reading::Known(redo) = &mut later.files.redo {
            redo.lsn = sample::lsn(3000);
        }
        later.files.listing.candidates.push(sample::candidate(4, PlaceId::COPY_FOLDER));
        for job in [&mut later.log_shipping.copy_job, &mut later.log_shipping.restore_job] {
            job.as_mut().expect("a job").is_running = true;
        }
        let fresh = make(&later, &sample::request()).unwrap();
        assert!(refuse_other(&plan(), &fresh).is_ok(), "{:?}", refuse_other(&plan(), &fresh));
        if let crate::evidence::Reading::Known(redo) = &mut later.files.redo {
            redo.lsn = sample::lsn(5000);
        }
        let fresh = make(&later, &sample::request()).unwrap();
        assert!(refuse_other(&plan(), &fresh).is_ok(), "nothing is left to restore");
    }

    #[test]
    fn a_time_is_fourteen_digits_alone() {
        assert_eq!(without_times("mgc_20260314021500.trn 1234 202603140215001"), "mgc_<time>.trn 1234 202603140215001");
    }
}
