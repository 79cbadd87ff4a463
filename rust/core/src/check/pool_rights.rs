//! The operator may change pool state and active list.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;

/// Proved with the Set commands' own `-WhatIf`.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("PoolRights", "both Set commands pass with -WhatIf");
    let pool = &subject.evidence.pool;
    let proofs = [
        ("Set-CsPersistentChatState", &pool.state_right),
        ("Set-CsPersistentChatActiveServer", &pool.active_list_right),
    ];
    let refused: Vec<String> = proofs
        .iter()
        .filter_map(|(command, proof)| proof.why().map(|why| format!("{command}: {}", why.trim_end_matches('.'))))
        .collect();
    if refused.is_empty() {
        return subject.passed(name, "both pass", wanted);
    }
    let kind = match refused.iter().all(|text| text.contains("PCHAT6001")) {
        true => ErrorKind::NativeCommandMissing,
        false => ErrorKind::NativeCommandFailed,
    };
    subject.failed(
        name,
        refused.join("; "),
        wanted,
        "Run it as a member of RTCUniversalServerAdmins on a server of the surviving site.",
        kind,
    )
}
