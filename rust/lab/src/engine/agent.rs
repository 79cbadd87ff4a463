//! SQL Server Agent's part of msdb: jobs, steps, schedules, history.

use super::session::Ended;
use chrono::{DateTime, Duration, NaiveDateTime, NaiveTime, Timelike, Utc};
use std::sync::Arc;
use uuid::Uuid;

/// A step of a job.
#[derive(Clone, Debug)]
pub struct Step {
    pub id: i32,
    pub name: String,
    /// `TSQL` or `CmdExec`.
    pub subsystem: String,
    pub command: String,
    pub database: Option<String>,
    pub on_success: u8,
    pub on_fail: u8,
    pub retries: i32,
}

/// A run in progress.
#[derive(Clone)]
pub struct Running {
    pub started: DateTime<Utc>,
    pub ended: Arc<Ended>,
    pub step: i32,
}

/// A job.
#[derive(Clone)]
pub struct Job {
    pub id: Uuid,
    pub name: String,
    pub enabled: bool,
    pub description: String,
    pub category: i32,
    pub owner: String,
    pub created: NaiveDateTime,
    pub modified: NaiveDateTime,
    pub version: i32,
    pub start_step: i32,
    pub delete_level: i32,
    pub steps: Vec<Step>,
    /// Targeted at the local server (`sp_add_jobserver`); without it nothing runs.
    pub has_server: bool,
    /// Ids of schedules and when each is due next.
    pub schedules: Vec<(i32, Option<DateTime<Utc>>)>,
    pub running: Option<Running>,
    pub last_run: Option<LastRun>,
    pub requested_by: String,
}

/// How the last run went.
#[derive(Clone, Debug)]
pub struct LastRun {
    pub started: DateTime<Utc>,
    pub stopped: DateTime<Utc>,
    /// 0 failed, 1 succeeded, 3 cancelled.
    pub outcome: u8,
    pub message: String,
    pub history_id: i32,
}

/// A schedule; names of the members are those of `sysschedules`.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub id: i32,
    pub uid: Uuid,
    pub name: String,
    pub enabled: bool,
    pub freq_type: i32,
    pub freq_interval: i32,
    pub freq_subday_type: i32,
    pub freq_subday_interval: i32,
    pub freq_relative_interval: i32,
    pub freq_recurrence_factor: i32,
    pub active_start_date: i32,
    pub active_end_date: i32,
    pub active_start_time: i32,
    pub active_end_time: i32,
    pub owner: String,
    pub created: NaiveDateTime,
    pub modified: NaiveDateTime,
}

impl Schedule {
    /// The next due time after `after` (both local). Once, daily, and daily with a period in seconds, minutes or hours.
    pub fn next_after(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let start = time_of(self.active_start_time)?;
        let end = time_of(self.active_end_time)?;
        match self.freq_type {
            1 => {
                let day = date_of(self.active_start_date)?.and_time(start);
                (day > after).then_some(day)
            }
            4 | 8 | 16 | 32 => {
                let period = match self.freq_subday_type {
                    2 => Some(Duration::seconds(self.freq_subday_interval.max(1).into())),
                    4 => Some(Duration::minutes(self.freq_subday_interval.max(1).into())),
                    8 => Some(Duration::hours(self.freq_subday_interval.max(1).into())),
                    _ => None,
                };
                let first_day = date_of(self.active_start_date).unwrap_or(after.date()).max(after.date());
                let mut at = first_day.and_time(start);
                match period {
                    Some(period) => {
                        if at <= after {
                            let passed = (after - at).num_seconds() / period.num_seconds() + 1;
                            at += period * i32::try_from(passed).ok()?;
                        }
                        if at.time() > end || at.date() != first_day {
                            at = first_day.succ_opt()?.and_time(start);
                        }
                    }
                    None if at <= after => at = first_day.succ_opt()?.and_time(start),
                    None => {}
                }
                Some(at)
            }
            _ => None,
        }
    }
}

fn time_of(hhmmss: i32) -> Option<NaiveTime> {
    let n = u32::try_from(hhmmss).ok()?;
    NaiveTime::from_hms_opt(n / 10000, n / 100 % 100, n % 100)
}

fn date_of(yyyymmdd: i32) -> Option<chrono::NaiveDate> {
    let n = u32::try_from(yyyymmdd).ok()?;
    chrono::NaiveDate::from_ymd_opt((n / 10000) as i32, n / 100 % 100, n % 100)
}

/// A row of `sysjobhistory`.
#[derive(Clone, Debug)]
pub struct HistoryRow {
    pub id: i32,
    pub job: Uuid,
    pub step_id: i32,
    pub step_name: String,
    pub number: i32,
    pub severity: i32,
    pub message: String,
    pub status: i32,
    pub started: NaiveDateTime,
    pub seconds: i64,
}

/// `hhmmss` of a time, as msdb keeps it.
pub fn hhmmss(time: NaiveDateTime) -> i32 {
    (time.hour() * 10000 + time.minute() * 100 + time.second()) as i32
}

/// `yyyymmdd` of a date, as msdb keeps it.
pub fn yyyymmdd(time: NaiveDateTime) -> i32 {
    use chrono::Datelike;
    time.year() * 10000 + (time.month() * 100 + time.day()) as i32
}

/// The Agent tables of one instance.
#[derive(Clone, Default)]
pub struct Agent {
    pub jobs: Vec<Job>,
    pub schedules: Vec<Schedule>,
    pub history: Vec<HistoryRow>,
    pub next_schedule: i32,
    pub next_history: i32,
}

/// Numbers and names of `syscategories`, class JOB.
pub const CATEGORIES: [(i32, &str); 9] = [
    (0, "[Uncategorized (Local)]"),
    (1, "Jobs from MSX"),
    (2, "[Uncategorized (Multi-Server)]"),
    (3, "Database Maintenance"),
    (4, "Full-Text"),
    (5, "Log Shipping Alert"),
    (6, "Log Shipping Backup"),
    (7, "Log Shipping Copy"),
    (8, "Log Shipping Restore"),
];

impl Agent {
    /// A job by id.
    pub fn job(&self, id: Uuid) -> Option<&Job> {
        self.jobs.iter().find(|j| j.id == id)
    }

    /// A job by id, to change it.
    pub fn job_mut(&mut self, id: Uuid) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|j| j.id == id)
    }

    /// Removes a job, its history, and schedules that no other job uses.
    pub fn delete_job(&mut self, id: Uuid, history: bool, schedules: bool) -> Option<Job> {
        let at = self.jobs.iter().position(|j| j.id == id)?;
        let job = self.jobs.remove(at);
        if let Some(running) = &job.running {
            running.ended.set();
        }
        if history {
            self.history.retain(|h| h.job != id);
        }
        if schedules {
            for (schedule, _) in &job.schedules {
                let used = self.jobs.iter().any(|j| j.schedules.iter().any(|(s, _)| s == schedule));
                if !used {
                    self.schedules.retain(|s| s.id != *schedule);
                }
            }
        }
        Some(job)
    }
}
