use super::{check_with, line};
use crate::evidence::{sample, CommandOrigin, LogShippingSource, Reading};
use crate::log_chain::PlaceId;
use crate::names::ServerPath;
use crate::sql::connection::DatabaseSession;
use crate::sql::database::{DatabaseState, OrphanedUser};
use crate::sql::instance::AgentState;
use crate::sql::mirror::{MirrorRole, MirrorState};

#[test]
fn a_login_below_sysadmin_is_refused() {
    let result = check_with("Rights", |e, _| {
        e.instance.is_sysadmin = false;
        e.instance.login = r"CONTOSO\ops".to_string();
    });
    assert_eq!(line(&result), r"failed 3002 CONTOSO\ops is no member of sysadmin");
    assert_eq!(result.wanted, "member of sysadmin");
    assert_eq!(
        result.message,
        r"Log shipping can be removed, and sessions are seen, only by a member of sysadmin on B\RTC. Use such a login, or `-SqlCredential`."
    );
}

#[test]
fn a_stopped_agent_is_refused_only_where_the_plan_needs_it() {
    let stopped = check_with("AgentRunning", |e, _| e.instance.agent = AgentState::Stopped);
    assert_eq!(line(&stopped), "failed 5012 stopped");
    assert_eq!(
        stopped.message,
        r"Start SQL Server Agent on B\RTC: the log backups after the failover are a job of it. `-NoLogBackup` declines the log backups by name."
    );
    let declined = check_with("AgentRunning", |e, r| {
        e.instance.agent = AgentState::Stopped;
        r.no_log_backup = true;
    });
    assert_eq!(line(&declined), "warning - stopped");
    let unknown = check_with("AgentRunning", |e, _| e.instance.agent = AgentState::Unknown);
    assert_eq!(line(&unknown), "warning - unknown");
}

#[test]
fn each_state_but_restoring_and_standby_is_refused() {
    let state = |state: DatabaseState, is_mirrored: bool| {
        check_with("DatabaseState", |e, _| {
            if let Some(database) = &mut e.state {
                database.facts = sample::database(state);
                database.mirroring = is_mirrored.then(|| sample::mirror(MirrorRole::Mirror, MirrorState::Synchronized));
            }
        })
    };
    assert_eq!(line(&state(DatabaseState::Standby, false)), "passed - STANDBY");
    assert_eq!(line(&state(DatabaseState::Online, false)), "failed 5004 ONLINE");
    assert_eq!(line(&state(DatabaseState::Recovering, false)), "failed 5004 RECOVERING");
    assert_eq!(line(&state(DatabaseState::Suspect, false)), "failed 5004 SUSPECT");
    assert_eq!(line(&state(DatabaseState::Restoring, true)), "failed 5004 RESTORING, mirrored");
    assert!(state(DatabaseState::Online, false).message.contains("`Resume-PChatRun`"));
    let absent = check_with("DatabaseState", |e, _| e.state = None);
    assert_eq!(line(&absent), "failed 3003 absent");
    assert_eq!(absent.wanted, "RESTORING or STANDBY");
}

#[test]
fn a_newer_version_is_a_warning_that_the_way_back_closes() {
    let result = check_with("Version", |e, _| e.instance.major_version = 12);
    assert_eq!(line(&result), r"warning - 12; P\RTC wrote with 11");
    assert_eq!(
        result.message,
        r"Recovery on B\RTC upgrades mgc for good: a failback by backup and restore to the older primary will not be possible."
    );
    let unknown = check_with("Version", |e, _| e.files.listing.candidates.clear());
    assert_eq!(line(&unknown), "unknown - 11; the primary's is unknown");
}

#[test]
fn a_drill_refuses_real_commands_and_a_real_run_refuses_stand_ins() {
    let stand_in =
        || CommandOrigin { name: "Get-CsPool".into(), module: Some("PChatLabCommands".into()), stand_in: true };
    let real = check_with("CommandsAreReal", |e, _| e.pool.commands.push(stand_in()));
    assert_eq!(line(&real), "failed 5013 Get-CsPool from PChatLabCommands");
    assert!(real.message.starts_with(r"B\RTC is a real instance, and this command only pretends."));
    let drill = check_with("CommandsAreReal", |e, _| e.instance.lab_id = Some("lab-7".into()));
    assert_eq!(line(&drill), "failed 5013 Get-CsService from Lync");
    assert!(drill
        .message
        .starts_with(r"B\RTC is an instance of the lab lab-7, and this command would change a real pool."));
    let pure = check_with("CommandsAreReal", |e, _| {
        e.instance.lab_id = Some("lab-7".into());
        e.pool.commands = vec![stand_in()];
    });
    assert_eq!(line(&pure), "passed - PChatLabCommands");
}

#[test]
fn log_shipping_that_was_removed_is_known_from_the_journal_or_the_request() {
    let with = |source: LogShippingSource| {
        check_with("LogShippingKnown", |e, _| {
            e.log_shipping.source = source;
            e.log_shipping.history_folders = vec![ServerPath::new(r"E:\LSCopy")];
        })
    };
    assert_eq!(line(&with(LogShippingSource::Journal { run_id: "r1".into() })), "passed - removed; captured by run r1");
    assert_eq!(line(&with(LogShippingSource::Request)), "passed - removed; folders named in the request");
    let history = with(LogShippingSource::History);
    assert_eq!(line(&history), r"failed 4001 removed; restored from E:\LSCopy until now");
    assert!(history.message.contains(r"`-LogBackupShare` and `-CopyFolder`; the restore history suggests E:\LSCopy."));
    assert_eq!(line(&with(LogShippingSource::None)), "failed 4001 none");
}

#[test]
fn readers_of_a_standby_database_are_told_of() {
    let session = |program: &str| DatabaseSession {
        spid: 60,
        login: "sa".into(),
        host: "S1".into(),
        program: program.into(),
        status: "sleeping".into(),
        command: "AWAITING COMMAND".into(),
        logged_in_at: sample::at(1, 0),
        is_user: true,
        open_transactions: 0,
        is_own: false,
        is_inside: true,
    };
    let result = check_with("Connections", |e, _| {
        e.sessions = Reading::Known(vec![session("SSMS"), session("ChannelService"), session("SSMS")]);
    });
    assert_eq!(line(&result), "warning - 3 sessions: ChannelService, SSMS");
    let unknown = check_with("Connections", |e, _| e.sessions = Reading::Unknown("denied".into()));
    assert_eq!(line(&unknown), "unknown - unknown");
}

#[test]
fn users_without_a_login_are_named() {
    let user = |name: &str| OrphanedUser { name: name.to_string(), user_type: "S".to_string() };
    let result = check_with("LoginsMissing", |e, _| {
        e.orphaned_users = Reading::Known(vec![user("RTCComponents"), user("ops")]);
    });
    assert_eq!(line(&result), "warning - RTCComponents, ops");
    let passed = check_with("LoginsMissing", |e, _| e.orphaned_users = Reading::Known(Vec::new()));
    assert_eq!(line(&passed), "passed - each has its login");
}

#[test]
fn the_holder_of_the_lock_is_named() {
    let result = check_with("NoOtherRun", |e, _| {
        e.lock_holder = Reading::Known(Some(r"CONTOSO\bob on ADMIN2, session 61".into()));
    });
    assert_eq!(line(&result), r"failed 5008 CONTOSO\bob on ADMIN2, session 61");
    assert_eq!(result.message, "Another run works on mgc. Wait for it, or look at it with `Get-PChatRun`.");
}

#[test]
fn the_journal_needs_its_folder_and_its_copy() {
    let place = check_with("JournalPlace", |e, _| e.journal.folder_problem = Some("access denied".into()));
    assert_eq!(line(&place), "failed 7005 /journal: access denied");
    let copy = check_with("JournalCopy", |e, _| e.journal.copy_folder = None);
    assert_eq!(line(&copy), "failed 7006 no folder is known");
    let broken = check_with("JournalCopy", |e, _| e.journal.copy_problem = Some("access denied".into()));
    assert_eq!(line(&broken), "failed 7006 /mnt/LSCopy: access denied");
    let declined = check_with("JournalCopy", |e, r| {
        e.journal.copy_folder = None;
        r.journal.no_journal_copy = true;
    });
    assert_eq!(line(&declined), "warning - declined by name");
}

#[test]
fn log_backups_need_a_folder_or_are_declined_by_name() {
    let unknown = check_with("LogBackups", |e, _| e.default_backup_folder = None);
    assert_eq!(line(&unknown), "failed 5001 unknown");
    let named = check_with("LogBackups", |_, r| r.log_backup_path = Some(r"F:\Logs\".into()));
    assert_eq!(line(&named), r"passed - every 15 minutes to F:\Logs");
    let declined = check_with("LogBackups", |_, r| r.no_log_backup = true);
    assert_eq!(line(&declined), "warning - declined by name");
}

#[test]
fn the_copy_folder_must_have_room() {
    let result = check_with("FreeSpace", |e, _| e.files.free_bytes = Reading::Known(64 << 20));
    assert_eq!(line(&result), "failed 5009 64 MB");
    assert_eq!(result.wanted, "65 MB");
    let nothing = check_with("FreeSpace", |e, _| {
        e.files.listing.candidates.push(sample::candidate(4, PlaceId::COPY_FOLDER));
        e.files.free_bytes = Reading::Known(0);
    });
    assert_eq!(line(&nothing), "passed - nothing is copied");
}
