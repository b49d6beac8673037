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
    /// The file of a table of references.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// The film does not name itself, its series and its study.
    #[error("results as DICOM need a film as DICOM that names itself; hint: ask for another format")]
    Nameless,
    /// The page could not be written as PDF.
    #[error("the page could not be written: {0}")]
    Pdf(String),
}
