//! The mirror of the primary, set up by Lync's own command. What the guard left on the mirror instance is replaced. Its failure
//! never keeps users out.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::failback::plan::step_name;
use crate::failback::{Failback, Run};
use crate::host::{Level, NativeCommand};
use crate::journal::crash_points;
use crate::pool;
use crate::run::{OnFailure, Seen, Step};
use crate::sql::compliance::COMPLIANCE_DATABASE;
use crate::sql::mirror::{self, MirrorState};
use crate::sql::{database, Purpose};

/// How long the partners may take to find each other after the command returned.
const JOIN_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(500);

pub(crate) struct Mirror;

#[async_trait]
impl Step<Failback> for Mirror {
    fn name(&self) -> &'static str {
        step_name::MIRROR
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run) -> Result<Seen> {
        let mut seen = Vec::new();
        for name in databases(run).await? {
            match state_of(run, &name).await? {
                Some(state) if stands(state) => seen.push(format!("{name} is {}", state.as_text())),
                Some(state) => return Ok(Seen::NotYet(format!("{name} is mirrored, but {}", state.as_text()))),
                None => return Ok(Seen::NotYet(format!("{name} is not mirrored"))),
            }
        }
        Ok(Seen::So(seen.join(", ")))
    }

    async fn act(&self, run: &Run) -> Result<String> {
        for name in databases(run).await? {
            if state_of(run, &name).await?.is_some_and(stands) {
                continue;
            }
            let command = command(&run.work, &name, leftover(run, &name).await?);
            let sent = run.native_set(command.clone()).await;
            crash_points::reach("home_mirror.installed");
            if joined(run, &name).await? {
                continue;
            }
            let why = match sent {
                Ok(()) => format!("{name} is not mirrored after the command, which said nothing"),
                Err(error) if error.kind == ErrorKind::NativeCommandFailed => error.message,
                Err(error) => return Err(error),
            };
            return Err(Error::new(
                ErrorKind::MirrorNotInstalled,
                format!("the mirror was not set up: {}.", why.trim_end_matches('.')),
            )
            .with_unchanged("The database is served without a mirror.")
            .with_next(format!(
                "Remove the cause (endpoint, rights of both service accounts on the share), then run `Resume-PChatRun`. By hand: `{} \
                 -Confirm:$false`.",
                command.as_text()
            )));
        }
        Ok(String::new())
    }
}

/// The command that sets up the mirror of a database of the primary; `leftover`: a database of that name is on the mirror.
pub(crate) fn command(work: &Failback, name: &str, leftover: bool) -> NativeCommand {
    let kind = if name == COMPLIANCE_DATABASE { pool::COMPLIANCE_DATABASE } else { pool::CHAT_DATABASE };
    let share = work.request.mirror_file_share.as_deref().unwrap_or_default();
    let primary = &work.names.primary;
    let store = work.pool.service().and_then(|service| service.primary_store.clone());
    let host = store.unwrap_or_else(|| primary.host.clone());
    let command = pool::install_mirror(kind, &host, primary.instance.as_deref(), share);
    match leftover {
        true => pool::over_existing(command),
        false => command,
    }
}

/// mgc, and mgccomp where the baseline has it mirrored and the primary has it.
async fn databases(run: &Run) -> Result<Vec<String>> {
    let mut names = vec![run.database().to_string()];
    if run.work.wanted.is_compliance_mirrored {
        let mut connection = run.primary(Purpose::Catalog).await?;
        match database::read(&mut connection, COMPLIANCE_DATABASE).await? {
            Some(_) => names.push(COMPLIANCE_DATABASE.to_string()),
            None => run.host.message(Level::Warning, "The primary has no compliance database to mirror.".to_string()),
        }
    }
    Ok(names)
}

async fn state_of(run: &Run, name: &str) -> Result<Option<MirrorState>> {
    let mut connection = run.primary(Purpose::Catalog).await?;
    Ok(mirror::read(&mut connection, name).await?.map(|found| found.state))
}

/// Either role: between two changes of roles the primary is the mirror of its pair.
fn stands(state: MirrorState) -> bool {
    matches!(state, MirrorState::Synchronized | MirrorState::Synchronizing)
}

/// True where the mirror instance has a database of this name, which the guard has released.
async fn leftover(run: &Run, name: &str) -> Result<bool> {
    let Some(partner) = &run.work.names.primary_mirror else { return Ok(false) };
    let mut connection = run.connect_to(partner, Purpose::Catalog).await?;
    let there = database::read(&mut connection, name).await?.is_some();
    if there && mirror::read(&mut connection, name).await?.is_some() && name != COMPLIANCE_DATABASE {
        // Half of a set-up that was cut off, or a partner that did not hear of its end.
        let statement = mirror::partner_off_statement(name)?;
        run.change(&partner.to_string(), &statement, mirror::partner_off(&mut connection, name)).await?;
    }
    Ok(there)
}

async fn joined(run: &Run, name: &str) -> Result<bool> {
    let end = Instant::now() + JOIN_LIMIT;
    loop {
        match state_of(run, name).await? {
            Some(state) if stands(state) => return Ok(true),
            None => return Ok(false),
            Some(_) if Instant::now() >= end => return Ok(false),
            Some(_) => run.pause(POLL).await?,
        }
    }
}
