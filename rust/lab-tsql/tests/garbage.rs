//! Whatever arrives, there is an answer or an error and never a panic.

mod common;

use common::{context, run_in};
use lab_tsql::parse_batch;
use proptest::prelude::*;

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "sys.databases",
    "msdb..backupset",
    "name",
    "last_lsn",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "COUNT(*)",
    "MAX(",
    "SUM(",
    "CAST(",
    "CONVERT(",
    "AS",
    "int",
    "numeric(25,0)",
    "nvarchar(5)",
    "datetime",
    "(",
    ")",
    ",",
    ";",
    "*",
    "+",
    "-",
    "/",
    "%",
    "=",
    "<>",
    "<",
    "'x'",
    "N'ü'",
    "''",
    "1",
    "0",
    "2147483648",
    "99999999999999999999999999999999999999",
    "1.5",
    "1e5",
    "0x0F",
    "NULL",
    "@x",
    "@@SPID",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "BEGIN",
    "IF",
    "WHILE",
    "EXISTS",
    "IN",
    "LIKE",
    "BETWEEN",
    "AND",
    "OR",
    "NOT",
    "IS",
    "UNION ALL",
    "TOP (1)",
    "DISTINCT",
    "JOIN",
    "LEFT JOIN",
    "ON",
    "CROSS APPLY",
    "DECLARE @x int",
    "SET @x =",
    "EXEC",
    "RESTORE",
    "LOG",
    "DATABASE",
    "WITH",
    "DISK",
    "BACKUP",
    "TO",
    "ALTER",
    "SET",
    "KILL",
    "USE",
    "PRINT",
    "LEFT(",
    "SUBSTRING(",
    "DATEADD(",
    "DATEDIFF(",
    "day",
    "GETDATE()",
    "REPLICATE(",
    "STR(",
    "STUFF(",
    "ROUND(",
    "CHARINDEX(",
    "LEN(",
    "[",
    "]",
    "'",
    "\"",
    "/*",
    "*/",
    "--",
    ".",
    "..",
    "OVER (",
    "ROW_NUMBER()",
    "COLLATE Latin1_General_BIN",
    "#t",
    "INSERT",
    "VALUES",
    "CREATE TABLE #t (a int)",
    "ü",
    "\u{0}",
    "\u{1F600}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,200}") {
        let _ = parse_batch(&text);
    }

    #[test]
    fn any_mixture_of_words_runs_or_is_refused(words in prop::collection::vec(prop::sample::select(WORDS), 1..25)) {
        let _ = run_in(&mut context(), &words.join(" "));
    }

    #[test]
    fn any_expression_runs_or_is_refused(words in prop::collection::vec(prop::sample::select(WORDS), 1..8)) {
        let _ = run_in(&mut context(), &format!("SELECT {} FROM sys.databases", words.join(" ")));
    }

    #[test]
    fn functions_bear_any_number(name in prop::sample::select(&[
        "LEFT('ab', ", "SUBSTRING('ab', 1, ", "SUBSTRING('ab', -5, ", "REPLICATE('ab', ", "SPACE(", "STR(5, ",
        "STR(5, 20, ", "STUFF('abc', 1, ", "CHARINDEX('a', 'aba', ", "DATEADD(day, 1, ", "CHAR(", "NCHAR(",
        "ROUND(1.55, ", "ROUND(1e300, ", "ABS(", "CAST(0 AS datetime) + (", "DATEPART(year, ", "POWER(10, ",
        "PARSENAME('a.b', ", "LEN(", "QUOTENAME(", "CAST('20260101' AS datetime2) - (", "FLOOR(", "SIGN(",
    ]), number in any::<i128>()) {
        let number = number % 10i128.pow(38);
        for shown in [number.to_string(), (number % (1 << 31)).to_string(), (number % 300).to_string()] {
            let _ = run_in(&mut context(), &format!("SELECT {name} {shown})"));
        }
    }

    #[test]
    fn numerics_order_as_numbers(mut numbers in prop::collection::vec(-10i128.pow(24)..10i128.pow(24), 1..8)) {
        let rows: Vec<String> = numbers.iter().map(|n| format!("({n})")).collect();
        let text = format!("CREATE TABLE #t (n numeric(25,0)) INSERT #t VALUES {} SELECT n FROM #t ORDER BY n", rows.join(","));
        let found = run_in(&mut context(), &text).expect("rows");
        let found: Vec<i128> = found.rows.iter().filter_map(|row| row[0].as_i128()).collect();
        numbers.sort_unstable();
        prop_assert_eq!(found, numbers);
    }
}

#[test]
fn very_long_batches_end_in_an_answer() {
    let sum = vec!["1"; 100_000].join("+");
    assert!(parse_batch(&format!("SELECT {sum}")).is_err());
    let nested = format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(parse_batch(&nested).is_err());
    let list = vec!["'x'"; 20_000].join(",");
    let text = format!("SELECT COUNT(*) FROM sys.databases WHERE name IN ({list})");
    assert_eq!(common::one(&text), "0");
    let long = "y".repeat(1 << 20);
    assert_eq!(common::one(&format!("SELECT LEN(N'{long}')")), (1 << 20).to_string());
}
