//! The plan as data: what would be done, on what evidence, at what loss.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{
    nullable, CheckResult, ConferenceRestoreRequest, FailbackRequest, FailoverRequest, JournalPlace,
    PlannedSwitchRequest, Statements, Target,
};
use crate::names::{Lsn, Text};

/// A plan: `-WhatIf` shows it, the run executes this very one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PlanParts")]
pub struct Plan {
    pub version: u32,
    pub plan_id: String,
    /// `failover`, …, as [`PlanRequest::kind`].
    pub kind: String,
    pub created_at_utc: String,
    pub sql_instance: String,
    pub database: String,
    pub pool_fqdn: Option<String>,
    /// SHA-256 over `decision_facts`, as hex.
    pub digest: String,
    /// What the decision rests on: targets, roles, states, chain verdict, loss. Progress of the jobs is not among them.
    pub decision_facts: BTreeMap<String, String>,
    /// Every check with its value and the wanted one; a failed one means that the plan cannot be run.
    pub checks: Vec<CheckResult>,
    /// True when no check failed.
    pub can_run: bool,
    pub loss: Loss,
    /// Expected time in seconds, as far as it can be told.
    pub expected_seconds: Option<u64>,
    pub steps: Vec<PlannedStep>,
    pub request: PlanRequest,
}

/// What a plan was asked for, by its kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PlanRequest {
    Failover(FailoverRequest),
    PlannedSwitch(PlannedSwitchRequest),
    ConferenceRestore(ConferenceRestoreRequest),
    Failback(Box<FailbackRequest>),
}

impl PlanRequest {
    /// The kind of plan that it asks for.
    pub fn kind(&self) -> &'static str {
        match self {
            PlanRequest::Failover(_) => "failover",
            PlanRequest::PlannedSwitch(_) => "planned_switch",
            PlanRequest::ConferenceRestore(_) => "conference_restore",
            PlanRequest::Failback(_) => "failback",
        }
    }

    /// The database that it is about, where it is about one.
    pub fn target(&self) -> Option<&Target> {
        match self {
            PlanRequest::Failover(request) => Some(&request.target),
            PlanRequest::PlannedSwitch(request) => Some(&request.failover.target),
            PlanRequest::Failback(request) => Some(&request.target),
            PlanRequest::ConferenceRestore(_) => None,
        }
    }

    /// The pool that lost its conference content, where it is about that.
    pub fn damaged_pool(&self) -> Option<&str> {
        match self {
            PlanRequest::ConferenceRestore(request) => Some(&request.damaged_pool_fqdn),
            PlanRequest::Failover(_) | PlanRequest::PlannedSwitch(_) | PlanRequest::Failback(_) => None,
        }
    }

    /// Where the journal of its run lies.
    pub fn journal(&self) -> &JournalPlace {
        match self {
            PlanRequest::Failover(request) => &request.journal,
            PlanRequest::PlannedSwitch(request) => &request.failover.journal,
            PlanRequest::ConferenceRestore(request) => &request.journal,
            PlanRequest::Failback(request) => &request.journal,
        }
    }

    fn read(kind: &str, document: Value) -> Result<PlanRequest, String> {
        match kind {
            "failover" => serde_json::from_value(document).map(PlanRequest::Failover).map_err(|e| e.to_string()),
            "planned_switch" => {
                serde_json::from_value(document).map(PlanRequest::PlannedSwitch).map_err(|e| e.to_string())
            }
            "conference_restore" => {
                serde_json::from_value(document).map(PlanRequest::ConferenceRestore).map_err(|e| e.to_string())
            }
            "failback" => serde_json::from_value(document)
                .map(|request| PlanRequest::Failback(Box::new(request)))
                .map_err(|e| e.to_string()),
            other => Err(format!("the kind `{other}` of the plan is not known")),
        }
    }
}

/// A plan whose request is not read yet: its kind says what it is. Its steps are read whole, or as outlines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanParts<S = PlannedStep> {
    version: u32,
    plan_id: String,
    kind: String,
    created_at_utc: String,
    sql_instance: String,
    database: String,
    #[serde(deserialize_with = "nullable")]
    pool_fqdn: Option<String>,
    digest: String,
    decision_facts: BTreeMap<String, String>,
    checks: Vec<CheckResult>,
    can_run: bool,
    loss: Loss,
    #[serde(deserialize_with = "nullable")]
    expected_seconds: Option<u64>,
    steps: Vec<S>,
    request: Value,
}

impl<S: Into<PlannedStep>> TryFrom<PlanParts<S>> for Plan {
    type Error = String;

    fn try_from(parts: PlanParts<S>) -> Result<Plan, String> {
        Ok(Plan {
            request: PlanRequest::read(&parts.kind, parts.request)?,
            version: parts.version,
            plan_id: parts.plan_id,
            kind: parts.kind,
            created_at_utc: parts.created_at_utc,
            sql_instance: parts.sql_instance,
            database: parts.database,
            pool_fqdn: parts.pool_fqdn,
            digest: parts.digest,
            decision_facts: parts.decision_facts,
            checks: parts.checks,
            can_run: parts.can_run,
            loss: parts.loss,
            expected_seconds: parts.expected_seconds,
            steps: parts.steps.into_iter().map(Into::into).collect(),
        })
    }
}

impl Plan {
    /// Drops the statements and files of its steps, which are most of it where log backups are many. What is left names
    /// the steps and says what they rest on.
    pub(crate) fn drop_details(&mut self) {
        for step in &mut self.steps {
            step.statements = Statements::default();
            step.files = Vec::new();
        }
    }
}

/// What is lost for good, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// The last LSN that will be there.
    #[serde(deserialize_with = "nullable")]
    pub recovered_to_lsn: Option<Lsn>,
    /// When the last recovered backup finished.
    #[serde(deserialize_with = "nullable")]
    pub recovered_to_utc: Option<String>,
    /// When the primary was lost, where that is known.
    #[serde(deserialize_with = "nullable")]
    pub outage_utc: Option<String>,
    /// Seconds between the two.
    #[serde(deserialize_with = "nullable")]
    pub lost_seconds: Option<u64>,
    /// True where later log backups are known, or may exist, that will not be restored: it must be accepted by name.
    pub must_be_accepted: bool,
    /// The value for `-AcceptDataLoss`.
    #[serde(deserialize_with = "nullable")]
    pub accept_value: Option<String>,
    /// The whole of it in words.
    pub text: String,
}

/// One step of a plan, with everything that it would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedStep {
    pub number: u32,
    /// Stable: `copy_and_restore`.
    pub name: String,
    /// For the operator: `Copy and restore the log backups`.
    pub title: String,
    /// The instance or pool that is changed.
    pub target: String,
    /// Statements, word for word.
    pub statements: Statements,
    pub files: Vec<PlannedFile>,
    /// Native commands as an operator would type them, qualified with their module.
    pub native_commands: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub expected_seconds: Option<u64>,
    /// What stays as it is when this step fails.
    pub on_failure: String,
}

impl PlannedStep {
    /// A step without content; its number follows when all of a plan are known.
    pub(crate) fn new(name: &str, title: &str, target: &str, on_failure: &str) -> PlannedStep {
        PlannedStep {
            number: 0,
            name: name.to_string(),
            title: title.to_string(),
            target: target.to_string(),
            statements: Statements::default(),
            files: Vec::new(),
            native_commands: Vec::new(),
            expected_seconds: None,
            on_failure: on_failure.to_string(),
        }
    }
}

/// Reads a plan without the statements and files of its steps, which a run makes anew: with ten thousand log backups they
/// are nearly all of it. They are read as strictly as ever, and not kept.
pub(super) fn without_details<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Plan, D::Error> {
    PlanParts::<Outline>::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
}

/// A step without statements and files.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outline {
    number: u32,
    name: String,
    title: String,
    target: String,
    #[serde(rename = "statements")]
    _statements: Unkept<String>,
    #[serde(rename = "files")]
    _files: Unkept<PlannedFile>,
    native_commands: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    expected_seconds: Option<u64>,
    on_failure: String,
}

impl From<Outline> for PlannedStep {
    fn from(outline: Outline) -> PlannedStep {
        PlannedStep {
            number: outline.number,
            native_commands: outline.native_commands,
            expected_seconds: outline.expected_seconds,
            ..PlannedStep::new(&outline.name, &outline.title, &outline.target, &outline.on_failure)
        }
    }
}

/// A list of which each element is read and dropped.
struct Unkept<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unkept<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Unkept(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Unkept<T> {
    type Value = Unkept<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<T>()?.is_some() {}
        Ok(self)
    }
}

/// A log backup in a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFile {
    pub name: Text,
    pub first_lsn: Lsn,
    pub last_lsn: Lsn,
    pub size_bytes: u64,
    /// `copy`, `restore`, or `copy and restore`.
    pub action: Text,
    /// Where it lies now, as the instance names it.
    pub from: Text,
    /// Where it is restored from.
    pub to: Text,
}
