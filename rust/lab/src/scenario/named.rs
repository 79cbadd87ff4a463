//! The scenarios that come with the lab, built into the program.

/// A scenario by name, as its file reads.
#[derive(Debug, Clone, Copy)]
pub struct NamedScenario {
    pub name: &'static str,
    pub text: &'static str,
}

macro_rules! scenarios {
    ($($name:literal),+ $(,)?) => {
        &[$(NamedScenario { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".json")) }),+]
    };
}

/// Every named scenario, the quiet ones first.
pub const NAMED: &[NamedScenario] = scenarios![
    "healthy",
    "compliance",
    "planned-readers",
    "planned-tail-blocked",
    "small",
    "primary-lost",
    "primary-returns",
    "primary-alive",
    "witness-against",
    "gap-in-chain",
    "share-lost",
    "standby-200-readers",
    "mirror-setup-fails",
    "agent-stopped",
    "conference-lost",
    "conference-stale",
    "conference-error",
    "conference-one-way",
];

/// The named scenario, or nothing.
pub fn named(name: &str) -> Option<&'static NamedScenario> {
    NAMED.iter().find(|s| s.name.eq_ignore_ascii_case(name))
}
