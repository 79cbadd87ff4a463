//! Where setting log shipping up is refused: records that the server would not take, and a secondary that would never follow. Pure.

use super::log_shipping_plan::{Found, Half};
use super::log_shipping_settings::Settings;
use crate::document::LogShippingAddRequest;
use crate::error::{Error, ErrorKind};
use crate::failback::history::{log_backups_behind, standing, HistorySet, Stand, Standing};
use crate::names::{Lsn, ServerPath};
use crate::sql::database::DatabaseState;
use crate::sql::mirror::MirrorState;

/// The recovery model without a log to ship.
pub(super) const SIMPLE: i64 = 3;

/// Where a record would be refused, or would never ship.
pub(super) fn refusal(request: &LogShippingAddRequest, settings: &Settings, found: &Found) -> Option<Error> {
    let database = request.target.database.as_str();
    let unsuited = |why: String, next: &str| {
        Some(
            Error::new(ErrorKind::DatabaseStateUnsuited, format!("{why}."))
                .with_unchanged("Nothing was changed.")
                .with_next(next)
                .with_target(database),
        )
    };
    let (primary, name) = (&found.primary, request.target.sql_instance.as_str());
    let is_between_roles = settings.partner.is_some() && primary.primary.is_some();
    if primary.is_mirror() && !is_between_roles {
        return unsuited(
            format!("{name} is the mirror of `{database}`, and a mirror cannot be made a primary"),
            "Change the roles first (`Invoke-CsDatabaseFailover`), then again; change them back afterwards.",
        );
    }
    if let (Some((partner, half)), Some(_)) = (&found.partner, &settings.partner) {
        if half.mirror.is_none() {
            return unsuited(
                format!("`{database}` on {partner} is not mirrored, and so not the partner of {name}"),
                "Name the mirroring partner with -MirrorSqlInstance; Get-PChatMirror shows it.",
            );
        }
        let state = primary.mirror.as_ref().map(|mirror| mirror.state);
        let is_apart = !matches!(state, Some(MirrorState::Synchronized | MirrorState::Synchronizing));
        if is_apart && found.needs_roles(settings) {
            let state = state.map_or("unknown", MirrorState::as_text);
            return unsuited(
                format!("mirroring of `{database}` between {name} and {partner} is {state}, so that their roles cannot be changed"),
                "Bring the partners together first, or leave -MirrorSqlInstance out.",
            );
        }
    }
    if primary.database.state != DatabaseState::Online && !primary.is_mirror() {
        let state = primary.database.state.as_text();
        return unsuited(
            format!("`{database}` on {name} is {state}, and a primary must be online"),
            "Name the instance that serves it.",
        );
    }
    if primary.database.recovery_model == SIMPLE {
        return unsuited(
            format!("`{database}` on {name} is in the simple recovery model and has no log to ship"),
            "Set the full recovery model and take a full backup first.",
        );
    }
    let (name, half) = found.secondary.as_ref()?;
    if let Some(record) = &half.secondary {
        if !record.primary_server.eq_ignore_ascii_case(&primary.facts.server_name) {
            return unsuited(
                format!("`{database}` on {name} is the secondary of {} already", record.primary_server),
                "Remove-PChatLogShipping takes it out of that.",
            );
        }
        return None;
    }
    let seed = seeding(request, settings, (name, half));
    if half.mirror.is_some() {
        return unsuited(format!("`{database}` on {name} is mirrored, and takes no log backups"), &seed);
    }
    if !half.database.state.is_secondary() {
        return unsuited(
            format!("`{database}` on {name} is {}, and takes no log backups", half.database.state.as_text()),
            &seed,
        );
    }
    let Some(redo) = &half.redo else {
        return unsuited(format!("a restore of `{database}` on {name} was cut off"), &seed);
    };
    let stand = Stand { lsn: redo.lsn, fork_id: redo.fork_id };
    if let Standing::OffHistory { why } = standing(&found.history, stand) {
        return unsuited(
            format!("`{database}` on {name} is no part of what {} has: {why}", primary.facts.server_name),
            &seed,
        );
    }
    let (file, first, last) = out_of_reach(settings, found, stand)?;
    unsuited(
        format!("{name} stands at LSN {}, and the log backup from LSN {first} to {last} is in {file}, where no job looks for it", redo.lsn),
        "Restore it first: Restore-PChatLogBackup -AdditionalLogBackupFolder; or seed the secondary anew.",
    )
}

/// The commands that seed the secondary, in their order. What an old primary holds is kept first.
fn seeding(request: &LogShippingAddRequest, settings: &Settings, (name, half): (&str, &Half)) -> String {
    let database = match request.target.database.as_str() {
        "mgc" => String::new(),
        other => format!(" -Database '{other}'"),
    };
    let mut commands = Vec::new();
    if half.mirror.is_some() {
        commands.push(format!("Remove-PChatMirror '{name}'{database}"));
    }
    if half.database.state == DatabaseState::Online {
        commands.push(format!("Backup-PChatDatabase '{name}'{database}"));
        commands.push(format!("Backup-PChatDatabase '{name}'{database} -Type Tail"));
    }
    let (primary, share) = (&request.target.sql_instance, &settings.primary.share);
    commands.push(format!("Backup-PChatDatabase '{primary}'{database} -BackupPath '{share}'"));
    commands.push(format!("Restore-PChatDatabase '{name}'{database} -BackupFile '<the file that it names>'"));
    format!("Seed it first: {}; then run the command again.", commands.join("; "))
}

/// A log backup that the secondary wants and that lies in none of the folders of log shipping.
fn out_of_reach(settings: &Settings, found: &Found, stand: Stand) -> Option<(String, Lsn, Lsn)> {
    let folders: [&ServerPath; 2] = [&settings.primary.share, &settings.primary.directory];
    let lies_there = |set: &HistorySet| {
        let folder = set.path.as_ref().and_then(ServerPath::parent);
        folder.is_some_and(|folder| folders.iter().any(|known| known.same_as(&folder)))
    };
    let set = log_backups_behind(&found.history, stand.lsn).into_iter().find(|set| !lies_there(set))?;
    let file = set.path.as_ref().map_or("an unknown file".to_string(), ToString::to_string);
    Some((file, set.first_lsn, set.last_lsn))
}
