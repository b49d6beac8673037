use crate::fill::{probe, read_frame};
use crate::{Dataset, LabError, Progress};
use boneage_assess::greys;
use boneage_classical::Samples;
use boneage_core::{Digest, Plane};
use boneage_vision::{Frame, Preprocess};
use rayon::prelude::*;
use std::path::Path;

/// Images that are read between two words of progress.
const BATCH: usize = 64;

/// Reads images as a regression does.
pub(super) struct Images<'a> {
    pub(super) dataset: &'a Dataset,
    /// SHA-256 of every file, in the order of the data set.
    pub(super) files: &'a [Digest],
    /// Folder of the caches.
    pub(super) cache_root: &'a Path,
}

impl Images<'_> {
    /// The greys of the radiographs `indices` as `preprocess` makes them, `[images, size * size]`. They are kept:
    /// several regressions read the same images.
    ///
    /// # Errors
    /// When an image cannot be read, which the message names, or the disk fails.
    pub(super) fn read(&self, indices: &[usize], preprocess: &Preprocess) -> Result<Samples, LabError> {
        let key = Digest::of_parts([preprocess.digest().0.as_bytes(), probe(preprocess).0.as_bytes()]);
        let folder = self.cache_root.join("greys").join(key.short());
        std::fs::create_dir_all(&folder).map_err(LabError::io(&folder))?;
        let one = |index| self.kept_greys(index, preprocess, &folder);
        let values = self.gather("reading images", indices, &one)?;
        Ok(Samples::new(values, preprocess.size * preprocess.size)?)
    }

    /// What `numbers` says of each of the radiographs `indices`, whose image has greys 0..255: one after the other.
    ///
    /// # Errors
    /// When an image cannot be read; the message names it.
    pub(super) fn through(
        &self,
        label: &str,
        indices: &[usize],
        preprocess: &Preprocess,
        numbers: &(dyn Fn(&Plane) -> Vec<f32> + Sync),
    ) -> Result<Vec<f32>, LabError> {
        self.gather(label, indices, &|index| Ok(numbers(&self.frame(index, preprocess)?.image())))
    }

    fn gather(
        &self,
        label: &str,
        indices: &[usize],
        one: &(dyn Fn(usize) -> Result<Vec<f32>, LabError> + Sync),
    ) -> Result<Vec<f32>, LabError> {
        let mut progress = Progress::new(label, indices.len());
        let mut values = Vec::new();
        for batch in indices.chunks(BATCH) {
            let rows: Vec<Result<Vec<f32>, LabError>> = batch.par_iter().map(|&index| one(index)).collect();
            for row in rows {
                values.append(&mut row?);
            }
            progress.advance(batch.len());
        }
        Ok(values)
    }

    fn frame(&self, index: usize, preprocess: &Preprocess) -> Result<Frame, LabError> {
        read_frame(&self.dataset.radiographs[index], preprocess).map_err(|reason| {
            LabError::Data(format!("{reason}; hint: run boneage dataset check, and take it out of the table"))
        })
    }

    /// The greys of one image: those kept, where they are whole.
    fn kept_greys(&self, index: usize, preprocess: &Preprocess, folder: &Path) -> Result<Vec<f32>, LabError> {
        let file = folder.join(format!("{}.f32", self.files[index].0));
        let kept = std::fs::read(&file).unwrap_or_default();
        let (quads, _) = kept.as_chunks::<4>();
        if quads.len() == preprocess.size * preprocess.size {
            return Ok(quads.iter().map(|&quad| f32::from_le_bytes(quad)).collect());
        }
        let greys = greys(&self.frame(index, preprocess)?.image());
        let bytes: Vec<u8> = greys.iter().flat_map(|grey| grey.to_le_bytes()).collect();
        // One that a kill cuts short has another length, and is made again.
        std::fs::write(&file, &bytes).map_err(LabError::io(&file))?;
        Ok(greys)
    }
}
