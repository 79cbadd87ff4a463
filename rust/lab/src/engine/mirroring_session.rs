//! A mirroring session at work: whether the partners hear each other, the mirror that catches up, and what is carried over.

use super::model::{Database, Mirroring, State, World};
use crate::faults::Fault;

impl World {
    /// The other instances reach this one.
    pub fn runs(&self, instance: usize) -> bool {
        use super::model::Reach;
        matches!(self.instances[instance].reach, Reach::Up | Reach::HiddenFromClients)
    }

    /// The mirroring endpoint of the instance takes connections.
    pub fn endpoint_works(&self, instance: usize) -> bool {
        !self
            .faults
            .iter()
            .any(|f| matches!(f, Fault::EndpointStopped { instance: on } if self.find_instance(on) == Some(instance)))
    }

    /// The partner's half of a session, when both instances hear each other.
    fn heard(&self, own: &Mirroring, database: &str) -> Option<&Mirroring> {
        let half = self.instances[own.partner].database(database)?.mirroring.as_ref();
        half.filter(|other| other.guid == own.guid && !other.waiting)
            .filter(|other| [own.partner, other.partner].iter().all(|i| self.runs(*i) && self.endpoint_works(*i)))
    }

    /// `mirroring_state` and its name.
    pub fn mirroring_state(&self, own: &Mirroring, database: &str) -> (u8, &'static str) {
        let Some(other) = self.heard(own, database) else { return (1, "DISCONNECTED") };
        if own.suspended || other.suspended {
            (0, "SUSPENDED")
        } else if [own, other].iter().any(|half| half.principal && half.caught_up) {
            (4, "SYNCHRONIZED")
        } else {
            (2, "SYNCHRONIZING")
        }
    }

    /// One look at every session: a mirror that hears its principal catches up, one that does not falls behind.
    pub(super) fn tend_mirrors(&mut self) {
        let now = self.clock.real_ms();
        for instance in 0..self.instances.len() {
            let names: Vec<String> = self.instances[instance]
                .databases
                .iter()
                .filter(|d| d.mirroring.as_ref().is_some_and(|m| m.principal && !m.waiting))
                .map(|d| d.name.clone())
                .collect();
            for name in names {
                self.settle_roles(instance, &name);
                self.tend_mirror(instance, &name, now);
            }
        }
    }

    fn tend_mirror(&mut self, principal: usize, name: &str, now: u64) {
        let Some(own) = self.instances[principal].database(name).and_then(|d| d.mirroring.clone()) else { return };
        let (state, _) = self.mirroring_state(&own, name);
        let since = own.catching_up_since.unwrap_or(now);
        let there = state == 2 && now.saturating_sub(since) >= self.rates.mirror_catch_up_milliseconds;
        if there {
            self.carry_over(principal, name);
        }
        let Some(half) = self.database_mut(principal, name).and_then(|d| d.mirroring.as_mut()) else { return };
        match state {
            4 => {}
            2 if there => {
                half.caught_up = true;
                half.catching_up_since = None;
            }
            2 => half.catching_up_since = Some(since),
            _ => half.fall_behind(),
        }
    }

    /// Two principals of one session that hear each other again: the one that was forced later stays, the other becomes
    /// its mirror, and the session is suspended until somebody resumes it.
    fn settle_roles(&mut self, instance: usize, name: &str) {
        let Some(own) = self.instances[instance].database(name).and_then(|d| d.mirroring.clone()) else { return };
        let Some(other) = self.heard(&own, name).filter(|o| o.principal && o.role_sequence > own.role_sequence) else {
            return;
        };
        let sequence = other.role_sequence;
        self.become_mirror(instance, name);
        if let Some(half) = self.database_mut(instance, name).and_then(|d| d.mirroring.as_mut()) {
            half.suspended = true;
            half.role_sequence = sequence;
        }
        let on = self.instances[instance].name.clone();
        self.effect(&on, "mirroring", format!("{name} is the mirror of a principal that was forced"), "lab");
    }

    /// The mirror takes over what the principal holds.
    pub(super) fn carry_over(&mut self, principal: usize, name: &str) {
        let Some(source) = self.instances[principal].database(name).cloned() else { return };
        let Some(partner) = source.mirroring.as_ref().map(|m| m.partner) else { return };
        if let Some(copy) = self.database_mut(partner, name).filter(|d| d.is_mirror_copy()) {
            copy.follow(&source);
        }
    }

    /// What was just written to a principal reaches its mirror, or leaves it behind.
    pub(super) fn ship_to_mirror(&mut self, principal: usize, name: &str, ship: impl FnOnce(&mut Database, &Database)) {
        let Some(own) = self.instances[principal].database(name).and_then(|d| d.mirroring.clone()) else { return };
        if !own.principal || own.waiting {
            return;
        }
        if self.mirroring_state(&own, name).0 != 4 {
            if let Some(half) = self.database_mut(principal, name).and_then(|d| d.mirroring.as_mut()) {
                half.caught_up = false;
            }
            return;
        }
        let (Some(from), Some(to)) =
            (self.instances[principal].find_database(name), self.instances[own.partner].find_database(name))
        else {
            return;
        };
        if let Ok([source, mirror]) = self.instances.get_disjoint_mut([principal, own.partner]) {
            ship(&mut mirror.databases[to], &source.databases[from]);
        }
    }

    pub(super) fn become_mirror(&mut self, instance: usize, name: &str) {
        let Some(id) = self.instances[instance].database(name).map(|d| d.id) else { return };
        let now = self.clock.real_ms();
        for session in self.sessions_in(instance, id, None) {
            self.end_session(instance, session, now);
        }
        if let Some(old) = self.database_mut(instance, name) {
            old.state = State::Restoring;
            old.log_restored = true;
            if let Some(half) = &mut old.mirroring {
                half.principal = false;
                half.fall_behind();
            }
        }
    }

    /// The roles change: the mirror is open, the old principal is its mirror and catches up.
    pub(super) fn swap_roles(&mut self, principal: usize, mirror: usize, name: &str) {
        self.carry_over(principal, name);
        self.become_mirror(principal, name);
        for side in [principal, mirror] {
            if let Some(half) = self.database_mut(side, name).and_then(|d| d.mirroring.as_mut()) {
                half.role_sequence += 1;
                half.principal = side == mirror;
                half.fall_behind();
            }
        }
        if let Some(copy) = self.database_mut(mirror, name) {
            copy.state = State::Online;
        }
    }
}

impl Database {
    /// Takes over everything that mirroring carries from the principal.
    pub fn follow(&mut self, principal: &Database) {
        self.records.clone_from(&principal.records);
        self.users.clone_from(&principal.users);
        self.follow_log(principal);
    }

    /// Takes over where the principal's log stands.
    pub fn follow_log(&mut self, principal: &Database) {
        self.forks.clone_from(&principal.forks);
        self.log_end = principal.log_end;
        self.log_backup_start = principal.log_backup_start;
        self.full_backup = principal.full_backup;
        self.begins_chain = principal.begins_chain;
        self.log_used_bytes = principal.log_used_bytes;
        self.log_restored = true;
    }
}
