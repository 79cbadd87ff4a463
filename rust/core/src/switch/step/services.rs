//! The Persistent Chat services of the pool's servers: stopped, because they reconnect by themselves as long as they run,
//! and started again for the side that serves then.

use async_trait::async_trait;
use serde_json::{json, Value};
use tokio::time::{Duration, Instant};

use super::{name, HISTORY};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Level;
use crate::journal::crash_points;
use crate::pool::{self, WindowsService};
use crate::run::{OnFailure, Run, Seen, Step};
use crate::switch::{ServerServices, SwitchWork};

const POLL: Duration = Duration::from_millis(500);

/// Stops the channel services, or the compliance services.
pub(crate) struct StopServices {
    compliance: bool,
}

impl StopServices {
    pub(crate) fn channel() -> StopServices {
        StopServices { compliance: false }
    }

    pub(crate) fn compliance() -> StopServices {
        StopServices { compliance: true }
    }

    fn is_meant(&self, service: &WindowsService) -> bool {
        match self.compliance {
            true => service.is_compliance(),
            false => service.is_persistent_chat(),
        }
    }
}

/// The services of one server as they are now.
async fn read<W: SwitchWork>(run: &Run<W>, server: &str) -> Result<Vec<WindowsService>> {
    Ok(pool::read_windows_services(&run.native_get(pool::get_windows_services(server)).await?))
}

/// The servers whose services could be read before the first change. The others are out of reach; their sessions are
/// looked for in the database.
fn reachable<W: SwitchWork>(run: &Run<W>) -> impl Iterator<Item = &ServerServices> {
    W::services_before(&run.capture).iter().filter(|server| server.services.known().is_some())
}

#[async_trait]
impl<W: SwitchWork> Step<W> for StopServices {
    fn name(&self) -> &'static str {
        match self.compliance {
            true => name::STOP_COMPLIANCE,
            false => name::STOP_SERVICES,
        }
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::PutBack
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        if W::is_past_recovery(run).await? {
            return Ok(Seen::So(HISTORY.to_string()));
        }
        let (mut running, mut stopped) = (Vec::new(), 0);
        for server in reachable(run) {
            for service in read(run, &server.server).await?.into_iter().filter(|service| self.is_meant(service)) {
                match service.is_stopped() {
                    true => stopped += 1,
                    false => {
                        running.push(format!("`{}` on {} is {}", service.display_name, server.server, service.status))
                    }
                }
            }
        }
        Ok(match running.is_empty() {
            true => Seen::So(format!("{stopped} services are stopped")),
            false => Seen::NotYet(running.join(", ")),
        })
    }

    fn intent(&self, run: &Run<W>) -> Value {
        json!({"servers": reachable(run).map(|server| server.server.as_str()).collect::<Vec<_>>()})
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        for server in reachable(run) {
            for service in read(run, &server.server).await? {
                if self.is_meant(&service) && !service.is_stopped() {
                    run.tell_progress(&format!("stopping `{}` on {}", service.display_name, server.server), None);
                    run.native_set(pool::stop_windows_service(&server.server, &service.name)).await?;
                    crash_points::reach("services.stopped_one");
                }
            }
        }
        let end = Instant::now() + run.work.limits().service;
        loop {
            match Step::<W>::probe(self, run).await? {
                Seen::NotYet(_) if Instant::now() < end => run.pause(POLL).await?,
                _ => return Ok(String::new()),
            }
        }
    }
}

/// Starts what ran before, and the channel service of every server that is to be active.
pub(crate) struct StartServices;

/// A service that is to run, with its server.
type Wanted = (String, WindowsService);

/// In the order of their start: the servers to be active first, and compliance behind the channel service.
fn wanted<W: SwitchWork>(run: &Run<W>) -> Vec<Wanted> {
    let is_active = |server: &str| run.work.active_servers().iter().any(|active| active.eq_ignore_ascii_case(server));
    let mut wanted: Vec<(bool, bool, Wanted)> = Vec::new();
    for server in W::services_before(&run.capture) {
        for service in server.services.known().into_iter().flatten() {
            let active = is_active(&server.server);
            let ran = service.is_running() && (service.is_persistent_chat() || service.is_compliance());
            if ran || (active && service.is_persistent_chat()) {
                wanted.push((!active, service.is_compliance(), (server.server.clone(), service.clone())));
            }
        }
    }
    wanted.sort_by_key(|(late, compliance, _)| (*late, *compliance));
    wanted.into_iter().map(|(_, _, wanted)| wanted).collect()
}

/// The state of one service.
async fn status<W: SwitchWork>(run: &Run<W>, server: &str, service: &str) -> Result<String> {
    let found = read(run, server).await?.into_iter().find(|found| found.name.eq_ignore_ascii_case(service));
    Ok(found.map_or_else(|| "absent".to_string(), |found| found.status))
}

/// Starts one service and waits until it runs.
async fn start_one<W: SwitchWork>(run: &Run<W>, server: &str, service: &WindowsService) -> Result<()> {
    if !is_running(&status(run, server, &service.name).await?) {
        run.tell_progress(&format!("starting `{}` on {server}", service.display_name), None);
        run.native_set(pool::start_windows_service(server, &service.name)).await?;
        crash_points::reach("services.started_one");
    }
    let end = Instant::now() + run.work.limits().service;
    loop {
        let seen = status(run, server, &service.name).await?;
        if is_running(&seen) {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(not_running(server, service, &seen));
        }
        run.pause(POLL).await?;
    }
}

fn is_running(status: &str) -> bool {
    status.eq_ignore_ascii_case("Running")
}

fn not_running(server: &str, service: &WindowsService, seen: &str) -> Error {
    Error::new(
        ErrorKind::StepNotVerified,
        format!("`{}` on {server} is {seen} after it was started.", service.display_name),
    )
    .with_next(format!(
        "Look at it with `Get-CsWindowsService -ComputerName {server}`, start it there, then run `Resume-PChatRun`."
    ))
    .with_target(server)
}

#[async_trait]
impl<W: SwitchWork> Step<W> for StartServices {
    fn name(&self) -> &'static str {
        name::START_SERVICES
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Stop
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        let mut absent = Vec::new();
        let all = wanted(run);
        for (server, service) in &all {
            let seen = status(run, server, &service.name).await?;
            if !is_running(&seen) {
                absent.push(format!("`{}` on {server} is {seen}", service.display_name));
            }
        }
        Ok(match absent.is_empty() {
            true => Seen::So(format!("{} services run", all.len())),
            false => Seen::NotYet(absent.join(", ")),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        start_all(run).await.map(|()| String::new())
    }
}

/// Starts everything that is to run. One that does not come up keeps no other from starting.
///
/// # Errors
/// The first one's.
pub(crate) async fn start_all<W: SwitchWork>(run: &Run<W>) -> Result<()> {
    let mut first = Ok(());
    for (server, service) in wanted(run) {
        match start_one(run, &server, &service).await {
            Err(error) if matches!(error.kind, ErrorKind::StepNotVerified | ErrorKind::NativeCommandFailed) => {
                run.host.message(Level::Warning, error.to_string());
                first = first.and(Err(error));
            }
            other => other?,
        }
    }
    first
}

/// The commands that start everything that is to run and does not.
pub(crate) async fn start_commands<W: SwitchWork>(run: &Run<W>) -> Result<Vec<String>> {
    let mut commands = Vec::new();
    for (server, service) in wanted(run) {
        if !is_running(&status(run, &server, &service.name).await?) {
            let module = run.work.module_of("Start-CsWindowsService");
            commands.push(pool::plan_text(&pool::start_windows_service(&server, &service.name), module.as_deref()));
        }
    }
    Ok(commands)
}

/// A service that started before the mirror stood does not follow its role swaps.
pub(crate) struct RestartServices;

/// The servers whose services were started anew, in the journal.
const RESTARTED: &str = "restarted_servers";

#[async_trait]
impl<W: SwitchWork> Step<W> for RestartServices {
    fn name(&self) -> &'static str {
        name::RESTART_SERVICES
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::GoOn
    }

    async fn probe(&self, run: &Run<W>) -> Result<Seen> {
        let done: Vec<String> = run.book.fact(RESTARTED).unwrap_or_default();
        let mut left = Vec::new();
        for (server, service) in wanted(run) {
            let restarted = done.contains(&server) && is_running(&status(run, &server, &service.name).await?);
            if !restarted && !left.contains(&server) {
                left.push(server);
            }
        }
        Ok(match left.is_empty() {
            true => Seen::So("every service started when the mirror stood".to_string()),
            false => Seen::NotYet(format!("the services of {} started before the mirror stood", left.join(", "))),
        })
    }

    async fn act(&self, run: &Run<W>) -> Result<String> {
        let mut done: Vec<String> = run.book.fact(RESTARTED).unwrap_or_default();
        let all = wanted(run);
        let mut servers: Vec<&String> = all.iter().map(|(server, _)| server).collect();
        servers.dedup();
        for server in servers {
            let own = all.iter().filter(|(on, _)| on == server);
            for (_, service) in own.clone().filter(|_| !done.contains(server)) {
                if is_running(&status(run, server, &service.name).await?) {
                    run.native_set(pool::stop_windows_service(server, &service.name)).await?;
                }
            }
            for (_, service) in own {
                start_one(run, server, service).await?;
            }
            if !done.contains(server) {
                done.push(server.clone());
                run.book.set_fact(RESTARTED, &done).await?;
            }
        }
        Ok(String::new())
    }
}
