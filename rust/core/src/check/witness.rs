//! Nobody speaks against the primary's death.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::evidence::{witnesses, Testimony};

/// One check a witness: `WitnessPrimaryMirror`, `WitnessShareFiles`, `WitnessMonitor`.
pub(super) fn checks(subject: &Subject<'_>) -> Vec<CheckResult> {
    let wanted = "nothing of the primary since it fell silent";
    witnesses(&subject.evidence.primary)
        .into_iter()
        .map(|witness| {
            let name = format!("Witness{}", witness.name);
            match witness.testimony {
                Testimony::Silent => subject.passed(&name, witness.value, wanted),
                _ if is_ignored(subject, witness.name) => {
                    subject.warning(&name, witness.value, wanted, format!("Ignored by name. {}", witness.advice))
                }
                testimony => {
                    let message =
                        format!("{} To go on all the same: `-IgnoreWitness {}`.", witness.advice, witness.name);
                    match testimony {
                        Testimony::Unclear => {
                            subject.unknown(&name, witness.value, wanted, message, Some(ErrorKind::WitnessAgainst))
                        }
                        _ => subject.failed(&name, witness.value, wanted, message, ErrorKind::WitnessAgainst),
                    }
                }
            }
        })
        .collect()
}

/// True where the request names this witness as one to ignore; the check's own name counts too.
pub(super) fn is_ignored(subject: &Subject<'_>, name: &str) -> bool {
    let check = format!("Witness{name}");
    subject
        .request
        .ignore_witness
        .iter()
        .any(|given| given.eq_ignore_ascii_case(name) || given.eq_ignore_ascii_case(&check))
}
