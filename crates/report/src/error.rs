/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A line of a table of references that cannot be used.
    #[error("line {line}: {reason}; hint: columns are sex,age,mean,sd in months, as female,120,120,11.7")]
    Reference {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The page could not be written as PDF.
    #[error("the page could not be written: {0}")]
    Pdf(String),
}
