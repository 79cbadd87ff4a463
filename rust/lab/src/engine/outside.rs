//! What the Lync side needs of the engine.

use super::session::ClientInfo;
use super::Engine;
use crate::pool::outside::{DatabaseCommand, DatabaseSeen, MirroringSeen, Outside, SessionId, Visitor};
use crate::scenario::Account;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::sync::PoisonError;

#[async_trait::async_trait]
impl Outside for Engine {
    fn now_utc(&self) -> DateTime<Utc> {
        self.clock().now()
    }

    async fn open_session(&self, who: &Visitor, instance: &str, database: &str) -> Result<SessionId, String> {
        {
            let mut world = self.world();
            let index = world.find_instance(instance).ok_or_else(|| format!("there is no instance {instance}"))?;
            if !world.runs(index) {
                return Err(format!("{instance} does not answer"));
            }
            world.ensure_login(index, &who.login);
        }
        let client = ClientInfo {
            login: who.login.clone(),
            program: who.program.clone(),
            host: who.host.clone(),
            ..ClientInfo::default()
        };
        let connection = self.connect(instance, database, client).map_err(|e| e.to_string())?;
        let mut sessions = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let id = sessions.keys().max().copied().unwrap_or(0) + 1;
        sessions.insert(id, connection);
        Ok(SessionId(id))
    }

    fn session_is_open(&self, session: SessionId) -> bool {
        let sessions = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(&session.0).is_some_and(|c| !c.is_ended())
    }

    fn close_session(&self, session: SessionId) {
        let closed = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner).remove(&session.0);
        drop(closed);
    }

    fn database(&self, instance: &str, database: &str) -> DatabaseSeen {
        let world = self.world();
        let Some(index) = world.find_instance(instance) else { return DatabaseSeen::default() };
        if !world.runs(index) {
            return DatabaseSeen::default();
        }
        let Some(found) = world.instances[index].database(database) else {
            return DatabaseSeen { reachable: true, ..DatabaseSeen::default() };
        };
        DatabaseSeen {
            reachable: true,
            exists: true,
            state: found.state.number_and_name().1.into(),
            read_only: found.read_only,
            mirroring: found.mirroring.as_ref().filter(|m| !m.waiting).map(|m| MirroringSeen {
                principal: m.principal,
                state: world.mirroring_state(m, &found.name).1.into(),
            }),
        }
    }

    async fn command(&self, instance: &str, database: &str, command: DatabaseCommand) -> Result<(), String> {
        let reached = {
            let world = self.world();
            world.find_instance(instance).is_some_and(|i| world.runs(i))
        };
        if !reached {
            return Err(format!("{instance} does not answer"));
        }
        self.sql(instance, "master", &command.sql(database)).await.map(|_| ()).map_err(|e| e.to_string())
    }

    fn share_is_there(&self, unc: &str) -> bool {
        let world = self.world();
        match super::disk::WindowsPath::parse(unc) {
            Ok(super::disk::WindowsPath::Unc { server, share, .. }) => {
                let denied = world.rights.iter().any(|r| {
                    r.account == Account::Client && !r.read && unc.to_lowercase().starts_with(&r.path.to_lowercase())
                });
                let host = world.find_host(&server).filter(|h| !world.hosts[*h].lost);
                let there = host.and_then(|h| world.share_folder(h, &share)).is_some();
                there && !denied && host.and_then(|h| world.real_path(h, unc)).is_some_and(|p| p.is_dir())
            }
            _ => false,
        }
    }

    fn note_effect(&self, kind: &str, target: &str, detail: Value) {
        self.world().effect(target, kind, detail.to_string(), "Lync");
    }
}
