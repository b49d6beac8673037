use boneage_core::Digest;
use std::{fmt, str::FromStr};

/// Longest UID (PS3.5, 9.1).
const LONGEST: usize = 64;

/// Room that a new number needs behind its root: a dot and the digits of 64 bits.
const ROOM: usize = 21;

/// What new UIDs begin with: `2.25`, under which anybody may form UIDs from UUIDs (PS3.5, B.2), or an
/// organisation's own root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UidRoot(String);

/// A word that is no root of UIDs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no root of UIDs; hint: numbers between dots, at most 43 characters, as 1.2.826.0.1")]
pub struct ParseRootError(String);

impl Default for UidRoot {
    fn default() -> Self {
        UidRoot("2.25".to_owned())
    }
}

impl FromStr for UidRoot {
    type Err = ParseRootError;

    fn from_str(word: &str) -> Result<Self, ParseRootError> {
        let parts: Vec<&str> = word.split('.').collect();
        let number = |part: &&str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            digits && (*part == "0" || !part.starts_with('0'))
        };
        let sound = parts.len() >= 2
            && parts.iter().all(number)
            && matches!(parts[0], "0" | "1" | "2")
            && word.len() + ROOM <= LONGEST;
        if sound { Ok(UidRoot(word.to_owned())) } else { Err(ParseRootError(word.to_owned())) }
    }
}

impl fmt::Display for UidRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl UidRoot {
    /// A UID from what it is to identify: the same for the same, another for everything else.
    pub(super) fn uid(&self, what: &str) -> String {
        let hash = Digest::of(what.as_bytes()).0;
        let half = |from: usize| u64::from_str_radix(&hash[from..from + 16], 16).expect("hexadecimal digits");
        if self.0 != "2.25" {
            return format!("{}.{}", self.0, half(0));
        }
        // A UUID of version 8 (RFC 9562, 5.8), as a decimal number.
        let bits = u128::from(half(0)) << 64 | u128::from(half(16));
        let version = bits & !(0xF << 76) | 8 << 76;
        let variant = version & !(0b11 << 62) | 0b10 << 62;
        format!("2.25.{variant}")
    }

    /// The UID of this implementation (PS3.7, D.3.3.2).
    pub fn implementation(&self) -> String {
        self.uid("boneage implementation class")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_sound_and_differ() {
        for root in [UidRoot::default(), "1.2.826.0.1.3680043.8.498".parse().unwrap()] {
            let (one, other) = (root.uid("one"), root.uid("other"));
            assert_ne!(one, other);
            assert_eq!(one, root.uid("one"));
            for uid in [one, other] {
                assert!(uid.len() <= LONGEST && uid.starts_with(&root.to_string()), "{uid}");
                assert!(uid.split('.').all(|part| part == "0" || !part.starts_with('0')), "{uid}");
            }
        }
    }

    #[test]
    fn what_is_no_root_is_refused() {
        let long = format!("1.{}", "2".repeat(60));
        for wrong in ["", "1", "1..2", "1.02", "3.1", "1.2.", "1.a", &long] {
            assert!(wrong.parse::<UidRoot>().is_err(), "{wrong}");
        }
    }
}
