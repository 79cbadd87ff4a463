//! The operator may change pool state and active list.

use super::{CheckedEvidence, Subject};
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::evidence::PoolEvidence;

pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    of_pool(subject, &subject.evidence.pool)
}

/// Proved with the Set commands' own `-WhatIf`. Where a Set has none, the spelling of its identity is the operator's word.
pub(crate) fn of_pool<E: CheckedEvidence, R, D>(subject: &Subject<'_, E, R, D>, pool: &PoolEvidence) -> CheckResult {
    let (name, wanted) = ("PoolRights", "both Set commands pass with -WhatIf");
    let proofs = [
        ("Set-CsPersistentChatState", &pool.state_right),
        ("Set-CsPersistentChatActiveServer", &pool.active_list_right),
    ];
    let refused: Vec<String> = proofs
        .iter()
        .filter_map(|(command, proof)| proof.why().map(|why| format!("{command}: {}", why.trim_end_matches('.'))))
        .collect();
    if refused.is_empty() && pool.on_word.is_empty() {
        return subject.passed(name, "both pass", wanted);
    }
    if refused.is_empty() {
        return subject.warning(
            name,
            format!("{} cannot be tried: no -WhatIf here", pool.on_word.join(" and ")),
            wanted,
            "Rights and spelling are your word; each change is read back.",
        );
    }
    let kind = match proofs.iter().all(|(_, proof)| proof.why().is_none() || proof.lacks_command()) {
        true => ErrorKind::NativeCommandMissing,
        false => ErrorKind::NativeCommandFailed,
    };
    subject.failed(
        name,
        refused.join("; "),
        wanted,
        "Run it as a member of RTCUniversalServerAdmins on a server of the surviving site. Where the identity is refused, \
         `-PoolStateIdentity` and `-ActiveListIdentity` say how it is spelled.",
        kind,
    )
}
