//! Where fencing is refused: what serves would be stopped, or a part of it. Pure.

use super::{is_online, reachable, Old, Serving};
use crate::document::PrimaryDisableRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::one_role::{names_one, refuse_any_two_roles, InRole};
use crate::names::InstanceName;
use crate::sql::database::DatabaseState;

/// The side that serves is never fenced: neither of the old partners is the backup or its mirror, the backup must have
/// recovered, and the pool must have failed over.
pub(super) fn refusal(request: &PrimaryDisableRequest, serving: &Serving, old: &[Old]) -> Option<Error> {
    let refused = |kind, what: String, next: &str| {
        Some(
            Error::new(kind, what)
                .with_unchanged("Nothing was changed.")
                .with_next(next)
                .with_target(request.target.sql_instance.as_str()),
        )
    };
    if let Err(error) = all_different(request, serving, old) {
        return Some(error);
    }
    if let Some(side) = old.iter().find(|side| is_partner_of_serving(side, serving)) {
        return refused(
            ErrorKind::InvalidValue,
            format!(
                "{} is the mirroring partner of {}, the instance that serves `{}`, and no old primary.",
                side.name, request.backup_sql_instance, request.target.database
            ),
            "Name the old primary, and its own mirror with -PrimaryMirrorSqlInstance; Get-PChatMirror shows the partners.",
        );
    }
    if serving.state != DatabaseState::Online {
        return refused(
            ErrorKind::PrimaryAlive,
            format!(
                "`{}` is {} on {}, so that nothing has taken over from {}.",
                request.target.database,
                serving.state.as_text().to_uppercase(),
                request.backup_sql_instance,
                request.target.sql_instance
            ),
            "Fail over first; only a primary that was replaced is fenced.",
        );
    }
    match &serving.pool_state {
        Some(Ok(state)) if !state.eq_ignore_ascii_case("FailedOver") => {
            return refused(
                ErrorKind::PrimaryAlive,
                format!("the pool is {state}: its users are served by the primary side."),
                "Fence only while the pool is FailedOver.",
            );
        }
        Some(Err(why)) => {
            return refused(
                ErrorKind::NativeCommandFailed,
                format!("the pool's state cannot be read: {why}"),
                "Run this in the management shell, or leave -PoolFqdn out where you know that the pool is FailedOver.",
            );
        }
        _ => {}
    }
    let mirrored = reachable(old).find(|(_, seen)| seen.mirror.is_some() && is_online(seen));
    if let Some((side, _)) = mirrored.filter(|_| request.take_offline && !request.remove_mirroring) {
        return refused(
            ErrorKind::DatabaseStateUnsuited,
            format!(
                "`{}` on {} is mirrored, and a mirrored database cannot be taken offline (1468).",
                request.target.database, side.name
            ),
            "Give -RemoveMirror beside -TakeOffline.",
        );
    }
    let labs = reachable(old).map(|(_, seen)| &seen.instance.lab_id).chain([&serving.backup.lab_id]);
    let mut kinds: Vec<bool> = labs.map(Option::is_some).collect();
    kinds.dedup();
    if kinds.len() > 1 {
        return refused(
            ErrorKind::LabMixedWithReal,
            "one of the instances is the lab's and another is not.".to_string(),
            "Name instances of one world.",
        );
    }
    None
}

/// Old primary, its mirror and the backup are three instances, whatever they are called here.
fn all_different(request: &PrimaryDisableRequest, serving: &Serving, old: &[Old]) -> Result<()> {
    let names: Vec<String> = old.iter().map(|side| side.name.to_string()).collect();
    let mut named = vec![InRole {
        role: "backup",
        name: &request.backup_sql_instance,
        own_name: Some(serving.backup.server_name.as_str()),
    }];
    named.extend(old.iter().zip(&names).zip(["primary", "primary_mirror"]).map(|((side, name), role)| InRole {
        role,
        name,
        own_name: side.seen.as_ref().ok().map(|seen| seen.instance.server_name.as_str()),
    }));
    refuse_any_two_roles(&named)
}

/// True for the mirror of what serves: one session on both sides, or either names the other as its partner. One that is
/// silent is known by the name that the serving copy has for it.
fn is_partner_of_serving(side: &Old, serving: &Serving) -> bool {
    let partner = serving.mirror.as_ref().and_then(|mirror| mirror.partner_instance.as_deref());
    let Ok(seen) = &side.seen else {
        let partner = partner.and_then(|name| name.parse::<InstanceName>().ok());
        return partner.is_some_and(|partner| names_one(&partner, &side.name));
    };
    let is_one = |named: Option<&str>, own: &str| named.is_some_and(|named| named.eq_ignore_ascii_case(own));
    let theirs = seen.mirror.as_ref();
    let session = theirs.map(|mirror| mirror.mirroring_id);
    is_one(partner, &seen.instance.server_name)
        || is_one(theirs.and_then(|mirror| mirror.partner_instance.as_deref()), &serving.backup.server_name)
        || (session.is_some() && session == serving.mirror.as_ref().map(|mirror| mirror.mirroring_id))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::Seen;
    use super::*;
    use crate::evidence::sample::{facts, mirror};
    use crate::sql::instance::InstanceFacts;
    use crate::sql::mirror::{Mirror, MirrorRole, MirrorState};

    fn session(id: u128, partner: Option<&str>) -> Mirror {
        Mirror {
            mirroring_id: Uuid::from_u128(id),
            partner_instance: partner.map(str::to_string),
            ..mirror(MirrorRole::Principal, MirrorState::Synchronized)
        }
    }

    fn old(name: &str, answers: Option<(&str, Option<Mirror>)>) -> Old {
        let seen = |(server_name, mirror): (&str, Option<Mirror>)| Seen {
            instance: InstanceFacts { server_name: server_name.to_string(), ..facts() },
            database: None,
            mirror,
            jobs: Vec::new(),
        };
        Old { name: name.parse().unwrap(), seen: answers.map(seen).ok_or_else(|| "no answer within 5 s".to_string()) }
    }

    #[test]
    fn the_partner_of_what_serves_is_told_by_either_side_and_by_its_name_where_it_is_silent() {
        let serving = |mirror| Serving { backup: facts(), state: DatabaseState::Online, mirror, pool_state: None };
        let (full, bare) = (Some(session(1, Some(r"BM\RTC"))), Some(session(1, None)));
        let seen = |mirror| Some((r"BM\RTC", mirror));
        for (mirror, side) in [
            (full.clone(), old("sql-alias,14330", seen(None))),
            (bare.clone(), old(r"BM\RTC", seen(Some(session(1, None))))),
            (None, old(r"BM\RTC", seen(Some(session(1, Some(r"b\rtc")))))),
            (full.clone(), old(r"bm.contoso.com\RTC", None)),
        ] {
            assert!(is_partner_of_serving(&side, &serving(mirror)), "{}", side.name);
        }
        for (mirror, side) in [
            (full.clone(), old(r"PM\RTC", Some((r"PM\RTC", Some(session(2, Some(r"P\RTC"))))))),
            (full, old(r"PM\RTC", None)),
            (bare, old(r"PM\RTC", Some((r"PM\RTC", None)))),
            (None, old(r"PM\RTC", Some((r"PM\RTC", None)))),
        ] {
            assert!(!is_partner_of_serving(&side, &serving(mirror)), "{}", side.name);
        }
    }
}
