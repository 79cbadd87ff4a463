//! SELECT over tables: joins, groups, order, names and result types.

mod common;
use common::{context, error, number, one, rows, run, run_in, type_of};
use lab_tsql::{Collation, SqlType, Value};

#[test]
fn lsns_beyond_63_bits_keep_order_and_digits() {
    assert_eq!(one("SELECT MAX(last_lsn) FROM msdb.dbo.backupset"), "42000000000001700001");
    assert_eq!(one("SELECT MIN(last_lsn) FROM msdb..backupset"), "20000000024300001");
    assert_eq!(rows("SELECT backup_set_id FROM msdb.dbo.backupset ORDER BY last_lsn DESC"), ["3", "2", "4", "1"]);
    assert_eq!(rows("SELECT backup_set_id FROM msdb.dbo.backupset WHERE last_lsn = 20000000024300001"), ["1"]);
    assert_eq!(
        rows("SELECT backup_set_id FROM msdb.dbo.backupset WHERE last_lsn > 9223372036854775807 ORDER BY 1"),
        ["2", "3"]
    );
    assert_eq!(rows("SELECT backup_set_id FROM msdb.dbo.backupset WHERE last_lsn >= N'42000000000001700001'"), ["3"]);
    assert_eq!(one("SELECT SUM(last_lsn) FROM msdb.dbo.backupset"), "60467372036905075810");
    assert_eq!(type_of("SELECT MAX(last_lsn) FROM msdb.dbo.backupset"), "numeric(25,0)");
    assert_eq!(
        one("DECLARE @x numeric(25,0) = 42000000000001700001; SELECT COUNT(*) FROM msdb.dbo.backupset WHERE last_lsn < @x"),
        "3"
    );
}

#[test]
fn negative_numerics_sort_below_zero() {
    assert_eq!(
        rows("SELECT -5.5 AS n UNION ALL SELECT 3 UNION ALL SELECT -10 UNION ALL SELECT 0.25 ORDER BY n"),
        ["-10.00", "-5.50", "0.25", "3.00"]
    );
}

#[test]
fn joins_of_all_kinds() {
    assert_eq!(
        rows("SELECT d.name, b.backup_set_id FROM sys.databases d INNER JOIN msdb.dbo.backupset AS b ON b.database_name = d.name ORDER BY b.backup_set_id"),
        ["mgc|1", "mgc|2", "mgc|3"]
    );
    assert_eq!(
        rows("SELECT d.name, MAX(b.last_lsn) FROM sys.databases d LEFT OUTER JOIN msdb.dbo.backupset b ON b.database_name = d.name GROUP BY d.name ORDER BY d.name"),
        ["master|NULL", "mgc|42000000000001700001", "msdb|NULL"]
    );
    assert_eq!(one("SELECT COUNT(*) FROM sys.databases a CROSS JOIN sys.databases b"), "9");
    assert_eq!(one("SELECT COUNT(*) FROM sys.databases a, sys.databases b WHERE a.name = b.name"), "3");
    assert_eq!(
        rows("SELECT d.name, v.free_bytes FROM sys.databases d CROSS APPLY sys.volumes(d.database_id) v ORDER BY 1"),
        ["mgc|5000", "msdb|4000"]
    );
    assert_eq!(
        rows("SELECT d.name, v.free_bytes FROM sys.databases d OUTER APPLY sys.volumes(d.database_id) v ORDER BY 1"),
        ["master|NULL", "mgc|5000", "msdb|4000"]
    );
    assert_eq!(one("SELECT free_bytes FROM sys.volumes(7)"), "7000");
    assert_eq!(
        rows("SELECT a.database_id, c.name FROM sys.databases a, sys.databases b RIGHT JOIN sys.databases c ON b.database_id = c.database_id AND c.state = 1 WHERE a.database_id = 1 AND b.name IS NULL ORDER BY 2"),
        ["1|master", "1|msdb"]
    );
    assert_eq!(number("SELECT 1 FROM sys.databases a, sys.databases b JOIN sys.databases c ON c.name = a.name"), 4104);
    assert_eq!(number("SELECT 1 FROM sys.databases a, sys.databases a"), 1011);
}

#[test]
fn top_distinct_union_and_subqueries() {
    assert_eq!(rows("SELECT TOP (2) backup_set_id FROM msdb.dbo.backupset ORDER BY last_lsn DESC"), ["3", "2"]);
    assert_eq!(
        rows("DECLARE @n int = 1; SELECT TOP (@n) backup_set_id FROM msdb.dbo.backupset ORDER BY last_lsn"),
        ["1"]
    );
    assert_eq!(rows("SELECT DISTINCT database_name FROM msdb.dbo.backupset ORDER BY database_name"), ["mgc", "other"]);
    assert_eq!(
        rows(
            "SELECT name FROM sys.databases WHERE EXISTS (SELECT 1 FROM msdb.dbo.backupset WHERE database_name = name)"
        ),
        ["mgc"]
    );
    assert_eq!(
        rows("SELECT name, (SELECT MAX(b.last_lsn) FROM msdb.dbo.backupset b WHERE b.database_name = d.name) FROM sys.databases d ORDER BY database_id"),
        ["master|NULL", "msdb|NULL", "mgc|42000000000001700001"]
    );
    assert_eq!(
        rows("SELECT name FROM sys.databases WHERE name NOT IN (SELECT database_name FROM msdb.dbo.backupset) ORDER BY name DESC"),
        ["msdb", "master"]
    );
    assert_eq!(
        rows("WITH newest AS (SELECT database_name, last_lsn, ROW_NUMBER() OVER (PARTITION BY database_name ORDER BY last_lsn DESC) AS place FROM msdb.dbo.backupset) SELECT database_name, last_lsn FROM newest WHERE place = 1 ORDER BY 1"),
        ["mgc|42000000000001700001", "other|9223372036854775807"]
    );
    assert_eq!(
        rows("SELECT t.n FROM (SELECT database_name AS n, COUNT(*) AS c FROM msdb.dbo.backupset GROUP BY database_name HAVING COUNT(*) > 1) t"),
        ["mgc"]
    );
    assert_eq!(number("SELECT (SELECT name FROM sys.databases)"), 512);
}

#[test]
fn null_logic() {
    assert_eq!(one("SELECT COUNT(*) FROM sys.databases WHERE owner <> 'x'"), "2");
    assert_eq!(one("SELECT COUNT(*) FROM sys.databases WHERE NOT (owner = 'sa')"), "0");
    assert_eq!(one("SELECT COUNT(*) FROM sys.databases WHERE owner IS NULL"), "1");
    assert_eq!(one("SELECT COUNT(owner) FROM sys.databases"), "2");
    assert_eq!(one("SELECT COUNT(*) FROM sys.databases WHERE 'x' NOT IN ('a', NULL)"), "0");
    assert_eq!(one("SELECT NULL + 1"), "NULL");
    assert_eq!(one("SELECT 'a' + NULL"), "NULL");
    assert_eq!(one("IF NULL = NULL PRINT 'x'"), "0");
    assert_eq!(one("IF NOT (NULL = 1) OR 1 = 1 PRINT 'x'"), "1");
    assert_eq!(one("SELECT MAX(last_lsn) FROM msdb.dbo.backupset WHERE 1 = 0"), "NULL");
}

#[test]
fn text_compares_without_case_and_trailing_blanks() {
    assert_eq!(one("SELECT COUNT(*) FROM sys.databases WHERE owner = 'sa'"), "2");
    assert_eq!(one("SELECT COUNT(DISTINCT owner) FROM sys.databases"), "1");
    assert_eq!(rows("SELECT NAME FROM SYS.DATABASES WHERE NAME = N'MGC  '"), ["mgc"]);
    assert_eq!(rows("SELECT owner FROM sys.databases WHERE owner IS NOT NULL GROUP BY owner").len(), 1);
    assert_eq!(one("SELECT CASE WHEN 'a' = 'A' COLLATE Latin1_General_BIN THEN 1 ELSE 0 END"), "0");
}

#[test]
fn a_binary_collation_tells_case_apart() {
    let mut context = context();
    context.collation = Collation::Binary;
    let count = |context: &mut _, text: &str| run_in(context, text).map(|r| r.rows.len());
    assert_eq!(count(&mut context, "SELECT name FROM sys.databases WHERE name = 'MGC'"), Ok(0));
    assert_eq!(count(&mut context, "SELECT name FROM sys.databases WHERE name = 'mgc '"), Ok(1));
    let error = run_in(&mut context, "SELECT Name FROM sys.databases").expect_err("other case");
    assert_eq!((error.number, error.message.as_str()), (207, "Invalid column name 'Name'."));
    let error = run_in(&mut context, "DECLARE @x int; SELECT @X").expect_err("other case");
    assert_eq!(error.number, 137);
}

#[test]
fn names_that_do_not_fit() {
    let found = error("SELECT nothing FROM sys.databases");
    assert_eq!((found.number, found.severity), (207, 16));
    assert_eq!(found.message, "Invalid column name 'nothing'.");
    assert_eq!(error("SELECT * FROM msdb.dbo.nothing").message, "Invalid object name 'msdb.dbo.nothing'.");
    assert_eq!(number("SELECT * FROM sys.nothing(1)"), 208);
    assert_eq!(number("SELECT * FROM mgc.dbo.t"), 927);
    assert_eq!(number("SELECT name FROM sys.databases a, sys.databases b"), 209);
    assert_eq!(number("SELECT x.name FROM sys.databases d"), 4104);
    assert_eq!(number("SELECT d.nothing FROM sys.databases d"), 207);
    assert_eq!(error("SELECT @x").message, "Must declare the scalar variable \"@x\".");
    assert_eq!(number("SELECT name, COUNT(*) FROM sys.databases"), 8120);
    assert_eq!(number("SELECT name, state FROM sys.databases GROUP BY name"), 8120);
    assert_eq!(number("SELECT name FROM sys.databases WHERE COUNT(*) > 1"), 147);
    assert_eq!(number("SELECT name FROM sys.databases WHERE name"), 4145);
    assert_eq!(number("SELECT nofunction(1)"), 195);
    assert_eq!(rows("SELECT sys.databases.name FROM sys.databases WHERE databases.database_id = 5"), ["mgc"]);
}

#[test]
fn nasty_identifiers_stay_names() {
    assert_eq!(rows("SELECT [co]]l \"x\" 'y'] AS [a;b], [select] FROM [odd]]name]"), ["7|8"]);
    let result = run("SELECT [select] AS [x\"]]; DROP TABLE t; --] FROM [odd]]name]").expect("rows");
    assert_eq!(result.columns[0].name, "x\"]; DROP TABLE t; --");
    assert_eq!(one("SELECT 'it''s; DROP TABLE x --'"), "it's; DROP TABLE x --");
    assert_eq!(number("SELECT * FROM [t]]; DROP TABLE t0; --]"), 208);
}

#[test]
fn result_columns_have_the_types_of_the_server() {
    for (text, wanted) in [
        ("SELECT name FROM sys.databases", "nvarchar(128)"),
        ("SELECT state FROM sys.databases", "tinyint"),
        ("SELECT is_copy_only FROM msdb.dbo.backupset", "bit"),
        ("SELECT type FROM msdb.dbo.backupset", "char(1)"),
        ("SELECT backup_finish_date FROM msdb.dbo.backupset", "datetime"),
        ("SELECT CAST(last_lsn AS nvarchar(30)) FROM msdb.dbo.backupset", "nvarchar(30)"),
        ("SELECT CONVERT(bigint, 1)", "bigint"),
        ("SELECT CAST(NULL AS uniqueidentifier)", "uniqueidentifier"),
        ("SELECT COUNT(*) FROM sys.databases WHERE 1 = 0", "int"),
        ("SELECT COUNT_BIG(*) FROM sys.databases", "bigint"),
        ("SELECT SUM(state) FROM sys.databases", "int"),
        ("SELECT ISNULL(owner, N'') FROM sys.databases", "nvarchar(128)"),
        ("SELECT 1", "int"),
        ("SELECT 3000000000", "numeric(10,0)"),
        ("SELECT 1.50", "numeric(3,2)"),
        ("SELECT 'abc'", "varchar(3)"),
        ("SELECT N'abc' + 'de'", "nvarchar(5)"),
        ("SELECT GETDATE()", "datetime"),
        ("SELECT SYSUTCDATETIME()", "datetime2(7)"),
        ("SELECT SERVERPROPERTY('ProductVersion')", "sql_variant"),
        ("SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128))", "nvarchar(128)"),
        ("SELECT @@SPID", "smallint"),
        ("SELECT DB_NAME(database_id) FROM sys.databases", "nvarchar(128)"),
        ("SELECT CASE WHEN 1 = 1 THEN 1 ELSE 2.5 END", "numeric(11,1)"),
        ("SELECT DATEDIFF(minute, GETDATE(), GETDATE())", "int"),
        ("SELECT DATEADD(day, 1, backup_finish_date) FROM msdb.dbo.backupset", "datetime"),
        ("SELECT state FROM sys.databases UNION ALL SELECT 1", "int"),
        ("SELECT CAST('x' AS varchar)", "varchar(30)"),
        ("SELECT CAST(0x01 AS varbinary(max))", "varbinary(max)"),
    ] {
        assert_eq!(type_of(text), wanted, "{text}");
    }
}

#[test]
fn columns_are_named_and_know_null() {
    let result = run("SELECT name, database_id AS id, x = state, 1, d.owner [o] FROM sys.databases d").expect("rows");
    let names: Vec<&str> = result.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["name", "id", "x", "", "o"]);
    assert!(!result.columns[3].nullable);
    assert!(result.returns_rows);
}

#[test]
fn variables_are_assigned_and_read() {
    assert_eq!(
        one("DECLARE @a nvarchar(3), @b int = 5; SELECT @a = name FROM sys.databases WHERE database_id = 1; SET @b += 2; SELECT @a + CAST(@b AS varchar(5))"),
        "mas7"
    );
    assert_eq!(one("DECLARE @a int, @b int; SELECT @a = 1, @b = @a + 1; SELECT @b"), "2");
    assert_eq!(number("DECLARE @a int; SELECT @a = 1, 2"), 141);
    assert!(error("DECLARE @a nvarchar(9) = ''; SELECT @a = @a + name FROM sys.databases").is_unknown());
    let mut context = context();
    run_in(&mut context, "SELECT name FROM sys.databases").expect("rows");
    assert_eq!(context.row_count, 3);
    let result = run_in(&mut context, "DECLARE @a int; SELECT @a = 1").expect("no rows");
    assert!(!result.returns_rows && result.columns.is_empty());
}

#[test]
fn temporary_tables_and_table_variables() {
    assert_eq!(
        rows("CREATE TABLE #t (lsn numeric(25,0) NOT NULL, note nvarchar(10) NULL); INSERT INTO #t (lsn) VALUES (42000000000001700001), (5); INSERT #t SELECT last_lsn, type FROM msdb.dbo.backupset WHERE backup_set_id = 1 SELECT lsn, note FROM #t ORDER BY lsn"),
        ["5|NULL", "20000000024300001|L", "42000000000001700001|NULL"]
    );
    assert_eq!(
        rows("DECLARE @t TABLE (a int, b bit) INSERT @t VALUES (1, 'true') SELECT t.b, t.a FROM @t AS t"),
        ["1|1"]
    );
    assert_eq!(one("SELECT name, state INTO #copy FROM sys.databases SELECT COUNT(*) FROM #copy"), "3");
    assert_eq!(number("CREATE TABLE #t (a int NOT NULL) INSERT #t VALUES (NULL)"), 515);
    assert_eq!(number("CREATE TABLE #t (a nvarchar(2)) INSERT #t VALUES ('abc')"), 8152);
    assert_eq!(number("CREATE TABLE #t (a int) INSERT #t VALUES (1, 2)"), 213);
    assert_eq!(number("SELECT * FROM #none"), 208);
    assert_eq!(number("SELECT * FROM @none"), 1087);
    assert!(error("INSERT msdb.dbo.backupset VALUES (1)").is_unknown());
    assert_eq!(
        one("CREATE TABLE #t (c nchar(5)) INSERT #t VALUES (N'ab') SELECT c + N'|' FROM #t WHERE c = 'AB' AND c LIKE 'a_'"),
        "ab   |"
    );
}

#[test]
fn variants_compare_by_value_and_need_a_cast_to_be_used() {
    assert_eq!(one("IF SERVERPROPERTY('IsClustered') = 0 PRINT ''"), "1");
    assert_eq!(one("IF SERVERPROPERTY('ProductVersion') = N'10.50.6000.34' PRINT ''"), "1");
    assert_eq!(one("IF SERVERPROPERTY('NoSuch') IS NULL PRINT ''"), "1");
    assert_eq!(number("DECLARE @x int; SET @x = SERVERPROPERTY('IsClustered')"), 257);
    assert_eq!(one("SELECT CAST(SERVERPROPERTY('IsClustered') AS int) + 1"), "1");
    let result = run("SELECT SERVERPROPERTY('ProductVersion')").expect("rows");
    assert!(
        matches!(&result.rows[0][0], Value::Variant(SqlType::NVarChar(_), inner) if inner.as_str() == Some("10.50.6000.34"))
    );
}

#[test]
fn what_the_server_does_not_have_either_is_refused() {
    for text in [
        "SELECT 1 LIMIT 1",
        "SELECT 'a' || 'b'",
        "SELECT true",
        "SELECT CAST('1' AS int)::text",
        "SELECT name FROM sys.databases NATURAL JOIN sys.databases b",
        "SELECT name FROM sys.databases ORDER BY name NULLS FIRST",
        "SELECT 1 = 1",
        "SELECT name ILIKE 'x' FROM sys.databases",
        "SELECT * FROM (SELECT 1) t",
        "SELECT * FROM (SELECT 1 AS a)",
    ] {
        assert!(run(text).is_err(), "{text}");
    }
    for text in [
        "SELECT name FROM sys.databases FOR XML PATH('')",
        "SELECT TOP 5 PERCENT name FROM sys.databases",
        "SELECT CAST(1 AS money)",
        "SELECT SUM(state) OVER (ORDER BY name) FROM sys.databases",
        "SELECT * FROM other.msdb.dbo.backupset",
        "SELECT dbo.mine(1)",
        "SELECT ~1",
        "SELECT name INTO copy FROM sys.databases",
    ] {
        assert!(error(text).is_unknown(), "{text}: {}", error(text));
    }
}

#[test]
fn hints_and_options_change_nothing() {
    assert_eq!(one("SELECT COUNT(*) FROM sys.databases WITH (NOLOCK)"), "3");
    assert_eq!(
        one("SELECT COUNT(*) FROM sys.databases AS d WITH (NOLOCK, READUNCOMMITTED) OPTION (RECOMPILE, MAXDOP 1)"),
        "3"
    );
    assert_eq!(one("SELECT COUNT(*) FROM master.sys.databases (NOLOCK)"), "3");
}

#[test]
fn ten_thousand_rows_are_no_trouble() {
    let mut context = context();
    let digits = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
    let all = format!("SELECT CAST(42000000000001700000 AS numeric(25,0)) + a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS lsn INTO #n FROM {digits} a, {digits} b, {digits} c, {digits} e");
    run_in(&mut context, &all).expect("rows");
    assert_eq!(context.row_count, 10_000);
    // A join by equality must not compare every row with every other one.
    let joined =
        run_in(&mut context, "SELECT COUNT(*), MAX(a.lsn) FROM #n a JOIN #n b ON a.lsn = b.lsn").expect("rows");
    assert_eq!(joined.rows[0][0], Value::Int(10_000));
    assert_eq!(joined.rows[0][1].as_i128(), Some(42_000_000_000_001_709_999));
}

#[test]
fn forms_that_administrators_write() {
    assert_eq!(
        rows("SELECT v.n, v.t FROM (VALUES (1, 'a'), (2.5, NULL)) AS v (n, t) ORDER BY n DESC"),
        ["2.5|NULL", "1.0|a"]
    );
    assert_eq!(
        one("CREATE TABLE #x (a int) IF OBJECT_ID(N'tempdb..#x') IS NOT NULL AND OBJECT_ID('tempdb..#y') IS NULL PRINT ''"),
        "1"
    );
    assert_eq!(rows("SELECT DISTINCT TOP 1 state AS 'the state' FROM sys.databases ORDER BY state DESC"), ["1"]);
    assert_eq!(
        one("DECLARE @x numeric(25,0); SET @x = (SELECT MAX(last_lsn) FROM msdb.dbo.backupset); SELECT @x AS lsn"),
        "42000000000001700001"
    );
    assert_eq!(
        one("SELECT COUNT(*) FROM (SELECT ROW_NUMBER() OVER (ORDER BY (SELECT NULL)) AS n FROM sys.databases) t WHERE n > 1"),
        "2"
    );
    assert_eq!(rows("SELECT name FROM sys.databases ORDER BY name OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY"), ["mgc"]);
    assert_eq!(
        rows("SELECT name FROM sys.databases UNION SELECT N'mgc' EXCEPT SELECT 'master' ORDER BY name"),
        ["mgc", "msdb"]
    );
    assert_eq!(one("SELECT COUNT(*) FROM sys.databases HAVING COUNT(*) > 2"), "3");
    assert_eq!(one("SELECT CONVERT(varchar(10), CURRENT_TIMESTAMP, 112)"), "20260314");
    assert_eq!(one("SELECT AVG(database_id) FROM sys.databases"), "3");
    assert_eq!(
        one("SELECT COUNT(*) FROM sys.databases WHERE database_id BETWEEN 2 AND 5 AND name LIKE 'm' + '%'"),
        "2"
    );
    assert_eq!(
        rows("SELECT UPPER(name), COUNT(*) FROM sys.databases GROUP BY UPPER(name) HAVING UPPER(name) <> 'MSDB' ORDER BY UPPER(name)"),
        ["MASTER|1", "MGC|1"]
    );
}
