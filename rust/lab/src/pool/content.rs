//! Meeting content in the Front End pools' file shares: who has how much of it, and when a sync brings it back.
//!
//! It is what the backup service's states are about, so that a drill can tell a state that was believed too early from the
//! truth. Content comes from the pool on which the sync was started; the damaged one has nothing to give.

use chrono::{DateTime, Utc};
use serde_json::{json, Value};

use super::settings::{ModuleStep, PoolSettings};

/// The meetings of one pool's users, as far as its own file share has their content.
#[derive(Debug, Clone)]
struct Share {
    pool_fqdn: String,
    missing: u32,
    /// When a sync that brings content began, and how many seconds it takes; never where that is `None`.
    sync: Option<(DateTime<Utc>, Option<f64>)>,
}

/// The content of all paired pools.
#[derive(Debug, Clone)]
pub struct Content {
    meetings: u32,
    shares: Vec<Share>,
}

impl Content {
    pub fn new(settings: &PoolSettings) -> Content {
        let rules = &settings.backup_service;
        let lost = |fqdn: &str| rules.content_lost_on.as_deref().is_some_and(|pool| pool.eq_ignore_ascii_case(fqdn));
        let paired = settings.front_end_pools.iter().filter(|pool| pool.partner.is_some());
        Content {
            meetings: rules.meetings,
            shares: paired
                .map(|pool| Share {
                    pool_fqdn: pool.fqdn.clone(),
                    missing: if lost(&pool.fqdn) { rules.meetings } else { 0 },
                    sync: None,
                })
                .collect(),
        }
    }

    /// A sync was started on `from`: what its partner lacks begins to arrive there, as fast as the course says.
    pub fn sync(&mut self, from: &str, partner: &str, course: &[ModuleStep], now: DateTime<Utc>) {
        let gives = self.shares.iter().any(|s| s.pool_fqdn.eq_ignore_ascii_case(from) && s.left(now) == 0);
        let arrival = if gives { arrival(course) } else { None };
        if let Some(share) = self.shares.iter_mut().find(|s| s.pool_fqdn.eq_ignore_ascii_case(partner)) {
            share.missing = share.left(now);
            share.sync = Some((now, arrival));
        }
    }

    /// Per pool: meetings, and how many of them have their content.
    pub fn state(&self, now: DateTime<Utc>) -> Vec<Value> {
        let of = |share: &Share| json!({ "pool_fqdn": share.pool_fqdn, "meetings": self.meetings, "present": self.meetings - share.left(now) });
        self.shares.iter().map(of).collect()
    }
}

impl Share {
    /// How many meetings lack their content now.
    fn left(&self, now: DateTime<Utc>) -> u32 {
        let Some((since, Some(takes))) = self.sync else { return self.missing };
        let elapsed = (now - since).num_milliseconds() as f64 / 1000.0;
        let share = if takes <= 0.0 { 1.0 } else { (elapsed / takes).clamp(0.0, 1.0) };
        self.missing - (f64::from(self.missing) * share).floor() as u32
    }
}

/// Seconds until everything has arrived: when the export turns good after all that is not. An error is the end of it.
fn arrival(course: &[ModuleStep]) -> Option<f64> {
    let mut good = None;
    for step in course {
        match step.export.as_deref() {
            Some("SteadyState" | "FinalState") => good = good.or(Some(step.after_seconds)),
            Some("ErrorState") => return None,
            Some(_) => good = None,
            None => {}
        }
    }
    good
}

#[cfg(test)]
mod tests {
    use super::super::settings::PoolSettings;
    use super::*;
    use chrono::Duration;

    fn at(seconds: i64) -> DateTime<Utc> {
        "2026-03-14T09:00:00Z".parse::<DateTime<Utc>>().unwrap() + Duration::seconds(seconds)
    }

    fn lost() -> (Content, Vec<ModuleStep>) {
        let mut settings = PoolSettings::default();
        settings.backup_service.content_lost_on = Some("pool1.contoso.com".into());
        (Content::new(&settings), settings.backup_service.after_sync)
    }

    fn present(content: &Content, seconds: i64) -> u64 {
        content.state(at(seconds))[0]["present"].as_u64().unwrap()
    }

    #[test]
    fn content_comes_from_the_partner_while_the_export_is_not_steady() {
        let (mut content, course) = lost();
        assert_eq!(present(&content, 0), 0);
        content.sync("pool2.contoso.com", "pool1.contoso.com", &course, at(0));
        assert!((1..250).contains(&present(&content, 45)), "{}", present(&content, 45));
        assert_eq!(present(&content, 89) as i64, 250 * 89 / 90);
        assert_eq!(present(&content, 90), 250);
    }

    #[test]
    fn a_damaged_pool_has_nothing_to_give_and_a_failed_export_brings_nothing() {
        let (mut content, course) = lost();
        content.sync("pool1.contoso.com", "pool2.contoso.com", &course, at(0));
        assert_eq!(present(&content, 900), 0);
        let mut failing = course;
        failing[1].export = Some("ErrorState".into());
        content.sync("pool2.contoso.com", "pool1.contoso.com", &failing, at(900));
        assert_eq!(present(&content, 9000), 0);
    }
}
