use std::fmt;
use std::str::FromStr;

use bytesize::ByteSize;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of memory as it was written: `512 MB`, `2GiB`, or a number of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemorySize {
    written: String,
    bytes: u64,
}

impl MemorySize {
    /// How many bytes it is.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Default for MemorySize {
    /// [`MemorySettings::DEFAULT_BOUND`](fer_data::MemorySettings::DEFAULT_BOUND).
    fn default() -> Self {
        MemorySize {
            written: "1 GiB".into(),
            bytes: fer_data::MemorySettings::DEFAULT_BOUND,
        }
    }
}

impl FromStr for MemorySize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size: ByteSize = text.trim().parse().map_err(|_| {
            format!("`{text}` is no amount of memory; expected one such as 512 MB, 2 GiB or 0")
        })?;
        Ok(MemorySize {
            written: text.trim().into(),
            bytes: size.as_u64(),
        })
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.written)
    }
}

impl Serialize for MemorySize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MemorySize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Bytes(u64),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Bytes(bytes) => bytes.to_string(),
            Written::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them_and_stay_written_so() {
        for (text, bytes) in [
            ("0", 0),
            ("2304", 2304),
            ("512 MB", 512_000_000),
            ("512MiB", 512 << 20),
            ("1.5 GiB", 3 << 29),
            ("2G", 2_000_000_000),
        ] {
            let size: MemorySize = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string().as_str()), (bytes, text));
        }
        for wrong in ["", "much", "-1", "1 acre", "GiB"] {
            let said = wrong.parse::<MemorySize>().unwrap_err();
            assert!(said.contains("512 MB"), "{said}");
        }
        let default = MemorySize::default();
        assert_eq!(default.to_string().parse::<MemorySize>().unwrap(), default);
    }
}
