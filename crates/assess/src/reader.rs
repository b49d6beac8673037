use crate::bundle::{read_head, read_regression, verified_tensors};
use crate::manifest::{ModelShape, NetworkShape};
use crate::regression::greys;
use crate::{AssessError, Manifest, Traits};
use boneage_classical::AgeRegression;
use boneage_core::{Months, Plane, Sex};
use boneage_nets::{Arithmetic, Head, HeadOutput, VGG16_BLOCKS, Vgg16, WeightsFile};

/// What turns a model's square into months.
pub(crate) enum Reader {
    Network(Box<NetworkReader>),
    Regression(AgeRegression),
}

/// What a reader sees in an image.
pub(crate) struct Seen {
    /// The age on the model's scale.
    pub(crate) months: Months,
    /// The attention map, where there is one.
    pub(crate) attention: Option<Plane>,
    /// What a guard looks at; nothing from a regression.
    pub(crate) traits: Traits,
}

/// A head on a backbone, and the scale of its answers.
pub(crate) struct NetworkReader {
    shape: NetworkShape,
    head: Head,
    backbone: Vgg16,
}

impl Reader {
    /// The reader that `manifest`, which is that of `bundle`, tells of.
    ///
    /// # Errors
    /// If a file is damaged, the backbone is missing or another, or it does not belong to head and preprocessing.
    pub(crate) fn open(
        manifest: &Manifest,
        bundle: &WeightsFile,
        backbone: Option<&WeightsFile>,
        arithmetic: Arithmetic,
    ) -> Result<Self, AssessError> {
        let tensors = || verified_tensors(manifest, bundle.bytes(), !bundle.is_vouched());
        let shape = match &manifest.model {
            ModelShape::Network(shape) => shape,
            ModelShape::Regression(shape) => {
                let size = manifest.preprocess.size;
                return Ok(Reader::Regression(read_regression(shape, size, &tensors()?)?));
            }
        };
        let (name, expected) = (shape.backbone.name.clone(), shape.backbone.digest.clone());
        let Some(backbone) = backbone else {
            return Err(AssessError::NoBackbone { name, expected });
        };
        // Neither needs the other; what is wrong with the bundle is told first.
        let (head, backbone) = rayon::join(
            || tensors().and_then(|tensors| read_head(shape, manifest.guard.as_ref(), &tensors)),
            || Vgg16::open(backbone, Some(bundle), arithmetic),
        );
        let (head, backbone) = (head?, backbone?);
        if expected != *backbone.digest() {
            return Err(AssessError::Backbone { name, expected, found: backbone.digest().clone() });
        }
        check_map(shape, manifest.preprocess.size)?;
        Ok(Reader::Network(Box::new(NetworkReader { shape: shape.clone(), head, backbone })))
    }

    /// What is seen in a square image with greys 0..255.
    ///
    /// Without a sex, a network that was trained with one reads both and the mean counts.
    pub(crate) fn read(&self, image: &Plane, sex: Option<Sex>) -> Seen {
        match self {
            Reader::Network(network) => network.read(image, sex),
            Reader::Regression(regression) => {
                Seen { months: regression.predict(&greys(image)), attention: None, traits: Traits::default() }
            }
        }
    }
}

impl NetworkReader {
    fn read(&self, image: &Plane, sex: Option<Sex>) -> Seen {
        let mut traits = Traits::default();
        let features = self
            .backbone
            .features_by_block(&[image], |block, maps| traits.take(block, maps))
            .expect("one square image of the size that was checked on load");
        let inputs: Vec<f32> = match (sex, self.shape.uses_sex()) {
            (Some(sex), _) => vec![sex.as_input()],
            (None, true) => vec![Sex::Female.as_input(), Sex::Male.as_input()],
            (None, false) => vec![0.0],
        };
        let repeated = features.values.repeat(inputs.len());
        let HeadOutput { value, attention } = self.head.predict(&repeated, &inputs);
        let mean = value.iter().sum::<f32>() / value.len() as f32;
        // The attention is made before the sex comes in: the first map is that of every sex.
        let cells = features.height * features.width;
        let attention =
            attention.map(|maps| Plane::new(features.width, features.height, maps[..cells].to_vec()));
        let months = Months(mean * self.shape.age_sd + self.shape.age_mean);
        Seen { months, attention, traits }
    }
}

/// Each block of the backbone ends in a pooling that halves the side, rounding down.
fn check_map(NetworkShape { head, .. }: &NetworkShape, size: usize) -> Result<(), AssessError> {
    let side = size >> VGG16_BLOCKS.len();
    let channels = VGG16_BLOCKS.iter().copied().flatten().copied().last().unwrap_or(0);
    let (expected, found) = ([head.height, head.width, head.channels], [side, side, channels]);
    if expected == found { Ok(()) } else { Err(AssessError::Map { size, expected, found }) }
}
