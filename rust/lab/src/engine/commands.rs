//! What the control door asks of the engine: description, state, truth, faults, the loss of a site.

use super::build::flip_bit;
use super::model::{Death, Reach, State, World};
use super::truth::{doubled, missing_from, numbers, ranges};
use super::Engine;
use crate::control::EngineCommands;
use crate::faults::{Fault, FileChoice};
use crate::scenario::{Account, FaultSettings, InstanceRole, Scenario, HOME_SITE};
use serde_json::{json, Map, Value};
use std::path::{Path, PathBuf};

/// Kinds of effects that cannot be taken back.
const DESTRUCTIVE: [&str; 8] = [
    "log_restored",
    "database_restored",
    "database_state",
    "database_dropped",
    "job_deleted",
    "log_shipping",
    "mirroring",
    "file_deleted",
];

#[async_trait::async_trait]
impl EngineCommands for Engine {
    fn describe(&self) -> Value {
        let thumbprint = self.servers().identity().map(|i| i.thumbprint_sha1());
        let without_browser = self.servers().without_browser().clone();
        let world = self.world();
        let mut names = Vec::new();
        for (index, host) in world.hosts.iter().enumerate() {
            let instance = world.instances.iter().find(|i| i.host == index && without_browser.contains(&index));
            let address = match instance {
                Some(instance) => format!("{}:{}", host.address, instance.port),
                None => host.address.to_string(),
            };
            names.push(json!({ "name": host.name, "address": address }));
            names.push(json!({ "name": host.fqdn, "address": address }));
        }
        let seen = |path: &str| {
            let bars = |r: &&crate::scenario::RightSettings| {
                r.account == Account::Client && !r.read && path.to_lowercase().starts_with(&r.path.to_lowercase())
            };
            !world.rights.iter().any(|r| bars(&r))
        };
        let mut paths = Vec::new();
        for share in &world.shares {
            let unc = format!("\\\\{}\\{}", share.host, share.name);
            let folder = world.find_host(&share.host).and_then(|h| world.share_folder(h, &share.name));
            if let Some(folder) = folder.filter(|_| seen(&unc)) {
                paths.push(json!({ "from": unc, "to": folder }));
            }
        }
        for map in &world.client_maps {
            let folder = world.find_host(&map.host).and_then(|h| world.real_path(h, &map.path));
            if let Some(folder) = folder.filter(|_| seen(&map.path)) {
                paths.push(json!({ "server": map.host, "from": map.path, "to": folder }));
            }
        }
        let logins: Vec<Value> = world
            .instances
            .first()
            .map(|i| {
                i.logins
                    .iter()
                    .filter(|l| !l.windows && world.shown_logins.contains(&l.settings.name))
                    .map(|l| json!({ "name": l.settings.name, "password": l.settings.password, "sysadmin": l.settings.sysadmin }))
                    .collect()
            })
            .unwrap_or_default();
        let instances: Vec<Value> = world
            .instances
            .iter()
            .map(|i| {
                let host = &world.hosts[i.host];
                json!({
                    "name": i.name, "role": i.role, "host": host.name, "fqdn": host.fqdn, "site": host.site,
                    "address": host.address.to_string(), "port": i.port, "version": i.version.text(),
                    "language": i.language, "collation": i.collation, "mirroring_endpoint": world.endpoint_address(world.find_instance(&i.name).unwrap_or(0)),
                })
            })
            .collect();
        json!({
            "root": self.root(), "address_map": names, "path_map": paths, "logins": logins,
            "instances": instances, "certificate_thumbprint": thumbprint, "browser": without_browser.is_empty(),
        })
    }

    fn state(&self) -> Value {
        let world = self.world();
        let mut all = Map::new();
        all.insert("now_utc".into(), json!(world.clock.now()));
        let instances: Map<String, Value> =
            (0..world.instances.len()).map(|i| (world.instances[i].name.clone(), world.instance_state(i))).collect();
        all.insert("instances".into(), instances.into());
        all.insert("faults".into(), json!(world.faults));
        all.into()
    }

    fn truth(&self) -> Value {
        let world = self.world();
        let chat = &world.chat_database;
        let mut copies = Map::new();
        for inst in &world.instances {
            if let Some(database) = inst.database(chat) {
                let messages = database.messages();
                copies.insert(
                    inst.name.clone(),
                    json!({
                        "state": database.state.number_and_name().1,
                        "standby": database.standby.is_some(),
                        "redo_or_end_of_log": database.log_end,
                        "count": messages.len(),
                        "messages": ranges(&messages),
                        "missing": numbers(&missing_from(&messages, world.newest_message)),
                        "doubled": numbers(&doubled(&messages)),
                    }),
                );
            }
        }
        let backup = world.instances.iter().find(|i| i.role == InstanceRole::Backup).and_then(|i| i.database(chat));
        let lost: Option<Vec<u64>> = world.death.as_ref().map(|d| {
            let held: std::collections::HashSet<u64> =
                backup.map(|d| d.messages().into_iter().collect()).unwrap_or_default();
            d.messages.iter().filter(|m| !held.contains(m)).copied().collect()
        });
        let mut counts: Map<String, Value> = Map::new();
        for effect in world.effects.iter().filter(|e| DESTRUCTIVE.contains(&e.kind.as_str())) {
            let count = counts.get(&effect.kind).and_then(Value::as_u64).unwrap_or(0);
            counts.insert(effect.kind.clone(), (count + 1).into());
        }
        json!({
            "newest_message": world.newest_message,
            "copies": copies,
            "primary_at_death": world.death.as_ref().map(|d| json!({
                "at_utc": d.at_utc, "messages": ranges(&d.messages), "count": d.messages.len(), "end_of_log": d.log_end,
            })),
            "nowhere": numbers(&world.in_no_copy()),
            "compliance": world.compliance_truth(),
            "alerts": world.alerts,
            "failed_jobs": world.failed_jobs,
            "lost_on_backup": lost.as_ref().map(|l| json!({ "count": l.len(), "messages": ranges(l) })),
            "destructive": counts,
            "client_entries": world.entries.len(),
            "unknown_statements": world.unknown.len(),
        })
    }

    fn effects(&self) -> Value {
        json!(self.world().effects)
    }

    fn unknown_statements(&self) -> Value {
        json!(self.world().unknown)
    }

    fn statements(&self, record: bool) -> Value {
        let mut world = self.world();
        if record {
            world.recording = Some(super::recording::Recording::default());
        }
        json!(world.recording.as_ref().map_or(&[][..], |recording| recording.sent()))
    }

    async fn fault(&self, name: &str, on: bool, args: &Value) -> Result<(), String> {
        let fault = Fault::from_settings(&FaultSettings { name: name.to_owned(), args: args.clone() })?;
        self.set_fault(fault, on).await
    }

    fn advance_seconds(&self, seconds: i64) -> Value {
        self.clock().advance(seconds);
        json!({ "now_utc": self.clock().now() })
    }

    async fn pass_seconds(&self, seconds: i64) -> Value {
        let runs = self.pass_time(seconds).await;
        json!({ "now_utc": self.clock().now(), "job_runs": runs })
    }

    fn messages(&self, per_second: Option<f64>, count: u32) -> Result<Value, String> {
        let mut world = self.world();
        world.write_due_messages();
        if let Some(rate) = per_second {
            world.messages_per_second = rate;
        }
        if count > 0 {
            let chat = world.chat_database.clone();
            let writer = world.writer().ok_or("nobody serves users now")?;
            for _ in 0..count {
                world.write_message(writer, &chat).map_err(|e| e.to_string())?;
            }
        }
        Ok(json!({ "per_second": world.messages_per_second, "newest_message": world.newest_message }))
    }

    fn rebuild_primary_site(&self) {
        self.world().rebuild_site(HOME_SITE);
    }

    async fn set_primary_site(&self, alive: bool) {
        let hosts: Vec<usize> = {
            let world = self.world();
            (0..world.hosts.len()).filter(|h| world.hosts[*h].site == HOME_SITE).collect()
        };
        self.set_hosts_alive(&hosts, alive).await;
    }
}

impl Engine {
    /// Hosts die or come back: their instances, disks and shares with them.
    pub async fn set_hosts_alive(&self, hosts: &[usize], alive: bool) {
        let instances: Vec<usize> = {
            let mut world = self.world();
            if !alive {
                world.note_death(hosts);
            }
            for host in hosts {
                world.set_host_lost(*host, !alive);
            }
            (0..world.instances.len()).filter(|i| hosts.contains(&world.instances[*i].host)).collect()
        };
        for instance in instances {
            if alive {
                self.world().forget_due_times(instance);
            }
            self.set_reach(instance, if alive { Reach::Up } else { Reach::Down }).await;
        }
    }

    pub(super) async fn apply_scenario_losses(&self, scenario: &Scenario) {
        let dead: Vec<usize> = {
            let world = self.world();
            scenario.dead_hosts().iter().filter_map(|h| world.find_host(&h.name)).collect()
        };
        self.set_hosts_alive(&dead, false).await;
        let hidden: Vec<usize> = {
            let world = self.world();
            let hosts: Vec<usize> = scenario.hosts_unreachable.iter().filter_map(|h| world.find_host(h)).collect();
            (0..world.instances.len()).filter(|i| hosts.contains(&world.instances[*i].host)).collect()
        };
        for instance in hidden {
            self.set_reach(instance, Reach::HiddenFromClients).await;
        }
        let faults = std::mem::take(&mut self.world().faults);
        for fault in faults {
            // A file fault that finds no file is told when it is switched on by hand; a scenario's stays without effect.
            let _ = self.set_fault(fault, true).await;
        }
        self.world().effects.clear();
    }

    /// Switches a fault on or off, with what it does to files and sockets.
    ///
    /// # Errors
    /// A text when it names something that is not there.
    pub async fn set_fault(&self, fault: Fault, on: bool) -> Result<(), String> {
        let instance =
            |world: &World, name: &str| world.find_instance(name).ok_or_else(|| format!("there is no instance {name}"));
        match &fault {
            Fault::Refuse { instance: name } | Fault::Blackhole { instance: name } => {
                let index = instance(&self.world(), name)?;
                let reach = match (&fault, on) {
                    (_, false) => Reach::Up,
                    (Fault::Refuse { .. }, true) => Reach::Down,
                    _ => Reach::Silent,
                };
                self.set_reach(index, reach).await;
            }
            Fault::ShareLost { share } => self.world().hide_share(share, on)?,
            Fault::UnfinishedFile { instance: name, folder, file, keep_percent } if on => {
                let world = self.world();
                let path = world.choose_file(instance(&world, name)?, folder, file)?;
                cut(&path, *keep_percent).map_err(|e| e.to_string())?;
            }
            Fault::Gap { instance: name, folder, file } if on => {
                let world = self.world();
                let path = world.choose_file(instance(&world, name)?, folder, file)?;
                std::fs::remove_file(path).map_err(|e| e.to_string())?;
            }
            Fault::DamagedFile { instance: name, folder, file } if on => {
                let world = self.world();
                let path = world.choose_file(instance(&world, name)?, folder, file)?;
                flip_bit(&path).map_err(|e| e.to_string())?;
            }
            Fault::DatabaseDamaged { instance: name, database } => {
                let mut world = self.world();
                let index = instance(&world, name)?;
                let found =
                    world.database_mut(index, database).ok_or_else(|| format!("there is no database {database}"))?;
                found.state = if on { State::Suspect } else { State::Online };
            }
            _ => {}
        }
        let mut world = self.world();
        let kind = |f: &Fault| serde_json::to_value(f).ok().and_then(|v| v.get("name").cloned());
        world.faults.retain(|f| *f != fault && (on || kind(f) != kind(&fault)));
        if on {
            world.faults.push(fault);
        }
        Ok(())
    }
}

fn cut(path: &Path, keep_percent: u8) -> std::io::Result<()> {
    let length = path.metadata()?.len();
    let file = std::fs::OpenOptions::new().write(true).open(path)?;
    file.set_len(length * u64::from(keep_percent.min(100)) / 100)
}

impl World {
    /// Agent that starts again does not make up for runs it has missed.
    fn forget_due_times(&mut self, instance: usize) {
        for job in &mut self.instances[instance].agent.jobs {
            job.running = None;
            for (_, next) in &mut job.schedules {
                *next = None;
            }
        }
    }

    fn note_death(&mut self, hosts: &[usize]) {
        let principal = self
            .instances
            .iter()
            .filter(|i| hosts.contains(&i.host) && self.death.is_none())
            .filter_map(|i| i.database(&self.chat_database))
            .find(|d| d.is_recovered());
        if let Some(database) = principal {
            self.death =
                Some(Death { at_utc: self.clock.now(), messages: database.messages(), log_end: database.log_end });
        }
    }

    /// A host's folders go out of sight, or come back.
    fn set_host_lost(&mut self, host: usize, lost: bool) {
        let on = &mut self.hosts[host];
        if on.lost == lost {
            return;
        }
        on.lost = lost;
        let away = on.folder.with_file_name(format!(".lost-{}", on.name));
        let (from, to) = if lost { (on.folder.clone(), away) } else { (away, on.folder.clone()) };
        // Somebody may hold a file of it open; servers are told 53 by `lost` alone.
        let _ = std::fs::rename(from, to);
    }

    fn hide_share(&mut self, unc: &str, lost: bool) -> Result<(), String> {
        let Ok(super::disk::WindowsPath::Unc { server, share, .. }) = super::disk::WindowsPath::parse(unc) else {
            return Err(format!("{unc} is no share"));
        };
        let folder = self.find_host(&server).and_then(|h| self.share_folder(h, &share));
        let folder = folder.ok_or_else(|| format!("there is no share {unc}"))?;
        let away = folder.with_file_name(format!(".lost-{share}"));
        let (from, to) = if lost { (folder, away) } else { (away, folder) };
        // Switching the fault on twice finds the folder gone already.
        let _ = std::fs::rename(from, to);
        Ok(())
    }

    fn choose_file(&self, instance: usize, folder: &str, choice: &FileChoice) -> Result<PathBuf, String> {
        let folder_path = self
            .real_path(self.instances[instance].host, folder)
            .ok_or_else(|| format!("there is no folder {folder}"))?;
        let mut names: Vec<PathBuf> = std::fs::read_dir(&folder_path)
            .map_err(|e| format!("{folder}: {e}"))?
            .flatten()
            .map(|e| e.path())
            .filter(|p| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("trn")))
            .collect();
        names.sort();
        let found = match choice {
            FileChoice::FromNewest(back) => names.len().checked_sub(back + 1).map(|at| names[at].clone()),
            FileChoice::Name(name) => {
                names.into_iter().find(|p| p.file_name().is_some_and(|n| n.eq_ignore_ascii_case(name)))
            }
        };
        found.ok_or_else(|| format!("there is no such log backup in {folder}"))
    }

    fn instance_state(&self, index: usize) -> Value {
        let inst = &self.instances[index];
        let databases: Vec<Value> = inst
            .databases
            .iter()
            .filter(|d| !d.system)
            .map(|d| {
                json!({
                    "name": d.name, "state": d.state.number_and_name().1, "standby": d.standby, "user_access": d.access,
                    "recovery_model": d.model, "owner": d.owner, "redo_or_end_of_log": d.log_end,
                    "log_backup_start": d.log_backup_start, "fork": d.fork_at(d.log_end), "family": d.family,
                    "interrupted": d.interrupted.as_ref().map(|i| &i.1), "messages": d.records.len(),
                    "mirroring": d.mirroring.as_ref().map(|m| json!({
                        "principal": m.principal, "partner": self.instances[m.partner].name,
                        "state": self.mirroring_state(m, &d.name).1, "waiting": m.waiting,
                    })),
                })
            })
            .collect();
        let jobs: Vec<Value> = inst
            .agent
            .jobs
            .iter()
            .map(|j| {
                json!({
                    "name": j.name, "enabled": j.enabled, "running": j.running.is_some(), "category": j.category,
                    "last_outcome": j.last_run.as_ref().map(|l| l.outcome),
                    "schedules": j.schedules.iter().map(|s| json!({ "id": s.0, "next_utc": s.1 })).collect::<Vec<_>>(),
                })
            })
            .collect();
        let secondaries: Vec<Value> = inst
            .shipping
            .secondary_databases
            .iter()
            .map(|s| json!({ "database": s.database, "last_restored": s.last_restored.as_ref().map(|l| &l.0) }))
            .collect();
        let primaries: Vec<Value> = inst
            .shipping
            .primaries
            .iter()
            .map(|p| json!({ "database": p.database, "share": p.backup_share, "last_backup": p.last_backup.as_ref().map(|l| &l.0) }))
            .collect();
        let sessions: Vec<Value> = inst
            .sessions
            .iter()
            .filter(|(_, s)| s.user_process)
            .map(|(id, s)| {
                let database = inst.databases.iter().find(|d| d.id == s.database).map(|d| d.name.clone());
                json!({ "id": id, "program": s.client.program, "login": s.client.login, "database": database })
            })
            .collect();
        json!({
            "reach": inst.reach, "agent_running": self.agent_runs(index), "databases": databases, "jobs": jobs,
            "log_shipping": { "primary": primaries, "secondary": secondaries }, "sessions": sessions,
        })
    }
}
