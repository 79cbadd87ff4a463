//! Which two pools a restore is about, and what the shell tells of them: partner, sync interval, the store's holder.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::host::{Host, NativeCommand};
use crate::pool;

/// The sync interval where the shell does not tell it.
///
/// # Source
/// `Get-CsBackupServiceConfiguration`, `SyncInterval`: two minutes by default.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(120);

/// Two paired pools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// It still has the content, and exports it.
    pub survivor: String,
    /// It lost the content, and imports it.
    pub damaged: String,
}

impl Pair {
    /// Refuses a pool as its own partner.
    ///
    /// # Errors
    /// `DamagedPoolAsSource` (6010).
    pub fn check(&self) -> Result<()> {
        if !self.survivor.eq_ignore_ascii_case(&self.damaged) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::DamagedPoolAsSource,
            format!("{} is named as the damaged pool and as the surviving one.", self.survivor),
        )
        .with_unchanged("Nothing was started.")
        .with_next("Name the surviving pool with `-PoolFqdn`: the content comes from there.")
        .with_target(&self.damaged))
    }
}

/// Reads the partner of a pool. Its object's members are printed nowhere, so all of them are asked for. Reads only.
pub fn get_relationship(pool_fqdn: &str) -> NativeCommand {
    NativeCommand::get("Get-CsPoolBackupRelationship").with("PoolFqdn", pool_fqdn).wanting(&["*"])
}

/// Reads the backup service's settings. Reads only.
pub fn get_configuration() -> NativeCommand {
    NativeCommand::get("Get-CsBackupServiceConfiguration").wanting(&["SyncInterval"])
}

/// Reads which server is the active master of the Central Management store. Reads only.
pub fn get_cms_master() -> NativeCommand {
    NativeCommand::get("Get-CsManagementStoreReplicationStatus")
        .with("CentralManagementStoreStatus", true)
        .wanting(&["ActiveMasterFqdn"])
}

/// Lists the pools of the topology. Reads only.
pub fn get_pools() -> NativeCommand {
    NativeCommand::get("Get-CsPool").wanting(&["Identity"])
}

/// Finds the one partner of a pool through the shell. Reads only.
///
/// # Errors
/// `PartnerNotFound` (6009) where the answer names none, or several; those of the command.
pub async fn partner_of(host: &dyn Host, pool_fqdn: &str) -> Result<String> {
    let command = get_relationship(pool_fqdn);
    let objects = pool::objects(&command, host.native(command.clone()).await).map_err(|error| match error.kind {
        ErrorKind::NativeCommandStopped => error,
        _ => not_found(pool_fqdn, &error.message),
    })?;
    let mut named = named_pools(&objects, pool_fqdn);
    let all = named.join(", ");
    if !named.is_empty() {
        // What looks like a name may be a server's, a site's or a version; where the topology does not answer, all stays.
        if let Some(known) = known_pools(host).await {
            named.retain(|name| known.iter().any(|pool| pool.eq_ignore_ascii_case(name)));
        }
    }
    match &named[..] {
        [partner] => Ok(partner.clone()),
        [] if all.is_empty() => Err(not_found(pool_fqdn, "its answer names no other pool.")),
        [] => Err(not_found(pool_fqdn, &format!("its answer names {all}, which `Get-CsPool` does not list."))),
        several => Err(not_found(pool_fqdn, &format!("its answer names several: {}.", several.join(", ")))),
    }
}

/// The pools of the topology; `None` where the shell does not tell. Reads only.
pub async fn known_pools(host: &dyn Host) -> Option<Vec<String>> {
    let asked = get_pools();
    let pools = pool::objects(&asked, host.native(asked.clone()).await).ok()?;
    let names: Vec<String> = pools.iter().flat_map(all_texts).map(|text| behind_colon(&text)).collect();
    let names: Vec<String> = names.into_iter().filter(|name| is_fqdn(name)).collect();
    (!names.is_empty()).then_some(names)
}

fn not_found(pool_fqdn: &str, why: &str) -> Error {
    Error::new(
        ErrorKind::PartnerNotFound,
        format!("`Get-CsPoolBackupRelationship -PoolFqdn {pool_fqdn}` does not tell the partner: {why}"),
    )
    .with_unchanged("Nothing was started.")
    .with_next("Name both pools: `-PoolFqdn` for the surviving one, `-DamagedPoolFqdn` for the other.")
    .with_target(pool_fqdn)
}

/// The names of other pools among an answer's texts, each once.
fn named_pools(objects: &[Map<String, Value>], asked: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for text in objects.iter().flat_map(all_texts) {
        let name = behind_colon(&text);
        let is_known = names.iter().any(|known| known.eq_ignore_ascii_case(&name));
        if is_fqdn(&name) && !name.eq_ignore_ascii_case(asked.trim()) && !is_known {
            names.push(name);
        }
    }
    names
}

/// Names in their order, each once, whatever its case.
pub(crate) fn each_once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for name in names {
        if !once.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            once.push(name.to_string());
        }
    }
    once
}

fn all_texts(object: &Map<String, Value>) -> Vec<String> {
    let mut texts = Vec::new();
    for value in object.values() {
        match value {
            Value::String(text) => texts.push(text.clone()),
            Value::Array(items) => texts.extend(items.iter().filter_map(Value::as_str).map(str::to_string)),
            _ => {}
        }
    }
    texts
}

fn behind_colon(text: &str) -> String {
    text.rsplit(':').next().unwrap_or_default().trim().to_string()
}

fn is_fqdn(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    // A version or an address is no name.
    text.contains('.') && text.split('.').all(is_label) && text.chars().any(char::is_alphabetic)
}

/// Reads the sync interval; `None` where it cannot be told, with the reason. Reads only.
pub async fn sync_interval(host: &dyn Host) -> std::result::Result<Duration, String> {
    let command = get_configuration();
    let objects = pool::objects(&command, host.native(command.clone()).await).map_err(|error| error.message)?;
    let text = objects.iter().find_map(|object| object.get("SyncInterval")?.as_str()).unwrap_or_default();
    read_time_span(text)
        .filter(|interval| !interval.is_zero())
        .ok_or_else(|| format!("`SyncInterval` is `{text}`, which is no time span."))
}

/// A time span as the shell prints it: `[d.]hh:mm:ss[.fffffff]`.
fn read_time_span(text: &str) -> Option<Duration> {
    let mut parts = text.trim().split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let number = |text: &str| text.parse::<u32>().ok();
    let seconds: f64 = seconds.parse().ok().filter(|s: &f64| (0.0..60.0).contains(s))?;
    let whole =
        u64::from(number(days)?) * 86_400 + u64::from(number(hours)?) * 3_600 + u64::from(number(minutes)?) * 60;
    Some(Duration::from_secs(whole) + Duration::from_secs_f64(seconds))
}

/// Whether a pool holds the active Central Management store; `None` where the shell does not tell. Reads only.
pub async fn holds_cms(host: &dyn Host, pool_fqdn: &str) -> Option<bool> {
    let command = get_cms_master();
    let objects = pool::objects(&command, host.native(command.clone()).await).ok()?;
    let master = objects.iter().find_map(|object| object.get("ActiveMasterFqdn")?.as_str())?.trim().to_string();
    if master.is_empty() {
        return None;
    }
    if master.eq_ignore_ascii_case(pool_fqdn) {
        return Some(true);
    }
    let asked = pool::get_pool(pool_fqdn);
    let members = pool::read_members(&pool::objects(&asked, host.native(asked.clone()).await).ok()?)?;
    Some(members.iter().any(|member| member.eq_ignore_ascii_case(&master)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_partner_is_the_other_pool_that_the_answer_names_whatever_the_member() {
        let object = |value: Value| vec![value.as_object().cloned().unwrap_or_default()];
        let all = |value: Value| named_pools(&object(value), "Pool1.contoso.com");
        assert_eq!(all(json!({"*": ["pool1.contoso.com", "Registrar:pool2.contoso.com"]})), ["pool2.contoso.com"]);
        assert_eq!(
            all(json!({"*": ["pool2.contoso.com", "POOL2.contoso.com", "True", "7.0.1923.0"]})),
            ["pool2.contoso.com"]
        );
        assert_eq!(all(json!({"": "pool2.contoso.com"})), ["pool2.contoso.com"]);
        assert!(all(json!({"*": ["pool1.contoso.com", "127.0.0.1", "site:Redmond", ""]})).is_empty());
        assert_eq!(all(json!({"*": ["p2.contoso.com", "p3.contoso.com"]})).len(), 2);
    }

    #[test]
    fn time_spans_are_read_as_the_shell_prints_them() {
        let seconds = |text| read_time_span(text).map(|span| span.as_secs_f64());
        assert_eq!(seconds("00:02:00"), Some(120.0));
        assert_eq!(seconds("00:00:05.5000000"), Some(5.5));
        assert_eq!(seconds("1.02:00:00"), Some(93_600.0));
        for wrong in ["", "120", "2 minutes", "00:02", "00:02:00:00", "00:00:61", "-00:02:00", "00:00:NaN"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
