use std::ops::Range;
use std::str::FromStr;

use anyhow::{Context, Result, ensure};

/// One of several equal parts of the pictures, from 1: what one process of many answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    number: usize,
    of: usize,
}

impl Shard {
    /// All of them.
    pub(super) const WHOLE: Self = Shard { number: 1, of: 1 };

    /// The places of its pictures among `count`: the parts one after the other are all places in order,
    /// and their sizes differ by one at most.
    pub(super) fn range(self, count: usize) -> Range<usize> {
        // 128 bits, because a place times a number of parts may pass 64.
        let start = |number: usize| (number as u128 * count as u128 / self.of as u128) as usize;
        start(self.number - 1)..start(self.number)
    }

    /// Whether it begins what all of them together write.
    pub(super) fn is_first(self) -> bool {
        self.number == 1
    }
}

impl FromStr for Shard {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let expected =
            || format!("`{text}` is no part such as 3/16: the third of sixteen, the first being 1");
        let (number, of) = text.split_once('/').with_context(expected)?;
        let (number, of) = (
            number.parse().with_context(expected)?,
            of.parse().with_context(expected)?,
        );
        ensure!((1..=of).contains(&number), expected());
        Ok(Shard { number, of })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_parts_one_after_the_other_are_all_places() {
        for (count, of) in [(0, 3), (1, 3), (2, 3), (7, 3), (1000, 7), (3, 3)] {
            let shards = (1..=of).map(|number| Shard { number, of });
            let ranges: Vec<Range<usize>> = shards.map(|shard| shard.range(count)).collect();
            let places: Vec<usize> = ranges.iter().cloned().flatten().collect();
            assert_eq!(places, (0..count).collect::<Vec<_>>());
            let sizes = ranges.iter().map(ExactSizeIterator::len);
            assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
        }
        assert_eq!(Shard::WHOLE.range(5), 0..5);
    }

    #[test]
    fn parts_are_counted_from_one() {
        assert_eq!("2/3".parse::<Shard>().unwrap().range(9), 3..6);
        for text in ["", "3", "0/3", "4/3", "1/0", "a/3", "-1/3", "1/3/4"] {
            let said = text.parse::<Shard>().unwrap_err().to_string();
            assert!(said.contains("3/16"), "{said}");
        }
    }
}
