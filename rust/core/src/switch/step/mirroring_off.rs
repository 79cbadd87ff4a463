//! Mirroring ends on the source: a mirrored principal refuses the tail and SINGLE_USER. The copy on its partner stays
//! RESTORING.

use async_trait::async_trait;

use super::{name, HISTORY};
use crate::error::Result;
use crate::host::Level;
use crate::journal::crash_points;
use crate::names::InstanceName;
use crate::run::{OnFailure, Run, Seen, Step};
use crate::sql::{mirror, Purpose};
use crate::switch::SwitchWork;

pub(crate) struct MirroringOff;

async fn still_mirrored<W: SwitchWork>(run: &Run<W>, on: &InstanceName) -> Result<Vec<String>> {
    let mut connection = run.session.connector().connect(on, Purpose::Catalog).await?;
    let mut names = Vec::new();
    for database in W::mirrored(run) {
        if mirror::read(&mut connection, &database).await?.is_some() {
            names.push(database);
        }
    }
    connection.close().await;
    Ok(names)
}

async fn end<W: SwitchWork>(run: &Run<W>, on: &InstanceName, database: &str) -> Result<()> {
    let mut connection = run.session.connector().connect(on, Purpose::Work).await?;
    let statement = mirror::partner_off_statement(database)?;
    let what = format!("{database} on {on}");
    run.change(&what, &statement, mirror::partner_off(&mut connection, database)).await
}

#[async_trait]
impl<W: SwitchWork> Step<W> for MirroringOff {
    fn name(&self) -> &'static str {
        name::MIRRORING_OFF
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        if W::is_past_recovery(run).await? {
            return Ok(Seen::So(HISTORY.to_string()));
        }
        let left = still_mirrored(run, run.work.source()).await?;
        Ok(match left.is_empty() {
            true => Seen::So(format!("{} mirrors nothing that moves", run.work.source())),
            false => Seen::NotYet(format!("{} mirrors {}", run.work.source(), left.join(", "))),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        for database in still_mirrored(run, run.work.source()).await? {
            end(run, run.work.source(), &database).await?;
            crash_points::reach("mirroring.removed");
        }
        // A partner that was away when the session ended still believes in it.
        if let Some(partner) = run.work.source_mirror().cloned() {
            match still_mirrored(run, &partner).await {
                Ok(left) => {
                    for database in left {
                        end(run, &partner, &database).await?;
                    }
                }
                Err(error) => run.host.message(
                    Level::Warning,
                    format!("{partner} could not be asked whether it still mirrors: {}", error.message),
                ),
            }
        }
        Ok(String::new())
    }
}
