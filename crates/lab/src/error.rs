use std::path::PathBuf;

/// What can go wrong in the laboratory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A file or folder could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The data are not laid out as expected.
    #[error("{0}")]
    Data(String),
    /// A recipe cannot be read or asks for the impossible.
    #[error("recipe {0}")]
    Recipe(String),
    /// A run folder or checkpoint does not fit what is asked.
    #[error("run {0}")]
    Run(String),
    /// The feature cache cannot serve what is asked.
    #[error("feature cache {0}")]
    Cache(String),
    /// A network or its weights.
    #[error(transparent)]
    Nets(#[from] boneage_nets::NetsError),
    /// A model bundle.
    #[error(transparent)]
    Assess(#[from] boneage_assess::AssessError),
    /// A regression that could not be fitted.
    #[error(transparent)]
    Classical(#[from] boneage_classical::ClassicalError),
    /// A figure that could not be written.
    #[error(transparent)]
    Draw(#[from] boneage_draw::DrawError),
}

impl LabError {
    /// For `map_err`: the error of the system with the file that it is about.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> LabError {
        let path = path.into();
        move |source| LabError::Io { path, source }
    }
}
