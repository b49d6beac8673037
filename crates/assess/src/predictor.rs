use crate::attention::spread;
use crate::judgement::{by_seriousness, contrast, decide, flag_of_age, flag_of_contrast, is_readable};
use crate::{AssessError, Bundle, Manifest};
use boneage_core::{Assessment, Digest, Flag, FlagCode, ModelName, Months, Plane, Sex, SexGiven};
use boneage_nets::{Arithmetic, Head, HeadOutput, VGG16_BLOCKS, Vgg16, WeightsFile};
use boneage_vision::Frame;

/// One image with what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct Radiograph<'a> {
    /// The image, upright, bone bright or not; any size.
    pub plane: &'a Plane,
    /// What was noticed while decoding it.
    pub flags: &'a [Flag],
    /// The child's sex, if it is known.
    pub sex: SexGiven,
    /// SHA-256 of the file, where there is one.
    pub input: Option<&'a Digest>,
}

/// What the network alone says about one image, before anything is judged.
pub struct Reading {
    /// The bone age on the network's scale; may lie below 0.
    pub months: Months,
    /// The attention map, `[height, width]` of the last feature map, 0..1.
    pub attention: Option<Plane>,
    /// How the image was brought before the network.
    pub frame: Frame,
}

/// A model ready to read images.
pub struct Predictor {
    manifest: Manifest,
    head: Head,
    backbone: Vgg16,
    name: ModelName,
}

impl Predictor {
    /// A predictor from the bytes of a bundle and of the backbone that it names.
    ///
    /// # Errors
    /// If either is damaged, or if backbone, preprocessing and head do not belong together; the message
    /// names what differs.
    pub fn new(bundle: &[u8], backbone: &[u8]) -> Result<Self, AssessError> {
        let [bundle, backbone] = [bundle, backbone].map(<[u8]>::to_vec).map(WeightsFile::new);
        Predictor::open(&bundle, &backbone, Arithmetic::default())
    }

    /// The same with convolutions that are computed as `arithmetic` says. Files that somebody vouches for are
    /// not verified by their digests.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn open(
        bundle: &WeightsFile,
        backbone: &WeightsFile,
        arithmetic: Arithmetic,
    ) -> Result<Self, AssessError> {
        let read = || Bundle::read_head(bundle.bytes(), !bundle.is_vouched());
        let network = || Vgg16::open(backbone, Some(bundle), arithmetic);
        // Three pieces that need nothing of each other; what is wrong with the bundle is told first.
        let (digest, (head, network)) =
            rayon::join(|| bundle.digest().clone(), || rayon::join(read, network));
        let (manifest, head) = head?;
        let backbone = network?;
        let wanted = &manifest.backbone;
        if wanted.digest != *backbone.digest() {
            let (name, expected) = (wanted.name.clone(), wanted.digest.clone());
            return Err(AssessError::Backbone { name, expected, found: backbone.digest().clone() });
        }
        let name = ModelName { name: manifest.name.clone(), digest };
        let predictor = Predictor { manifest, head, backbone, name };
        predictor.check_map()?;
        Ok(predictor)
    }

    /// The model's name and the digest of its bundle.
    pub fn name(&self) -> &ModelName {
        &self.name
    }

    /// Everything about the model but its numbers.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads one radiograph and judges what was read.
    pub fn assess(&self, radiograph: &Radiograph<'_>) -> Assessment {
        let (assessment, reading) = self.assess_with_reading(radiograph);
        self.with_pictures(assessment, radiograph, &reading)
    }

    /// The same without its pictures, attention and hand, each as large as the image and of no use to those
    /// who want the age alone.
    pub fn assess_in_words(&self, radiograph: &Radiograph<'_>) -> Assessment {
        self.assess_with_reading(radiograph).0
    }

    fn assess_with_reading(&self, radiograph: &Radiograph<'_>) -> (Assessment, Reading) {
        let (reading, contrast) =
            rayon::join(|| self.read(radiograph.plane, radiograph.sex.value), || contrast(radiograph.plane));
        (self.judge_in_words(radiograph, &reading, contrast), reading)
    }

    /// What the network says, whatever there is to say against the image: evaluation counts every image.
    ///
    /// Without a sex, a model that was trained with one reads both and the mean counts.
    pub fn read(&self, plane: &Plane, sex: Option<Sex>) -> Reading {
        let frame = self.manifest.preprocess.frame(plane);
        let features = self
            .backbone
            .features(&[&frame.image()])
            .expect("one square image of the size that was checked on load");
        let inputs: Vec<f32> = match (sex, self.uses_sex()) {
            (Some(sex), _) => vec![sex.as_input()],
            (None, true) => vec![Sex::Female.as_input(), Sex::Male.as_input()],
            (None, false) => vec![0.0],
        };
        let repeated = features.values.repeat(inputs.len());
        let HeadOutput { value, attention } = self.head.predict(&repeated, &inputs);
        let mean = value.iter().sum::<f32>() / value.len() as f32;
        let Manifest { age_mean, age_sd, .. } = self.manifest;
        // The attention is made before the sex comes in: the first map is that of every sex.
        let cells = features.height * features.width;
        let attention =
            attention.map(|maps| Plane::new(features.width, features.height, maps[..cells].to_vec()));
        Reading { months: Months(mean * age_sd + age_mean), attention, frame }
    }

    /// The assessment that a reading of this radiograph deserves.
    pub fn judge(&self, radiograph: &Radiograph<'_>, reading: &Reading) -> Assessment {
        let assessment = self.judge_in_words(radiograph, reading, contrast(radiograph.plane));
        self.with_pictures(assessment, radiograph, reading)
    }

    fn with_pictures(
        &self,
        assessment: Assessment,
        radiograph: &Radiograph<'_>,
        reading: &Reading,
    ) -> Assessment {
        let plane = radiograph.plane;
        let attention = reading.attention.as_ref().and_then(|map| {
            let network = self.manifest.preprocess.size;
            spread(map, network, &reading.frame.to_source(), (plane.width(), plane.height()))
        });
        Assessment { attention, hand: reading.frame.hand().cloned(), ..assessment }
    }

    /// `contrast` is that of the radiograph's plane.
    fn judge_in_words(&self, radiograph: &Radiograph<'_>, reading: &Reading, contrast: f32) -> Assessment {
        let months = Months(reading.months.0.max(0.0));
        let mut flags = radiograph.flags.to_vec();
        flags.extend(reading.frame.flags().iter().cloned());
        flags.extend(flag_of_contrast(contrast));
        let readable = is_readable(radiograph.plane, contrast);
        if readable {
            flags.extend(flag_of_age(reading.months, self.manifest.trained_ages));
        }
        if radiograph.sex.value.is_none() && self.uses_sex() {
            let message = "no sex was given; the mean of the readings for a girl and for a boy is told";
            flags.push(Flag::new(FlagCode::SexUnknown, message));
        }
        if let Some(trained) = self.manifest.trained_sex().filter(|&sex| radiograph.sex.value != Some(sex)) {
            let message = format!("the model was trained on {trained} children alone");
            flags.push(Flag::new(FlagCode::OtherSex, message));
        }
        let flags = by_seriousness(flags);
        let table = self.manifest.interval.as_ref();
        let interval = table.map(|table| table.interval(months, radiograph.sex.value));
        Assessment {
            months: readable.then_some(months),
            interval: interval.filter(|_| readable),
            decision: decide(readable, &flags),
            flags,
            sex: radiograph.sex,
            model: self.name.clone(),
            attention: None,
            hand: None,
            input: radiograph.input.cloned(),
        }
    }

    fn uses_sex(&self) -> bool {
        self.manifest.head.sex_units.is_some()
    }

    /// Each block of the backbone ends in a pooling that halves the side, rounding down.
    fn check_map(&self) -> Result<(), AssessError> {
        let Manifest { head, preprocess, .. } = &self.manifest;
        let (side, size) = (preprocess.size >> VGG16_BLOCKS.len(), preprocess.size);
        let channels = VGG16_BLOCKS.iter().copied().flatten().copied().last().unwrap_or(0);
        let (expected, found) = ([head.height, head.width, head.channels], [side, side, channels]);
        if expected == found { Ok(()) } else { Err(AssessError::Map { size, expected, found }) }
    }
}
