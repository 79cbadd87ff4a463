//! A drill touches no real pool, and a real run no stand-in.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;

/// The instance's lab marker against the module that each native command came from.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let name = "CommandsAreReal";
    let lab = subject.evidence.instance.lab_id.as_deref();
    let wanted = match lab {
        Some(_) => "the lab's stand-ins, for the instance is one of the lab",
        None => "real commands, for the instance is a real one",
    };
    let wrong = subject.evidence.pool.commands.iter().find(|command| command.stand_in != lab.is_some());
    let module = |module: &Option<String>| module.clone().unwrap_or_else(|| "no known module".to_string());
    match wrong {
        None => {
            let mut modules: Vec<String> = subject.evidence.pool.commands.iter().map(|c| module(&c.module)).collect();
            modules.sort_unstable();
            modules.dedup();
            let value = if modules.is_empty() { "no native command answered".to_string() } else { modules.join(", ") };
            subject.passed(name, value, wanted)
        }
        Some(command) => subject.failed(
            name,
            format!("{} from {}", command.name, module(&command.module)),
            wanted,
            match lab {
                Some(lab) => format!(
                    "{} is an instance of the lab {lab}, and this command would change a real pool. Start the drill with \
                     `Invoke-PChatDrill`, or import the lab's stand-ins into this shell.",
                    subject.instance()
                ),
                None => format!(
                    "{} is a real instance, and this command only pretends. Remove the lab's stand-ins from this shell, or \
                     open a new one.",
                    subject.instance()
                ),
            },
            ErrorKind::LabMixedWithReal,
        ),
    }
}
