//! The log chain through its public interface: single cases by hand, and random histories against a reference restorer.

mod build;
mod chain_cases;
mod gate_cases;
mod history;
mod property;
mod reference;
mod search_cases;
mod world;
