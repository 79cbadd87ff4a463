//! The checks of a restore. Pure: each tells its value, the wanted one and what to do.

use super::evidence::{ConferenceEvidence, FileShare, PoolSide, ShareSeen};
use super::seen::Side;
use crate::check;
use crate::document::{CheckResult, ConferenceRestoreRequest};
use crate::error::ErrorKind;
use crate::evidence::Reading;
use crate::pool::GET_COMMAND;

/// Every check, in the order in which an operator reads them.
pub(crate) fn all(evidence: &ConferenceEvidence, request: &ConferenceRestoreRequest) -> Vec<CheckResult> {
    let subject = Subject { evidence, request, decision: &() };
    let mut results = vec![subject.commands(), subject.partner(), subject.sync_command()];
    for side in [Side::Survivor, Side::Damaged] {
        results.push(subject.status(side));
        results.push(subject.service(side));
        results.push(subject.file_share(side));
    }
    results.push(subject.pool_failback());
    results.push(subject.journal_place());
    results
}

type Subject<'a> = check::Subject<'a, ConferenceEvidence, ConferenceRestoreRequest, ()>;

fn name_of(side: Side, what: &str) -> String {
    let whose = match side {
        Side::Survivor => "Survivor",
        Side::Damaged => "Damaged",
    };
    format!("{whose}{what}")
}

impl Subject<'_> {
    fn pool(&self, side: Side) -> &str {
        side.pool(&self.evidence.pair)
    }

    /// Stand-ins of the lab and commands of a real pool in one run would be a rehearsal that acts.
    fn commands(&self) -> CheckResult {
        let (name, wanted) = ("CommandsAreOfOneWorld", "all real, or all the lab's");
        let cs: Vec<_> = self.evidence.commands.iter().filter(|origin| origin.name != GET_COMMAND).collect();
        match cs.iter().find(|origin| cs.first().is_some_and(|first| first.stand_in != origin.stand_in)) {
            None => {
                let module = cs.first().and_then(|origin| origin.module.as_deref()).unwrap_or("unknown");
                self.passed(name, format!("all from {module}"), wanted)
            }
            Some(other) => self.failed(
                name,
                format!("{} from {}", other.name, other.module.as_deref().unwrap_or("an unknown module")),
                wanted,
                "Open a shell with the one module that belongs to these pools.",
                ErrorKind::LabMixedWithReal,
            ),
        }
    }

    fn partner(&self) -> CheckResult {
        let (name, survivor) = ("PoolsArePartners", &self.evidence.pair.survivor);
        match &self.evidence.partner {
            Reading::Known(partner) if partner.eq_ignore_ascii_case(survivor) => self.passed(name, partner, survivor),
            Reading::Known(partner) => self.failed(
                name,
                partner.clone(),
                survivor,
                format!("{} is paired with {partner}; its content is nowhere else.", self.evidence.pair.damaged),
                ErrorKind::PartnerNotFound,
            ),
            other => self.warning(
                name,
                format!("unknown: {}", other.why().unwrap_or_default()),
                survivor,
                format!("That {survivor} is the partner is your word."),
            ),
        }
    }

    fn sync_command(&self) -> CheckResult {
        let (name, wanted) = ("SyncCommand", "Invoke-CsBackupServiceSync with -BackupModule");
        match &self.evidence.sync_parameters {
            Reading::Known(names) if names.iter().any(|n| n.eq_ignore_ascii_case("BackupModule")) => {
                self.passed(name, "it has -BackupModule", wanted)
            }
            Reading::Known(_) => self.warning(
                name,
                "it has no -BackupModule",
                wanted,
                "All modules are synchronised: the installed command takes no module.",
            ),
            other => self.failed(
                name,
                other.why().unwrap_or_default().to_string(),
                wanted,
                "Open the management shell of a Lync or Skype for Business server, or import its module.",
                ErrorKind::NativeCommandMissing,
            ),
        }
    }

    /// Reading the status takes the same rights as the sync, and the service behind it must answer.
    fn status(&self, side: Side) -> CheckResult {
        let (name, wanted) = (name_of(side, "Status"), "the backup service answers, and this account may ask it");
        match &self.evidence.side(side).status {
            Reading::Known(modules) if !modules.is_empty() => self.passed(&name, modules.join("; "), wanted),
            Reading::Known(_) => self.failed(
                &name,
                "no module is shown".to_string(),
                wanted,
                format!("Look at `Get-CsBackupServiceStatus -PoolFqdn {}`.", self.pool(side)),
                ErrorKind::ChecksFailed,
            ),
            other => self.failed(
                &name,
                other.why().unwrap_or_default().to_string(),
                wanted,
                format!(
                    "Start LYNCBACKUP on the Front Ends of {}, and use an account of RTCUniversalServerAdmins (Schema admins by \
                     another page) or of a group in AuthorizedUniversalGroups.",
                    self.pool(side)
                ),
                ErrorKind::ChecksFailed,
            ),
        }
    }

    fn service(&self, side: Side) -> CheckResult {
        let (name, wanted) = (name_of(side, "BackupService"), "LYNCBACKUP runs on a Front End");
        let PoolSide { services, .. } = self.evidence.side(side);
        let Reading::Known(front_ends) = services else {
            let why = services.why().unwrap_or_default();
            return self.warning(&name, format!("unknown: {why}"), wanted, "Whether the status answers counts.");
        };
        let runs = |state: &Reading<String>| state.known().is_some_and(|state| state.eq_ignore_ascii_case("Running"));
        let told: Vec<String> = front_ends
            .iter()
            .map(|f| match &f.state {
                Reading::Known(state) => format!("{}: {state}", f.server),
                other => format!("{}: unknown ({})", f.server, other.why().unwrap_or_default()),
            })
            .collect();
        if front_ends.iter().any(|f| runs(&f.state)) {
            return self.passed(&name, told.join("; "), wanted);
        }
        if front_ends.is_empty() || front_ends.iter().any(|f| f.state.known().is_none()) {
            return self.warning(&name, told.join("; "), wanted, "Whether the status answers counts.");
        }
        self.failed(
            &name,
            told.join("; "),
            wanted,
            format!("Run `Start-CsWindowsService` for LYNCBACKUP on a Front End of {}.", self.pool(side)),
            ErrorKind::ChecksFailed,
        )
    }

    fn file_share(&self, side: Side) -> CheckResult {
        let (name, wanted) = (name_of(side, "FileShare"), "the file share is there");
        let beside = "The rights of the Front Ends on it cannot be seen from here.";
        match &self.evidence.side(side).file_share {
            Reading::Known(FileShare { path, seen: ShareSeen::Listed }) => {
                CheckResult { message: beside.to_string(), ..self.passed(&name, path.clone(), wanted) }
            }
            Reading::Known(FileShare { path, seen: ShareSeen::Absent(why) }) => self.failed(
                &name,
                format!("{path}: {why}"),
                wanted,
                format!("Bring the file share of {} back first: content is copied through it.", self.pool(side)),
                ErrorKind::ChecksFailed,
            ),
            Reading::Known(FileShare { path, seen: ShareSeen::NotSeen(why) }) => {
                self.warning(&name, format!("{path}: {why}"), wanted, format!("Make sure that it is there. {beside}"))
            }
            other => self.warning(
                &name,
                format!("unknown: {}", other.why().unwrap_or_default()),
                wanted,
                format!("Make sure that the file share of {} is there. {beside}", self.pool(side)),
            ),
        }
    }

    /// No documented command tells whether a failback has ended.
    fn pool_failback(&self) -> CheckResult {
        let (name, wanted) = ("PoolFailback", "no failback of the damaged pool is under way");
        if self.request.after_pool_failback {
            return self.passed(name, "it has ended, or there was none, by your word", wanted);
        }
        self.warning(
            name,
            "not told",
            wanted,
            format!(
                "Where the users of {} were failed over, finish `Invoke-CsPoolFailBack` first; `-AfterPoolFailback` says so.",
                self.evidence.pair.damaged
            ),
        )
    }

    fn journal_place(&self) -> CheckResult {
        let (name, wanted) = ("JournalPlace", "a folder that can be written");
        match &self.evidence.journal_problem {
            None => self.passed(name, self.evidence.journal_folder.clone(), wanted),
            Some(why) => self.failed(
                name,
                format!("{}: {why}", self.evidence.journal_folder),
                wanted,
                "Start the shell as administrator, or choose another folder with `-JournalPath`.",
                ErrorKind::JournalFolderInvalid,
            ),
        }
    }
}
