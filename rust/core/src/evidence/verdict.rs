//! Is the primary dead? The table of answers, and the witnesses that may speak against it.

use super::{
    count, utc_text, EndpointAnswer, MirrorInstanceEvidence, NamedElsewhere, PrimaryEvidence, Reading, RemoteDatabase,
};
use crate::sql::mirror::{MirrorRole, MirrorState};

/// What the primary's own answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrimaryVerdict {
    /// A login works, or it answers in some other way.
    Alive,
    /// The instance is alive, its database cannot be used: the tail of its log may be saved first.
    Damaged,
    /// The connection was refused on a port that is certain.
    Refused,
    /// Silent: down only while no witness speaks against it.
    Unreachable,
    /// Nobody knows which instance it is.
    Unknown,
}

impl PrimaryVerdict {
    /// The word for it in facts and checks.
    pub fn as_str(self) -> &'static str {
        match self {
            PrimaryVerdict::Alive => "alive",
            PrimaryVerdict::Damaged => "damaged",
            PrimaryVerdict::Refused => "refused",
            PrimaryVerdict::Unreachable => "unreachable",
            PrimaryVerdict::Unknown => "unknown",
        }
    }
}

/// The verdict by the answers of whoever may be the primary: the one of the request and the one that was read. The one that
/// is least dead decides.
pub fn primary_verdict(primary: &PrimaryEvidence) -> PrimaryVerdict {
    deciding_primary(primary).1
}

/// The verdict, and the instance that it rests on where it is not the one of the request.
pub fn deciding_primary(primary: &PrimaryEvidence) -> (Option<&NamedElsewhere>, PrimaryVerdict) {
    let rank = |verdict: PrimaryVerdict| match verdict {
        PrimaryVerdict::Alive => 3,
        PrimaryVerdict::Damaged => 2,
        PrimaryVerdict::Unknown => 1,
        PrimaryVerdict::Refused | PrimaryVerdict::Unreachable => 0,
    };
    let mut deciding = (None, verdict_of(&primary.answer, &primary.database));
    for other in primary.elsewhere.iter().filter(|other| !other.as_mirror) {
        let verdict = verdict_of(&other.instance.answer, &other.instance.database);
        if rank(verdict) > rank(deciding.1) {
            deciding = (Some(other), verdict);
        }
    }
    deciding
}

/// The verdict by one instance's own answer.
///
/// A refused connection on a port that is only guessed proves nothing, so it counts as silence.
fn verdict_of(answer: &EndpointAnswer, database: &Reading<RemoteDatabase>) -> PrimaryVerdict {
    match answer {
        EndpointAnswer::NotNamed | EndpointAnswer::NotTried { .. } => PrimaryVerdict::Unknown,
        EndpointAnswer::Refused { port_is_certain: true } => PrimaryVerdict::Refused,
        EndpointAnswer::Refused { .. } | EndpointAnswer::Unreachable { .. } => PrimaryVerdict::Unreachable,
        EndpointAnswer::Answers { .. } => PrimaryVerdict::Alive,
        EndpointAnswer::LoggedIn => {
            let state = database.known().and_then(|database| database.state.as_deref());
            match state {
                Some("suspect" | "recovery_pending" | "emergency") => PrimaryVerdict::Damaged,
                _ => PrimaryVerdict::Alive,
            }
        }
    }
}

/// What a witness says about the primary's death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Testimony {
    /// It saw nothing of the primary.
    Silent,
    /// It saw the primary, or what only a living primary does.
    Against,
    /// It is there but could not be understood, so it counts as against.
    Unclear,
}

/// A witness with what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What `-IgnoreWitness` takes: `PrimaryMirror`.
    pub name: &'static str,
    pub testimony: Testimony,
    pub value: String,
    /// What to do about it; empty for a silent one.
    pub advice: String,
}

/// The names of all witnesses.
pub const WITNESS_NAMES: [&str; 3] = ["PrimaryMirror", "ShareFiles", "Monitor"];

/// What each witness says. The monitor need not be down: alive, it tells what it knows.
pub fn witnesses(primary: &PrimaryEvidence) -> [Witness; 3] {
    [mirror(primary), share(primary), monitor(primary)]
}

/// The mirror of the request and the one that was read: the first that does not stay silent speaks.
fn mirror(primary: &PrimaryEvidence) -> Witness {
    let rank = |witness: &Witness| match witness.testimony {
        Testimony::Against => 2,
        Testimony::Unclear => 1,
        Testimony::Silent => 0,
    };
    let mut speaking = mirror_of(&primary.mirror, &primary.database_name);
    for other in primary.elsewhere.iter().filter(|other| other.as_mirror) {
        let mut witness = mirror_of(&other.instance, &primary.database_name);
        if rank(&witness) > rank(&speaking) {
            witness.value = format!("{}; {} names it", witness.value, other.by);
            speaking = witness;
        }
    }
    speaking
}

fn mirror_of(instance: &MirrorInstanceEvidence, database: &str) -> Witness {
    let name = instance.name.clone().unwrap_or_default();
    let (testimony, value, advice) = match &instance.answer {
        EndpointAnswer::NotNamed => (
            Testimony::Silent,
            "no mirror of the primary is known".to_string(),
            String::new(),
        ),
        EndpointAnswer::Refused { .. } => (Testimony::Silent, format!("{name} refuses connections"), String::new()),
        EndpointAnswer::Unreachable { why } => (Testimony::Silent, format!("{name} is silent: {why}"), String::new()),
        EndpointAnswer::NotTried { why } => (
            Testimony::Unclear,
            format!("{name} could not be asked: {why}"),
            "Give a login for it with `-PrimaryMirrorSqlCredential`.".to_string(),
        ),
        EndpointAnswer::Answers { why } => (
            Testimony::Unclear,
            format!("{name} answers, but cannot be asked: {why}"),
            "Give a login for it with `-PrimaryMirrorSqlCredential`, so that its mirroring state can be read.".to_string(),
        ),
        EndpointAnswer::LoggedIn => match instance.database.known() {
            None => (
                Testimony::Unclear,
                format!("{name} answers, but does not tell the mirroring state of {database}"),
                "A login in the role sysadmin sees it.".to_string(),
            ),
            Some(remote) => match &remote.mirroring {
                Some(mirroring) if mirroring.role == MirrorRole::Principal => (
                    Testimony::Against,
                    format!("{name} is the principal of {database}"),
                    "The primary site serves through its mirror: `Invoke-CsDatabaseFailover` is the answer there, not this \
                     failover."
                        .to_string(),
                ),
                Some(mirroring) if mirroring.state != MirrorState::Disconnected => (
                    Testimony::Against,
                    format!("{name} is the mirror of {database} and in state {}", mirroring.state.as_text().to_uppercase()),
                    "The mirror still hears the primary; look at the primary itself.".to_string(),
                ),
                Some(_) => (Testimony::Silent, format!("{name} has lost its partner (DISCONNECTED)"), String::new()),
                None if remote.state.as_deref() == Some("online") => (
                    Testimony::Against,
                    format!("{database} is ONLINE on {name}, without mirroring"),
                    "Somebody brought it online there; find out who uses it.".to_string(),
                ),
                None => (
                    Testimony::Silent,
                    format!("{name} answers; {database} there is {}", remote.state.as_deref().unwrap_or("absent").to_uppercase()),
                    String::new(),
                ),
            },
        },
    };
    Witness { name: WITNESS_NAMES[0], testimony, value, advice }
}

fn share(primary: &PrimaryEvidence) -> Witness {
    let (testimony, value, advice) = match primary.later_files.known() {
        Some(files) if files.is_empty() => (Testimony::Silent, "nothing new on the share".to_string(), String::new()),
        Some(files) => {
            let names: Vec<String> = files.iter().take(5).map(|file| format!("{} {}", file.name, file.how)).collect();
            (
                Testimony::Against,
                format!("{} after the primary fell silent: {}", count(files.len(), "file", "files"), names.join(", ")),
                "Something still writes log backups; find out which server does.".to_string(),
            )
        }
        None => (
            Testimony::Silent,
            format!("the share could not be watched: {}", primary.later_files.why().unwrap_or_default()),
            String::new(),
        ),
    };
    Witness { name: WITNESS_NAMES[1], testimony, value, advice }
}

fn monitor(primary: &PrimaryEvidence) -> Witness {
    let name = primary.monitor.name.clone().unwrap_or_default();
    let (testimony, value, advice) = match (&primary.monitor.answer, primary.monitor.last_backup.known()) {
        (EndpointAnswer::NotNamed, _) => (Testimony::Silent, "log shipping has no monitor".to_string(), String::new()),
        (_, Some(Some(backup))) => match (backup.at_utc, backup.at_our_clock_utc, primary.first_failed_probe_utc) {
            (Some(at), Some(ours), Some(failed)) if ours > failed => (
                Testimony::Against,
                format!(
                    "{name} knows of a log backup at {}, {} after the first failed probe",
                    utc_text(at),
                    count((ours - failed).num_seconds().unsigned_abs() as usize, "second", "seconds")
                ),
                "The primary, or its mirror, took a log backup since; look at both.".to_string(),
            ),
            (Some(at), _, _) => {
                (Testimony::Silent, format!("{name}: last log backup at {}", utc_text(at)), String::new())
            }
            (None, _, _) => (Testimony::Silent, format!("{name} knows of no log backup"), String::new()),
        },
        (_, Some(None)) => (Testimony::Silent, format!("{name} has no row for the primary"), String::new()),
        (_, None) => (
            Testimony::Silent,
            format!("{name} could not be asked: {}", primary.monitor.last_backup.why().unwrap_or_default()),
            String::new(),
        ),
    };
    Witness { name: WITNESS_NAMES[2], testimony, value, advice }
}
