//! What a baseline holds.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::evidence::Reading;
use crate::pool::{PoolService, PoolStateReading, Store};
use crate::sql::database::{DatabaseFacts, DatabaseFile};
use crate::sql::database_options::DatabaseOptions;
use crate::sql::instance::InstanceFacts;
use crate::sql::job::Job;
use crate::sql::log_shipping::SecondaryRecord;
use crate::sql::log_shipping_primary::PrimaryRecord;
use crate::sql::mirror::{Mirror, MirrorEndpoint};
use crate::sql::principal::{DatabaseUser, ServerLogin};

/// The version of baselines that this release writes and reads.
pub const BASELINE_VERSION: u32 = 1;

/// The configuration at one moment. Everything that could not be read is there too, with the reason; nothing is secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    pub version: u32,
    pub saved_at_utc: DateTime<Utc>,
    /// `mgc`.
    pub database: String,
    /// `mgccomp`.
    pub compliance_database: String,
    pub pool: PoolBaseline,
    /// One a role, in the order of [`InstanceRole`]; a role that nobody names is left out and stands in `unread`.
    pub instances: Vec<InstanceBaseline>,
    /// What could not be read, and why.
    pub unread: Vec<Unread>,
}

/// What an instance is in the topology, whichever of the partners is principal at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceRole {
    Primary,
    PrimaryMirror,
    Backup,
    BackupMirror,
}

impl InstanceRole {
    pub const ALL: [InstanceRole; 4] =
        [InstanceRole::Primary, InstanceRole::PrimaryMirror, InstanceRole::Backup, InstanceRole::BackupMirror];

    /// `primary`, `primary_mirror`, `backup` or `backup_mirror`.
    pub fn as_text(self) -> &'static str {
        match self {
            InstanceRole::Primary => "primary",
            InstanceRole::PrimaryMirror => "primary_mirror",
            InstanceRole::Backup => "backup",
            InstanceRole::BackupMirror => "backup_mirror",
        }
    }
}

/// The pool and its place in the topology.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolBaseline {
    /// `None`: no pool was named.
    pub pool_fqdn: Option<String>,
    /// With the active servers and the stores of all databases; `Known(None)`: the topology has no such pool.
    pub service: Reading<Option<PoolService>>,
    pub members: Reading<Vec<String>>,
    pub state: Reading<PoolStateReading>,
    /// The hosts and instances of the databases' stores.
    pub stores: Reading<Vec<Store>>,
}

/// One instance with all that log shipping, mirroring and the pool's databases have on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceBaseline {
    pub role: InstanceRole,
    /// As it was named.
    pub sql_instance: String,
    pub facts: Reading<InstanceFacts>,
    pub mirror_endpoint: Reading<Option<MirrorEndpoint>>,
    /// `Known(None)`: the instance has no such database.
    pub database: Reading<Option<DatabaseBaseline>>,
    pub compliance: Reading<Option<DatabaseBaseline>>,
    /// The record as a primary of log shipping; a mirror of the primary has one too.
    pub log_shipping_primary: Reading<Option<PrimaryRecord>>,
    pub log_shipping_secondary: Reading<Option<SecondaryRecord>>,
    /// The jobs of both records.
    pub jobs: Reading<Vec<LogShippingJob>>,
    /// The logins behind the users of both databases, as far as the instance has them.
    pub logins: Reading<Vec<ServerLogin>>,
}

/// A database on one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseBaseline {
    pub facts: DatabaseFacts,
    pub options: Reading<Option<DatabaseOptions>>,
    pub files: Reading<Vec<DatabaseFile>>,
    pub mirroring: Reading<Option<Mirror>>,
    /// A copy that is not online does not show its users.
    pub users: Reading<Vec<DatabaseUser>>,
}

/// What a job of log shipping does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobPurpose {
    Backup,
    Copy,
    Restore,
    /// It raises alerts on a monitor.
    Alert,
}

impl JobPurpose {
    /// `backup`, `copy`, `restore` or `alert`.
    pub fn as_text(self) -> &'static str {
        match self {
            JobPurpose::Backup => "backup",
            JobPurpose::Copy => "copy",
            JobPurpose::Restore => "restore",
            JobPurpose::Alert => "alert",
        }
    }
}

/// A job of log shipping with its schedules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogShippingJob {
    pub purpose: JobPurpose,
    pub job: Job,
}

/// A part that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unread {
    /// The instance, or the pool.
    pub subject: String,
    /// `log_shipping_primary`, `users`, `state`, …
    pub part: String,
    pub why: String,
}

impl Baseline {
    /// The instance of a role, where the baseline has one.
    pub fn instance(&self, role: InstanceRole) -> Option<&InstanceBaseline> {
        self.instances.iter().find(|instance| instance.role == role)
    }

    /// True where it shows the pair as it is while all is well: the primary ships its log, and the backup follows it. One that
    /// was saved while the backup served does not tell what a way home has to come back to.
    pub fn shows_shipping(&self) -> bool {
        let backup = self.instance(InstanceRole::Backup);
        let follows = backup.and_then(InstanceBaseline::database).is_some_and(|found| found.facts.state.is_secondary());
        let ships = self.instance(InstanceRole::Primary).and_then(InstanceBaseline::primary_record).is_some();
        ships && follows && backup.and_then(InstanceBaseline::secondary_record).is_some()
    }

    /// True where nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.unread.is_empty()
    }
}

impl InstanceBaseline {
    /// The database, where it is known and there.
    pub fn database(&self) -> Option<&DatabaseBaseline> {
        self.database.known()?.as_ref()
    }

    /// The compliance database, where it is known and there.
    pub fn compliance_database(&self) -> Option<&DatabaseBaseline> {
        self.compliance.known()?.as_ref()
    }

    /// The mirroring of the database, where it is known and mirrored.
    pub fn mirroring(&self) -> Option<&Mirror> {
        self.database()?.mirroring.known()?.as_ref()
    }

    /// The record as a primary, where it is known and there.
    pub fn primary_record(&self) -> Option<&PrimaryRecord> {
        self.log_shipping_primary.known()?.as_ref()
    }

    /// The record as a secondary, where it is known and there.
    pub fn secondary_record(&self) -> Option<&SecondaryRecord> {
        self.log_shipping_secondary.known()?.as_ref()
    }

    /// The job of a purpose, where it is known and there.
    pub fn job(&self, purpose: JobPurpose) -> Option<&Job> {
        self.jobs.known()?.iter().find(|job| job.purpose == purpose).map(|found| &found.job)
    }
}
