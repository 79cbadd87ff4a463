//! The schedule procedures of msdb.

use super::jobs::{error, find_job};
use super::{Answered, Bound, Reply};
use crate::engine::agent::Schedule;
use crate::engine::connection::Connection;
use crate::engine::error::SqlMessage;
use crate::engine::model::World;
use lab_tsql::Value;

impl Connection {
    pub(super) fn schedule_procedure(&mut self, name: &str, bound: &Bound) -> Answered {
        match name {
            "sp_add_schedule" => {
                let mut world = self.engine.world();
                let schedule = self.new_schedule(&mut world, &bound.text("schedule_name").unwrap_or_default(), bound);
                let (id, uid) = (schedule.id, schedule.uid);
                world.instances[self.instance].agent.schedules.push(schedule);
                Ok(Reply {
                    outputs: vec![("schedule_id", Value::Int(id)), ("schedule_uid", Value::Uuid(uid))],
                    ..Reply::default()
                })
            }
            "sp_add_jobschedule" => {
                let mut world = self.engine.world();
                let job = find_job(&world, self.instance, bound)?;
                let schedule = self.new_schedule(&mut world, &bound.text("name").unwrap_or_default(), bound);
                let (id, uid) = (schedule.id, schedule.uid);
                let agent = &mut world.instances[self.instance].agent;
                agent.schedules.push(schedule);
                if let Some(job) = agent.job_mut(job) {
                    job.schedules.push((id, None));
                }
                world.plan_jobs(self.instance);
                self.job_effect(&mut world, "schedule_attached", format!("{id}"));
                Ok(Reply {
                    outputs: vec![("schedule_id", Value::Int(id)), ("schedule_uid", Value::Uuid(uid))],
                    ..Reply::default()
                })
            }
            "sp_attach_schedule" | "sp_detach_schedule" => {
                let mut world = self.engine.world();
                let job = find_job(&world, self.instance, bound)?;
                let id = find_schedule(&world, self.instance, bound, "schedule_name")?;
                let agent = &mut world.instances[self.instance].agent;
                if let Some(job) = agent.job_mut(job) {
                    job.schedules.retain(|(s, _)| *s != id);
                    if name == "sp_attach_schedule" {
                        job.schedules.push((id, None));
                    }
                }
                if name == "sp_detach_schedule" && bound.number("delete_unused_schedule", 0) != 0 {
                    let used = agent.jobs.iter().any(|j| j.schedules.iter().any(|(s, _)| *s == id));
                    if !used {
                        agent.schedules.retain(|s| s.id != id);
                    }
                }
                world.plan_jobs(self.instance);
                self.job_effect(&mut world, "schedule_attached", format!("{name} {id}"));
                Ok(Reply::default())
            }
            "sp_update_schedule" => {
                let mut world = self.engine.world();
                let id = find_schedule(&world, self.instance, bound, "name")?;
                if let Some(schedule) = world.instances[self.instance].agent.schedules.iter_mut().find(|s| s.id == id) {
                    if let Some(name) = bound.text("new_name") {
                        schedule.name = name;
                    }
                    fill(schedule, bound);
                }
                for job in &mut world.instances[self.instance].agent.jobs {
                    for (schedule, next) in &mut job.schedules {
                        if *schedule == id {
                            *next = None;
                        }
                    }
                }
                world.plan_jobs(self.instance);
                Ok(Reply::default())
            }
            "sp_delete_schedule" => {
                let mut world = self.engine.world();
                let id = find_schedule(&world, self.instance, bound, "schedule_name")?;
                let agent = &mut world.instances[self.instance].agent;
                let used = agent.jobs.iter().any(|j| j.schedules.iter().any(|(s, _)| *s == id));
                if used && bound.number("force_delete", 0) == 0 {
                    return Err(error(
                        14372,
                        "The schedule was not deleted because it is being used by one or more jobs.",
                    ));
                }
                agent.schedules.retain(|s| s.id != id);
                for job in &mut agent.jobs {
                    job.schedules.retain(|(s, _)| *s != id);
                }
                Ok(Reply::default())
            }
            other => Err(SqlMessage::new(
                lab_tsql::UNKNOWN_STATEMENT,
                16,
                1,
                format!("unknown T-SQL for the lab: procedure {other}"),
            )),
        }
    }

    fn new_schedule(&self, world: &mut World, name: &str, bound: &Bound) -> Schedule {
        let uid = world.random.guid();
        let now = world.local_now();
        let agent = &mut world.instances[self.instance].agent;
        agent.next_schedule += 1;
        let mut schedule = Schedule {
            id: agent.next_schedule,
            uid,
            name: name.to_owned(),
            enabled: true,
            freq_type: 0,
            freq_interval: 0,
            freq_subday_type: 0,
            freq_subday_interval: 0,
            freq_relative_interval: 0,
            freq_recurrence_factor: 0,
            active_start_date: crate::engine::agent::yyyymmdd(now),
            active_end_date: 99_991_231,
            active_start_time: 0,
            active_end_time: 235_959,
            owner: self.client.login.clone(),
            created: now,
            modified: now,
        };
        fill(&mut schedule, bound);
        schedule
    }
}

fn fill(schedule: &mut Schedule, bound: &Bound) {
    if bound.has("enabled") {
        schedule.enabled = bound.number("enabled", 1) != 0;
    }
    let members: [(&str, &mut i32); 10] = [
        ("freq_type", &mut schedule.freq_type),
        ("freq_interval", &mut schedule.freq_interval),
        ("freq_subday_type", &mut schedule.freq_subday_type),
        ("freq_subday_interval", &mut schedule.freq_subday_interval),
        ("freq_relative_interval", &mut schedule.freq_relative_interval),
        ("freq_recurrence_factor", &mut schedule.freq_recurrence_factor),
        ("active_start_date", &mut schedule.active_start_date),
        ("active_end_date", &mut schedule.active_end_date),
        ("active_start_time", &mut schedule.active_start_time),
        ("active_end_time", &mut schedule.active_end_time),
    ];
    for (name, member) in members {
        if bound.has(name) {
            *member = bound.number(name, i64::from(*member)) as i32;
        }
    }
}

fn find_schedule(world: &World, instance: usize, bound: &Bound, by: &str) -> Result<i32, SqlMessage> {
    let schedules = &world.instances[instance].agent.schedules;
    if bound.has("schedule_id") {
        let id = bound.number("schedule_id", 0) as i32;
        return schedules
            .iter()
            .find(|s| s.id == id)
            .map(|s| s.id)
            .ok_or_else(|| error(14262, format!("The specified @schedule_id ('{id}') does not exist.")));
    }
    let name = bound.text(by).unwrap_or_default();
    schedules
        .iter()
        .find(|s| world.instances[instance].same(&s.name, &name))
        .map(|s| s.id)
        .ok_or_else(|| error(14262, format!("The specified @schedule_name ('{name}') does not exist.")))
}
