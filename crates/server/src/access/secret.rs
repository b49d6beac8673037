use std::io;

/// A secret of 256 random bits from the system, as 64 hexadecimal digits: a session, a token for programs, a proof
/// against forged requests. Its SHA-256 is safe to store: nobody can guess 256 bits.
pub(crate) fn secret() -> io::Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike() {
        let [first, second] = [secret().unwrap(), secret().unwrap()];
        assert!(first.len() == 64 && first != second);
    }
}
