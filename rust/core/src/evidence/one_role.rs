//! One instance in two roles: what serves would be taken for what is restored, or for its own mirror.

use crate::error::{Error, ErrorKind, Result};
use crate::names::InstanceName;

/// An instance that is named for a role.
#[derive(Debug, Clone)]
pub(crate) struct InRole<'a> {
    /// As messages call it: `primary`, `backup_mirror`.
    pub role: &'a str,
    pub name: &'a str,
    /// What it calls itself, where it was asked: names may be aliases.
    pub own_name: Option<&'a str>,
}

/// Refuses two that are one: by their names as far as they tell, by what they call themselves where they answer. Pure.
///
/// # Errors
/// `InvalidValue` (1002) with both roles.
pub(crate) fn refuse_two_roles(one: &InRole<'_>, other: &InRole<'_>) -> Result<()> {
    if !is_one(one, other) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidValue,
        format!(
            "{} is named as the {} and, as {}, as the {}: both are one instance.",
            one.name, one.role, other.name, other.role
        ),
    )
    .with_unchanged("Nothing was started.")
    .with_next("Name different instances."))
}

/// The same of every pair.
///
/// # Errors
/// As [`refuse_two_roles`].
pub(crate) fn refuse_any_two_roles(all: &[InRole<'_>]) -> Result<()> {
    for (index, one) in all.iter().enumerate() {
        for other in &all[index + 1..] {
            refuse_two_roles(one, other)?;
        }
    }
    Ok(())
}

fn is_one(one: &InRole<'_>, other: &InRole<'_>) -> bool {
    let of_name = |name: &str| name.parse::<InstanceName>().ok();
    let same_name = |a: &str, b: &str| match (of_name(a), of_name(b)) {
        (Some(a), Some(b)) => names_one(&a, &b),
        _ => a.eq_ignore_ascii_case(b),
    };
    match (one.own_name, other.own_name) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b) || one.name.eq_ignore_ascii_case(other.name),
        (Some(own), None) => same_name(own, other.name) || same_name(one.name, other.name),
        (None, Some(own)) => same_name(one.name, own) || same_name(one.name, other.name),
        (None, None) => same_name(one.name, other.name),
    }
}

/// True where two names lead to one instance: a short host stands for any domain, two domains are two hosts.
pub(crate) fn names_one(a: &InstanceName, b: &InstanceName) -> bool {
    let lower = |text: &str| text.to_lowercase();
    let label = |host: &str| lower(host.split('.').next().unwrap_or_default());
    let both_qualified = a.host.contains('.') && b.host.contains('.');
    let same_host = match both_qualified {
        true => lower(&a.host) == lower(&b.host),
        false => label(&a.host) == label(&b.host),
    };
    let instance = |name: &InstanceName| name.instance.as_deref().map(lower).unwrap_or_default();
    same_host && instance(a) == instance(b) && (a.port == b.port || a.port.is_none() || b.port.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four different instances as they are named, and what they call themselves.
    const ALL: [(&str, &str, &str); 4] = [
        ("primary", r"P\RTC", r"P\RTC"),
        ("primary_mirror", r"PM\RTC", r"PM\RTC"),
        ("backup", r"B\RTC", r"B\RTC"),
        ("backup_mirror", r"BM\RTC", r"BM\RTC"),
    ];

    fn named<'a>(own: [Option<&'a str>; 4], names: [&'a str; 4]) -> Vec<InRole<'a>> {
        ALL.iter()
            .zip(names.iter().zip(own))
            .map(|((role, _, _), (name, own_name))| InRole { role, name, own_name })
            .collect()
    }

    #[test]
    fn every_pair_of_roles_is_refused_under_one_name_and_under_two() {
        let names = ALL.map(|(_, name, _)| name);
        let own = ALL.map(|(_, _, own)| Some(own));
        assert!(refuse_any_two_roles(&named(own, names)).is_ok());
        assert!(refuse_any_two_roles(&named([None; 4], names)).is_ok());
        for one in 0..4 {
            for other in one + 1..4 {
                let short = names[one].split('\\').next().unwrap();
                let qualified = format!(r"{}.contoso.com\rtc", short.to_lowercase());
                // The same name, its longer form, an alias that the instance itself uncovers; silent ones by their names alone.
                for (alias, answers) in [
                    (names[one], true),
                    (names[one], false),
                    (qualified.as_str(), true),
                    (qualified.as_str(), false),
                    ("sql-alias,14330", true),
                ] {
                    let (mut own, mut names) = (if answers { own } else { [None; 4] }, names);
                    names[other] = alias;
                    own[other] = own[one];
                    let refused = refuse_any_two_roles(&named(own, names)).expect_err(alias);
                    assert_eq!(refused.kind, ErrorKind::InvalidValue);
                    let (a, b) = (ALL[one].0, ALL[other].0);
                    assert!(refused.message.contains(&format!("as the {a} and")), "{alias}: {}", refused.message);
                    assert!(refused.message.contains(&format!("as the {b}:")), "{alias}: {}", refused.message);
                }
            }
        }
    }

    #[test]
    fn one_that_is_silent_is_known_by_the_own_name_of_the_other() {
        let of = |name, own_name| InRole { role: "primary", name, own_name };
        assert!(refuse_two_roles(&of("alias", Some(r"P\RTC")), &of(r"p.contoso.com\RTC", None)).is_err());
        assert!(refuse_two_roles(&of(r"p.contoso.com\RTC", None), &of("alias", Some(r"P\RTC"))).is_err());
        assert!(refuse_two_roles(&of(r"P\RTC", None), &of(r"P\LYNC", None)).is_ok());
        let domains = (of(r"sql.a.contoso.com\RTC", None), of(r"sql.b.contoso.com\RTC", None));
        assert!(refuse_two_roles(&domains.0, &domains.1).is_ok(), "two domains are two hosts");
    }
}
