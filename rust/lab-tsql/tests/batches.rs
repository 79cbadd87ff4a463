//! Batches to statements.

mod common;

use lab_tsql::ast::*;
use lab_tsql::{parse_batch, parse_parameters, parse_type, SqlType, Value};

fn parse(text: &str) -> Vec<Statement> {
    parse_batch(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn only(text: &str) -> StatementKind {
    let mut statements = parse(text);
    assert_eq!(statements.len(), 1, "{text}: {statements:#?}");
    statements.remove(0).kind
}

fn texts(text: &str) -> Vec<String> {
    parse(text).into_iter().map(|s| s.text).collect()
}

fn fails(text: &str) -> (i32, String) {
    match parse_batch(text) {
        Err(error) => (error.number, error.message),
        Ok(found) => panic!("{text}: {found:#?}"),
    }
}

fn variable(name: &str) -> TextOrVariable {
    TextOrVariable::Variable(name.into())
}

fn text(value: &str) -> TextOrVariable {
    TextOrVariable::Text(value.into())
}

#[test]
fn statements_need_no_semicolons() {
    assert_eq!(
        texts("USE master SELECT 1 AS a EXEC sp_who2 SELECT CASE WHEN 1 = 1 THEN 2 ELSE 3 END UNION ALL SELECT 4 SET NOCOUNT ON DECLARE @x int = 5 KILL 52 PRINT 'x' RESTORE DATABASE mgc WITH RECOVERY SELECT 2"),
        [
            "USE master",
            "SELECT 1 AS a",
            "EXEC sp_who2",
            "SELECT CASE WHEN 1 = 1 THEN 2 ELSE 3 END UNION ALL SELECT 4",
            "SET NOCOUNT ON",
            "DECLARE @x int = 5",
            "KILL 52",
            "PRINT 'x'",
            "RESTORE DATABASE mgc WITH RECOVERY",
            "SELECT 2",
        ]
    );
    assert_eq!(texts("SELECT (SELECT 1) SELECT 2;;; SELECT 3;").len(), 3);
    assert_eq!(texts("WITH a AS (SELECT 1 AS n) SELECT n FROM a SELECT 2").len(), 2);
    assert_eq!(texts("  -- nothing\n /* nor /* here */ */ ;"), Vec::<String>::new());
}

#[test]
fn lines_count_from_one() {
    let lines: Vec<u32> = parse("SELECT 1\n/* a\nb */ SELECT 'x\ny'\nPRINT 1").iter().map(|s| s.line).collect();
    assert_eq!(lines, [1, 3, 5]);
    let error = parse_batch("SELECT 1\nSELECT\n  2 +\nPRINT").expect_err("syntax");
    assert_eq!(error.line, 3);
}

#[test]
fn restore_in_all_its_forms() {
    let StatementKind::Restore(found) = only(
        "RESTORE LOG [mg]]c] FROM DISK = N'E:\\LS''Copy\\x.trn', DISK=@p WITH NORECOVERY, FILE = 2, STATS, MOVE 'a' TO @b, STANDBY = @s, STOPAT = '20260314', CHECKSUM",
    ) else {
        panic!("no RESTORE");
    };
    assert_eq!(found.kind, RestoreKind::Log);
    assert_eq!(found.target, Some(NameOrVariable::Name("mg]c".into())));
    let disk = |target| Device { kind: DeviceKind::Disk, target };
    assert_eq!(found.from, [disk(text("E:\\LS'Copy\\x.trn")), disk(variable("@p"))]);
    assert_eq!(
        found.options,
        [
            RestoreOption::NoRecovery,
            RestoreOption::File(NumberOrVariable::Number(2)),
            RestoreOption::Stats(NumberOrVariable::Number(10)),
            RestoreOption::Move { logical: text("a"), path: variable("@b") },
            RestoreOption::Standby(variable("@s")),
            RestoreOption::StopAt(text("20260314")),
            RestoreOption::Checksum,
        ]
    );
    for (word, kind) in [
        ("HEADERONLY", RestoreKind::HeaderOnly),
        ("FILELISTONLY", RestoreKind::FileListOnly),
        ("LABELONLY", RestoreKind::LabelOnly),
        ("VERIFYONLY", RestoreKind::VerifyOnly),
    ] {
        let StatementKind::Restore(found) = only(&format!("restore {word} from disk = @file with file = @n")) else {
            panic!("no RESTORE");
        };
        assert_eq!((found.kind, found.target), (kind, None));
        assert_eq!(found.options, [RestoreOption::File(NumberOrVariable::Variable("@n".into()))]);
    }
    let StatementKind::Restore(found) = only("RESTORE DATABASE @db WITH RECOVERY") else {
        panic!("no RESTORE");
    };
    assert_eq!(found.target, Some(NameOrVariable::Variable("@db".into())));
    assert!(found.from.is_empty());
}

#[test]
fn restore_with_faults() {
    assert_eq!(fails("RESTORE HEADERONLY").0, 102);
    assert_eq!(fails("RESTORE LOG mgc FROM DISK = ").0, 102);
    assert_eq!(
        fails("RESTORE LOG mgc FROM DISK = 'x' WITH NORECOVRY"),
        (155, "'NORECOVRY' is not a recognized RESTORE option.".into())
    );
    assert_eq!(fails("RESTORE LOG mgc FROM DISK = 'x' WITH NORECOVERY,").0, 102);
    assert_eq!(fails("RESTORE NOTHING mgc").0, 102);
    assert_eq!(fails("RESTORE LOG 'mgc' FROM DISK = 'x'").0, 102);
    let many = vec!["DISK = 'x'"; 65].join(",");
    assert_eq!(fails(&format!("RESTORE LOG mgc FROM {many}")).0, 3205);
    assert_eq!(only("RESTORE DATABASE mgc PAGE = '1:57' FROM DISK = 'x'"), StatementKind::Unknown);
}

#[test]
fn backup_and_its_options() {
    let StatementKind::Backup(found) = only(
        "BACKUP LOG mgc TO DISK = 'a', DISK = 'b' MIRROR TO DISK = 'c' WITH NORECOVERY, COPY_ONLY, INIT, NAME = N'tail', STATS = 5, RETAINDAYS = 3, COMPRESSION",
    ) else {
        panic!("no BACKUP");
    };
    assert_eq!(found.kind, BackupKind::Log);
    assert_eq!((found.to.len(), found.mirror_to.len()), (2, 1));
    assert_eq!(
        found.options,
        [
            BackupOption::NoRecovery,
            BackupOption::CopyOnly,
            BackupOption::Init,
            BackupOption::Name(text("tail")),
            BackupOption::Stats(NumberOrVariable::Number(5)),
            BackupOption::RetainDays(NumberOrVariable::Number(3)),
            BackupOption::Compression,
        ]
    );
    assert_eq!(fails("BACKUP LOG mgc WITH INIT").0, 102);
}

#[test]
fn alter_database() {
    let action = |text: &str| match only(&format!("ALTER DATABASE [mgc] {text}")) {
        StatementKind::AlterDatabase(found) => {
            assert_eq!(found.name, "mgc");
            found.action
        }
        other => panic!("{other:?}"),
    };
    use AlterDatabaseAction as A;
    assert_eq!(
        action("SET SINGLE_USER WITH ROLLBACK IMMEDIATE"),
        A::SetUserAccess { access: UserAccess::Single, termination: Some(Termination::RollbackImmediate) }
    );
    assert_eq!(
        action("SET RESTRICTED_USER WITH ROLLBACK AFTER 10 SECONDS"),
        A::SetUserAccess { access: UserAccess::Restricted, termination: Some(Termination::RollbackAfterSeconds(10)) }
    );
    assert_eq!(action("SET MULTI_USER"), A::SetUserAccess { access: UserAccess::Multi, termination: None });
    assert_eq!(
        action("SET OFFLINE WITH NO_WAIT"),
        A::SetAvailability { state: Availability::Offline, termination: Some(Termination::NoWait) }
    );
    assert_eq!(
        action("SET PARTNER = N'TCP://pm.contoso.com:5022'"),
        A::SetPartner(PartnerAction::Address("TCP://pm.contoso.com:5022".into()))
    );
    assert_eq!(action("SET PARTNER OFF"), A::SetPartner(PartnerAction::Off));
    assert_eq!(action("SET PARTNER SAFETY FULL"), A::SetPartner(PartnerAction::Safety { full: true }));
    assert_eq!(action("SET PARTNER TIMEOUT 15"), A::SetPartner(PartnerAction::TimeoutSeconds(15)));
    assert_eq!(action("SET WITNESS OFF"), A::SetWitness(None));
    assert_eq!(action("SET RECOVERY SIMPLE"), A::SetRecovery(RecoveryModel::Simple));
    assert_eq!(
        action("SET READ_ONLY WITH NO_WAIT"),
        A::SetOption { option: "READ_ONLY".into(), termination: Some(Termination::NoWait) }
    );
    assert_eq!(action("MODIFY NAME = [other]"), A::ModifyName("other".into()));
    assert_eq!(fails("ALTER DATABASE @x SET MULTI_USER").0, 102);
    assert_eq!(only("ALTER DATABASE x ADD FILE (NAME = a)"), StatementKind::Unknown);
    assert_eq!(texts("ALTER DATABASE a SET MULTI_USER SELECT 1").len(), 2);
}

#[test]
fn execute_and_its_arguments() {
    let StatementKind::Execute(found) = only(
        "EXEC @rc = [master].dbo.[sp_x] 'it''s', N'ü', -5, 42000000000001700001, mgc, @v OUTPUT, DEFAULT, NULL, @name = 0x0A, @other = @@SPID",
    ) else {
        panic!("no EXEC");
    };
    assert_eq!(found.return_variable.as_deref(), Some("@rc"));
    let ProcedureName::Name(name) = &found.procedure else {
        panic!("no name");
    };
    assert_eq!((name.database.as_str(), name.schema.as_str(), name.name.as_str()), ("master", "dbo", "sp_x"));
    let values: Vec<&ArgumentValue> = found.arguments.iter().map(|a| &a.value).collect();
    let constant = |value: &ArgumentValue| match value {
        ArgumentValue::Constant(_, value) => value.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(constant(values[0]), Value::text("it's"));
    assert_eq!(constant(values[2]), Value::Int(-5));
    assert_eq!(constant(values[3]), Value::lsn(42_000_000_000_001_700_001));
    assert_eq!(constant(values[4]), Value::text("mgc"));
    assert_eq!(values[5], &ArgumentValue::Variable("@v".into()));
    assert!(found.arguments[5].output);
    assert_eq!(values[6], &ArgumentValue::Default);
    assert_eq!(constant(values[7]), Value::Null);
    assert_eq!(found.arguments[8].name.as_deref(), Some("@name"));
    assert_eq!(constant(values[8]), Value::Binary(vec![10]));
    assert_eq!(values[9], &ArgumentValue::Variable("@@SPID".into()));

    let StatementKind::Execute(found) = only("sp_who2 active") else {
        panic!("no call");
    };
    assert_eq!(found.arguments.len(), 1);
    assert!(matches!(only("EXEC ('SELECT ' + @x)"), StatementKind::ExecuteString(_)));
    assert!(matches!(
        only("EXEC @p 1"),
        StatementKind::Execute(ExecuteStmt { procedure: ProcedureName::Variable(_), .. })
    ));
    assert_eq!(fails("SELECT 1; sp_who2").0, 102);
    assert_eq!(fails("EXEC sp_x 1,").0, 102);
    assert_eq!(fails("EXEC sp_x 1 2").0, 102);
}

#[test]
fn control_flow_nests() {
    let StatementKind::If {
        then, otherwise, ..
    } = only("IF EXISTS (SELECT 1 FROM t WHERE a = 'END') BEGIN SELECT 1 IF @x > 1 PRINT 'a'; ELSE PRINT 'b' END ELSE IF 1 = 1 SELECT 3")
    else {
        panic!("no IF");
    };
    assert_eq!((then.len(), otherwise.len()), (2, 1));
    let StatementKind::If { otherwise, .. } = &then[1].kind else {
        panic!("no inner IF");
    };
    assert_eq!(otherwise.len(), 1);
    let StatementKind::While { body, .. } = only("WHILE @i < 10 BEGIN SET @i += 1; IF @i = 5 BREAK CONTINUE END")
    else {
        panic!("no WHILE");
    };
    assert_eq!(body.len(), 3);
    let StatementKind::TryCatch { body, handler } = only("BEGIN TRY SELECT 1 END TRY BEGIN CATCH THROW; END CATCH")
    else {
        panic!("no TRY");
    };
    assert_eq!((body.len(), handler.len()), (1, 1));
    assert_eq!(texts("BEGIN TRAN UPDATE t SET a = 1 COMMIT").len(), 3);
    assert_eq!(only("WAITFOR DELAY '00:00:01'"), StatementKind::WaitForDelay(text("00:00:01")));
    assert!(
        matches!(only("RAISERROR('x %d', 16, 1, @a) WITH NOWAIT, LOG"), StatementKind::RaisError { arguments, options, .. } if arguments.len() == 1 && options == ["NOWAIT", "LOG"])
    );
    assert_eq!(fails("BEGIN SELECT 1").0, 102);
    assert_eq!(fails("BEGIN END").0, 102);
    assert_eq!(fails("END").0, 102);
    assert_eq!(fails("IF 1 = 1").0, 102);
    assert_eq!(fails(&"BEGIN ".repeat(5000)).0, 191);
    assert_eq!(fails(&"IF 1=1 ".repeat(5000)).0, 191);
}

#[test]
fn settings_databases_and_kill() {
    assert_eq!(
        only("SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED"),
        StatementKind::SetOption {
            options: vec!["TRANSACTION ISOLATION LEVEL".into()],
            value: "READ UNCOMMITTED".into(),
        }
    );
    assert_eq!(
        only("set ansi_nulls, quoted_identifier on"),
        StatementKind::SetOption { options: vec!["ANSI_NULLS".into(), "QUOTED_IDENTIFIER".into()], value: "on".into() }
    );
    assert_eq!(
        only("SET LOCK_TIMEOUT -1"),
        StatementKind::SetOption { options: vec!["LOCK_TIMEOUT".into()], value: "-1".into() }
    );
    assert_eq!(only("KILL 52 WITH STATUSONLY"), StatementKind::Kill { session_id: 52, status_only: true });
    assert_eq!(fails("KILL @x").0, 102);
    assert_eq!(fails("USE @x").0, 102);
    assert_eq!(only("USE [a;b]"), StatementKind::Use("a;b".into()));
    assert_eq!(only("CREATE DATABASE x"), StatementKind::CreateDatabase("x".into()));
    assert_eq!(
        only("DROP DATABASE IF EXISTS a, b"),
        StatementKind::DropDatabase { names: vec!["a".into(), "b".into()], if_exists: true }
    );
    assert!(matches!(
        only("INSERT INTO #x (a) EXEC ('RESTORE HEADERONLY FROM DISK = ''x''')"),
        StatementKind::Insert(InsertStmt { source: InsertSource::ExecuteString(_), .. })
    ));
    assert!(matches!(
        only("INSERT #x EXEC master.sys.xp_dirtree 'E:\\', 1, 1"),
        StatementKind::Insert(InsertStmt { source: InsertSource::Execute(_), .. })
    ));
}

#[test]
fn what_is_not_known_is_told_apart_from_what_is_wrong() {
    for text in [
        "UPDATE t SET a = 1 WHERE b = 2",
        "DELETE FROM t",
        "CREATE PROCEDURE p AS BEGIN SELECT 1 END",
        "DBCC CHECKDB('x')",
        "GRANT SELECT ON t TO u",
        "TRUNCATE TABLE t",
        "DECLARE c CURSOR FOR SELECT 1",
    ] {
        assert_eq!(parse(text)[0].kind, StatementKind::Unknown, "{text}");
    }
    for text in ["SELEC 1 x", "SELECT FROM WHERE", "SELECT (1", "SELECT 1)", "SELECT 1 +", "SELECT ,", "x y z w"] {
        let (number, message) = fails(text);
        assert!(matches!(number, 102 | 156), "{text}: {number} {message}");
    }
    assert_eq!(fails("SELECT 1 +"), (102, "Incorrect syntax near '+'.".into()));
    assert_eq!(fails("SELECT 'abc"), (105, "Unclosed quotation mark after the character string 'abc'.".into()));
    assert_eq!(fails("SELECT 1 /* x").0, 113);
    assert_eq!(fails("SELECT [abc").0, 105);
}

#[test]
fn text_in_quotes_is_never_code() {
    for nasty in ["x'; DROP DATABASE mgc; --", "]; KILL 1; --", "/* */ END", "\" OR 1=1", "a\nGO\nb", "N'x'", "\\'"] {
        let quoted = nasty.replace('\'', "''");
        let bracketed = nasty.replace(']', "]]");
        let StatementKind::Restore(found) =
            only(&format!("RESTORE LOG [{bracketed}] FROM DISK = N'{quoted}' WITH NORECOVERY"))
        else {
            panic!("no RESTORE");
        };
        assert_eq!(found.target, Some(NameOrVariable::Name(nasty.into())));
        assert_eq!(found.from[0].target, text(nasty));
        assert_eq!(common::one(&format!("SELECT N'{quoted}'")), nasty);
        let result = common::run(&format!("SELECT 1 AS [{bracketed}]")).expect("a row");
        assert_eq!(result.columns[0].name, nasty);
    }
}

#[test]
fn types_and_parameters() {
    assert_eq!(parse_type("numeric(25, 0)"), Ok(SqlType::LSN));
    assert_eq!(parse_type("sysname"), Ok(SqlType::SYSNAME));
    assert_eq!(parse_type("[nvarchar] (max)"), Ok(SqlType::NVarChar(None)));
    assert_eq!(parse_type("decimal").map(|t| t.to_string()), Ok("numeric(18,0)".into()));
    assert!(parse_type("nvarchar(5000)").is_err());
    assert!(parse_type("money").is_err_and(|error| error.is_unknown()));
    let found = parse_parameters("@P1 nvarchar(4000),@P2 int OUTPUT").expect("parameters");
    assert_eq!((found.len(), found[1].output, found[0].name.as_str()), (2, true, "@P1"));
    assert_eq!(parse_parameters(""), Ok(Vec::new()));
    assert!(parse_parameters("@P1").is_err());
}
