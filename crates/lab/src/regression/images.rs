use crate::fill::{probe, read_frame};
use crate::{Dataset, LabError, Progress};
use boneage_assess::greys;
use boneage_classical::Samples;
use boneage_core::Digest;
use boneage_vision::Preprocess;
use rayon::prelude::*;
use std::path::Path;

/// Images that are read between two words of progress.
const BATCH: usize = 64;

/// Reads images as a regression does, and keeps the greys of each: several regressions read the same images.
pub(super) struct Images<'a> {
    pub(super) dataset: &'a Dataset,
    /// SHA-256 of every file, in the order of the data set.
    pub(super) files: &'a [Digest],
    /// Folder of the caches.
    pub(super) cache_root: &'a Path,
}

impl Images<'_> {
    /// The radiographs `indices` as `preprocess` makes them, `[images, size * size]`.
    ///
    /// # Errors
    /// When an image cannot be read, which the message names, or the disk fails.
    pub(super) fn read(&self, indices: &[usize], preprocess: &Preprocess) -> Result<Samples, LabError> {
        let width = preprocess.size * preprocess.size;
        let key = Digest::of_parts([preprocess.digest().0.as_bytes(), probe(preprocess).0.as_bytes()]);
        let folder = self.cache_root.join("greys").join(key.short());
        std::fs::create_dir_all(&folder).map_err(LabError::io(&folder))?;
        let mut progress = Progress::new("reading images", indices.len());
        let mut values = Vec::with_capacity(indices.len() * width);
        for batch in indices.chunks(BATCH) {
            let read = |&index: &usize| self.one(index, preprocess, &folder);
            let images: Vec<Result<Vec<f32>, LabError>> = batch.par_iter().map(read).collect();
            for image in images {
                values.append(&mut image?);
            }
            progress.advance(batch.len());
        }
        Ok(Samples::new(values, width)?)
    }

    /// The greys of one image: those kept, where they are whole.
    fn one(&self, index: usize, preprocess: &Preprocess, folder: &Path) -> Result<Vec<f32>, LabError> {
        let file = folder.join(format!("{}.f32", self.files[index].0));
        let kept = std::fs::read(&file).unwrap_or_default();
        let (quads, _) = kept.as_chunks::<4>();
        if quads.len() == preprocess.size * preprocess.size {
            return Ok(quads.iter().map(|&quad| f32::from_le_bytes(quad)).collect());
        }
        let frame = read_frame(&self.dataset.radiographs[index], preprocess).map_err(|reason| {
            LabError::Data(format!("{reason}; hint: run boneage dataset check, and take it out of the table"))
        })?;
        let greys = greys(&frame.image());
        let bytes: Vec<u8> = greys.iter().flat_map(|grey| grey.to_le_bytes()).collect();
        // One that a kill cuts short has another length, and is made again.
        std::fs::write(&file, &bytes).map_err(LabError::io(&file))?;
        Ok(greys)
    }
}
