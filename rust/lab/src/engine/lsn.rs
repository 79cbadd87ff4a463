//! Log sequence numbers as SQL Server prints them: numeric(25,0), usually beyond 63 bits.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A log sequence number: `seq * 10^15 + block * 10^5 + slot`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub i128);

const SEQUENCE: i128 = 1_000_000_000_000_000;
const BLOCK: i128 = 100_000;

impl Lsn {
    /// Puts the three parts together.
    pub fn new(sequence: u64, block: u64, slot: u64) -> Self {
        Lsn(sequence as i128 * SEQUENCE + block as i128 * BLOCK + slot as i128)
    }

    /// The number of the virtual log file.
    pub fn sequence(self) -> u64 {
        (self.0 / SEQUENCE) as u64
    }

    /// The block within the virtual log file.
    pub fn block(self) -> u64 {
        (self.0 % SEQUENCE / BLOCK) as u64
    }

    /// The next record's place, `blocks` log blocks further; a virtual log file holds 4,000 blocks.
    pub fn advance(self, blocks: u64) -> Self {
        let block = self.block() + blocks;
        Lsn::new(self.sequence() + block / 4000, block % 4000 + u64::from(block >= 4000), 1)
    }

    /// Decimal form with colons, as the error log writes it.
    pub fn colons(self) -> String {
        format!("{}:{}:{}", self.sequence(), self.block(), self.0 % BLOCK)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Lsn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Lsn).map_err(serde::de::Error::custom)
    }
}
