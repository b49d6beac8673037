use super::Reproduction;
use super::ledger::Ledger;
use crate::LabError;
use crate::checkpoint::write_atomically;

/// Writes `REPRODUCTION.md`.
pub(super) fn write(reproduction: &Reproduction, ledger: &Ledger) -> Result<Vec<String>, LabError> {
    let _ = ledger.seconds();
    write_atomically(&reproduction.out.join("REPRODUCTION.md"), b"")?;
    Ok(vec!["REPRODUCTION.md".to_owned()])
}
