//! What differs from run to run becomes one value: ids, times in names, session ids, marker names.

/// A text with the same value wherever a run has one of its own.
pub fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (taken, becomes) = guid(rest)
            .or_else(|| marker(rest))
            .or_else(|| kill(rest))
            .or_else(|| schedule(rest))
            .or_else(|| number(rest))
            .unwrap_or((first.len_utf8(), None));
        match becomes {
            Some(value) => out.push_str(value),
            None => out.push_str(&rest[..taken]),
        }
        rest = &rest[taken..];
    }
    out
}

type Found = Option<(usize, Option<&'static str>)>;

/// `XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX`.
fn guid(text: &str) -> Found {
    const SHAPE: [usize; 5] = [8, 4, 4, 4, 12];
    let mut at = 0;
    for (part, length) in SHAPE.iter().enumerate() {
        if part > 0 {
            at += text[at..].starts_with('-').then_some(1)?;
        }
        let digits = text.get(at..at + length)?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
        at += length;
    }
    Some((at, Some("00000000-0000-0000-0000-000000000001")))
}

/// The name of the marker that proves a folder.
fn marker(text: &str) -> Found {
    const BEGIN: &str = "pchat-proof-";
    let rest = text.strip_prefix(BEGIN)?;
    let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
    Some((BEGIN.len() + digits, Some("pchat-proof-0")))
}

fn kill(text: &str) -> Found {
    let rest = text.strip_prefix("KILL ")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then_some(("KILL ".len() + digits, Some("KILL 51")))
}

/// The day and time from which a job of log shipping runs: when the lab was begun.
fn schedule(text: &str) -> Found {
    const BEGINS: [(&str, &str); 2] = [
        ("@active_start_date = ", "@active_start_date = 20260314"),
        ("@active_start_time = ", "@active_start_time = 21500"),
    ];
    let (begin, becomes) = BEGINS.iter().find(|(begin, _)| text.starts_with(begin))?;
    let digits = text[begin.len()..].bytes().take_while(u8::is_ascii_digit).count();
    let at_midnight = text[begin.len()..].starts_with('0');
    (digits > 0 && !at_midnight).then_some((begin.len() + digits, Some(*becomes)))
}

/// A run of digits: 14 of them are the time in a file's name.
fn number(text: &str) -> Found {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match digits {
        0 => None,
        14 => Some((digits, Some("20260314021500"))),
        some => Some((some, None)),
    }
}

#[test]
fn only_what_a_run_chose_is_replaced() {
    assert_eq!(
        normal("BACKUP LOG [mgc] TO DISK = N'\\\\fs1\\LogShip\\mgc_20251231235959.trn' WITH CHECKSUM"),
        "BACKUP LOG [mgc] TO DISK = N'\\\\fs1\\LogShip\\mgc_20260314021500.trn' WITH CHECKSUM"
    );
    assert_eq!(
        normal("@job_id = N'0A1B2C3D-0000-1111-2222-333344445555'"),
        "@job_id = N'00000000-0000-0000-0000-000000000001'"
    );
    assert_eq!(normal("KILL 73; SET LOCK_TIMEOUT 30000"), "KILL 51; SET LOCK_TIMEOUT 30000");
    assert_eq!(normal("E:\\LSCopy\\pchat-proof-00ffa9.tmp"), "E:\\LSCopy\\pchat-proof-0.tmp");
    assert_eq!(
        normal("@active_start_date = 20261121, @active_start_time = 0, @active_end_time = 235959"),
        "@active_start_date = 20260314, @active_start_time = 0, @active_end_time = 235959"
    );
    assert_eq!(normal("é nvarchar(4000)"), "é nvarchar(4000)");
}
