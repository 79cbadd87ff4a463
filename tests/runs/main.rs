//! Whole runs of the built library against the lab's program, each in a process of its own that can be killed.

mod back_and_forth;
mod boundary;
mod conference;
mod corners;
mod cut_off;
mod damaged;
mod documentation_truth;
mod every_write;
mod failback_cut_off;
mod failback_ways;
mod harness;
mod native_commands;
mod plan_and_run;
mod planned;
mod planned_cut_off;
mod refused;
mod reverse;
mod roundtrip;
mod standby;
mod ways;
mod whole;
mod world_moves;
