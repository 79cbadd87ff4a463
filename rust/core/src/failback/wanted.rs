//! How it is to be at the end: what the request names, and what the baseline says where it names nothing.

use crate::baseline::{Baseline, InstanceBaseline, InstanceRole, JobPurpose};
use crate::document::FailbackRequest;
use crate::names::ServerPath;
use crate::sql::job::Job;
use crate::sql::log_shipping::SecondaryRecord;
use crate::sql::log_shipping_primary::PrimaryRecord;

/// The end that a failback works towards. What nobody knows is left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    pub share: Option<ServerPath>,
    pub active_servers: Vec<String>,
    /// The record of the primary, with the job that backs up.
    pub primary: Option<PrimaryRecord>,
    pub primary_job: Option<Job>,
    /// The same of its mirror.
    pub mirror: Option<PrimaryRecord>,
    pub mirror_job: Option<Job>,
    /// The record of the secondary, with its two jobs.
    pub secondary: Option<SecondaryRecord>,
    pub copy_job: Option<Job>,
    pub restore_job: Option<Job>,
    /// True where mgc had a mirror at home.
    pub is_mirrored: bool,
    pub is_compliance_mirrored: bool,
}

impl Wanted {
    /// Works it out. Pure.
    pub fn of(request: &FailbackRequest, now: &Baseline) -> Wanted {
        let baseline = request.baseline.as_deref();
        let of = |role: InstanceRole| baseline.and_then(|baseline| baseline.instance(role));
        let (primary, mirror, backup) =
            (of(InstanceRole::Primary), of(InstanceRole::PrimaryMirror), of(InstanceRole::Backup));
        let record = primary.and_then(InstanceBaseline::primary_record).cloned();
        let secondary = backup.and_then(InstanceBaseline::secondary_record).cloned();
        let job = |instance: Option<&InstanceBaseline>, purpose| instance.and_then(|found| found.job(purpose)).cloned();
        let named = request.log_backup_share.as_deref().map(str::trim).filter(|share| !share.is_empty());
        let share = named.map(ServerPath::new).or_else(|| record.as_ref().map(|record| record.backup_share.clone()));
        let share = share.or_else(|| secondary.as_ref().map(|record| record.backup_source_directory.clone()));
        let known_servers = || {
            let service = baseline?.pool.service.known()?.as_ref()?;
            service.active_servers.clone()
        };
        let active_servers = match request.active_servers.is_empty() {
            true => known_servers().unwrap_or_default(),
            false => request.active_servers.clone(),
        };
        let topology = now.pool.service.known().and_then(Option::as_ref);
        let is_mirrored = match baseline {
            Some(_) => primary.and_then(InstanceBaseline::mirroring).is_some(),
            None => topology.is_some_and(|service| service.primary_mirror_store.is_some()),
        };
        let compliance = primary.and_then(|found| found.compliance.known()).and_then(Option::as_ref);
        let is_compliance_mirrored =
            compliance.is_some_and(|found| found.mirroring.known().is_some_and(Option::is_some));
        Wanted {
            share,
            active_servers,
            primary_job: job(primary, JobPurpose::Backup),
            mirror: mirror.and_then(InstanceBaseline::primary_record).cloned(),
            mirror_job: job(mirror, JobPurpose::Backup),
            copy_job: job(backup, JobPurpose::Copy),
            restore_job: job(backup, JobPurpose::Restore),
            primary: record,
            secondary,
            is_mirrored,
            is_compliance_mirrored,
        }
    }
}
