//! LIKE and PATINDEX patterns.

enum Piece {
    Any,
    One,
    Literal(char),
    Set { ranges: Vec<(char, char)>, negated: bool },
}

fn parse(pattern: &str, escape: Option<char>) -> Vec<Piece> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut pieces = Vec::new();
    let mut place = 0;
    while let Some(&c) = chars.get(place) {
        place += 1;
        if Some(c) == escape {
            if let Some(&escaped) = chars.get(place) {
                pieces.push(Piece::Literal(escaped));
                place += 1;
            }
            continue;
        }
        match c {
            '%' => pieces.push(Piece::Any),
            '_' => pieces.push(Piece::One),
            '[' => match set(&chars, place) {
                Some((piece, after)) => {
                    pieces.push(piece);
                    place = after;
                }
                None => pieces.push(Piece::Literal('[')),
            },
            c => pieces.push(Piece::Literal(c)),
        }
    }
    pieces
}

/// `[a-f0]` or `[^a]` from behind the bracket; `None` when it is not closed.
fn set(chars: &[char], mut place: usize) -> Option<(Piece, usize)> {
    let negated = chars.get(place) == Some(&'^');
    if negated {
        place += 1;
    }
    let mut ranges = Vec::new();
    let first = place;
    loop {
        let c = *chars.get(place)?;
        if c == ']' && place > first {
            return Some((Piece::Set { ranges, negated }, place + 1));
        }
        match (chars.get(place + 1), chars.get(place + 2)) {
            (Some('-'), Some(&end)) if end != ']' => {
                ranges.push((c, end));
                place += 3;
            }
            _ => {
                ranges.push((c, c));
                place += 1;
            }
        }
    }
}

fn fold(c: char, ignore_case: bool) -> char {
    if ignore_case {
        c.to_lowercase().next().unwrap_or(c)
    } else {
        c
    }
}

fn one(piece: &Piece, c: char, ignore_case: bool) -> bool {
    let folded = fold(c, ignore_case);
    match piece {
        Piece::Any => false,
        Piece::One => true,
        Piece::Literal(wanted) => fold(*wanted, ignore_case) == folded,
        Piece::Set { ranges, negated } => {
            let inside =
                ranges.iter().any(|(from, to)| (fold(*from, ignore_case)..=fold(*to, ignore_case)).contains(&folded));
            inside != *negated
        }
    }
}

/// True when the whole of `text` fits. Blanks at the end of `text` may be left over, as SQL Server allows.
pub(super) fn matches(text: &str, pattern: &str, escape: Option<char>, ignore_case: bool) -> bool {
    let pieces = parse(pattern, escape);
    let chars: Vec<char> = text.chars().collect();
    let (mut at, mut piece) = (0, 0);
    // The last %, and where in the text it was met: the only place worth going back to.
    let mut back: Option<(usize, usize)> = None;
    let blank_rest = |from: usize| chars[from..].iter().all(|c| *c == ' ');
    loop {
        if piece == pieces.len() && blank_rest(at) {
            return true;
        }
        match (pieces.get(piece), chars.get(at)) {
            (Some(Piece::Any), _) => {
                back = Some((piece, at));
                piece += 1;
            }
            (Some(wanted), Some(c)) if one(wanted, *c, ignore_case) => {
                piece += 1;
                at += 1;
            }
            _ => match back {
                Some((place, from)) if from < chars.len() => {
                    back = Some((place, from + 1));
                    piece = place + 1;
                    at = from + 1;
                }
                _ => return false,
            },
        }
    }
}

/// The place of the first match of PATINDEX, from 1; 0 for none.
pub(super) fn index(text: &str, pattern: &str, ignore_case: bool) -> usize {
    let anchored = !pattern.starts_with('%');
    let inner = pattern.strip_prefix('%').unwrap_or(pattern);
    let mut units = 0;
    for (start, c) in text.char_indices() {
        if matches(&text[start..], inner, None, ignore_case) {
            return units + 1;
        }
        if anchored {
            return 0;
        }
        units += c.len_utf16();
    }
    0
}
