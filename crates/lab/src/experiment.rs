use crate::{
    Backbone, Cohort, Dataset, FeatureCache, Fingerprint, LabError, NearDuplicate, Part, Recipe, Split,
    SplitName, View, fill, find_duplicates, open_cache,
};
use boneage_core::Digest;
use std::collections::HashMap;
use std::path::Path;

/// How far an experiment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A choice is to be made: training and inner validation alone, the holdout is not touched.
    Trial,
    /// The result is to be reported on the holdout.
    Report,
    /// The cache is to hold what any experiment on these images asks for: the clean view of all.
    Everything,
}

/// A recipe that has met its data: who is in which part, and where the features lie.
pub struct Experiment {
    /// What is to be done.
    pub recipe: Recipe,
    /// All images, whatever their cohort.
    pub dataset: Dataset,
    /// Digest of ids, labels, sexes and files.
    pub data_digest: Digest,
    /// The parts, of the recipe's cohort alone.
    pub split: Split,
    /// Features of the recipe's preprocessing.
    pub cache: FeatureCache,
    index: HashMap<String, usize>,
}

impl Experiment {
    /// Reads the data set, finds near-duplicates (kept under `cache_root` for the next time), splits,
    /// and opens the feature cache.
    ///
    /// # Errors
    /// When the data cannot be read, or a part that training needs is empty.
    pub fn open(
        recipe: Recipe,
        data: &Path,
        cache_root: &Path,
        backbone: &dyn Backbone,
    ) -> Result<Self, LabError> {
        let dataset = Dataset::read(data)?;
        let files = dataset.file_digests()?;
        Experiment::of(recipe, dataset, &files, cache_root, backbone)
    }

    /// [`open`](Self::open) of a data set that was read before, with the digests of its files.
    ///
    /// # Errors
    /// As there.
    pub fn of(
        recipe: Recipe,
        dataset: Dataset,
        files: &[Digest],
        cache_root: &Path,
        backbone: &dyn Backbone,
    ) -> Result<Self, LabError> {
        let mut split = split_dataset(&dataset, files, cache_root, recipe.cohort, recipe.split)?;
        if let Some(count) = recipe.subset {
            split.limit_training(count);
        }
        if split.training.len() < recipe.training.batch {
            let (name, have, batch) = (&recipe.name, split.training.len(), recipe.training.batch);
            return Err(LabError::Recipe(format!(
                "{name} has {have} training images for batches of {batch}; hint: is --data the whole data set?"
            )));
        }
        let cache = open_cache(cache_root, &dataset, files, &recipe.preprocess, backbone)?;
        let index = dataset.radiographs.iter().enumerate().map(|(i, r)| (r.id.clone(), i)).collect();
        Ok(Experiment { data_digest: dataset.digest(files), recipe, dataset, split, cache, index })
    }

    /// Where the images of a part stand in `dataset.radiographs`.
    pub fn indices(&self, part: Part) -> Vec<usize> {
        self.split.list(part).iter().map(|id| self.index[id]).collect()
    }

    /// Computes the features that are missing for `purpose`.
    ///
    /// # Errors
    /// When an image cannot be read or the disk fails; what was computed until then is kept.
    pub fn fill(&self, backbone: &dyn Backbone, purpose: Purpose) -> Result<(), LabError> {
        let mut unreadable = Vec::new();
        let mut run = |indices: &[usize], views: &[View], label: &str| -> Result<(), LabError> {
            let (cache, dataset) = (&self.cache, &self.dataset);
            let preprocess = &self.recipe.preprocess;
            unreadable.extend(fill(cache, dataset, indices, views, preprocess, backbone, label)?);
            Ok(())
        };
        run(&self.indices(Part::Inner), &[View::Clean], "features of validation images")?;
        if purpose != Purpose::Trial {
            run(&self.indices(Part::Holdout), &[View::Clean], "features of held-out images")?;
            run(&self.indices(Part::Calibration), &[View::Clean], "features of calibration images")?;
        }
        if purpose == Purpose::Everything {
            let all: Vec<usize> = (0..self.dataset.radiographs.len()).collect();
            run(&all, &[View::Clean], "features of all clean images")?;
        }
        run(&self.indices(Part::Training), &self.recipe.augment.all(), "features of training views")?;
        match unreadable.as_slice() {
            [] => Ok(()),
            [first, others @ ..] => {
                let others = others.len();
                Err(LabError::Data(format!(
                    "{first}, and {others} more images; hint: run boneage dataset check, and take them out of the table"
                )))
            }
        }
    }
}

/// Splits the images of a cohort, near-duplicates on one side.
pub(crate) fn split_dataset(
    dataset: &Dataset,
    files: &[Digest],
    cache_root: &Path,
    cohort: Cohort,
    split: SplitName,
) -> Result<Split, LabError> {
    let duplicates = known_duplicates(dataset, files, cache_root)?;
    let ids = dataset.radiographs.iter().filter(|r| cohort.includes(r.sex));
    Ok(Split::new(ids.map(|r| r.id.as_str()), &duplicates, |id| split.part(id)))
}

/// The near-duplicates of a set of images, from the cache where they were found before.
fn known_duplicates(
    dataset: &Dataset,
    files: &[Digest],
    cache_root: &Path,
) -> Result<Vec<NearDuplicate>, LabError> {
    let folder = cache_root.join("near-duplicates");
    let name = format!("{}-{}.json", Fingerprint::VERSION, dataset.image_digest(files).short());
    let path = folder.join(name);
    if let Some(known) = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Ok(known);
    }
    let found = find_duplicates(dataset);
    std::fs::create_dir_all(&folder).map_err(LabError::io(&folder))?;
    let json = serde_json::to_vec_pretty(&found).expect("ids and numbers");
    std::fs::write(&path, json).map_err(LabError::io(&path))?;
    Ok(found)
}
