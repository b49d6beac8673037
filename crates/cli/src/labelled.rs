//! Labelled films of one's own: a folder, a table, and which of them are meant.

use boneage_lab::{Dataset, Radiograph, read_ids};
use std::path::PathBuf;

/// Options of commands that read films with labels.
#[derive(Debug, clap::Args)]
pub(crate) struct LabelledArgs {
    /// Folder of images, each named by its id: ID.png or ID.jpg
    #[arg(long, value_name = "DIR")]
    images: PathBuf,
    /// Table with the columns id, boneage (months) and male (or sex)
    #[arg(long, value_name = "CSV")]
    labels: PathBuf,
    /// Only these ids: one a line, or the first column of a CSV file
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
}

impl LabelledArgs {
    /// The films that are meant, in the order of the table.
    ///
    /// # Errors
    /// If a table or the folder cannot be read.
    pub(crate) fn read(&self) -> anyhow::Result<Vec<Radiograph>> {
        let mut films = Dataset::read_parts(&self.images, &self.labels)?.radiographs;
        if let Some(ids) = self.ids.as_deref().map(read_ids).transpose()? {
            films.retain(|film| ids.contains(&film.id));
        }
        Ok(films)
    }
}
