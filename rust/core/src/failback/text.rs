//! What the end of a failback is told as.

use super::plan::step_name;
use super::step::save_copies::saved;
use super::step::verify;
use super::{guard::HomeRole, stage::Stage, Run};

pub(super) fn done(run: &Run) -> String {
    format!("{} is served by {} again. Nothing was lost on the way.", run.database(), run.work.names.primary)
}

pub(super) fn put_back(run: &Run) -> String {
    format!(
        "{} is served by {} as before; mirror, services and active servers are back.",
        run.database(),
        run.work.names.backup
    )
}

pub(super) fn reached(run: &Run) -> String {
    let (database, names) = (run.database(), &run.work.names);
    let done = |name: &str| run.view.has_done(name);
    match run.work.last_seen.get() {
        _ if done(step_name::ACTIVE_SERVERS) => format!("{database} is online on {} and users get in.", names.primary),
        Some(Stage::Recovered) => format!("{database} is online on {}; users do not get in yet.", names.primary),
        _ if !run.can_put_back() => format!("{database} is online on {}; users do not get in yet.", names.primary),
        Some(Stage::Between) => format!(
            "{database} is online nowhere: it takes no writes on {} any more, and {} is not recovered yet.",
            names.backup, names.primary
        ),
        Some(Stage::Serving) if done(step_name::STOP_SERVICES) => {
            format!("{database} is online on {}, and the services are stopped.", names.backup)
        }
        Some(Stage::Serving) => format!("{database} is served by {} still.", names.backup),
        None => "Where the database serves was not seen.".to_string(),
    }
}

pub(super) fn next_actions(run: &Run) -> Vec<String> {
    let mut next = Vec::new();
    if run.view.has_done(step_name::RECOVER) {
        next.extend(verify::lines(run));
        for role in [HomeRole::Primary, HomeRole::Mirror] {
            if let Some(saved) = saved(run, role) {
                next.push(format!(
                    "What an old copy at home held is kept in {}; look whether it has what was lost.",
                    saved.file
                ));
            }
        }
    }
    next
}
