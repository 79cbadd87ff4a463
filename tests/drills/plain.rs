//! What differs from run to run, replaced: times, ids, LSNs, names of log backups, addresses, folders of this machine.

use std::collections::HashMap;

/// Remembers what stands for what, so that the same LSN or file has one name through a whole drill.
#[derive(Default)]
pub struct Plain {
    /// Folders of this machine and other texts that are known beforehand, longest first.
    known: Vec<(String, String)>,
    numbered: HashMap<(&'static str, String), usize>,
}

impl Plain {
    /// Replaces a text wherever it stands.
    pub fn know(&mut self, text: impl Into<String>, name: &str) {
        let text = text.into();
        if !text.is_empty() {
            self.known.push((text, name.to_string()));
            self.known.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        }
    }

    /// A text as the transcript holds it.
    pub fn of(&mut self, text: &str) -> String {
        let mut text = text.to_string();
        for (found, name) in &self.known {
            text = text.replace(found, name);
        }
        let lines: Vec<String> = text.lines().map(|line| self.line(line)).collect();
        lines.join("\n")
    }

    fn line(&mut self, line: &str) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let is_within_word = out.chars().last().is_some_and(|before| before.is_ascii_alphanumeric());
            if let Some((length, name)) = self.volatile(rest).filter(|_| !is_within_word) {
                out.push_str(&name);
                rest = &rest[length..];
            } else {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        squeezed(&out)
    }

    /// What begins here and is to be replaced: its length, and what stands for it.
    fn volatile(&mut self, text: &str) -> Option<(usize, String)> {
        const SHAPES: [(&str, &str); 12] = [
            ("########T######Z-xxxxxxxx", "run"),
            ("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "id"),
            ("####-##-##T##:##:##Z", "time"),
            ("####-##-## ##:##:##", "time"),
            ("mgc_##############", "mgc"),
            ("session ##", "session"),
            ("process #*", "process"),
            ("127.#*.#*.#*:#*", "address"),
            ("127.#*.#*.#*", "address"),
            ("#################*", "LSN"),
            ("#* ms", "ms"),
            ("##############.bak", "bak"),
        ];
        let (length, kind) = SHAPES.iter().find_map(|(shape, kind)| Some((matched(shape, text)?, *kind)))?;
        let found = text[..length].to_string();
        let name = match kind {
            "time" => {
                // A time of an instance may carry a fraction.
                let fraction = text[length..]
                    .strip_prefix('.')
                    .map_or(0, |f| f.len() - f.trim_start_matches(|c: char| c.is_ascii_digit()).len());
                let length = if fraction > 0 { length + 1 + fraction } else { length };
                return Some((length, "<time>".to_string()));
            }
            "ms" => "<ms>".to_string(),
            "mgc" => format!("mgc_<{}>", self.number(kind, found)),
            "session" | "process" => format!("{kind} <n>"),
            "bak" => "<time>.bak".to_string(),
            _ => format!("<{kind} {}>", self.number(kind, found)),
        };
        Some((length, name))
    }

    fn number(&mut self, kind: &'static str, found: String) -> usize {
        let next = self.numbered.keys().filter(|(other, _)| *other == kind).count() + 1;
        *self.numbered.entry((kind, found)).or_insert(next)
    }
}

/// The length of what a shape matches at the start of a text. `#` is a digit, `x` a digit of a hexadecimal number, `*`
/// repeats the one before it.
fn matched(shape: &str, text: &str) -> Option<usize> {
    let (mut at, mut last) = (0, '#');
    for want in shape.chars() {
        let next = text[at..].chars().next();
        match want {
            '*' => {
                let more = text[at..].chars().take_while(|c| fits(last, *c)).count();
                at += more;
                continue;
            }
            want if next.is_some_and(|c| fits(want, c)) => at += next.map_or(0, char::len_utf8),
            _ => return None,
        }
        last = want;
    }
    Some(at)
}

fn fits(want: char, found: char) -> bool {
    match want {
        '#' => found.is_ascii_digit(),
        'x' => found.is_ascii_hexdigit() && !found.is_ascii_uppercase(),
        other => other == found,
    }
}

/// Runs of spaces within a line as one: columns move with the width of numbers.
fn squeezed(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let words: Vec<&str> = line.split_whitespace().collect();
    format!("{}{}", &line[..indent], words.join(" "))
}

#[test]
fn what_differs_from_run_to_run_is_replaced_and_the_same_thing_keeps_its_name() {
    let mut plain = Plain::default();
    plain.know("/tmp/x1/hosts", "<lab>");
    let text = "  1. done   140 ms  mgc_20261121154042.trn to LSN 4200000000000030000001, /tmp/x1/hosts/FS1\n\
                at 2026-11-21T15:40:42Z or 2026-11-21 15:26:15.613333333, run 20261121T154901Z-ba442fcd";
    let wanted = "  1. done <ms> mgc_<1>.trn to LSN <LSN 1>, <lab>/FS1\nat <time> or <time>, run <run 1>";
    assert_eq!(plain.of(text), wanted);
    assert_eq!(plain.of("mgc_20261121155615.trn mgc_20261121154042.trn"), "mgc_<2>.trn mgc_<1>.trn");
    assert_eq!(plain.of("4200000000000030000001 and 4200000000000040000001"), "<LSN 1> and <LSN 2>");
}
