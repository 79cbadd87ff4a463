//! The guard: what must be saved of the copies at home before either of them is overwritten. After a power cut one of
//! them holds the lost tail, and nobody can tell which by its name.
//!
//! A pure function of what was seen of the primary and of its mirror. It never looks at the backup's content: a copy is
//! either proved to be part of the backup's history, or saved, or left alone.

use serde::{Deserialize, Serialize};

use crate::failback::history::{Stand, Standing};
use crate::sql::database::DatabaseState;
use crate::sql::mirror::{Mirror, MirrorRole};

#[cfg(test)]
mod tests;

/// Which of the two instances at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HomeRole {
    Primary,
    Mirror,
}

/// One copy at home, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HomeCopy {
    pub role: HomeRole,
    pub instance: String,
    pub seen: CopySeen,
}

/// What was seen of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopySeen {
    /// The instance could not be asked.
    Unknown(String),
    /// There is no such database.
    Absent,
    Present(Box<PresentCopy>),
}

/// A copy that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentCopy {
    pub state: DatabaseState,
    pub mirroring: Option<Mirror>,
    /// True where it is of the backup's family; `None` where nobody can tell.
    pub is_same_family: Option<bool>,
    /// Rows of its fullest user table, where it is online and could be read.
    pub rows: Option<u64>,
    /// The redo point of a copy that is restoring, the end of its newest log backup and its fork of one that is online.
    pub stand: Option<Stand>,
    /// How it stands to the backup's history; of a copy that is restoring.
    pub standing: Option<Standing>,
}

/// What was found, in the words of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    Absent,
    /// Of another family and without content.
    Fresh,
    /// Restoring or standby, on the backup's history.
    OnHistory,
    /// Restoring, behind a copy that is salvaged: its former mirror.
    Covered,
    /// Restoring, off the backup's history.
    OffHistory {
        why: String,
    },
    Online,
    Offline,
    Damaged {
        state: String,
    },
    Unknown {
        why: String,
    },
}

impl Found {
    /// For facts and messages.
    pub fn as_str(&self) -> &'static str {
        match self {
            Found::Absent => "absent",
            Found::Fresh => "freshly created",
            Found::OnHistory => "restoring, on the backup's history",
            Found::Covered => "the former mirror of the other copy",
            Found::OffHistory { .. } => "restoring, off the backup's history",
            Found::Online => "online",
            Found::Offline => "offline",
            Found::Damaged { .. } => "damaged",
            Found::Unknown { .. } => "unknown",
        }
    }
}

/// One thing that is done to a copy before it may be overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// `SET PARTNER OFF`.
    PartnerOff,
    /// `SET ONLINE`: a backup of a database that is offline fails (942).
    SetOnline,
    /// Recovery, only for saving what is in it; named by the operator.
    Recover,
    /// SINGLE_USER, a full backup, verified and kept.
    SaveFull,
    /// `BACKUP LOG … WITH NO_TRUNCATE`, kept.
    SaveLog,
    /// It is kept until what was saved of the other copy is verified.
    AwaitOther,
}

/// What becomes of a copy after its measures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It may be overwritten.
    Overwrite,
    /// It is gone on from, without seeding, where the log backups reach it.
    GoOn,
    /// Nothing may start.
    Refuse { why: String, next: String },
}

/// What is done with one copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Treatment {
    pub role: HomeRole,
    pub instance: String,
    pub found: Found,
    pub was_mirrored: bool,
    pub measures: Vec<Measure>,
    pub then: Then,
}

impl Treatment {
    /// True where something of it is written to a file of its own first.
    pub fn saves(&self) -> bool {
        self.measures.iter().any(|measure| matches!(measure, Measure::SaveFull | Measure::SaveLog))
    }

    /// Why nothing may start, and what to do.
    pub fn refusal(&self) -> Option<(&str, &str)> {
        match &self.then {
            Then::Refuse { why, next } => Some((why, next)),
            _ => None,
        }
    }
}

/// What is done with both copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    pub primary: Treatment,
    pub mirror: Option<Treatment>,
}

impl Guard {
    /// Both, the one that saves something first.
    pub fn in_order(&self) -> Vec<&Treatment> {
        let mut all: Vec<&Treatment> = std::iter::once(&self.primary).chain(self.mirror.as_ref()).collect();
        all.sort_by_key(|treatment| (treatment.measures.contains(&Measure::AwaitOther), !treatment.saves()));
        all
    }

    /// The first refusal.
    pub fn refusal(&self) -> Option<(&Treatment, &str, &str)> {
        self.in_order().into_iter().find_map(|t| t.refusal().map(|(why, next)| (t, why, next)))
    }
}

/// Decides on both copies alike. Pure.
///
/// `named`: instances whose copy, restoring off the history, the operator allows to be recovered and saved.
pub fn guard(primary: &HomeCopy, mirror: Option<&HomeCopy>, named: &[String]) -> Guard {
    Guard { primary: treat(primary, mirror, named), mirror: mirror.map(|mirror| treat(mirror, Some(primary), named)) }
}

fn treat(copy: &HomeCopy, other: Option<&HomeCopy>, named: &[String]) -> Treatment {
    let of = |found: Found, measures: Vec<Measure>, then: Then| Treatment {
        role: copy.role,
        instance: copy.instance.clone(),
        found,
        was_mirrored: is_mirrored(copy),
        measures,
        then,
    };
    let present = match &copy.seen {
        CopySeen::Absent => return of(Found::Absent, Vec::new(), Then::Overwrite),
        CopySeen::Unknown(why) => {
            let then = Then::Refuse {
                why: format!("nobody can tell what {} holds: {why}", copy.instance),
                next: "Bring the instance up, or correct login and address, then make the plan again.".to_string(),
            };
            return of(Found::Unknown { why: why.clone() }, Vec::new(), then);
        }
        CopySeen::Present(present) => present,
    };
    let mut measures = Vec::new();
    if let Some(mirroring) = &present.mirroring {
        measures.push(Measure::PartnerOff);
        if mirroring.role == MirrorRole::Mirror || yields_to(mirroring, other) {
            return match other.is_some_and(can_be_saved) {
                // The principal held everything that its mirror had.
                true => {
                    measures.push(Measure::AwaitOther);
                    of(Found::Covered, measures, Then::Overwrite)
                }
                false => off_history(
                    copy,
                    "it is a mirror whose principal is not there to be saved".to_string(),
                    measures,
                    named,
                    &of,
                ),
            };
        }
    }
    match present.state {
        DatabaseState::Online if is_fresh(present) && present.mirroring.is_none() => {
            of(Found::Fresh, measures, Then::Overwrite)
        }
        DatabaseState::Online => {
            measures.push(Measure::SaveFull);
            of(Found::Online, measures, Then::Overwrite)
        }
        DatabaseState::Offline => {
            measures.extend([Measure::SetOnline, Measure::SaveFull]);
            of(Found::Offline, measures, Then::Overwrite)
        }
        DatabaseState::Restoring | DatabaseState::Standby => match &present.standing {
            Some(Standing::OnHistory) => of(Found::OnHistory, measures, Then::GoOn),
            _ if other.is_some_and(|other| covers(other, present)) => {
                measures.push(Measure::AwaitOther);
                of(Found::Covered, measures, Then::Overwrite)
            }
            Some(Standing::OffHistory { why }) => off_history(copy, why.clone(), measures, named, &of),
            None => off_history(copy, "its redo point cannot be told".to_string(), measures, named, &of),
        },
        DatabaseState::RecoveryPending | DatabaseState::Suspect | DatabaseState::Emergency => {
            measures.push(Measure::SaveLog);
            of(Found::Damaged { state: present.state.as_text().to_string() }, measures, Then::Overwrite)
        }
        DatabaseState::Recovering | DatabaseState::Other => {
            let state = present.state.as_text();
            let then = Then::Refuse {
                why: format!("the copy on {} is {state}", copy.instance),
                next: "Wait until the instance has settled the database, then make the plan again.".to_string(),
            };
            of(Found::Unknown { why: format!("it is {state}") }, measures, then)
        }
    }
}

/// Restoring copies hold what cannot be read before they are recovered, and recovery is for good: only when named.
fn off_history(
    copy: &HomeCopy,
    why: String,
    mut measures: Vec<Measure>,
    named: &[String],
    of: &impl Fn(Found, Vec<Measure>, Then) -> Treatment,
) -> Treatment {
    let is_named = named.iter().any(|name| name.eq_ignore_ascii_case(&copy.instance));
    let found = Found::OffHistory { why: why.clone() };
    if is_named {
        measures.extend([Measure::Recover, Measure::SaveFull]);
        return of(found, measures, Then::Overwrite);
    }
    let then = Then::Refuse {
        why: format!("the copy on {} is restoring and not part of the backup's history: {why}", copy.instance),
        next: format!(
            "It may hold messages that were lost. To have it recovered, saved to a file and then overwritten, name it: \
             `-RecoverAndSave '{}'`.",
            copy.instance
        ),
    };
    of(found, measures, then)
}

fn is_mirrored(copy: &HomeCopy) -> bool {
    present(copy).is_some_and(|present| present.mirroring.is_some())
}

fn present(copy: &HomeCopy) -> Option<&PresentCopy> {
    match &copy.seen {
        CopySeen::Present(present) => Some(present),
        _ => None,
    }
}

/// Another family and an empty content: nobody ever chatted in it.
fn is_fresh(copy: &PresentCopy) -> bool {
    copy.is_same_family == Some(false) && copy.rows == Some(0)
}

/// True for a principal that gives way to another one: after a split both may claim the role, and the one of the later
/// change of roles was it last.
fn yields_to(own: &Mirror, other: Option<&HomeCopy>) -> bool {
    let other = other.and_then(present).and_then(|copy| copy.mirroring.as_ref());
    other.is_some_and(|other| {
        other.role == MirrorRole::Principal
            && other.mirroring_id == own.mirroring_id
            && other.role_sequence > own.role_sequence
    })
}

/// True where this copy, a principal, can be saved as a whole.
fn can_be_saved(copy: &HomeCopy) -> bool {
    present(copy).is_some_and(|present| {
        let readable = matches!(present.state, DatabaseState::Online | DatabaseState::Offline);
        readable && present.mirroring.as_ref().is_none_or(|mirroring| mirroring.role == MirrorRole::Principal)
    })
}

/// True where another copy holds everything that a restoring one has: it stands at or behind it on the same fork. How far
/// one that is online reaches, and both place and fork of one that is offline, as our own fence leaves it, are told by its
/// backup alone, which the awaiting measure compares before either is overwritten.
fn covers(other: &HomeCopy, copy: &PresentCopy) -> bool {
    let (Some(other), Some(stand)) = (present(other), copy.stand) else { return false };
    if other.state == DatabaseState::Offline && other.mirroring.is_none() {
        return true;
    }
    let Some(found) = other.stand.filter(|found| found.fork_id == stand.fork_id) else { return false };
    match other.state {
        DatabaseState::Online => true,
        DatabaseState::Restoring | DatabaseState::Standby => {
            other.standing == Some(Standing::OnHistory) && found.lsn >= stand.lsn
        }
        _ => false,
    }
}
