use crate::fill::read_frame;
use crate::{Dataset, LabError, Progress};
use boneage_assess::greys;
use boneage_classical::Samples;
use boneage_core::Plane;
use boneage_vision::Preprocess;
use rayon::prelude::*;

/// Images that are read between two words of progress.
const BATCH: usize = 64;

/// The radiographs `indices` as `preprocess` makes them, `[images, size * size]`, greys as a regression reads them.
///
/// # Errors
/// When an image cannot be read; the message names it.
pub(super) fn read_images(
    dataset: &Dataset,
    indices: &[usize],
    preprocess: &Preprocess,
) -> Result<Samples, LabError> {
    let mut progress = Progress::new("reading images", indices.len());
    let width = preprocess.size * preprocess.size;
    let mut values = Vec::with_capacity(indices.len() * width);
    for batch in indices.chunks(BATCH) {
        let read = |&index: &usize| Ok(read_frame(&dataset.radiographs[index], preprocess)?.image());
        let images: Vec<Result<Plane, String>> = batch.par_iter().map(read).collect();
        for image in images {
            let hint = "hint: run boneage dataset check, and take it out of the table";
            let image = image.map_err(|reason| LabError::Data(format!("{reason}; {hint}")))?;
            values.extend(greys(&image));
        }
        progress.advance(batch.len());
    }
    Ok(Samples::new(values, width)?)
}
