//! What would be lost is only what nobody can save, or it is accepted by name.

use super::Subject;
use crate::document::CheckResult;
use crate::error::ErrorKind;
use crate::log_chain::Chain;

/// The tail after the last log backup is inherent and stated. Anything else wants `-AcceptDataLoss` with the value shown.
pub(super) fn check(subject: &Subject<'_>) -> CheckResult {
    let (name, wanted) = ("DataLoss", "nothing beyond the tail after the last log backup, or accepted by name");
    let loss = &subject.decision.loss;
    if !loss.must_be_accepted {
        let mut result = subject.passed(name, end(subject), wanted);
        result.message = loss.text.clone();
        return result;
    }
    if subject.decision.loss_is_accepted {
        return subject.warning(name, format!("{}, accepted by name", end(subject)), wanted, loss.text.clone());
    }
    // Where the chain itself ends early, the check LogChain has said so already.
    let early = subject.decision.chain.as_ref().filter(|chain| chain.verdict.kind().is_some());
    let text = early.map_or_else(|| loss.text.clone(), Chain::accept_text);
    let given = subject.request.accept_data_loss.as_deref();
    let message = match given {
        Some(given) => format!("`-AcceptDataLoss {given}` names another loss. {text}"),
        None => text,
    };
    subject.failed(name, end(subject), wanted, message, ErrorKind::DataLossNotAccepted)
}

fn end(subject: &Subject<'_>) -> String {
    let loss = &subject.decision.loss;
    match (&loss.recovered_to_lsn, &loss.recovered_to_utc) {
        (Some(lsn), Some(time)) => format!("recovered to LSN {lsn}, {time}"),
        (Some(lsn), None) => format!("recovered to LSN {lsn}"),
        _ => "unknown".to_string(),
    }
}
