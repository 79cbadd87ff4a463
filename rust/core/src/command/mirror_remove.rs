//! `Remove-PChatMirror`: `SET PARTNER OFF`, and what to do with the copy that it leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::change::{self, Action, Asked, Change, Context, Planned, Reached};
use super::ledger::Ledger;
use super::mirror_get::{look, orphan_advice, Side};
use crate::document::{MirrorRemoveRequest, Target};
use crate::error::Result;
use crate::host::{Cancel, Host};
use crate::operation::{OperationResult, Session};
use crate::run::Locks;
use crate::sql::mirror::{self, Mirror, MirrorRole};
use crate::sql::Purpose;

/// Ends mirroring of a database on this instance. The principal stays as it is and is served on; the former mirror stays
/// RESTORING. Result `run`.
///
/// # Errors
/// In the result: `DatabaseNotFound` (3003), `StepNotVerified` (5015), `Locked` (5008), those of the journal.
pub(crate) async fn mirror_remove(
    session: Arc<Session>,
    request: MirrorRemoveRequest,
    host: Arc<dyn Host>,
    cancel: Cancel,
) -> Result<OperationResult> {
    change::run(RemoveMirror(request), session, host, cancel).await
}

struct RemoveMirror(MirrorRemoveRequest);

#[async_trait]
impl Change for RemoveMirror {
    type Look = Option<Mirror>;

    const KIND: &'static str = "remove_mirror";

    fn asked(&self) -> Asked<'_> {
        Asked::of(&self.0.target, self.0.plan_only, self.0.approved_digest.as_deref())
    }

    async fn look(&self, at: &Context) -> Result<(Option<Mirror>, Planned)> {
        let seen = tokio::select! {
            seen = look(&at.session, &at.instance, &at.target.database) => seen?,
            () = at.cancel.cancelled() => return Err(at.cancel.check().err().unwrap_or_else(change::gone)),
        };
        let planned = plan(&at.target, &seen)?;
        Ok((seen.mirror, planned))
    }

    async fn carry_out(&self, at: &Context, found: Option<Mirror>, planned: &Planned, locks: Locks) -> Result<Reached> {
        let ledger = Ledger::begin(at, Self::KIND, &self.0.journal, &planned.actions, &found, locks).await?;
        let ended = work(at, &ledger, planned).await;
        let text = format!("Mirroring of `{}` is off on {}.", at.target.database, at.target.sql_instance);
        ledger.end(&ended, &text).await;
        ended?;
        Ok(Reached { text, next: planned.next.clone(), error: None })
    }
}

async fn work(at: &Context, ledger: &Ledger, planned: &Planned) -> Result<()> {
    at.view.set_status("ending mirroring");
    let database = at.target.database.as_str();
    let mut connection = at.session.connector().connect(&at.instance, Purpose::Work).await?;
    for action in &planned.actions {
        let done = mirror::partner_off(&mut connection, database);
        ledger.change(&action.object, &action.statement, done).await?;
        at.tell(action, "done").await;
    }
    connection.close().await;
    Ok(())
}

fn plan(target: &Target, seen: &Side) -> Result<Planned> {
    let database = target.database.as_str();
    let mut facts = BTreeMap::new();
    let mut fact = |name: &str, value: String| facts.insert(name.to_string(), value);
    fact("instance", seen.instance.server_name.clone());
    fact("database", database.to_string());
    fact("lab", seen.instance.lab_id.clone().unwrap_or_else(|| "none".to_string()));
    fact("database_state", seen.database.state.as_text().to_string());
    fact("role", seen.mirror.as_ref().map_or("none", |mirror| mirror.role.as_text()).to_string());
    let mut planned = Planned { facts, ..Planned::default() };
    let Some(mirror) = &seen.mirror else {
        planned.text = match seen.is_orphan() {
            true => orphan_advice(database)?,
            false => format!("`{database}` on {} is not mirrored.", target.sql_instance),
        };
        return Ok(planned);
    };
    planned.facts.insert("mirroring".to_string(), mirror.mirroring_id.to_string());
    let partner = mirror.partner_instance.as_deref().unwrap_or("its partner");
    planned.actions.push(Action {
        action: "partner_off",
        object: database.to_string(),
        statement: mirror::partner_off_statement(database)?,
        text: format!("{} of {partner}, {}", mirror.role.as_text(), mirror.state.as_text()),
    });
    planned.text = match mirror.role {
        MirrorRole::Principal => format!(
            "End mirroring of `{database}` on {}, which serves it on without a mirror; the copy on {partner} stays RESTORING.",
            target.sql_instance
        ),
        MirrorRole::Mirror => format!(
            "End mirroring of `{database}` on {}, whose copy stays RESTORING; {partner} serves it on without a mirror.",
            target.sql_instance
        ),
    };
    let orphan_at = if mirror.role == MirrorRole::Principal { partner } else { target.sql_instance.as_str() };
    planned.next.push(
        "Look at both partners with Get-PChatMirror: a partner that could not be reached still believes that it is mirrored until the \
         same is done there."
            .to_string(),
    );
    planned.next.push(format!("On {orphan_at}: {}", orphan_advice(database)?));
    Ok(planned)
}
