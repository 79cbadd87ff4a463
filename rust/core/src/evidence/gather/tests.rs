//! What can be read without an instance: the shell, names, folders, the journal's places.

use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::{json, Map, Value};

use super::*;
use crate::document::Spellings;
use crate::evidence::{sample, PoolEvidence, Reading};
use crate::files::LocalFileSystem;
use crate::host::{Level, NativeCommand, NativeOutcome, NativeState, Question};
use crate::sql::database::Writer;

/// A shell that answers by the text of the command.
#[derive(Default)]
struct Shell {
    answers: Vec<(&'static str, NativeState, Value)>,
    asked: Mutex<Vec<NativeCommand>>,
}

#[async_trait]
impl Host for Shell {
    fn progress(&self, _: Progress) {}
    fn message(&self, _: Level, _: String) {}
    async fn item(&self, _: &'static str, _: Value) -> Result<()> {
        Ok(())
    }
    async fn confirm(&self, _: Question) -> bool {
        false
    }
    async fn native(&self, command: NativeCommand) -> NativeOutcome {
        let text = command.as_text();
        self.asked.lock().expect("not poisoned").push(command);
        let found = self.answers.iter().find(|(begin, _, _)| text.starts_with(begin));
        let (state, value) =
            found.map_or((NativeState::Missing, json!([])), |(_, state, value)| (*state, value.clone()));
        let objects: Vec<Map<String, Value>> = serde_json::from_value(value).unwrap_or_default();
        let error = (state != NativeState::Completed).then(|| format!("no luck with {text}"));
        NativeOutcome { state, module: Some("Lync".into()), stand_in: false, objects, error, error_id: None }
    }
}

fn lync_2013() -> Shell {
    let done = NativeState::Completed;
    let service = json!([{
        "Identity": "PersistentChatServer:pchat.contoso.com", "PoolFqdn": "pchat.contoso.com", "Version": 6,
        "ActiveServers": ["s1.contoso.com"], "MirrorPersistentChatDatabase": "PersistentChatDatabase:pm.contoso.com",
        "BackupMirrorPersistentChatDatabase": "PersistentChatDatabase:bm.contoso.com"
    }]);
    let stores = json!([{"Identity": "PersistentChatDatabase:pm.contoso.com", "PoolFqdn": "pm.contoso.com", "SqlInstanceName": "CHAT"}]);
    let answers = vec![
        ("Get-CsService -PersistentChatServer", done, service),
        ("Get-CsService -PersistentChatDatabase", done, stores),
        ("Get-CsPool", done, json!([{"Identity": "pchat.contoso.com", "Computers": ["s1.contoso.com"]}])),
        ("Get-CsPersistentChatState", done, json!([{"Identity": "service:pchat.contoso.com", "PoolState": "Normal"}])),
        (
            "Get-CsManagementStoreReplicationStatus",
            done,
            json!([{"ReplicaFqdn": "s1.contoso.com", "UpToDate": "True"}]),
        ),
        ("Set-CsPersistentChatState -Identity 'service:pchat", NativeState::Failed, json!([])),
        ("Set-CsPersistentChatState -Identity 'PersistentChatServer:", done, json!([])),
        ("Set-CsPersistentChatActiveServer -Identity 'global'", done, json!([])),
    ];
    Shell { answers, asked: Mutex::default() }
}

#[tokio::test]
async fn the_shell_is_only_read_and_the_identity_that_works_is_kept() {
    let host = lync_2013();
    let pool = shell::read(&host, Some("pchat.contoso.com"), &Spellings::default(), &[]).await;
    assert_eq!(pool.state_right.known().map(String::as_str), Some("PersistentChatServer:pchat.contoso.com"));
    assert_eq!(pool.active_list_right.known().map(String::as_str), Some("global"));
    assert_eq!(pool.members.known().map(Vec::len), Some(1));
    assert_eq!(pool.state.known().map(|state| state.state.as_str()), Some("Normal"));
    assert_eq!(pool.module_of("Get-CsPool"), Some("Lync"));
    let asked = host.asked.lock().expect("not poisoned");
    assert!(asked.iter().all(|command| command.reads_only));
    let sets = asked.iter().filter(|command| command.name.starts_with("Set-"));
    assert!(sets.clone().count() == 3 && sets.clone().all(|command| command.as_text().ends_with("-WhatIf")));
}

#[tokio::test]
async fn a_shell_without_the_commands_is_asked_once() {
    let host = Shell::default();
    let pool = shell::read(&host, Some("pchat.contoso.com"), &Spellings::default(), &[]).await;
    assert_eq!(host.asked.lock().expect("not poisoned").len(), 1);
    for why in [pool.service.why(), pool.state.why(), pool.state_right.why(), pool.active_list_right.why()] {
        assert!(why.is_some_and(|why| why.starts_with("PCHAT6001")), "{why:?}");
    }
    assert!(pool.commands.is_empty());
}

/// A shell whose Set commands have no `-WhatIf`.
fn without_what_if() -> Shell {
    let mut host = lync_2013();
    host.answers.retain(|(begin, _, _)| !begin.starts_with("Set-"));
    for begin in
        ["Get-Command -Name 'Set-CsPersistentChatState'", "Get-Command -Name 'Set-CsPersistentChatActiveServer'"]
    {
        host.answers.push((begin, NativeState::Completed, json!([{"Parameters.Keys": ["Identity", "Force"]}])));
    }
    host
}

#[tokio::test]
async fn a_set_without_what_if_wants_its_spelling_said() {
    let host = without_what_if();
    let pool = shell::read(&host, Some("pchat.contoso.com"), &Spellings::default(), &[]).await;
    assert!(pool.state_right.why().is_some_and(|why| why.contains("-PoolStateIdentity")), "{:?}", pool.state_right);
    let why = pool.active_list_right.why();
    assert!(why.is_some_and(|why| why.contains("-ActiveListIdentity")), "{why:?}");
    assert!(pool.on_word.is_empty());

    let said = Spellings {
        pool_state_identity: Some("service:pchat.contoso.com".into()),
        active_list_identity: Some("PChatServerCollection".into()),
    };
    let pool = shell::read(&host, Some("pchat.contoso.com"), &said, &[]).await;
    assert_eq!(pool.state_right, Reading::Known("service:pchat.contoso.com".into()));
    assert_eq!(pool.active_list_right, Reading::Known("PChatServerCollection".into()));
    assert_eq!(pool.on_word, ["Set-CsPersistentChatState", "Set-CsPersistentChatActiveServer"]);
    assert!(pool.commands.iter().all(|command| command.name != "Get-Command"));
    assert!(host.asked.lock().expect("not poisoned").iter().all(|command| command.reads_only));
}

#[tokio::test]
async fn a_spelling_that_is_said_is_tried_alone() {
    let host = lync_2013();
    let said = Spellings { pool_state_identity: None, active_list_identity: Some("elsewhere".into()) };
    let pool = shell::read(&host, Some("pchat.contoso.com"), &said, &[]).await;
    assert_eq!(pool.state_right.known().map(String::as_str), Some("PersistentChatServer:pchat.contoso.com"));
    assert!(pool.active_list_right.why().is_some_and(|why| why.contains("elsewhere")), "{:?}", pool.active_list_right);
    assert!(pool.on_word.is_empty());
}

#[tokio::test]
async fn no_pool_is_not_asked_for() {
    let host = lync_2013();
    assert_eq!(shell::read(&host, None, &Spellings::default(), &[]).await, PoolEvidence::not_named());
    assert!(host.asked.lock().expect("not poisoned").is_empty());
}

fn backup_of_sample() -> backup::Backup {
    let evidence = sample::evidence();
    backup::Backup {
        facts: evidence.instance,
        default_backup_folder: None,
        mirror_endpoint: None,
        state: evidence.state,
        redo: evidence.files.redo,
        log_shipping: evidence.log_shipping,
        writers: Vec::new(),
        captured_mirror: None,
        sessions: evidence.sessions,
        orphaned_users: evidence.orphaned_users,
        lock_holder: evidence.lock_holder,
    }
}

#[tokio::test]
async fn names_come_from_request_record_and_topology_in_this_order() {
    let pool = shell::read(&lync_2013(), Some("pchat.contoso.com"), &Spellings::default(), &[]).await;
    let mut request = sample::request();
    let mut backup = backup_of_sample();
    let text = |name: &Option<InstanceName>| name.as_ref().map(InstanceName::to_string);
    let names = remote::Names::of(&backup, &pool, &request).expect("names");
    assert_eq!(text(&names.primary).as_deref(), Some(r"P\RTC"));
    assert_eq!(text(&names.primary_mirror).as_deref(), Some(r"pm.contoso.com\CHAT"));
    assert_eq!(text(&names.backup_mirror).as_deref(), Some(r"bm.contoso.com\RTC"));
    assert_eq!(text(&names.monitor), None, "the backup itself is no remote monitor");

    request.primary_sql_instance = Some("p2,1500".into());
    request.primary_mirror_sql_instance = Some(r"pm2\RTC".into());
    if let Some(record) = &mut backup.log_shipping.record {
        record.monitor_server = "MON".into();
    }
    let names = remote::Names::of(&backup, &pool, &request).expect("names");
    assert_eq!(text(&names.primary).as_deref(), Some("p2,1500"));
    assert_eq!(text(&names.primary_mirror).as_deref(), Some(r"pm2\RTC"));
    assert_eq!(text(&names.monitor).as_deref(), Some("MON"));

    request.primary_sql_instance = Some("p]; DROP".into());
    let error = remote::Names::of(&backup, &pool, &request).err().expect("no instance");
    assert_eq!(error.kind, ErrorKind::InvalidValue);
    assert!(error.message.starts_with("-PrimarySqlInstance: `p]; DROP` is not the name of an instance"));
}

#[test]
fn a_name_of_the_request_takes_the_place_of_none_that_was_read() {
    let (backup, pool) = (backup_of_sample(), PoolEvidence::not_named());
    let too = |backup: &backup::Backup, primary: &str, mirror: Option<&str>| -> Vec<(String, bool)> {
        let mut request = sample::request();
        request.primary_sql_instance = Some(primary.into());
        request.primary_mirror_sql_instance = mirror.map(str::to_string);
        remote::Names::of(backup, &pool, &request).expect("names").asked_too()
    };
    assert_eq!(too(&backup, r"p\rtc", None), [], "the very name of the record");
    assert_eq!(too(&backup, r"P.typo.com\RTC", None), [(r"P\RTC".to_string(), false)]);
    assert_eq!(too(&backup, r"X\RTC", None), [(r"P\RTC".to_string(), false)]);
    assert_eq!(
        too(&backup, r"PM\RTC", Some(r"p.contoso.com\RTC")),
        [(r"P\RTC".to_string(), true)],
        "named as the mirror"
    );
    let mut by_hand = backup_of_sample();
    by_hand.log_shipping.record = None;
    by_hand.captured_mirror = Some(r"PM\RTC".into());
    by_hand.writers = vec![Writer { server: r"P\RTC".into(), database: "mgc".into() }];
    assert_eq!(too(&by_hand, r"X\RTC", Some(r"Y\RTC")), [(r"P\RTC".to_string(), false), (r"PM\RTC".to_string(), true)]);
}

#[test]
fn where_no_record_names_the_primary_those_do_that_wrote_what_was_restored() {
    let writer = |server: &str| Writer { server: server.into(), database: "chat".into() };
    let text = |name: &Option<InstanceName>| name.as_ref().map(InstanceName::to_string);
    let (mut backup, pool, mut request) = (backup_of_sample(), PoolEvidence::not_named(), sample::request());
    let of = |backup: &backup::Backup, request: &FailoverRequest| {
        let names = remote::Names::of(backup, &pool, request).expect("names");
        (text(&names.primary), names.primary_database.clone(), text(&names.primary_mirror))
    };
    let some = |name: &str| Some(name.to_string());
    backup.writers = vec![writer(r"PM\RTC"), writer(r"P\RTC")];
    assert_eq!(of(&backup, &request), (some(r"P\RTC"), "mgc".into(), some(r"PM\RTC")), "the record goes before");
    backup.captured_mirror = some(r"PX\RTC");
    assert_eq!(of(&backup, &request).2, some(r"PX\RTC"));
    (backup.log_shipping.record, backup.captured_mirror) = (None, None);
    assert_eq!(of(&backup, &request), (some(r"PM\RTC"), "chat".into(), some(r"P\RTC")));
    request.primary_sql_instance = some(r"pm.contoso.com\rtc");
    assert_eq!(of(&backup, &request).2, some(r"P\RTC"), "one host under two names is no mirror of itself");

    backup.writers = Vec::new();
    request.primary_sql_instance = None;
    let mut names = remote::Names::of(&backup, &pool, &request).expect("names");
    assert_eq!(text(&names.primary), None);
    names.take_writer(Some(writer(r"P\RTC")));
    names.take_writer(Some(writer(r"Q\RTC")));
    assert_eq!((text(&names.primary), names.primary_database.as_str()), (some(r"P\RTC"), "chat"));
    let mut again = remote::Names::of(&backup, &pool, &request).expect("names");
    again.keep(&sample::evidence().primary);
    assert_eq!((text(&again.primary), text(&again.primary_mirror)), (some(r"P\RTC"), some(r"PM\RTC")));
}

#[test]
fn named_folders_go_before_the_record() {
    let evidence = sample::evidence();
    let mut request = sample::request();
    let paths = |request: &FailoverRequest| -> Vec<String> {
        backup::folders(&evidence.log_shipping, request, sample::at(3, 0))
            .iter()
            .map(|folder| folder.path.to_string())
            .collect()
    };
    assert_eq!(paths(&request), [r"E:\LSCopy", r"\\fs1\LogShip"]);
    request.folders.copy_folder = Some(r"F:\Copy\".into());
    request.folders.log_backup_share = Some(" ".into());
    request.folders.additional_log_backup_folders = vec![r"\\fs3\Extra".into()];
    assert_eq!(paths(&request), [r"F:\Copy", r"\\fs1\LogShip", r"\\fs3\Extra"]);
    request.folders.log_backup_share = Some(r"\\fs2\Other".into());
    assert_eq!(paths(&request), [r"F:\Copy", r"\\fs2\Other", r"\\fs3\Extra", r"\\fs1\LogShip"]);
}

#[tokio::test]
async fn the_journals_copy_goes_to_the_copy_folder_unless_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = |name: &str| folder.path().join(name).display().to_string();
    let mut request = sample::request();
    request.journal.journal_path = Some(inside("runs"));
    let mut place = sample::place(crate::log_chain::PlaceId::COPY_FOLDER, PlaceRole::CopyFolder, &[]);
    place.client_path = Some(folder.path().display().to_string());

    let journal = journal::read(&LocalFileSystem, &request, &[place.clone()], true).await;
    assert_eq!((journal.folder_problem, journal.copy_problem), (None, None));
    assert_eq!(journal.copy_folder, place.client_path);

    place.is_candidate = false;
    let journal = journal::read(&LocalFileSystem, &request, &[place], true).await;
    assert_eq!(journal.copy_folder, None);

    std::fs::write(folder.path().join("file"), b"x").expect("a file");
    request.journal.journal_path = Some(inside("file"));
    request.journal.journal_copy_path = Some(inside("file"));
    let journal = journal::read(&LocalFileSystem, &request, &[], true).await;
    assert_eq!(journal.folder_problem, Some(format!("{} is a file", inside("file"))));
    request.journal.journal_path = Some("runs".into());
    let journal = journal::read(&LocalFileSystem, &request, &[], true).await;
    assert_eq!(journal.folder_problem.as_deref(), Some("it is no full path"));
}

#[test]
fn a_capture_survives_the_journal_and_says_what_it_lacks() {
    let evidence = sample::evidence();
    let capture = crate::evidence::capture(&evidence);
    let text = serde_json::to_string(&capture).expect("written");
    assert_eq!(serde_json::from_str::<Capture>(&text).expect("read"), capture);
    assert_eq!(
        capture.lacks,
        [
            "users: the database is RESTORING",
            r"primary P\RTC: no answer within 5 s",
            r"mirror of the primary PM\RTC: no answer within 5 s",
            "monitor: not named",
        ]
    );
    let value: Value = serde_json::from_str(&text).expect("read");
    assert!(!value["log_shipping"]["record"].is_null(), "the search for captures looks for this member");
}

#[tokio::test]
async fn an_instance_that_does_not_answer_is_an_error_and_cancel_goes_before() {
    let settings = crate::document::SessionSettings {
        version: 1,
        encrypt: crate::document::Encrypt::Mandatory,
        trust_server_certificate: true,
        connect_timeout_seconds: 2,
        address_map: vec![crate::document::AddressMapEntry { name: "B".into(), address: "127.0.0.1:1".into() }],
    };
    let connector = Connector::new(&settings).expect("settings");
    connector.add_login(None, "sa", crate::sql::Secret::new("x"));
    let host = lync_2013();
    let sources = Sources { connector: &connector, files: &LocalFileSystem, host: &host };
    let (request, cancel) = (sample::request(), Cancel::new());
    let error = gather(sources, &request, None, &cancel).await.expect_err("refused");
    assert_eq!(error.kind, ErrorKind::ConnectionRefused);
    cancel.cancel();
    let error = gather(sources, &request, None, &cancel).await.expect_err("cancelled");
    assert_eq!(error.kind, ErrorKind::Cancelled);
}

/// The work runs on threads with two megabytes of stack, on which a future that holds all others would not fit.
#[test]
fn the_work_is_small_and_may_move_between_threads() {
    fn weigh<T: Send>(work: &T) -> usize {
        std::mem::size_of_val(work)
    }
    let settings = crate::document::SessionSettings {
        version: 1,
        encrypt: crate::document::Encrypt::Mandatory,
        trust_server_certificate: true,
        connect_timeout_seconds: 2,
        address_map: Vec::new(),
    };
    let connector = Connector::new(&settings).expect("settings");
    let (host, request, cancel) = (lync_2013(), sample::request(), Cancel::new());
    let sources = Sources { connector: &connector, files: &LocalFileSystem, host: &host };
    assert!(weigh(&gather(sources, &request, None, &cancel)) < 4096);
    assert!(weigh(&read_all(sources, &request, None, Others::All)) < 32 * 1024);
}
