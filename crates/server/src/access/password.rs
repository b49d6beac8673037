use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use std::io;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Shortest password in characters. Length is the only rule: others make people write passwords down.
pub const MIN_PASSWORD: usize = 12;

/// The argon2id hash of a password, with its salt, as it is stored.
pub(crate) fn hash(password: &str) -> io::Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash: PasswordHash| hash.to_string()).map_err(|error| io::Error::other(error.to_string()))
}

/// Whether a password is the one of `hash`; without a hash, no, after the same time: who asks does not learn
/// which users there are.
pub(crate) fn matches(password: &str, hash: Option<&str>) -> bool {
    // Each check takes 19 MB and a good part of a tenth of a second. One at a time bounds what a crowd can take.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    static NOBODY: LazyLock<String> = LazyLock::new(|| self::hash("nobody has this one").unwrap_or_default());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(&NOBODY)) else { return false };
    let right = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    right && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_matches_and_nobody_matches_nothing() {
        let stored = hash("a long enough one").unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(matches("a long enough one", Some(&stored)));
        assert!(!matches("another long one", Some(&stored)));
        assert!(!matches("nobody has this one", None));
        assert_ne!(hash("a long enough one").unwrap(), stored, "each has its own salt");
    }
}
