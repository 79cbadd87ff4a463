//! The log backups as rows: where each one lies and where it stands, in the order of LSNs, a row for the gap among them.

use std::collections::HashSet;

use chrono::Duration;

use crate::document::{LogBackup, LogChainSummary, Target};
use crate::evidence::{may_be_log_backup, utc_text, Evidence};
use crate::failover::plan::Decision;
use crate::log_chain::{
    utc_offset_minutes, Candidate, Doubt, PlaceId, PlaceKind, SetStatus, UnreadFile, UnreadStatus, Verdict,
};
use crate::names::{Lsn, ServerPath, Text};

/// One row for each set in each file that is known, whether its header was read or not. Pure.
pub(super) fn rows(evidence: &Evidence, decision: &Decision, target: &Target) -> Vec<LogBackup> {
    let mut table = Table { evidence, decision, target, rows: Vec::new(), ranks: Vec::new() };
    table.add_read();
    table.add_unread();
    table.add_not_read();
    let mut rows = table.rows;
    rows.extend(gap(decision, target));
    // Files without LSNs: old ones first, those that could not be read last.
    let key = |row: &LogBackup| match row.first_lsn {
        Some(lsn) => (1, lsn, row.last_lsn.unwrap_or_default(), u8::from(row.status == "gap")),
        None if row.status == "restored" => (0, Lsn::ZERO, Lsn::ZERO, 0),
        None => (2, Lsn::ZERO, Lsn::ZERO, 0),
    };
    rows.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.name.cmp(&b.name)).then(a.position.cmp(&b.position)));
    rows
}

/// The verdict on the chain in one word and in words.
pub(super) fn summary(evidence: &Evidence, decision: &Decision, target: &Target) -> LogChainSummary {
    let chain = decision.chain.as_ref();
    let needed = chain.map_or(0, |chain| chain.restore.len()) + decision.read_after_copy.len();
    LogChainSummary {
        sql_instance: target.sql_instance.clone(),
        database: target.database.clone(),
        pool_fqdn: target.pool_fqdn.clone(),
        verdict: verdict_word(decision).to_string(),
        text: verdict_text(evidence, decision),
        needed: u32::try_from(needed).unwrap_or(u32::MAX),
        not_copied: u32::try_from(decision.missing.len()).unwrap_or(u32::MAX),
        redo_point_lsn: evidence.files.redo.known().map(|redo| redo.lsn),
        end_lsn: chain.map(|chain| chain.end.lsn),
    }
}

fn verdict_word(decision: &Decision) -> &'static str {
    let Some(chain) = &decision.chain else { return "unknown" };
    let has = |wanted: fn(&Doubt) -> bool| decision.doubts.iter().any(wanted);
    match chain.verdict {
        Verdict::Gap { .. } => "gap",
        Verdict::Damaged { .. } | Verdict::StripeMissing { .. } => "damaged",
        Verdict::RecoveryPathDiffers { .. } => "unknown",
        Verdict::Complete if has(|d| matches!(d, Doubt::UnreadableFile { .. })) => "unknown",
        Verdict::Complete if has(|d| matches!(d, Doubt::ShareUnreachable { .. } | Doubt::ShareUnknown)) => {
            "complete_share_unreachable"
        }
        Verdict::Complete if has(|d| matches!(d, Doubt::WitnessKnowsLater { .. })) => "gap",
        Verdict::Complete if chain.unfinished.is_some() => "unfinished",
        Verdict::Complete => "complete",
    }
}

fn verdict_text(evidence: &Evidence, decision: &Decision) -> String {
    let Some(chain) = &decision.chain else {
        let why = evidence.files.redo.why().unwrap_or("it was not read");
        return format!("The redo point of {} is not known ({why}), so nothing was compared.", evidence.database);
    };
    let mut parts = vec![chain.verdict.to_string()];
    let others = decision.doubts.iter().filter(|doubt| !matches!(doubt, Doubt::Chain(_)));
    parts.extend(others.map(ToString::to_string));
    parts.extend(Some(chain.unfinished_text()).filter(|text| !text.is_empty()));
    parts.join(" ")
}

struct Table<'a> {
    evidence: &'a Evidence,
    decision: &'a Decision,
    target: &'a Target,
    rows: Vec<LogBackup>,
    /// How well each row's best copy stands, and what tells it from others of its name.
    ranks: Vec<(u8, uuid::Uuid, u32)>,
}

impl Table<'_> {
    fn row(&self, name: &str, place: PlaceId, path: &ServerPath) -> LogBackup {
        LogBackup {
            sql_instance: self.target.sql_instance.clone(),
            database: self.target.database.clone(),
            pool_fqdn: self.target.pool_fqdn.clone(),
            name: name.to_string(),
            status: String::new(),
            detail: String::new(),
            path: Some(path.to_string()),
            on_share: place.kind() == PlaceKind::Share,
            in_copy_folder: place.kind() == PlaceKind::CopyFolder,
            position: 1,
            first_lsn: None,
            last_lsn: None,
            size_bytes: None,
            finished_at_utc: None,
            writer: None,
        }
    }

    fn add_read(&mut self) {
        let listing = &self.evidence.files.listing;
        for (index, candidate) in listing.candidates.iter().enumerate() {
            let status = self.decision.chain.as_ref().and_then(|chain| chain.status.get(index)).copied();
            let header = &candidate.header;
            let same = |(row, rank): (&LogBackup, &(u8, uuid::Uuid, u32))| {
                row.position == header.position
                    && rank.1 == header.backup_set_id
                    && rank.2 == header.family_number
                    && row.name.eq_ignore_ascii_case(&candidate.name)
            };
            match self.rows.iter().zip(&self.ranks).position(same) {
                Some(at) => self.join(at, candidate, status),
                None => {
                    let mut row = self.row(&candidate.name, candidate.place, &candidate.path);
                    row.position = header.position;
                    row.first_lsn = Some(header.first_lsn);
                    row.last_lsn = Some(header.last_lsn);
                    row.size_bytes = Some(self.evidence.files.size_of(candidate));
                    row.finished_at_utc = self.finished_at(candidate);
                    row.writer = Some(header.server_name.to_string()).filter(|name| !name.is_empty());
                    self.rows.push(row);
                    self.ranks.push((u8::MAX, header.backup_set_id, header.family_number));
                    self.join(self.rows.len() - 1, candidate, status);
                }
            }
        }
        // Only now is it known whether some copy lies in the copy folder.
        for row in &mut self.rows {
            if row.status == "needed" && !row.in_copy_folder && self.evidence.files.copy_folder().is_some() {
                row.status = "not_copied".to_string();
            }
        }
    }

    /// The same set once more: the copy that stands best tells the status.
    fn join(&mut self, at: usize, candidate: &Candidate, status: Option<SetStatus>) {
        let (rank, word, mut detail) = standing(status, candidate);
        let row = &mut self.rows[at];
        row.on_share |= candidate.place.kind() == PlaceKind::Share;
        if candidate.place.kind() == PlaceKind::CopyFolder {
            row.in_copy_folder = true;
            row.path = Some(candidate.path.to_string());
        }
        if rank >= self.ranks[at].0 {
            return;
        }
        if let (true, Some(stripes)) = (detail.is_empty(), Some(candidate.header.family_count).filter(|n| *n > 1)) {
            detail = format!("stripe {} of {stripes}", candidate.header.family_number);
        }
        self.ranks[at].0 = rank;
        row.status = word.to_string();
        row.detail = detail;
    }

    fn finished_at(&self, candidate: &Candidate) -> Option<String> {
        let header = &candidate.header;
        let settled = self.evidence.files.listing.writer_offset_minutes;
        // A name in its writer's own time would make that time pass for UTC.
        let own = utc_offset_minutes(&candidate.name, header).filter(|own| *own != 0 || settled == Some(0));
        let minutes = own.or(settled)?;
        Some(utc_text((header.finished_at - Duration::minutes(i64::from(minutes))).and_utc()))
    }

    fn add_unread(&mut self) {
        for (index, file) in self.evidence.files.listing.unread.iter().enumerate() {
            let known = self.rows.iter().position(|row| row.name.eq_ignore_ascii_case(&file.name));
            if let Some(at) = known {
                self.rows[at].on_share |= file.place.kind() == PlaceKind::Share;
                // A copy that cannot be read is none.
                continue;
            }
            let status = self.decision.chain.as_ref().and_then(|chain| chain.unread_status.get(index)).copied();
            let mut row = self.row(&file.name, file.place, &file.path);
            row.size_bytes = Some(file.file_bytes).filter(|size| *size > 0);
            let (word, detail) = self.unread_standing(file, status);
            row.status = word.to_string();
            row.detail = detail;
            self.rows.push(row);
        }
    }

    fn unread_standing(&self, file: &UnreadFile, status: Option<UnreadStatus>) -> (&'static str, String) {
        let why = file.trouble.why().to_string();
        match status {
            _ if self.decision.read_after_copy.iter().any(|name| *name == *file.name) => (
                "not_copied",
                format!("the instance cannot read it there; its LSNs are known once it is copied ({why})"),
            ),
            Some(UnreadStatus::Harmless) => ("restored", format!("older than what is proved; not readable ({why})")),
            Some(UnreadStatus::Unfinished) => ("unfinished", why),
            Some(UnreadStatus::Damaged) => ("damaged", why),
            Some(UnreadStatus::Unreadable) | None => ("unreadable", why),
        }
    }

    /// Files whose headers nobody had to read: they are older than the redo point, unless that is unknown.
    fn add_not_read(&mut self) {
        let mut known: HashSet<String> = self.rows.iter().map(|row| row.name.to_lowercase()).collect();
        let mut of_place: Vec<(PlaceId, ServerPath, Text)> = Vec::new();
        for place in &self.evidence.files.places {
            let ours = place.by_client.known().filter(|_| place.is_candidate || place.by_server.known().is_none());
            let names = place.by_server.known().into_iter().flatten().cloned();
            let names = names.chain(ours.into_iter().flatten().map(|file| file.name.clone()));
            for name in names.filter(|name| may_be_log_backup(name)) {
                of_place.push((PlaceId(place.place), place.path.join(&name), name));
            }
        }
        let verdict = self.decision.chain.as_ref().map(|chain| &chain.verdict);
        for (place, path, name) in of_place {
            if known.insert(name.to_lowercase()) {
                let mut row = self.row(&name, place, &path);
                row.size_bytes = self.evidence.files.place(place).and_then(|seen| seen.size_of(&name));
                let (word, why) = match verdict {
                    Some(Verdict::Complete) => ("restored", "older than what is needed; its header was not read"),
                    Some(_) => ("unreadable", "its header was not read"),
                    None => ("unreadable", "not compared: the redo point is not known"),
                };
                (row.status, row.detail) = (word.to_string(), why.to_string());
                self.rows.push(row);
                continue;
            }
            let at = self.rows.iter().position(|row| row.first_lsn.is_none() && row.name.eq_ignore_ascii_case(&name));
            if let Some(row) = at.map(|at| &mut self.rows[at]) {
                row.on_share |= place.kind() == PlaceKind::Share;
                row.in_copy_folder |= place.kind() == PlaceKind::CopyFolder;
            }
        }
    }
}

/// Rank (the smallest tells the status of a row), status and what more there is to say.
fn standing(status: Option<SetStatus>, candidate: &Candidate) -> (u8, &'static str, String) {
    let why = || candidate.trouble.as_ref().map_or(String::new(), |trouble| trouble.why().to_string());
    let Some(status) = status else {
        return (9, "unreadable", "not compared: the redo point is not known".to_string());
    };
    match status {
        SetStatus::Needed => (0, "needed", String::new()),
        SetStatus::SpareCopy => (1, "needed", String::new()),
        SetStatus::Restored => (2, "restored", String::new()),
        SetStatus::Covered => (3, "restored", "not needed: other log backups hold its range".to_string()),
        SetStatus::BehindGap => (4, "needed", "behind the gap: it cannot be restored".to_string()),
        SetStatus::Unfinished => (5, "unfinished", why()),
        SetStatus::StripeMissing => (6, "damaged", "other stripes of its set are missing".to_string()),
        SetStatus::Damaged => {
            let why = Some(why()).filter(|why| !why.is_empty());
            (7, "damaged", why.unwrap_or_else(|| "its writer marked it as damaged".to_string()))
        }
        SetStatus::DeadPath => (8, "other_path", "a recovery path that was left".to_string()),
        SetStatus::OtherPath => (8, "other_path", "a recovery path that the database is not on".to_string()),
        SetStatus::OtherDatabase => {
            (8, "other_path", format!("a backup of another database, `{}`", candidate.header.database_name))
        }
        SetStatus::NotLog => (8, "other_path", "no log backup".to_string()),
    }
}

fn gap(decision: &Decision, target: &Target) -> Option<LogBackup> {
    let chain = decision.chain.as_ref()?;
    let Verdict::Gap { after_lsn, next_lsn, .. } = &chain.verdict else { return None };
    Some(LogBackup {
        sql_instance: target.sql_instance.clone(),
        database: target.database.clone(),
        pool_fqdn: target.pool_fqdn.clone(),
        name: "(missing)".to_string(),
        status: "gap".to_string(),
        detail: chain.verdict.to_string(),
        path: None,
        on_share: false,
        in_copy_folder: false,
        position: 0,
        first_lsn: Some(*after_lsn),
        last_lsn: Some(*next_lsn),
        size_bytes: None,
        finished_at_utc: None,
        writer: None,
    })
}
