use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The sex that the reference atlas is read for. Girls mature about two years before boys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// Read against the girls' standard.
    Female,
    /// Read against the boys' standard.
    Male,
}

impl Sex {
    /// The network's input: 1 for male, 0 for female, as in the RSNA file's `male` column.
    pub fn as_input(self) -> f32 {
        match self {
            Sex::Male => 1.0,
            Sex::Female => 0.0,
        }
    }

    /// `male` or `female`, as on the command line and in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Sex::Male => "male",
            Sex::Female => "female",
        }
    }
}

impl fmt::Display for Sex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no sex.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sex {0:?} is not known; hint: write male or female (m and f will do)")]
pub struct ParseSexError(pub String);

/// Accepts `male`, `female`, `m`, `f`, and the RSNA file's `True` (male) and `False` (female), in any case.
impl FromStr for Sex {
    type Err = ParseSexError;

    fn from_str(word: &str) -> Result<Self, ParseSexError> {
        match word.trim().to_ascii_lowercase().as_str() {
            "male" | "m" | "true" => Ok(Sex::Male),
            "female" | "f" | "false" => Ok(Sex::Female),
            _ => Err(ParseSexError(word.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_words_letters_and_the_rsna_column() {
        for word in ["male", "M", " True "] {
            assert_eq!(word.parse(), Ok(Sex::Male));
        }
        for word in ["Female", "f", "FALSE"] {
            assert_eq!(word.parse(), Ok(Sex::Female));
        }
        assert!("boy".parse::<Sex>().unwrap_err().to_string().contains("\"boy\""));
    }
}
