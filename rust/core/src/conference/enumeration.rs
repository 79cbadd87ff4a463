//! All sequences of states, the one before the call included, against an oracle that was written apart from the rule: it
//! looks at the whole of what was seen and asks for a span, where the rule keeps counts.

use std::time::Duration;

use super::rule::{ReadingRule, Verdict};
use super::state::{meaning, Direction, Meaning, CONFERENCE_MODULE};

/// A quarter of an interval is the unit of time here: one reading each.
const INTERVAL: u64 = 4;

const EXPORT: &[Option<&'static str>] = &[
    Some("FinalState"),
    Some("SteadyState"),
    Some("NonSteadyState"),
    Some("NotInitialized"),
    Some("ErrorState"),
    Some("NormalState"),
    None,
];
const IMPORT: &[Option<&'static str>] = &[Some("NormalState"), Some("ErrorState"), Some("SteadyState"), None];

/// What a reading can show of the awaited directions: one word each.
type Alphabet = Vec<Vec<Option<&'static str>>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done(usize),
    Failed(usize),
    Open,
}

/// How the rule ends on these readings, one a quarter of an interval; each is a place in the alphabet.
fn by_rule(meanings: &[Vec<(Direction, Meaning)>], readings: &[usize]) -> End {
    let quarter = Duration::from_secs(30);
    let mut rule = ReadingRule::new(quarter * INTERVAL as u32);
    for (number, shown) in readings.iter().enumerate() {
        match rule.take(quarter * number as u32, &meanings[*shown]) {
            Verdict::Done => return End::Done(number),
            Verdict::Failed { .. } => return End::Failed(number),
            Verdict::TooEarly | Verdict::Waiting | Verdict::Settling { .. } => {}
        }
    }
    End::Open
}

fn meanings(directions: &[Direction], alphabet: &Alphabet) -> Vec<Vec<(Direction, Meaning)>> {
    let of =
        |direction: &Direction, word: &Option<&str>| (*direction, meaning(CONFERENCE_MODULE, *direction, *word, None));
    alphabet.iter().map(|words| directions.iter().zip(words).map(|(d, w)| of(d, w)).collect()).collect()
}

/// The oracle's own idea of what is good.
fn is_good(directions: &[Direction], words: &[Option<&str>]) -> bool {
    words.iter().zip(directions).all(|(word, direction)| match direction {
        Direction::Export => matches!(word, Some("SteadyState") | Some("FinalState")),
        Direction::Import => *word == Some("NormalState"),
    })
}

/// The first reading that ends two intervals of good ones, or an interval of one direction's errors.
fn by_oracle(good: &[bool], alphabet: &Alphabet, readings: &[usize]) -> End {
    let first = INTERVAL as usize + 1;
    let (long, short) = (2 * INTERVAL as usize, INTERVAL as usize);
    for end in first..readings.len() {
        if end >= first + long && readings[end - long..=end].iter().all(|shown| good[*shown]) {
            return End::Done(end);
        }
        let columns = alphabet.first().map_or(0, |states| states.len());
        for column in 0..columns {
            let word = |n: usize| alphabet.get(readings[n]).and_then(|states| states[column]);
            if word(end) != Some("ErrorState") {
                continue;
            }
            // The latest stretch without any other word, however long, begins with an error an interval ago.
            let other = |n: &usize| word(*n).is_some_and(|word| word != "ErrorState");
            let start = (first..=end).rev().find(other).map_or(first, |n| n + 1);
            if (start..=end).find(|n| word(*n).is_some()).is_some_and(|from| end - from >= short) {
                return End::Failed(end);
            }
        }
    }
    End::Open
}

/// Readings of a sequence: the first state is the one before the call and stays for `stale` quarters, each further one for
/// `dwell`, and the last for `tail` more.
fn read_out(sequence: &[usize], (stale, dwell, tail): (usize, usize, usize), readings: &mut Vec<usize>) {
    readings.clear();
    for (number, shown) in sequence.iter().enumerate() {
        let times = if number == 0 { stale } else { dwell } + if number + 1 == sequence.len() { tail } else { 0 };
        readings.extend(std::iter::repeat_n(*shown, times));
    }
}

const PACES: [(usize, usize, usize); 3] = [(1, 1, 12), (5, 4, 0), (2, 2, 9)];

/// Every sequence of up to `longest` states over an alphabet, at each pace. How many were judged, and how many of them
/// ended done and failed.
fn enumerate(directions: &[Direction], alphabet: &Alphabet, longest: usize) -> (u64, u64, u64) {
    let (mut judged, mut done, mut failed) = (0, 0, 0);
    let meanings = meanings(directions, alphabet);
    let good: Vec<bool> = alphabet.iter().map(|words| is_good(directions, words)).collect();
    let mut readings = Vec::new();
    for length in 1..=longest {
        let mut sequence = vec![0; length];
        loop {
            for pace in PACES {
                read_out(&sequence, pace, &mut readings);
                let (rule, oracle) = (by_rule(&meanings, &readings), by_oracle(&good, alphabet, &readings));
                if rule != oracle {
                    let words: Vec<_> = sequence.iter().map(|shown| &alphabet[*shown]).collect();
                    panic!("{words:?} at {pace:?}: the rule says {rule:?}, the oracle {oracle:?}");
                }
                judged += 1;
                match rule {
                    End::Done(_) => done += 1,
                    End::Failed(_) => failed += 1,
                    End::Open => {}
                }
            }
            let Some(place) = sequence.iter().rposition(|shown| shown + 1 < alphabet.len()) else { break };
            sequence[place] += 1;
            sequence[place + 1..].fill(0);
        }
    }
    (judged, done, failed)
}

fn alone(words: &[Option<&'static str>]) -> Alphabet {
    words.iter().map(|word| vec![*word]).collect()
}

/// How many sequences there are.
fn sequences(states: u64, longest: u32) -> u64 {
    PACES.len() as u64 * (1..=longest).map(|length| states.pow(length)).sum::<u64>()
}

#[test]
fn every_sequence_of_one_direction_up_to_six_states_is_judged_as_the_oracle_does() {
    let (judged, done, failed) = enumerate(&[Direction::Export], &alone(EXPORT), 6);
    assert_eq!(judged, sequences(7, 6));
    assert!(done > 1000 && failed > 1000, "{done} done, {failed} failed");
    let (judged, done, failed) = enumerate(&[Direction::Import], &alone(IMPORT), 6);
    assert_eq!(judged, sequences(4, 6));
    assert!(done > 100 && failed > 100, "{done} done, {failed} failed");
}

#[test]
fn every_sequence_of_both_directions_up_to_four_states_is_judged_as_the_oracle_does() {
    // A direction may be unread beside one that was read; a module that is not shown has neither word.
    let both: Alphabet = EXPORT.iter().flat_map(|export| IMPORT.iter().map(|import| vec![*export, *import])).collect();
    let (judged, done, failed) = enumerate(&[Direction::Export, Direction::Import], &both, 4);
    assert_eq!(judged, sequences(28, 4));
    assert!(done > 1000 && failed > 1000, "{done} done, {failed} failed");
}

#[test]
fn the_state_before_the_call_never_ends_a_wait_by_itself() {
    for before in EXPORT {
        let alphabet = alone(&[*before, Some("NonSteadyState")]);
        let mut readings = Vec::new();
        read_out(&[0, 1], (INTERVAL as usize + 1, 12, 0), &mut readings);
        assert_eq!(by_rule(&meanings(&[Direction::Export], &alphabet), &readings), End::Open, "{before:?}");
    }
}
