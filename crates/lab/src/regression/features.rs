use super::RegressionRecipe;
use super::images::Images;
use super::words::Vocabulary;
use crate::{Detector, LabError};
use boneage_classical::Samples;
use boneage_core::{Plane, stream};
use serde::{Deserialize, Serialize};

/// Training films whose keypoints make the vocabulary, and descriptors that are taken of all of them. Not in the
/// paper; chosen so that k-means takes a minute.
const FILMS: usize = 400;
const DESCRIPTORS: usize = 100_000;

/// What the numbers of a regression are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Features {
    /// The greys of the image (the paper's section IV.A).
    #[default]
    Pixels,
    /// How much of the image's SIFT keypoints each visual word is (the paper's discussion).
    Sift,
    /// The same of SURF.
    Surf,
}

impl Features {
    /// Whether they are the greys.
    pub fn are_pixels(&self) -> bool {
        *self == Features::Pixels
    }

    fn detector(self) -> Option<Detector> {
        match self {
            Features::Pixels => None,
            Features::Sift => Some(Detector::Sift),
            Features::Surf => Some(Detector::Surf),
        }
    }
}

/// From images to the numbers of a regression.
pub(super) enum Reader {
    Greys,
    Words(Box<Vocabulary>),
}

impl Reader {
    /// Greys need nothing; words are learned from some of the `training` images.
    pub(super) fn learn(
        images: &Images<'_>,
        recipe: &RegressionRecipe,
        training: &[usize],
    ) -> Result<Reader, LabError> {
        let Some(detector) = recipe.regression.features.detector() else { return Ok(Reader::Greys) };
        let (words, seed) = (recipe.regression.words.unwrap_or_default(), recipe.regression.seed);
        let mut some = training.to_vec();
        stream(seed, &["vocabulary", "films"]).shuffle(&mut some);
        some.truncate(FILMS);
        let width = detector.keypoints(&Plane::filled(1, 1, 0.0)).width;
        let label = "keypoints for a vocabulary";
        let describe = |image: &Plane| detector.keypoints(image).descriptors;
        let all = Samples::new(images.through(label, &some, &recipe.preprocess, &describe)?, width)?;
        if all.len() < words {
            let (name, found) = (&recipe.name, all.len());
            return Err(LabError::Recipe(format!(
                "{name} has words = {words}, and its training images show {found} keypoints"
            )));
        }
        let mut rows: Vec<usize> = (0..all.len()).collect();
        stream(seed, &["vocabulary", "descriptors"]).shuffle(&mut rows);
        rows.truncate(DESCRIPTORS);
        let vocabulary = Vocabulary::learn(detector, &all.select(&rows), words, seed);
        Ok(Reader::Words(Box::new(vocabulary)))
    }

    /// One row an image: `[images, size * size]` greys, or `[images, words]`.
    ///
    /// # Errors
    /// When an image cannot be read, which the message names, or the disk fails.
    pub(super) fn read(
        &self,
        images: &Images<'_>,
        recipe: &RegressionRecipe,
        indices: &[usize],
    ) -> Result<Samples, LabError> {
        match self {
            Reader::Greys => images.read(indices, &recipe.preprocess),
            Reader::Words(vocabulary) => {
                let shares = |image: &Plane| vocabulary.roots_of_shares(image);
                let values = images.through("words of images", indices, &recipe.preprocess, &shares)?;
                Ok(Samples::new(values, vocabulary.len())?)
            }
        }
    }
}
