use crate::Work;
use anyhow::{Context, Result, ensure};
use boneage_core::Plane;
use boneage_nets::Vgg16;
use boneage_vision::{DecodeLimits, Preprocess, decode};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Images that go through the backbone at once, as in the laboratory's feature cache.
const BATCH: usize = 8;

/// From the files of a folder to features, as the cache is filled: decoded, framed, through VGG16.
pub(crate) struct Features {
    network: Vgg16,
    preprocess: Preprocess,
    files: Vec<PathBuf>,
}

impl Features {
    pub(crate) fn new(side: usize, folder: &Path) -> Result<Self> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
            .with_context(|| folder.display().to_string())?;
        files.retain(|file| file.extension().is_some_and(|ending| ending == "png" || ending == "jpg"));
        files.sort();
        ensure!(!files.is_empty(), "{} holds no PNG or JPEG", folder.display());
        // A batch that is always full, and a run that does not take minutes.
        let wanted = 8 * BATCH;
        let files = files.iter().cycle().take(wanted).cloned().collect();
        Ok(Features {
            network: Vgg16::from_safetensors(&crate::forward::weights()?)?,
            preprocess: Preprocess { size: side, ..Preprocess::default() },
            files,
        })
    }

    fn features(&self) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for files in self.files.chunks(BATCH) {
            let image = |file: &PathBuf| -> Result<Plane> {
                let decoded = decode(&std::fs::read(file)?, &DecodeLimits::default())?;
                Ok(self.preprocess.frame(&decoded.plane).image())
            };
            let images = files.par_iter().map(image).collect::<Result<Vec<_>>>()?;
            all.extend(self.network.features(&images.iter().collect::<Vec<_>>())?.values);
        }
        Ok(all)
    }
}

impl Work for Features {
    fn run(&mut self) -> Result<()> {
        std::hint::black_box(self.features()?);
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        self.features()
    }
}
