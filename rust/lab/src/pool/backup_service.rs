//! The Front End pools' backup service: modules with an export and an import state that change after a sync.
//!
//! A course says what a module shows so many seconds (lab time) after a sync; until its first entry the module goes on
//! showing what it showed before the call, as a snapshot on a real system may. An entry stays until it was read once, unless
//! it is a brief one: what a reader sees is the scenario's choice, not that of the computer's load.

use chrono::{DateTime, Utc};

use super::content::Content;
use super::settings::{ModuleStep, PoolSettings};

/// The module whose content lies in the file shares.
const CONTENT_MODULE: &str = "ConfServices.DataConf";

/// Modules in the order in which the status shows them, with their category.
pub const MODULES: &[(&str, &str)] = &[
    ("UserServices.PresenceFocus", "UserData"),
    ("ConfServices.DataConf", "UserData"),
    ("CentralMgmt.CMSMaster", "CMS"),
];

/// What one module of one pool shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub module: &'static str,
    pub category: &'static str,
    pub export: String,
    pub import: String,
}

#[derive(Debug)]
struct Module {
    pool_fqdn: String,
    partner: String,
    name: &'static str,
    category: &'static str,
    export: String,
    import: String,
    course: Vec<ModuleStep>,
    synced_utc: Option<DateTime<Utc>>,
    /// How many entries of the course were read since the sync.
    read: usize,
}

/// The backup service of all paired pools.
#[derive(Debug)]
pub struct BackupService {
    modules: Vec<Module>,
    content: Content,
}

impl BackupService {
    /// All pairs at rest, apart from what the scenario says otherwise.
    pub fn new(settings: &PoolSettings) -> Self {
        let rules = &settings.backup_service;
        let mut modules = Vec::new();
        for pool in &settings.front_end_pools {
            let Some(partner) = &pool.partner else { continue };
            let holds_cms = pool.servers.iter().any(|s| s.eq_ignore_ascii_case(&settings.cms.master));
            for (name, category) in MODULES {
                let own = rules
                    .modules
                    .iter()
                    .find(|m| m.pool_fqdn.eq_ignore_ascii_case(&pool.fqdn) && m.module.eq_ignore_ascii_case(name));
                let idle_cms = *category == "CMS" && !holds_cms;
                let rest = if idle_cms { "NotInitialized" } else { "FinalState" };
                let general = if idle_cms { Vec::new() } else { rules.after_sync.clone() };
                modules.push(Module {
                    pool_fqdn: pool.fqdn.clone(),
                    partner: partner.clone(),
                    name,
                    category,
                    export: own.and_then(|m| m.export.clone()).unwrap_or_else(|| rest.into()),
                    import: own.and_then(|m| m.import.clone()).unwrap_or_else(|| "NormalState".into()),
                    course: own.and_then(|m| m.after_sync.clone()).unwrap_or(general),
                    synced_utc: None,
                    read: 0,
                });
            }
        }
        BackupService { modules, content: Content::new(settings) }
    }

    /// Starts a sync of one module, or of all, on a pool; its partner takes part.
    pub fn sync(&mut self, pool_fqdn: &str, module: Option<&str>, now: DateTime<Utc>) {
        for entry in &mut self.modules {
            let pair = entry.pool_fqdn.eq_ignore_ascii_case(pool_fqdn) || entry.partner.eq_ignore_ascii_case(pool_fqdn);
            if pair && module.is_none_or(|m| entry.name.eq_ignore_ascii_case(m)) {
                let shown = entry.shown(now);
                (entry.export, entry.import) = shown;
                entry.synced_utc = Some(now);
                entry.read = 0;
            }
        }
        let of_content = module.is_none_or(|m| m.eq_ignore_ascii_case(CONTENT_MODULE));
        let source =
            self.modules.iter().find(|m| m.name == CONTENT_MODULE && m.pool_fqdn.eq_ignore_ascii_case(pool_fqdn));
        if let (true, Some(source)) = (of_content, source) {
            self.content.sync(pool_fqdn, &source.partner, &source.course, now);
        }
    }

    /// Per pool: how many meetings have their content.
    pub fn content(&self, now: DateTime<Utc>) -> Vec<serde_json::Value> {
        self.content.state(now)
    }

    /// Somebody was shown the status of a pool.
    pub fn was_read(&mut self, pool_fqdn: &str, category: Option<&str>, now: DateTime<Utc>) {
        for module in self.modules.iter_mut().filter(|m| m.is_of(pool_fqdn, category)) {
            module.read = module.read.max(module.at(now));
        }
    }

    /// What the modules of a pool show, in one category or in all.
    pub fn status(&self, pool_fqdn: &str, category: Option<&str>, now: DateTime<Utc>) -> Vec<Reading> {
        self.modules
            .iter()
            .filter(|m| m.is_of(pool_fqdn, category))
            .map(|m| {
                let (export, import) = m.shown(now);
                Reading { module: m.name, category: m.category, export, import }
            })
            .collect()
    }
}

impl Module {
    fn is_of(&self, pool_fqdn: &str, category: Option<&str>) -> bool {
        self.pool_fqdn.eq_ignore_ascii_case(pool_fqdn) && category.is_none_or(|c| self.category.eq_ignore_ascii_case(c))
    }

    /// How many entries of the course have begun.
    fn at(&self, now: DateTime<Utc>) -> usize {
        let Some(synced) = self.synced_utc else { return 0 };
        let seconds = (now - synced).num_milliseconds() as f64 / 1000.0;
        let due = self.course.iter().take_while(|step| step.after_seconds <= seconds).count();
        let held = self.course[..due].iter().enumerate().position(|(n, step)| n >= self.read && !step.brief);
        held.map_or(due, |n| n + 1)
    }

    fn shown(&self, now: DateTime<Utc>) -> (String, String) {
        let (mut export, mut import) = (self.export.clone(), self.import.clone());
        for step in &self.course[..self.at(now)] {
            if let Some(state) = &step.export {
                export = state.clone();
            }
            if let Some(state) = &step.import {
                import = state.clone();
            }
        }
        (export, import)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    fn at(seconds: i64) -> DateTime<Utc> {
        "2026-03-14T09:00:00Z".parse::<DateTime<Utc>>().unwrap() + Duration::seconds(seconds)
    }

    fn export(service: &mut BackupService, pool: &str, module: usize, seconds: i64) -> String {
        service.was_read(pool, None, at(seconds));
        service.status(pool, None, at(seconds))[module].export.clone()
    }

    #[test]
    fn after_a_sync_the_first_snapshot_is_stale_and_the_end_is_final() {
        let mut service = BackupService::new(&PoolSettings::default());
        assert_eq!(export(&mut service, "pool2.contoso.com", 1, 0), "FinalState");
        service.sync("pool2.contoso.com", Some("ConfServices.DataConf"), at(0));
        assert_eq!(export(&mut service, "pool2.contoso.com", 1, 1), "FinalState");
        assert_eq!(export(&mut service, "pool2.contoso.com", 1, 31), "NonSteadyState");
        assert_eq!(export(&mut service, "pool2.contoso.com", 1, 100), "SteadyState");
        assert_eq!(export(&mut service, "pool2.contoso.com", 1, 900), "FinalState");
        assert_eq!(export(&mut service, "pool2.contoso.com", 0, 31), "FinalState", "the other module was not synced");
    }

    #[test]
    fn a_state_stays_until_it_was_read_unless_it_is_brief() {
        for is_brief in [false, true] {
            let mut settings = PoolSettings::default();
            settings.backup_service.after_sync[0].brief = is_brief;
            let mut service = BackupService::new(&settings);
            service.sync("pool2.contoso.com", Some("ConfServices.DataConf"), at(0));
            let shown = |service: &BackupService| service.status("pool2.contoso.com", None, at(100))[1].export.clone();
            assert_eq!(shown(&service), if is_brief { "SteadyState" } else { "NonSteadyState" });
            service.was_read("pool2.contoso.com", None, at(100));
            assert_eq!(shown(&service), "SteadyState");
        }
    }

    #[test]
    fn the_pool_without_the_cms_exports_none_of_it() {
        let mut service = BackupService::new(&PoolSettings::default());
        assert_eq!(export(&mut service, "pool1.contoso.com", 2, 0), "NotInitialized");
        assert_eq!(export(&mut service, "pool2.contoso.com", 2, 0), "FinalState");
    }

    #[test]
    fn a_category_selects_modules() {
        let service = BackupService::new(&PoolSettings::default());
        assert_eq!(service.status("POOL1.contoso.com", Some("userdata"), at(0)).len(), 2);
        assert!(service.status("pchat.contoso.com", None, at(0)).is_empty());
    }
}
