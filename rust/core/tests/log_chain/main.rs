//! The log chain through its public interface: single cases by hand, and random histories against a reference restorer.

mod property;
mod reference;
mod world;
