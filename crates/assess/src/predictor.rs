use crate::attention::spread;
use crate::judgement::{by_seriousness, contrast, decide, flag_of_age, flag_of_contrast, is_readable};
use crate::reader::Reader;
use crate::{AssessError, Bundle, Manifest};
use boneage_core::{Assessment, Digest, Flag, FlagCode, Interval, ModelName, Months, Plane, Sex, SexGiven};
use boneage_nets::{Arithmetic, WeightsFile};
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

/// What the model alone says about one image, before anything is judged.
pub struct Reading {
    /// The bone age on the model's scale; may lie below 0.
    pub months: Months,
    /// The attention map, `[height, width]` of the last feature map, 0..1; none of a regression.
    pub attention: Option<Plane>,
    /// How the image was brought before the model.
    pub frame: Frame,
}

/// A model ready to read images.
pub struct Predictor {
    manifest: Manifest,
    reader: Reader,
    name: ModelName,
}

impl Predictor {
    /// A predictor from the bytes of a bundle and of the backbone that it names; a regression needs none, and
    /// passes over what is given.
    ///
    /// # Errors
    /// If either is damaged, or if backbone, preprocessing and head do not belong together; the message
    /// names what differs.
    pub fn new(bundle: &[u8], backbone: &[u8]) -> Result<Self, AssessError> {
        let [bundle, backbone] = [bundle, backbone].map(<[u8]>::to_vec).map(WeightsFile::new);
        Predictor::open(&bundle, Some(&backbone), Arithmetic::default())
    }

    /// The same with convolutions that are computed as `arithmetic` says. Files that somebody vouches for are
    /// not verified by their digests.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn open(
        bundle: &WeightsFile,
        backbone: Option<&WeightsFile>,
        arithmetic: Arithmetic,
    ) -> Result<Self, AssessError> {
        let manifest = Bundle::read_manifest(bundle.bytes())?;
        let (digest, reader) =
            rayon::join(|| bundle.digest().clone(), || Reader::open(&manifest, bundle, backbone, arithmetic));
        let reader = reader?;
        let name = ModelName { name: manifest.name.clone(), digest };
        Ok(Predictor { manifest, reader, name })
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

    /// What the model says, whatever there is to say against the image: evaluation counts every image.
    ///
    /// Without a sex, a model that was trained with one reads both and the mean counts.
    pub fn read(&self, plane: &Plane, sex: Option<Sex>) -> Reading {
        let frame = self.manifest.preprocess.frame(plane);
        let (months, attention) = self.reader.read(&frame.image(), sex);
        let lines = self.manifest.recalibration.as_ref();
        let months = lines.map_or(months, |lines| lines.line(sex).apply(months));
        Reading { months, attention, frame }
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
        if radiograph.sex.value.is_none() && self.manifest.uses_sex() {
            let message = "no sex was given; the mean of the readings for a girl and for a boy is told";
            flags.push(Flag::new(FlagCode::SexUnknown, message));
        }
        if let Some(trained) = self.manifest.trained_sex().filter(|&sex| radiograph.sex.value != Some(sex)) {
            let message = format!("the model was trained on {trained} children alone");
            flags.push(Flag::new(FlagCode::OtherSex, message));
        }
        let flags = by_seriousness(flags);
        let interval = self.interval(months, radiograph.sex.value);
        Assessment {
            months: readable.then_some(months),
            interval: interval.filter(|_| readable),
            decision: decide(readable, &flags),
            flags,
            sex: radiograph.sex,
            // Known to the caller alone: it is told beside the reading and changes nothing in it.
            chronological: None,
            model: self.name.clone(),
            attention: None,
            hand: None,
            input: radiograph.input.cloned(),
        }
    }

    /// Where the true age of a child that was read as `months` lies; for an unknown sex, whatever it is. `None`
    /// for a model without calibrated intervals.
    pub fn interval(&self, months: Months, sex: Option<Sex>) -> Option<Interval> {
        self.manifest.interval_of(months, sex)
    }
}
