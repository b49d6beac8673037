/// What a layer refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NnError {
    /// A tensor or parameter of the wrong length.
    #[error("{what}: {found} numbers where the layer needs {expected}; hint: compare the shapes")]
    Length {
        /// Which tensor.
        what: String,
        /// Its length.
        found: usize,
        /// The length that its layer needs.
        expected: usize,
    },
    /// An optimiser's state that belongs to other parameters.
    #[error(
        "optimiser state of {found} where {expected} is trained; hint: resume with the state saved beside these weights"
    )]
    State {
        /// What is trained.
        expected: String,
        /// What the state belongs to.
        found: String,
    },
}

impl NnError {
    /// An error unless `found` is `expected`.
    pub(crate) fn check_length(what: &str, found: usize, expected: usize) -> Result<(), NnError> {
        match found == expected {
            true => Ok(()),
            false => Err(NnError::Length { what: what.to_owned(), found, expected }),
        }
    }
}
