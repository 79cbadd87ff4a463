//! The plan as data: what would be done, on what evidence, at what loss.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

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
            step.outlined = Outlined::default();
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
    /// Restores and files of a step that a run was given, where they were not kept.
    #[serde(skip)]
    pub(crate) outlined: Outlined,
}

/// Restores and files as digests: enough to tell whether they are those that are made anew.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Outlined {
    pub restores: Vec<u64>,
    pub files: Vec<OutlinedFile>,
}

/// A file of a plan in a few bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OutlinedFile {
    pub name: u64,
    /// `ZERO` where nobody could read them when the plan was made.
    pub first_lsn: Lsn,
    pub last_lsn: Lsn,
}

impl From<&PlannedFile> for OutlinedFile {
    fn from(file: &PlannedFile) -> OutlinedFile {
        OutlinedFile { name: digest_of(&file.name), first_lsn: file.first_lsn, last_lsn: file.last_lsn }
    }
}

/// A text in eight bytes, for comparing within this process.
pub(crate) fn digest_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// True for a statement that restores a log backup: there may be as many as log backups.
pub(crate) fn is_log_restore(statement: &str) -> bool {
    statement.starts_with("RESTORE LOG ")
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
            outlined: Outlined::default(),
        }
    }
}

/// Reads a plan with the restores and files of its steps as digests: a run makes them anew, and with ten thousand log backups
/// they are nearly all of it. They are read as strictly as ever.
pub(super) fn without_details<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Plan, D::Error> {
    PlanParts::<Outline>::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
}

/// A step whose restores and files are digests.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outline {
    number: u32,
    name: String,
    title: String,
    target: String,
    statements: Each<Sent>,
    files: Each<Files>,
    native_commands: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    expected_seconds: Option<u64>,
    on_failure: String,
}

impl From<Outline> for PlannedStep {
    fn from(outline: Outline) -> PlannedStep {
        let Sent { kept, restores } = outline.statements.0;
        PlannedStep {
            number: outline.number,
            statements: kept.into_iter().collect(),
            native_commands: outline.native_commands,
            expected_seconds: outline.expected_seconds,
            outlined: Outlined { restores, files: outline.files.0 .0 },
            ..PlannedStep::new(&outline.name, &outline.title, &outline.target, &outline.on_failure)
        }
    }
}

/// What the elements of a list are taken into, one after the other.
trait Taker: Default {
    type Element;

    fn take(&mut self, element: Self::Element);
}

/// Statements: those that restore log backups are not kept as texts.
#[derive(Default)]
struct Sent {
    kept: Vec<String>,
    restores: Vec<u64>,
}

impl Taker for Sent {
    type Element = String;

    fn take(&mut self, text: String) {
        match is_log_restore(&text) {
            true => self.restores.push(digest_of(&text)),
            false => self.kept.push(text),
        }
    }
}

#[derive(Default)]
struct Files(Vec<OutlinedFile>);

impl Taker for Files {
    type Element = PlannedFile;

    fn take(&mut self, file: PlannedFile) {
        self.0.push(OutlinedFile::from(&file));
    }
}

/// A list whose elements are never all there at once.
struct Each<T>(T);

impl<'de, T: Taker> Deserialize<'de> for Each<T>
where
    T::Element: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Each(T::default()))
    }
}

impl<'de, T: Taker> Visitor<'de> for Each<T>
where
    T::Element: Deserialize<'de>,
{
    type Value = Each<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        while let Some(element) = list.next_element::<T::Element>()? {
            self.0.take(element);
        }
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
