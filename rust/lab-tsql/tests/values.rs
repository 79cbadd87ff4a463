//! Expressions: arithmetic, conversions, dates and text.

mod common;
use common::{context, error, number, one, run, run_in, type_of};
use lab_tsql::DateFormat;

fn all(cases: &[(&str, &str)]) {
    for (text, wanted) in cases {
        assert_eq!(one(&format!("SELECT {text}")), *wanted, "{text}");
    }
}

#[test]
fn arithmetic_keeps_t_sql_types() {
    all(&[
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("7 % 3", "1"),
        ("7 / 2.0", "3.500000"),
        ("1 + 2 * 3", "7"),
        ("'5' + 3", "8"),
        ("42000000000001700001 / 1000000000000000", "42000.00000000170000100"),
        ("42000000000001700001 - 1", "42000000000001700000"),
        ("CAST(42000000000001700001 AS numeric(25,0)) % 100000", "1"),
        ("2147483648 + 1", "2147483649"),
        ("-2147483648", "-2147483648"),
        ("5 & 3 | 8", "9"),
        ("ABS(-5)", "5"),
        ("CEILING(1.2)", "2"),
        ("FLOOR(-1.2)", "-2"),
        ("ROUND(2.567, 2)", "2.570"),
        ("CAST(2.5 AS int)", "2"),
    ]);
    assert_eq!(number("SELECT 1 / 0"), 8134);
    assert_eq!(number("SELECT 2147483647 + 1"), 8115);
    assert_eq!(number("SELECT CAST(300 AS tinyint)"), 220);
    assert_eq!(type_of("SELECT CAST(1 AS tinyint) + CAST(2 AS tinyint)"), "tinyint");
}

#[test]
fn branches_not_taken_raise_nothing() {
    all(&[
        ("CASE WHEN 1 = 1 THEN 1 ELSE 1 / 0 END", "1"),
        ("ISNULL(5, 1 / 0)", "5"),
        ("COALESCE(NULL, 2, 1 / 0)", "2"),
        ("NULLIF(3, 3)", "NULL"),
        ("IIF(1 > 2, 'a', 'bc')", "bc"),
        ("CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END", "two"),
        ("ISNULL(NULLIF('', ''), 'none')", "n"),
    ]);
}

#[test]
fn conversions_and_their_errors() {
    all(&[
        ("CAST('42000000000001700001' AS numeric(25,0))", "42000000000001700001"),
        ("CAST(42000000000001700001 AS nvarchar(30))", "42000000000001700001"),
        (
            "CONVERT(nvarchar(36), CAST('6f9619ff-8b86-d011-b42d-00c04fc964ff' AS uniqueidentifier))",
            "6F9619FF-8B86-D011-B42D-00C04FC964FF",
        ),
        ("CAST('  12 ' AS int)", "12"),
        ("CAST('' AS int)", "0"),
        ("CAST(1.5 AS nvarchar(10))", "1.5"),
        ("CAST('abcdef' AS varchar(3))", "abc"),
        ("CAST('true' AS bit)", "1"),
        ("CONVERT(varchar(20), 0x0AFF, 1)", "0x0AFF"),
        ("CAST(0x00000010 AS int)", "16"),
        ("TRY_CAST('x' AS int)", "NULL"),
        ("TRY_CONVERT(int, '7')", "7"),
        ("CAST('1e3' AS float)", "1000"),
        ("CAST(0.1 AS float)", "0.1"),
    ]);
    assert_eq!(
        error("SELECT CAST('abc' AS int)").message,
        "Conversion failed when converting the varchar value 'abc' to data type int."
    );
    assert_eq!(number("SELECT CAST('abc' AS int)"), 245);
    assert_eq!(number("SELECT CAST('abc' AS bigint)"), 8114);
    assert_eq!(number("SELECT CAST(N'abc' AS numeric(25,0))"), 8114);
    assert_eq!(number("SELECT CAST('99999999999' AS int)"), 248);
    assert_eq!(number("SELECT CAST(12345 AS numeric(3,0))"), 8115);
    assert_eq!(number("SELECT CAST('x' AS uniqueidentifier)"), 8169);
    assert_eq!(number("SELECT 1 WHERE N'x' = 1"), 245);
    assert_eq!(number("SELECT CAST(GETDATE() AS uniqueidentifier)"), 529);
    assert_eq!(number("SELECT CAST(1 AS nosuchtype)"), 2715);
}

#[test]
fn dates_are_read_in_the_language_of_the_session() {
    let read = |format: DateFormat, text: &str| {
        let mut context = context();
        context.date_format = format;
        let text = format!("SELECT CONVERT(varchar(30), CAST('{text}' AS datetime), 121)");
        run_in(&mut context, &text)
            .map(|result| result.rows[0][0].as_str().unwrap_or_default().to_string())
            .map_err(|error| error.number)
    };
    let (mdy, dmy) = (DateFormat::Mdy, DateFormat::Dmy);
    let new_year = Ok("2026-12-31 00:00:00.000".to_string());
    assert_eq!(read(mdy, "31/12/2026"), Err(242));
    assert_eq!(read(dmy, "31/12/2026"), new_year);
    assert_eq!(read(mdy, "12/31/2026"), new_year);
    assert_eq!(read(dmy, "12/31/2026"), Err(242));
    assert_eq!(read(mdy, "2026-12-31"), new_year);
    assert_eq!(read(dmy, "2026-12-31"), Err(242));
    for format in [mdy, dmy] {
        assert_eq!(read(format, "20261231"), new_year);
        assert_eq!(read(format, "2026-12-31T00:00:00"), new_year);
        assert_eq!(read(format, "31 Dec 2026"), new_year);
        assert_eq!(read(format, "20261231 23:59:59.996"), Ok("2026-12-31 23:59:59.997".into()));
        assert_eq!(read(format, "not a date"), Err(241));
        assert_eq!(read(format, "20261231 25:00"), Err(242));
    }
    assert_eq!(read(mdy, "12/31/2026 1:05PM"), Ok("2026-12-31 13:05:00.000".into()));
}

#[test]
fn dates_compare_add_and_subtract() {
    all(&[
        ("DATEDIFF(minute, '20260314 02:15:59', '20260314 02:16:00')", "1"),
        ("DATEDIFF(second, '20260314', '20260315')", "86400"),
        ("DATEDIFF(hour, '20260314 23:59', '20260315 00:01')", "1"),
        ("DATEDIFF(day, '20260314', '20260301')", "-13"),
        ("DATEDIFF(ms, '20260314 00:00:00', '20260314 00:00:00.003')", "3"),
        ("CONVERT(varchar(30), DATEADD(minute, -30, CAST('20260314' AS datetime)), 120)", "2026-03-13 23:30:00"),
        ("CONVERT(varchar(30), DATEADD(month, 1, '20260131'), 112)", "20260228"),
        ("CONVERT(varchar(30), GETUTCDATE(), 126)", "2026-03-14T02:15:00.123"),
        ("CONVERT(varchar(30), GETDATE(), 108)", "03:15:00"),
        ("CONVERT(nvarchar(30), CAST('20260314 14:05' AS datetime))", "Mar 14 2026  2:05PM"),
        ("DATEPART(weekday, '20260314')", "7"),
        ("YEAR('20260314')", "2026"),
        ("CONVERT(varchar(30), CAST('20260314' AS datetime) + 1, 112)", "20260315"),
        ("CASE WHEN CAST('20260314' AS datetime) < '20260314 00:00:01' THEN 1 ELSE 0 END", "1"),
    ]);
    assert_eq!(
        one("SELECT COUNT(*) FROM msdb.dbo.backupset WHERE backup_finish_date >= '20260315' AND backup_finish_date < '2026-03-17T00:00:00'"),
        "2"
    );
    assert_eq!(number("SELECT DATEADD(fortnight, 1, GETDATE())"), 155);
    assert_eq!(number("SELECT DATEADD(year, 9000, GETDATE())"), 517);
    assert_eq!(number("SELECT DATEDIFF(ms, '17530101', '20260101')"), 535);
}

#[test]
fn functions_on_text() {
    all(&[
        ("LEN('abc  ')", "3"),
        ("DATALENGTH(N'abc')", "6"),
        ("LEFT('abc', 2) + RIGHT('abc', 1)", "abc"),
        ("SUBSTRING('abcdef', 2, 3)", "bcd"),
        ("SUBSTRING('abcdef', 0, 3)", "ab"),
        ("CHARINDEX('\\', 'B\\RTC')", "2"),
        ("CHARINDEX('C', 'abcabc', 4)", "6"),
        ("CHARINDEX('z', 'abc')", "0"),
        ("REPLACE('E:\\a\\b', '\\', '/')", "E:/a/b"),
        ("UPPER('abc') + LOWER('ABC')", "ABCabc"),
        ("LTRIM('  a') + RTRIM('b  ')", "ab"),
        ("STR(3.7)", "         4"),
        ("STR(3.14159, 6, 2)", "  3.14"),
        ("REVERSE('abc')", "cba"),
        ("QUOTENAME('a]b')", "[a]]b]"),
        ("QUOTENAME('it''s', '''')", "'it''s'"),
        ("REPLICATE('ab', 3)", "ababab"),
        ("STUFF('abcdef', 2, 3, 'X')", "aXef"),
        ("CONCAT('a', NULL, 1)", "a1"),
        ("PARSENAME('a.b.c', 1)", "c"),
        ("PATINDEX('%[0-9]%', 'mgc_2026')", "5"),
        ("CASE WHEN 'mgc_20260314.trn' LIKE 'mgc[_]%.TRN' THEN 1 ELSE 0 END", "1"),
        ("CASE WHEN 'mgcX2026' LIKE 'mgc[_]%' THEN 1 ELSE 0 END", "0"),
        ("CASE WHEN '10%' LIKE '10!%' ESCAPE '!' THEN 1 ELSE 0 END", "1"),
        ("CASE WHEN 'a' NOT LIKE '[^a]' THEN 1 ELSE 0 END", "1"),
        ("N'Zürich' + NCHAR(8364)", "Zürich€"),
    ]);
    assert_eq!(number("SELECT LEFT('abc', -1)"), 537);
    assert_eq!(number("SELECT LEN()"), 174);
}

#[test]
fn server_functions_come_from_the_engine() {
    all(&[
        ("@@SPID", "52"),
        ("DB_NAME()", "master"),
        ("DB_NAME(5)", "mgc"),
        ("@@TRANCOUNT", "0"),
        ("LEFT(@@VERSION, 9)", "Microsoft"),
    ]);
    assert_eq!(
        run("SELECT DB_NAME(database_id) FROM sys.databases WHERE DB_NAME(database_id) = 'mgc'").map(|r| r.rows.len()),
        Ok(1)
    );
    assert_eq!(number("SELECT HOST_NAME()"), 195);
}
