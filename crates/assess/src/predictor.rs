use crate::attention::spread;
use crate::judgement::{by_seriousness, decide, flag_of_age, flags_of_plane, is_readable};
use crate::{AssessError, Bundle, Manifest};
use boneage_core::{Assessment, Digest, Flag, FlagCode, ModelName, Months, Plane, Sex, SexGiven};
use boneage_nets::{Arithmetic, HeadOutput, VGG16_BLOCKS, Vgg16};
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
    bundle: Bundle,
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
        Predictor::with_arithmetic(bundle, backbone, Arithmetic::Winograd)
    }

    /// The same with convolutions computed as they are defined, several times slower.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn exact(bundle: &[u8], backbone: &[u8]) -> Result<Self, AssessError> {
        Predictor::with_arithmetic(bundle, backbone, Arithmetic::Direct)
    }

    fn with_arithmetic(bundle: &[u8], backbone: &[u8], arithmetic: Arithmetic) -> Result<Self, AssessError> {
        let (digest, bundle) = rayon::join(|| Digest::of(bundle), || Bundle::read(bundle));
        let bundle = bundle?;
        let backbone = Vgg16::with_tuned(backbone, &bundle.tuned, arithmetic)?;
        let wanted = &bundle.manifest.backbone;
        if wanted.digest != *backbone.digest() {
            let (name, expected) = (wanted.name.clone(), wanted.digest.clone());
            return Err(AssessError::Backbone { name, expected, found: backbone.digest().clone() });
        }
        let name = ModelName { name: bundle.manifest.name.clone(), digest };
        let predictor = Predictor { bundle, backbone, name };
        predictor.check_map()?;
        Ok(predictor)
    }

    /// The model's name and the digest of its bundle.
    pub fn name(&self) -> &ModelName {
        &self.name
    }

    /// Everything about the model but its numbers.
    pub fn manifest(&self) -> &Manifest {
        &self.bundle.manifest
    }

    /// Reads one radiograph and judges what was read.
    pub fn assess(&self, radiograph: &Radiograph<'_>) -> Assessment {
        let reading = self.read(radiograph.plane, radiograph.sex.value);
        self.judge(radiograph, &reading)
    }

    /// What the network says, whatever there is to say against the image: evaluation counts every image.
    ///
    /// Without a sex, a model that was trained with one reads both and the mean counts.
    pub fn read(&self, plane: &Plane, sex: Option<Sex>) -> Reading {
        let frame = self.bundle.manifest.preprocess.frame(plane);
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
        let HeadOutput { value, attention } = self.bundle.head.predict(&repeated, &inputs);
        let mean = value.iter().sum::<f32>() / value.len() as f32;
        let Manifest { age_mean, age_sd, .. } = self.bundle.manifest;
        // The attention is made before the sex comes in: the first map is that of every sex.
        let cells = features.height * features.width;
        let attention =
            attention.map(|maps| Plane::new(features.width, features.height, maps[..cells].to_vec()));
        Reading { months: Months(mean * age_sd + age_mean), attention, frame }
    }

    /// The assessment that a reading of this radiograph deserves.
    pub fn judge(&self, radiograph: &Radiograph<'_>, reading: &Reading) -> Assessment {
        let plane = radiograph.plane;
        let months = Months(reading.months.0.max(0.0));
        let mut flags = radiograph.flags.to_vec();
        flags.extend(reading.frame.flags().iter().cloned());
        flags.extend(flags_of_plane(plane));
        let readable = is_readable(plane);
        if readable {
            flags.extend(flag_of_age(reading.months, self.bundle.manifest.trained_ages));
        }
        if radiograph.sex.value.is_none() && self.uses_sex() {
            let message = "no sex was given; the mean of the readings for a girl and for a boy is told";
            flags.push(Flag::new(FlagCode::SexUnknown, message));
        }
        let flags = by_seriousness(flags);
        let table = self.bundle.manifest.interval.as_ref();
        let interval = table.map(|table| table.interval(months, radiograph.sex.value));
        let attention = reading.attention.as_ref().and_then(|map| {
            let network = self.bundle.manifest.preprocess.size;
            spread(map, network, &reading.frame.to_source(), (plane.width(), plane.height()))
        });
        Assessment {
            months: readable.then_some(months),
            interval: interval.filter(|_| readable),
            decision: decide(readable, &flags),
            flags,
            sex: radiograph.sex,
            model: self.name.clone(),
            attention,
            hand: reading.frame.hand().cloned(),
            input: radiograph.input.cloned(),
        }
    }

    fn uses_sex(&self) -> bool {
        self.bundle.manifest.head.sex_units.is_some()
    }

    /// Each block of the backbone ends in a pooling that halves the side, rounding down.
    fn check_map(&self) -> Result<(), AssessError> {
        let Manifest { head, preprocess, .. } = &self.bundle.manifest;
        let (side, size) = (preprocess.size >> VGG16_BLOCKS.len(), preprocess.size);
        let channels = VGG16_BLOCKS.iter().copied().flatten().copied().last().unwrap_or(0);
        let (expected, found) = ([head.height, head.width, head.channels], [side, side, channels]);
        if expected == found { Ok(()) } else { Err(AssessError::Map { size, expected, found }) }
    }
}
