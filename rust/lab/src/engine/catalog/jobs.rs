//! The Agent tables of msdb.

use super::columns::*;
use super::View;
use crate::engine::agent::{hhmmss, yyyymmdd, CATEGORIES};
use lab_tsql::{TableDef, Value};
use std::sync::Arc;

/// An Agent table, by lower-case name.
pub fn table(view: &View, name: &str) -> Option<Arc<TableDef>> {
    match name {
        "sysjobs" | "sysjobs_view" => Some(jobs(view)),
        "sysjobsteps" => Some(steps(view)),
        "sysschedules" => Some(schedules(view)),
        "sysjobschedules" => Some(job_schedules(view)),
        "sysjobactivity" => Some(activity(view)),
        "sysjobhistory" => Some(history(view)),
        "sysjobservers" => Some(servers(view)),
        "syssessions" => Some(super::columns::table(
            "session_id:int! agent_start_date:datetime!",
            vec![vec![Value::Int(7), date(view.world.local(view.inst().started_at))]],
        )),
        "syscategories" => Some(super::columns::table(
            "category_id:int! category_class:int! category_type:tinyint! name:nv128!",
            CATEGORIES
                .iter()
                .map(|(id, name)| vec![Value::Int(*id), Value::Int(1), Value::TinyInt(1), text(name)])
                .collect(),
        )),
        _ => None,
    }
}

fn jobs(view: &View) -> Arc<TableDef> {
    let rows = view
        .inst()
        .agent
        .jobs
        .iter()
        .map(|j| {
            let sid = view.inst().login(&j.owner).map_or_else(|| vec![1], |l| l.sid.clone());
            vec![
                Value::Uuid(j.id),
                Value::Int(0),
                text(&j.name),
                Value::TinyInt(u8::from(j.enabled)),
                text(&j.description),
                Value::Int(j.start_step),
                Value::Int(j.category),
                Value::Binary(sid),
                Value::Int(0),
                Value::Int(0),
                Value::Int(0),
                Value::Int(0),
                Value::Int(j.delete_level),
                date(j.created),
                date(j.modified),
                Value::Int(j.version),
            ]
        })
        .collect();
    super::columns::table(
        "job_id:guid! originating_server_id:int! name:nv128! enabled:tinyint! description:nv512 start_step_id:int! category_id:int! owner_sid:vb85! notify_level_eventlog:int! notify_level_email:int! notify_level_netsend:int! notify_level_page:int! delete_level:int! date_created:datetime! date_modified:datetime! version_number:int!",
        rows,
    )
}

fn steps(view: &View) -> Arc<TableDef> {
    let mut rows = Vec::new();
    for job in &view.inst().agent.jobs {
        for s in &job.steps {
            let last = job.last_run.as_ref();
            rows.push(vec![
                Value::Uuid(job.id),
                Value::Int(s.id),
                text(&s.name),
                text(&s.subsystem),
                text(&s.command),
                Value::Int(0),
                Value::Int(0),
                Value::TinyInt(s.on_success),
                Value::Int(0),
                Value::TinyInt(s.on_fail),
                Value::Int(0),
                opt_text(&s.database),
                Value::Int(s.retries),
                Value::Int(0),
                Value::Null,
                Value::Int(last.map_or(5, |l| l.outcome.into())),
                Value::Int(last.map_or(0, |l| yyyymmdd(view.world.local(l.started)))),
                Value::Int(last.map_or(0, |l| hhmmss(view.world.local(l.started)))),
            ]);
        }
    }
    super::columns::table(
        "job_id:guid! step_id:int! step_name:nv128! subsystem:nv40! command:nvmax flags:int! cmdexec_success_code:int! on_success_action:tinyint! on_success_step_id:int! on_fail_action:tinyint! on_fail_step_id:int! database_name:nv128 retry_attempts:int! retry_interval:int! output_file_name:nv200 last_run_outcome:int! last_run_date:int! last_run_time:int!",
        rows,
    )
}

fn schedules(view: &View) -> Arc<TableDef> {
    let rows = view
        .inst()
        .agent
        .schedules
        .iter()
        .map(|s| {
            let sid = view.inst().login(&s.owner).map_or_else(|| vec![1], |l| l.sid.clone());
            vec![
                Value::Int(s.id),
                Value::Uuid(s.uid),
                Value::Int(0),
                text(&s.name),
                Value::Binary(sid),
                Value::Int(i32::from(s.enabled)),
                Value::Int(s.freq_type),
                Value::Int(s.freq_interval),
                Value::Int(s.freq_subday_type),
                Value::Int(s.freq_subday_interval),
                Value::Int(s.freq_relative_interval),
                Value::Int(s.freq_recurrence_factor),
                Value::Int(s.active_start_date),
                Value::Int(s.active_end_date),
                Value::Int(s.active_start_time),
                Value::Int(s.active_end_time),
                date(s.created),
                date(s.modified),
                Value::Int(1),
            ]
        })
        .collect();
    super::columns::table(
        "schedule_id:int! schedule_uid:guid! originating_server_id:int! name:nv128! owner_sid:vb85! enabled:int! freq_type:int! freq_interval:int! freq_subday_type:int! freq_subday_interval:int! freq_relative_interval:int! freq_recurrence_factor:int! active_start_date:int! active_end_date:int! active_start_time:int! active_end_time:int! date_created:datetime! date_modified:datetime! version_number:int!",
        rows,
    )
}

fn job_schedules(view: &View) -> Arc<TableDef> {
    let mut rows = Vec::new();
    for job in &view.inst().agent.jobs {
        for (schedule, next) in &job.schedules {
            let next = next.map(|n| view.world.local(n));
            rows.push(vec![
                Value::Int(*schedule),
                Value::Uuid(job.id),
                Value::Int(next.map_or(0, yyyymmdd)),
                Value::Int(next.map_or(0, hhmmss)),
            ]);
        }
    }
    super::columns::table("schedule_id:int job_id:guid next_run_date:int! next_run_time:int!", rows)
}

fn activity(view: &View) -> Arc<TableDef> {
    let local = |at| date(view.world.local(at));
    let rows = view
        .inst()
        .agent
        .jobs
        .iter()
        .map(|j| {
            let next = j.schedules.iter().filter_map(|s| s.1).min();
            let last = j.last_run.as_ref();
            let (started, stopped) = match &j.running {
                Some(run) => (local(run.started), Value::Null),
                None => (Value::optional(last, |l| local(l.started)), Value::optional(last, |l| local(l.stopped))),
            };
            vec![
                Value::Int(7),
                Value::Uuid(j.id),
                started.clone(),
                Value::Null,
                Value::Null,
                started,
                match &j.running {
                    Some(run) => Value::Int(run.step),
                    None => Value::optional(last, |_| Value::Int(j.steps.len() as i32)),
                },
                Value::Null,
                stopped,
                match &j.running {
                    Some(_) => Value::Null,
                    None => Value::optional(last, |l| Value::Int(l.history_id)),
                },
                Value::optional(next, local),
            ]
        })
        .collect();
    super::columns::table(
        "session_id:int! job_id:guid! run_requested_date:datetime run_requested_source:nv128 queued_date:datetime start_execution_date:datetime last_executed_step_id:int last_executed_step_date:datetime stop_execution_date:datetime job_history_id:int next_scheduled_run_date:datetime",
        rows,
    )
}

fn history(view: &View) -> Arc<TableDef> {
    let rows = view
        .inst()
        .agent
        .history
        .iter()
        .map(|h| {
            let duration = h.seconds / 3600 * 10000 + h.seconds / 60 % 60 * 100 + h.seconds % 60;
            vec![
                Value::Int(h.id),
                Value::Uuid(h.job),
                Value::Int(h.step_id),
                text(&h.step_name),
                Value::Int(h.number),
                Value::Int(h.severity),
                text(&h.message),
                Value::Int(h.status),
                Value::Int(yyyymmdd(h.started)),
                Value::Int(hhmmss(h.started)),
                Value::Int(duration as i32),
                Value::Int(0),
                Value::Int(0),
                Value::Int(0),
                Value::Int(0),
                text(&view.inst().name),
            ]
        })
        .collect();
    super::columns::table(
        "instance_id:int! job_id:guid! step_id:int! step_name:nv128! sql_message_id:int! sql_severity:int! message:nv4000 run_status:int! run_date:int! run_time:int! run_duration:int! operator_id_emailed:int! operator_id_netsent:int! operator_id_paged:int! retries_attempted:int! server:nv128!",
        rows,
    )
}

fn servers(view: &View) -> Arc<TableDef> {
    let rows = view
        .inst()
        .agent
        .jobs
        .iter()
        .filter(|j| j.has_server)
        .map(|j| {
            let last = j.last_run.as_ref();
            vec![
                Value::Uuid(j.id),
                Value::Int(0),
                Value::TinyInt(last.map_or(5, |l| l.outcome)),
                Value::optional(last, |l| text(&l.message)),
                Value::Int(last.map_or(0, |l| yyyymmdd(view.world.local(l.started)))),
                Value::Int(last.map_or(0, |l| hhmmss(view.world.local(l.started)))),
                Value::Int(last.map_or(0, |l| (l.stopped - l.started).num_seconds() as i32)),
            ]
        })
        .collect();
    super::columns::table(
        "job_id:guid! server_id:int! last_run_outcome:tinyint! last_outcome_message:nv4000 last_run_date:int! last_run_time:int! last_run_duration:int!",
        rows,
    )
}
