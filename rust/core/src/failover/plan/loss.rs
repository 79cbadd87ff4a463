//! What is lost for good, in time and LSN, and how it is accepted by name.

use chrono::{DateTime, Utc};

use crate::document::{FailoverRequest, Loss};
use crate::evidence::{count, utc_text};
use crate::log_chain::{AcceptedLoss, Chain, Doubt};

/// What the loss is worked out from.
pub(super) struct LossFacts<'a> {
    pub request: &'a FailoverRequest,
    pub chain: &'a Chain,
    pub doubts: &'a [Doubt],
    /// Files that are expected to reach further once they are copied.
    pub read_after_copy: &'a [String],
}

/// The loss of a recovery at the chain's end.
///
/// The tail after the last log backup is inherent and only stated. Later log backups that are known, or may exist on a
/// share that cannot be read, must be accepted by name.
pub(super) fn of(facts: &LossFacts<'_>) -> Loss {
    let chain = facts.chain;
    let recovered_to = chain.end_time_value().as_deref().and_then(parse_utc);
    let outage = facts.request.outage_utc.as_deref().and_then(parse_utc);
    let lost_seconds = match (recovered_to, outage) {
        (Some(to), Some(outage)) => u64::try_from((outage - to).num_seconds()).ok(),
        _ => None,
    };
    let must_be_accepted = !facts.doubts.is_empty();
    Loss {
        recovered_to_lsn: Some(chain.end.lsn),
        recovered_to_utc: recovered_to.map(utc_text),
        outage_utc: outage.map(utc_text),
        lost_seconds,
        must_be_accepted,
        accept_value: must_be_accepted.then(|| chain.accept_value()),
        text: text(facts, recovered_to, lost_seconds),
    }
}

fn text(facts: &LossFacts<'_>, recovered_to: Option<DateTime<Utc>>, lost_seconds: Option<u64>) -> String {
    let chain = facts.chain;
    let mut sentences = vec![match (recovered_to, lost_seconds) {
        (Some(to), Some(seconds)) => format!(
            "The last recovered log backup finished {}, {} before the outage; what came later is lost.",
            utc_text(to),
            duration(seconds)
        ),
        (Some(to), None) => {
            format!("The last recovered log backup finished {}; what was written later is lost.", utc_text(to))
        }
        (None, _) => format!("The database is recovered to {}; what was written later is lost.", chain.end_text()),
    }];
    if let (Some(first), Some(last)) = (facts.read_after_copy.first(), facts.read_after_copy.last()) {
        sentences.push(format!(
            "{} (`{first}` to `{last}`) can be read only once copied, and will reach further.",
            count(facts.read_after_copy.len(), "log backup", "log backups")
        ));
    }
    sentences.extend(Some(chain.unfinished_text()).filter(|text| !text.is_empty()));
    sentences.extend(facts.doubts.iter().map(Doubt::to_string));
    if !facts.doubts.is_empty() {
        sentences.push(chain.accept_text());
    }
    sentences.join(" ")
}

/// The loss where nothing can be proved: it cannot be told, so it cannot be accepted.
pub(super) fn unknown() -> Loss {
    Loss {
        must_be_accepted: true,
        text: "The redo point of the database is unknown, so the loss cannot be told.".to_string(),
        ..Loss::default()
    }
}

/// True where nothing needs accepting, or the value given names exactly this loss: its LSN in either form, or its time.
pub(super) fn is_accepted(facts: &LossFacts<'_>) -> bool {
    let given = facts.request.accept_data_loss.as_deref();
    facts.doubts.is_empty() || given.is_some_and(|given| AcceptedLoss::new(given).names(facts.chain))
}

fn parse_utc(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|moment| moment.with_timezone(&Utc))
}

/// `7 minutes`, `2 hours 5 minutes`, `40 seconds`.
pub(crate) fn duration(seconds: u64) -> String {
    let part = |number: u64, unit: &str| format!("{number} {unit}{}", if number == 1 { "" } else { "s" });
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => part(seconds, "second"),
        (0, minutes) => part(minutes, "minute"),
        (hours, 0) => part(hours, "hour"),
        (hours, minutes) => format!("{} {}", part(hours, "hour"), part(minutes, "minute")),
    }
}
