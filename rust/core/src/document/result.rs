//! Items and results: what a command hands out. Each carries instance and database, and the pool where it is known.

use serde::{Deserialize, Serialize};

use super::{nullable, Loss};
use crate::error::{ErrorDocument, Outcome};
use crate::names::Lsn;

/// Item `log_shipping`: the secondary's log shipping record, database state, redo point and jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogShipping {
    pub sql_instance: String,
    pub database: String,
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    /// `record` while log shipping is configured, `journal` where a capture of it was found, `none`.
    pub source: String,
    #[serde(deserialize_with = "nullable")]
    pub primary_sql_instance: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub primary_database: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub secondary_id: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub log_backup_share: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub copy_folder: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub monitor_sql_instance: Option<String>,
    /// `restoring`, `standby`, `online`, … as the instance shows it, in lower case.
    pub database_state: String,
    #[serde(deserialize_with = "nullable")]
    pub redo_point_lsn: Option<Lsn>,
    #[serde(deserialize_with = "nullable")]
    pub redo_point_fork_id: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub restore_mode: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub last_copied_file: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub last_copied_at_utc: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub last_restored_file: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub last_restored_at_utc: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub restore_latency_minutes: Option<i64>,
    #[serde(deserialize_with = "nullable")]
    pub restore_threshold_minutes: Option<i64>,
    #[serde(deserialize_with = "nullable")]
    pub copy_job: Option<AgentJob>,
    #[serde(deserialize_with = "nullable")]
    pub restore_job: Option<AgentJob>,
    /// `running`, `stopped` or `unknown`.
    pub agent_state: String,
}

/// A job of SQL Server Agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentJob {
    pub job_id: String,
    pub name: String,
    pub is_enabled: bool,
    pub is_running: bool,
}

/// Item `log_backup`: one log backup (one set in one file) and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogBackup {
    pub sql_instance: String,
    pub database: String,
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    pub name: String,
    /// `restored`, `needed`, `not_copied`, `unfinished`, `damaged`, `other_path`, `unreadable`, or `gap`.
    pub status: String,
    /// The status in words, where there is more to say.
    pub detail: String,
    /// As the instance names it.
    #[serde(deserialize_with = "nullable")]
    pub path: Option<String>,
    pub on_share: bool,
    pub in_copy_folder: bool,
    /// Of several sets in one file.
    pub position: u32,
    #[serde(deserialize_with = "nullable")]
    pub first_lsn: Option<Lsn>,
    #[serde(deserialize_with = "nullable")]
    pub last_lsn: Option<Lsn>,
    #[serde(deserialize_with = "nullable")]
    pub size_bytes: Option<u64>,
    #[serde(deserialize_with = "nullable")]
    pub finished_at_utc: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub writer: Option<String>,
}

/// Result `log_backup_list`: the verdict on the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogChainSummary {
    pub sql_instance: String,
    pub database: String,
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    /// `complete`, `complete_share_unreachable`, `gap`, `unfinished`, `damaged`, `unknown`.
    pub verdict: String,
    pub text: String,
    pub needed: u32,
    pub not_copied: u32,
    #[serde(deserialize_with = "nullable")]
    pub redo_point_lsn: Option<Lsn>,
    #[serde(deserialize_with = "nullable")]
    pub end_lsn: Option<Lsn>,
}

/// Item `connection`: one session in the database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    pub sql_instance: String,
    pub database: String,
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    pub session_id: i32,
    pub login: String,
    pub host: String,
    pub program: String,
    pub status: String,
    pub command: String,
    pub login_at: String,
    pub is_user_session: bool,
    pub open_transactions: i32,
}

/// Item `check`: one named check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    pub sql_instance: String,
    pub database: String,
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    /// `PrimaryIsDown`.
    pub name: String,
    /// `passed`, `warning`, `failed`, or `unknown` (counts as failed where the check guards data).
    pub state: String,
    pub value: String,
    pub wanted: String,
    /// What it means and what to do.
    pub message: String,
    /// The code of the refusal that follows from it.
    #[serde(deserialize_with = "nullable")]
    pub code: Option<u32>,
}

/// Item `step`: one step that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepResult {
    pub sql_instance: String,
    pub database: String,
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub run_id: Option<String>,
    pub number: u32,
    pub name: String,
    pub title: String,
    /// `done`, `already_so`, `skipped`, `failed`, `planned`.
    pub state: String,
    pub started_at_utc: String,
    pub ended_at_utc: String,
    pub milliseconds: u64,
    /// What was done, in one line.
    pub text: String,
}

/// Item `action`: what a single command did, or under `plan_only` would do, to one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionResult {
    pub sql_instance: String,
    pub database: String,
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    /// `copy`, `restore`, `remove_log_shipping`, `end_connection`, `recover`, …
    pub action: String,
    /// The file, job, session or database.
    pub object: String,
    /// `planned`, `done`, `already_so`.
    pub state: String,
    /// The statement, word for word, or the copy in words.
    pub statement: String,
    pub text: String,
}

/// Result of a command that changes something, and of every run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunResult {
    pub sql_instance: String,
    pub database: String,
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    /// Of a conference restore: the pool that lost its content. `pool_fqdn` is then the surviving one.
    #[serde(deserialize_with = "nullable")]
    pub damaged_pool_fqdn: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub run_id: Option<String>,
    /// `failover`, `copy`, `restore`, `remove`, `end_connections`, `recover`, `backup`, `remove_mirror`, `disable_primary`,
    /// `conference_restore`, `undo`.
    pub kind: String,
    pub outcome: Outcome,
    pub exit_code: i32,
    pub started_at_utc: String,
    pub ended_at_utc: String,
    /// Of a plan-only operation: what to approve.
    #[serde(deserialize_with = "nullable")]
    pub digest: Option<String>,
    pub steps: Vec<StepResult>,
    #[serde(deserialize_with = "nullable")]
    pub loss: Option<Loss>,
    /// The state reached, in words.
    pub text: String,
    /// What is left to do, in order.
    pub next_actions: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub journal_path: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub error: Option<ErrorDocument>,
}

/// Item `run`: a run as the journal knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSummary {
    pub run_id: String,
    pub kind: String,
    pub sql_instance: String,
    pub database: String,
    #[serde(deserialize_with = "nullable")]
    pub pool_fqdn: Option<String>,
    pub started_at_utc: String,
    #[serde(deserialize_with = "nullable")]
    pub ended_at_utc: Option<String>,
    /// True while it has neither been finished nor given up.
    pub is_open: bool,
    #[serde(deserialize_with = "nullable")]
    pub outcome: Option<Outcome>,
    /// The step that was last begun.
    #[serde(deserialize_with = "nullable")]
    pub last_step: Option<String>,
    pub can_undo: bool,
    pub operator: String,
    pub machine: String,
    pub journal_path: String,
    /// Empty unless one run was asked for.
    pub steps: Vec<StepResult>,
}

/// Result `count`: the end of a command that only hands out items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountResult {
    pub count: u64,
}
