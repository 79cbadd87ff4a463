//! What really happened to the numbered messages.

use super::compliance::PLACEHOLDERS;
use super::model::World;
use serde_json::{json, Map, Value};

/// Numbers from 1 to `newest` that are not among `held`.
pub fn missing_from(held: &[u64], newest: u64) -> Vec<u64> {
    let mut there = vec![false; newest as usize + 1];
    for number in held {
        if let Some(mark) = there.get_mut(*number as usize) {
            *mark = true;
        }
    }
    (1..=newest).filter(|n| !there[*n as usize]).collect()
}

/// Numbers that are there more than once.
pub fn doubled(held: &[u64]) -> Vec<u64> {
    let mut sorted = held.to_vec();
    sorted.sort_unstable();
    let mut twice: Vec<u64> = sorted.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    twice.dedup();
    twice
}

/// How many and which.
pub fn numbers(all: &[u64]) -> Value {
    json!({ "count": all.len(), "messages": ranges(all) })
}

/// `1-40, 43`.
pub fn ranges(numbers: &[u64]) -> String {
    let mut parts: Vec<(u64, u64)> = Vec::new();
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    for number in sorted {
        match parts.last_mut() {
            Some((_, end)) if *end + 1 >= number => *end = number,
            _ => parts.push((number, number)),
        }
    }
    parts.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") }).collect::<Vec<_>>().join(", ")
}

impl World {
    /// Messages that no copy of the chat database holds, dead instances included.
    pub(super) fn in_no_copy(&self) -> Vec<u64> {
        let copies = self.instances.iter().filter_map(|i| i.database(&self.chat_database));
        let held: Vec<u64> = copies.flat_map(|d| d.messages()).collect();
        missing_from(&held, self.newest_message)
    }

    /// Compliance events: made, waiting, processed; and those that are nowhere or were processed twice.
    pub(super) fn compliance_truth(&self) -> Value {
        let Some(name) = &self.compliance.database else { return Value::Null };
        let mut unprocessed = Map::new();
        let mut known: Vec<u64> = self.compliance.queued.clone();
        known.extend(&self.compliance.processed);
        for inst in &self.instances {
            let Some(database) = inst.database(name) else { continue };
            let events: Vec<u64> = database.messages().into_iter().filter(|n| *n < PLACEHOLDERS).collect();
            known.extend(&events);
            if !database.is_mirror_copy() {
                unprocessed.insert(inst.name.clone(), events.len().into());
            }
        }
        json!({
            "made": self.compliance.made, "queued": self.compliance.queued.len(), "unprocessed": unprocessed,
            "processed": self.compliance.processed.len(), "next_run_utc": self.compliance.next_run_utc,
            "nowhere": numbers(&missing_from(&known, self.compliance.made)),
            "processed_twice": numbers(&doubled(&self.compliance.processed)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_doubled_numbers_are_told_apart() {
        assert_eq!(missing_from(&[1, 2, 4, 4], 6), [3, 5, 6]);
        assert_eq!(doubled(&[1, 4, 4, 2, 4]), [4]);
        assert_eq!(ranges(&[1, 2, 3, 7]), "1-3, 7");
    }
}
