/// Why a regression could not be fitted.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClassicalError {
    /// Numbers do not fill whole rows, or two things that belong together have other lengths.
    #[error("{what} has {found} where {expected} belong")]
    Shape {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Fewer samples than the fit needs.
    #[error("{found} samples are too few; hint: at least {least} are needed")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many are needed.
        least: usize,
    },
    /// A setting that cannot be met.
    #[error("{name} = {value} cannot be met; hint: {allowed}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What was asked for.
        value: String,
        /// What can be.
        allowed: String,
    },
    /// A matrix that must be invertible is not, or a factorisation did not converge.
    #[error("{0} cannot be solved; hint: are there numbers that are not finite among the samples?")]
    Numerics(&'static str),
}
