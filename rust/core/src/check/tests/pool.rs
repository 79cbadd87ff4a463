use super::{check_with, line};
use crate::evidence::{
    ComplianceEvidence, EndpointAnswer, Evidence, PoolEvidence, Reading, RemoteDatabase, ServerAnswer,
};
use crate::sql::compliance::Backlog;

#[test]
fn a_pool_outside_the_topology_is_refused_with_those_inside() {
    let result = check_with("PoolReachable", |e, _| e.pool.service = Reading::Known(None));
    assert_eq!(line(&result), "failed 6004 pchat.contoso.com is not in the topology");
    assert_eq!(result.message, "The topology has pchat.contoso.com; write the pool as Topology Builder shows it.");
    let unnamed = check_with("PoolReachable", |e, _| e.pool = PoolEvidence::not_named());
    assert_eq!(line(&unnamed), "failed 6004 no pool is named");
}

#[test]
fn a_shell_without_the_commands_is_told_from_one_whose_store_is_down() {
    let missing =
        check_with("PoolReachable", |e, _| e.pool.service = Reading::Unknown("PCHAT6001: not available".into()));
    assert_eq!(line(&missing), "failed 6001 PCHAT6001: not available");
    let unwatched =
        check_with("PoolReachable", |e, _| e.pool.replicas = Reading::Unknown("PCHAT6001: no such command".into()));
    assert_eq!(line(&unwatched), "failed 6001 PCHAT6001: no such command");
    let silent = check_with("PoolReachable", |e, _| e.pool.replicas = Reading::Unknown("PCHAT6002: no store".into()));
    assert!(line(&silent).starts_with("passed"), "what is installed is awaited in the run");
    let down = check_with("PoolReachable", |e, _| e.pool.service = Reading::Unknown("PCHAT6002: no store".into()));
    assert_eq!(line(&down), "failed 6002 PCHAT6002: no store");
    assert!(down.message.contains("`Invoke-CsManagementServerFailover`"));
}

#[test]
fn rights_are_proved_for_each_command() {
    let result = check_with("PoolRights", |e, _| {
        e.pool.state_right = Reading::Unknown("PCHAT6002: access denied.".into());
    });
    assert_eq!(line(&result), "failed 6002 Set-CsPersistentChatState: PCHAT6002: access denied");
    let result = check_with("PoolRights", |e, _| {
        e.pool.active_list_right = Reading::Unknown("PCHAT6001: not available".into());
    });
    assert_eq!(line(&result), "failed 6001 Set-CsPersistentChatActiveServer: PCHAT6001: not available");
}

#[test]
fn a_pool_that_is_failed_over_already_is_a_warning() {
    let state = |text: &str| {
        check_with("PoolState", |e, _| {
            if let Reading::Known(state) = &mut e.pool.state {
                state.state = text.to_string();
            }
        })
    };
    assert_eq!(line(&state("FailedOver")), "warning - FailedOver");
    assert_eq!(line(&state("Half")), "failed 6002 Half");
    let unknown = check_with("PoolState", |e, _| e.pool.state = Reading::Unknown("PCHAT6002: gone".into()));
    assert_eq!(line(&unknown), "failed 6002 PCHAT6002: gone");
}

#[test]
fn active_servers_are_one_to_four_members_each_once() {
    let with = |servers: &[&str]| {
        check_with("ActiveServers", |_, r| r.active_servers = servers.iter().map(|s| s.to_string()).collect())
    };
    assert_eq!(line(&with(&[])), "failed 5011 none");
    let five = with(&["a", "b", "c", "d", "e"]);
    assert_eq!(line(&five), "failed 5011 a, b, c, d, e");
    assert_eq!(
        five.message,
        "5 servers are named; a pool has at most 4 active ones. Leave out all but 4 of a, b, c, d, e. No member of the pool: a. No \
         member of the pool: b. No member of the pool: c. No member of the pool: d. No member of the pool: e. Its members are \
         s1.contoso.com, s2.contoso.com, s3.contoso.com, s4.contoso.com."
    );
    let twice = with(&["s3.contoso.com", "S3.contoso.com"]);
    assert_eq!(twice.message, "S3.contoso.com is named twice.");
    let stranger = with(&["s3.contoso.com", "s9.contoso.com"]);
    assert_eq!(line(&stranger), "failed 5011 s3.contoso.com, s9.contoso.com");
    assert_eq!(
        stranger.message,
        "No member of the pool: s9.contoso.com. Its members are s1.contoso.com, s2.contoso.com, s3.contoso.com, \
         s4.contoso.com."
    );
    let several = check_with("ActiveServers", |e, r| {
        e.pool.members = Reading::Known(vec!["s1.a.com".into(), "s1.b.com".into()]);
        r.active_servers = e.pool.servers_of(&["S1".to_string()]);
    });
    assert!(several.message.starts_with("S1 may be s1.a.com or s1.b.com: write the FQDN."), "{}", several.message);
    assert_eq!(line(&with(&["S4.CONTOSO.COM"])), "passed - S4.CONTOSO.COM");
    let unknown = check_with("ActiveServers", |e, _| e.pool.members = Reading::Unknown("PCHAT6002: no".into()));
    assert_eq!(line(&unknown), "unknown 5011 s3.contoso.com, s4.contoso.com");
}

#[test]
fn a_server_that_does_not_answer_is_refused_until_it_is_named() {
    let silent = |e: &mut Evidence| {
        let why = [None, Some("the RPC server is unavailable.".to_string())];
        let servers = ["s3.contoso.com", "s4.contoso.com"].map(str::to_string);
        e.pool.servers = servers.into_iter().zip(why).map(|(server, why)| ServerAnswer { server, why }).collect();
    };
    let refused = check_with("ActiveServersAnswer", |e, _| silent(e));
    assert_eq!(line(&refused), "failed 5011 s4.contoso.com: the RPC server is unavailable");
    assert!(refused.message.ends_with("`-IgnoreWitness s4.contoso.com`."), "{}", refused.message);
    let named = check_with("ActiveServersAnswer", |e, r| {
        silent(e);
        r.ignore_witness = vec!["S4.contoso.com".into()];
    });
    assert_eq!(line(&named), "warning - s4.contoso.com: the RPC server is unavailable");
    assert_eq!(line(&check_with("ActiveServersAnswer", |e, _| e.pool.servers.clear())), "unknown - not asked");
}

#[test]
fn the_mirrors_file_share_must_be_there() {
    let missing = check_with("MirrorFileShare", |_, r| r.mirror_file_share = None);
    assert_eq!(line(&missing), "failed 5001 not named");
    let local = check_with("MirrorFileShare", |_, r| r.mirror_file_share = Some(r"C:\mirror".into()));
    assert_eq!(line(&local), r"failed 5001 C:\mirror");
    assert!(local.message.starts_with(r"Write it as \\server\share."));
    let seen = |server: Option<bool>, client: Option<bool>| {
        line(&check_with("MirrorFileShare", |e, _| {
            if let Reading::Known(share) = &mut e.mirror_file_share {
                (share.seen_by_server, share.seen_by_client) = (server, client);
            }
        }))
    };
    assert_eq!(seen(Some(false), Some(false)), r"failed 5001 \\fs2\mirror is not there");
    assert_eq!(seen(None, Some(false)), r"failed 5001 \\fs2\mirror is not there");
    assert_eq!(seen(Some(false), Some(true)), r"warning - \\fs2\mirror, seen by this machine but not by B\RTC");
    assert_eq!(seen(None, Some(true)), r"warning - \\fs2\mirror, seen by this machine; B\RTC could not look");
    assert_eq!(seen(None, None), r"warning - \\fs2\mirror: nobody could look");
    let unasked = check_with("MirrorFileShare", |e, _| e.mirror_file_share = Reading::Unknown("no answer".into()));
    assert_eq!(line(&unasked), r"warning - \\fs2\mirror: no answer");
    assert!(unasked.message.starts_with("Nobody has looked"), "{}", unasked.message);
}

#[test]
fn a_missing_mirror_instance_is_only_a_warning() {
    let with = |answer: EndpointAnswer| line(&check_with("BackupMirror", |e, _| e.backup_mirror.answer = answer));
    assert_eq!(with(EndpointAnswer::Refused { port_is_certain: true }), r"warning - BM\RTC refuses connections");
    assert_eq!(with(EndpointAnswer::Unreachable { why: "dark.".into() }), r"warning - BM\RTC is silent: dark");
    assert_eq!(with(EndpointAnswer::NotNamed), "unknown - not named, and the topology does not tell it");
    let occupied = check_with("BackupMirror", |e, _| {
        e.backup_mirror.database =
            Reading::Known(RemoteDatabase { state: Some("restoring".into()), ..RemoteDatabase::default() });
    });
    assert_eq!(line(&occupied), r"warning - BM\RTC answers; it has a database mgc that is RESTORING");
}

#[test]
fn compliance_and_site_services_are_told() {
    let result = check_with("CompliancePlan", |e, _| {
        if let Reading::Known(Some(service)) = &mut e.pool.service {
            service.compliance_store = Some("p.contoso.com".into());
            service.backup_compliance_store = Some("b.contoso.com".into());
        }
    });
    assert_eq!(line(&result), "warning - mgccomp on p.contoso.com, for the backup on b.contoso.com");
    let waiting = |unprocessed, oldest_seconds| Reading::Known(Some(Backlog { unprocessed, oldest_seconds }));
    let backlog = check_with("ComplianceBacklog", |e, _| {
        let at = |name: &str, backlog| ComplianceEvidence { sql_instance: name.to_string(), backlog };
        e.compliance =
            vec![at(r"P\RTC", Reading::Unknown("no answer within 5 s".into())), at(r"B\RTC", waiting(3, Some(1_265)))];
    });
    assert_eq!(
        line(&backlog),
        r"warning - P\RTC: cannot be read (no answer within 5 s); B\RTC: 3 unprocessed, the oldest left by the adapter for 21 minutes"
    );
    let clear = check_with("ComplianceBacklog", |e, _| {
        e.compliance = vec![ComplianceEvidence { sql_instance: r"B\RTC".to_string(), backlog: waiting(0, None) }];
    });
    assert_eq!(line(&clear), r"passed - B\RTC: 0 unprocessed");
    assert!(clear.message.contains("cannot be told when the adapter last ran"), "{}", clear.message);
    let undated = check_with("ComplianceBacklog", |e, _| {
        e.compliance = vec![ComplianceEvidence { sql_instance: r"B\RTC".to_string(), backlog: waiting(2, None) }];
    });
    assert_eq!(line(&undated), r"warning - B\RTC: 2 unprocessed, since when cannot be read");
    let registrar = check_with("RegistrarPool", |_, _| {});
    assert!(registrar.message.contains("`Invoke-CsPoolFailOver -PoolFqdn … -DisasterMode`"));
    let store = check_with("FileStore", |e, _| e.pool.service = Reading::Unknown("PCHAT6002: no".into()));
    assert_eq!(line(&store), "unknown - unknown");
}
