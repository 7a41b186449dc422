//! A share of the work: which of N processes takes an object or a day.
//!
//! The share follows from a hash of the name alone, so that processes on different machines agree without asking each other.

use std::fmt;
use std::str::FromStr;

use xxhash_rust::xxh3::xxh3_64;

/// One of `of` shares, counted from 0 as AWS Batch and Kubernetes count the children of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    of: u32,
}

/// The text names no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAShard {
    /// It is not two numbers.
    #[error("read {0:?} as a shard: write I/N, for instance 0/8")]
    Form(String),
    /// The first number is too large, or there are no shards.
    #[error("read {0:?} as a shard: the {1} shards are 0/{1} to {2}/{1}")]
    Range(String, u32, u32),
}

impl Shard {
    /// All of the work.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Whether what has this name is in the share.
    pub fn takes(self, name: &str) -> bool {
        self.of == 1 || xxh3_64(name.as_bytes()) % u64::from(self.of) == u64::from(self.index)
    }
}

impl FromStr for Shard {
    type Err = NotAShard;

    fn from_str(text: &str) -> Result<Self, NotAShard> {
        let form = || NotAShard::Form(text.to_owned());
        let (index, of) = text.split_once('/').ok_or_else(form)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| form());
        let (index, of) = (number(index)?, number(of)?);
        if of == 0 {
            return Err(form());
        }
        if index >= of {
            return Err(NotAShard::Range(text.to_owned(), of, of - 1));
        }
        Ok(Self { index, of })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_in_exactly_one_share() {
        for of in 1..=8 {
            let mut taken = vec![0; of as usize];
            for number in 0..1000 {
                let name = format!("s3://trail/{number}.json.gz");
                let takers: Vec<u32> = (0..of)
                    .filter(|index| Shard { index: *index, of }.takes(&name))
                    .collect();
                assert_eq!(takers.len(), 1);
                taken[takers[0] as usize] += 1;
            }
            assert!(taken.iter().all(|count| *count > 1000 / of / 2), "{taken:?}");
        }
    }

    #[test]
    fn what_is_no_shard_says_what_one_is() {
        assert_eq!("3/8".parse(), Ok(Shard { index: 3, of: 8 }));
        for (text, said) in [
            ("8/8", "the 8 shards are 0/8 to 7/8"),
            ("1", "write I/N"),
            ("-1/8", "write I/N"),
            ("1/0", "write I/N"),
            ("a/b", "write I/N"),
            ("", "write I/N"),
        ] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
