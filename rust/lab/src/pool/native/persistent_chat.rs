//! Pool state and active list.

use serde_json::{json, Value};

use super::super::cms::ChatConfiguration;
use super::super::settings::{Dialect, PoolState};
use super::super::{same_host, PoolInner};
use super::bind::texts_of;
use super::{Call, NativeError, Objects};

/// The pool's identity as the Get prints it.
fn state_identity(inner: &PoolInner) -> String {
    format!("PersistentChatServer:{}", inner.settings.pool_fqdn)
}

/// Whether an identity in one of the accepted spellings means this pool.
fn accepts_identity(inner: &PoolInner, identity: &str) -> bool {
    inner.settings.native.state_identity_prefixes.iter().any(|prefix| {
        let (head, tail) = (identity.get(..prefix.len()), identity.get(prefix.len()..));
        head.is_some_and(|h| h.eq_ignore_ascii_case(prefix))
            && tail.is_some_and(|t| t.eq_ignore_ascii_case(&inner.settings.pool_fqdn))
    })
}

fn unknown_identity(identity: &str) -> NativeError {
    NativeError::not_found(format!("Cannot find an object with the identity \"{identity}\"."))
}

/// `Set-CsPersistentChatState`: silent, and the change replicates later. Without `-PoolState` it means Normal.
pub fn set_state(call: &mut Call<'_>) -> Objects {
    let identity = match call.bound.value("Instance") {
        Some(Value::Object(instance)) => instance.get("Identity").and_then(Value::as_str).map(String::from),
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => None,
        None => call.bound.text("Identity").map(String::from),
    };
    let Some(identity) = identity else {
        return Err(unknown_identity(""));
    };
    let given = call.bound.text("PoolState").map(String::from).or_else(|| {
        call.bound.value("Instance").and_then(|i| i.get("PoolState")).and_then(Value::as_str).map(String::from)
    });
    let state = match given.as_deref() {
        Some(word) if word.eq_ignore_ascii_case("FailedOver") => PoolState::FailedOver,
        _ => PoolState::Normal,
    };
    {
        let inner = call.pool.lock();
        if !accepts_identity(&inner, &identity) {
            return Err(unknown_identity(&identity));
        }
    }
    if call.should("Set-CsPersistentChatState", &identity) {
        let now = call.pool.outside.now_utc();
        let mut inner = call.pool.lock();
        let before = inner.cms.configuration().clone();
        let disables = inner.settings.native.state_disables_servers && state == PoolState::FailedOver;
        let active = if disables { Vec::new() } else { before.active.clone() };
        inner.cms.set(ChatConfiguration { state, active }, now);
        let pool_fqdn = inner.settings.pool_fqdn.clone();
        drop(inner);
        call.note(&pool_fqdn, json!({ "pool_state": { "before": before.state.word(), "after": state.word() } }));
    }
    Ok(Vec::new())
}

/// `Get-CsPersistentChatState`, from the store or from the replica of the shell's machine.
pub fn get_state(call: &mut Call<'_>) -> Objects {
    let mut inner = call.pool.lock();
    call.pool.settle(&mut inner);
    let configuration = if call.bound.switch("LocalStore") {
        let shell = inner.settings.shell_host.clone();
        match inner.cms.replica(&shell) {
            Some(replica) => replica.configuration.clone(),
            None => return Err(NativeError::not_found(format!("{shell} has no local store."))),
        }
    } else if inner.cms_available() {
        inner.cms.configuration().clone()
    } else {
        return Err(super::store_unavailable());
    };
    if let Some(identity) = call.bound.text("Identity") {
        if !accepts_identity(&inner, identity) {
            return Err(unknown_identity(identity));
        }
    }
    let identity = state_identity(&inner);
    if let Some(filter) = call.bound.text("Filter") {
        if !like(&inner.settings.pool_fqdn, filter) && !like(&identity, filter) {
            return Ok(Vec::new());
        }
    }
    Ok(vec![json!({ "Identity": identity, "PoolState": configuration.state.word() })])
}

/// Wildcard match without regard to case: `*` and `?`.
pub(super) fn like(text: &str, pattern: &str) -> bool {
    fn matches(text: &[char], pattern: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|skip| matches(&text[skip..], rest)),
            Some(('?', rest)) => !text.is_empty() && matches(&text[1..], rest),
            Some((c, rest)) => text.first() == Some(c) && matches(&text[1..], rest),
        }
    }
    let chars = |s: &str| s.to_lowercase().chars().collect::<Vec<_>>();
    matches(&chars(text), &chars(pattern))
}

/// `Get-CsPersistentChatActiveServer`, which some page names and no list of commands has.
pub fn get_active_servers(call: &mut Call<'_>) -> Objects {
    let inner = call.pool.lock();
    Ok(vec![json!({ "Identity": "Global", "ActiveServers": inner.cms.configuration().active.clone() })])
}

/// `Set-CsPersistentChatActiveServer`: clears, adds, removes, replaces or swaps; silent.
pub fn set_active_server(call: &mut Call<'_>) -> Objects {
    let identity = call.bound.text("Identity").map(String::from);
    let mut list;
    let before;
    {
        let inner = call.pool.lock();
        if let Some(identity) = &identity {
            let own = match call.dialect {
                Dialect::Lync2013 => "global",
                Dialect::Sfb2015 => "PChatServerCollection",
            };
            let accepted = &inner.settings.native.active_list_identities;
            let known = if accepted.is_empty() {
                identity.eq_ignore_ascii_case(own)
            } else {
                accepted.iter().any(|a| a.eq_ignore_ascii_case(identity))
            };
            if !known {
                return Err(unknown_identity(identity));
            }
        }
        before = inner.cms.configuration().active.clone();
        list = before.clone();
        if call.bound.switch("Swap") {
            list = inner.inactive_servers();
        } else {
            let modifier = call.bound.value("ActiveServers").cloned().unwrap_or(Value::Null);
            let undocumented = modifier.get("Replace").is_some();
            if undocumented && inner.settings.native.strict {
                return Err(NativeError::binding(
                    &call.command,
                    "CannotConvertArgumentNoMessage",
                    "Cannot bind parameter 'ActiveServers': only $null, Add and Remove are documented.".into(),
                ));
            }
            change(&inner, &modifier, &mut list)?;
        }
        let limit = inner.settings.native.active_server_limit;
        if limit.is_some_and(|limit| list.len() > limit) {
            return Err(NativeError::refused(
                "TooManyActiveServers",
                "InvalidArgument",
                format!("{} servers exceed the limit of active servers.", list.len()),
            ));
        }
    }
    if call.should("Set-CsPersistentChatActiveServer", identity.as_deref().unwrap_or("global")) {
        let now = call.pool.outside.now_utc();
        let mut inner = call.pool.lock();
        let state = inner.cms.configuration().state;
        inner.cms.set(ChatConfiguration { state, active: list.clone() }, now);
        let pool_fqdn = inner.settings.pool_fqdn.clone();
        drop(inner);
        call.note(&pool_fqdn, json!({ "active_servers": { "before": before, "after": list } }));
    }
    Ok(Vec::new())
}

fn change(inner: &PoolInner, modifier: &Value, list: &mut Vec<String>) -> Result<(), NativeError> {
    let member = |name: &String| {
        inner.servers.iter().find(|s| same_host(&s.fqdn, name)).map(|s| s.fqdn.clone()).ok_or_else(|| {
            NativeError::refused(
                "NotInPool",
                "InvalidArgument",
                format!("{name} is not a machine of pool {}.", inner.settings.pool_fqdn),
            )
        })
    };
    if modifier.get("Form").and_then(Value::as_str) == Some("null") {
        list.clear();
        return Ok(());
    }
    if let Some(items) = modifier.get("Replace") {
        list.clear();
        for name in &texts_of(items) {
            let fqdn = member(name)?;
            if !list.contains(&fqdn) {
                list.push(fqdn);
            }
        }
    }
    if let Some(items) = modifier.get("Remove") {
        for name in &texts_of(items) {
            let fqdn = member(name)?;
            list.retain(|l| *l != fqdn);
        }
    }
    if let Some(items) = modifier.get("Add") {
        for name in &texts_of(items) {
            let fqdn = member(name)?;
            if !list.contains(&fqdn) {
                list.push(fqdn);
            }
        }
    }
    Ok(())
}
