use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 as 64 lower-case hexadecimal digits: what a file, a recipe or a model is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

impl Digest {
    /// Digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Digest::of_parts([bytes])
    }

    /// Digest of parts, each preceded by its length, so that parts cannot run into each other.
    /// A single part is hashed as it is, so that it agrees with `sha256sum`.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let parts: Vec<&[u8]> = parts.into_iter().collect();
        let mut hash = Sha256::new();
        for part in &parts {
            if parts.len() > 1 {
                hash.update((part.len() as u64).to_le_bytes());
            }
            hash.update(part);
        }
        Digest(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The first 12 digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_sha256sum_and_keeps_parts_apart() {
        assert!(Digest::of(b"abc").0.starts_with("ba7816bf8f01cfea414140de5dae2223"));
        let (ab_c, a_bc) = ([&b"ab"[..], b"c"], [&b"a"[..], b"bc"]);
        assert_ne!(Digest::of_parts(ab_c), Digest::of_parts(a_bc));
    }
}
