use crate::attention::spread;
use crate::bundle::read_guard;
use crate::judgement::{
    by_seriousness, contrast, decide, flag_of_age, flag_of_contrast, flag_of_cut, flag_of_growth,
    flag_of_polarity, flag_of_rival, is_readable,
};
use crate::reader::{Reader, Seen};
use crate::{AssessError, Bundle, Manifest, Traits, Upright};
use boneage_core::{
    Affine, Assessment, Digest, Flag, FlagCode, Interval, ModelName, Months, Plane, Sex, SexGiven,
};
use boneage_nets::{Arithmetic, WeightsFile};
use boneage_vision::{Crop, Frame, Placing, Preprocess};
use std::sync::Arc;

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
    /// How a person lays it down; `None`: the automatic way.
    pub placing: Option<&'a Placing>,
}

/// What the model alone says about one image, before anything is judged.
pub struct Reading {
    /// The bone age on the model's scale; may lie below 0.
    pub months: Months,
    /// The attention map, `[height, width]` of the last feature map, 0..1; none of a regression.
    pub attention: Option<Plane>,
    /// How the image was brought before the model.
    pub frame: Frame,
    /// How the hand was set upright before that, where it was turned or mirrored, or a person laid it down.
    pub upright: Option<Upright>,
    /// What the guard looks at.
    pub traits: Traits,
}

impl Reading {
    /// From a pixel of the network's image to the pixel of the radiograph that it shows.
    pub fn to_source(&self) -> Affine {
        let frame = self.frame.to_source();
        self.upright.as_ref().map_or(frame, |upright| frame.then(upright.to_source()))
    }

    /// The hand, 1 inside and 0 outside, in the pixels of the radiograph; `None` where none was found.
    pub fn hand(&self) -> Option<Plane> {
        let hand = self.frame.hand()?;
        Some(self.upright.as_ref().map_or_else(|| hand.clone(), |upright| upright.in_source(hand)))
    }
}

/// A model ready to read images. A copy shares the weights.
#[derive(Clone)]
pub struct Predictor {
    manifest: Manifest,
    reader: Arc<Reader>,
    name: ModelName,
    in_a_mirror: bool,
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
        let mut manifest = Bundle::read_manifest(bundle.bytes())?;
        let (digest, reader) =
            rayon::join(|| bundle.digest().clone(), || Reader::open(&manifest, bundle, backbone, arithmetic));
        let reader = Arc::new(reader?);
        if let Some(guard) = &mut manifest.guard {
            read_guard(guard, bundle.bytes())?;
        }
        let name = ModelName { name: manifest.name.clone(), digest };
        Ok(Predictor { manifest, reader, name, in_a_mirror: false })
    }

    /// The same that reads every image a second time in a mirror and tells the mean (test-time augmentation): somewhat
    /// truer at twice the time. `+tta` at the end of the model's name tells of it in every result.
    pub fn with_tta(mut self) -> Self {
        self.in_a_mirror = true;
        self.name.name.push_str("+tta");
        self
    }

    /// The same for films that state which way their greys lie, as DICOM files do: bones that look dark are not made
    /// bright, and flagged where they surely are dark.
    pub fn trusting_polarity(&self) -> Self {
        let mut predictor = self.clone();
        predictor.manifest.preprocess.settle_polarity = false;
        predictor
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
            rayon::join(|| self.read_radiograph(radiograph), || contrast(radiograph.plane));
        (self.judge_in_words(radiograph, &reading, contrast), reading)
    }

    fn read_radiograph(&self, radiograph: &Radiograph<'_>) -> Reading {
        let Radiograph { plane, sex, placing, .. } = radiograph;
        match placing {
            Some(placing) => self.read_by_hand(plane, sex.value, placing),
            None => self.read(plane, sex.value),
        }
    }

    /// The reading of the image as a person lays it down; nothing is turned or mirrored besides.
    pub fn read_by_hand(&self, plane: &Plane, sex: Option<Sex>, placing: &Placing) -> Reading {
        let upright = Upright::by_hand(plane, placing);
        let reading = self.read_as_it_lies(upright.plane(), sex);
        Reading { upright: Some(upright), ..reading }
    }

    /// What the model says, whatever there is to say against the image: evaluation counts every image.
    ///
    /// Without a sex, a model that was trained with one reads both and the mean counts. A hand that the guard
    /// finds turned or mirrored is read again as those of the training lay.
    pub fn read(&self, plane: &Plane, sex: Option<Sex>) -> Reading {
        let first = self.read_as_it_lies(plane, sex);
        match &self.manifest.guard {
            Some(guard) => self.straightened(plane, sex, guard, first),
            None => first,
        }
    }

    /// The reading of the image as it is given.
    pub fn read_as_it_lies(&self, plane: &Plane, sex: Option<Sex>) -> Reading {
        let frame = self.manifest.preprocess.frame(plane);
        let image = frame.image();
        let Seen { mut months, attention, traits } = self.reader.read(&image, sex);
        if self.in_a_mirror {
            months.0 = (months.0 + self.reader.read(&image.mirrored(), sex).months.0) / 2.0;
        }
        let lines = self.manifest.recalibration.as_ref();
        let months = lines.map_or(months, |lines| lines.line(sex).apply(months));
        Reading { months, attention, frame, upright: None, traits }
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
            spread(map, network, &reading.to_source(), (plane.width(), plane.height()))
        });
        Assessment { attention, hand: reading.hand(), ..assessment }
    }

    /// `contrast` is that of the radiograph's plane.
    fn judge_in_words(&self, radiograph: &Radiograph<'_>, reading: &Reading, contrast: f32) -> Assessment {
        let months = Months(reading.months.0.max(0.0));
        let mut flags = radiograph.flags.to_vec();
        let by_hand = reading.upright.as_ref().filter(|upright| upright.is_by_hand());
        // A film that was cut to the hand is smaller than the file, which is large enough or not; of what a person
        // cuts out, no more is known than what there is.
        let side = radiograph.plane.width().min(radiograph.plane.height());
        let cut = reading.upright.is_some() && by_hand.is_none();
        let large = cut && side >= self.manifest.preprocess.canonical.size;
        let told = |flag: &&Flag| !(large && flag.code == FlagCode::LowResolution);
        flags.extend(reading.frame.flags().iter().filter(told).cloned());
        flags.extend(flag_of_contrast(contrast));
        if !self.manifest.preprocess.settle_polarity {
            flags.extend(flag_of_polarity(reading.frame.polarity()));
        }
        let guard = self.manifest.guard.as_ref();
        let refusal = guard.and_then(|guard| guard.refusal(&reading.traits));
        let grey = flags.iter().all(|flag| flag.code != FlagCode::ColourPicture);
        let seen = by_hand.map_or(radiograph.plane, Upright::plane);
        let readable = grey && refusal.is_none() && is_readable(seen, contrast);
        flags.extend(by_hand.iter().flat_map(|upright| upright.flags(0.0)));
        flags.extend(refusal);
        if readable {
            flags.extend(flag_of_age(reading.months, self.manifest.trained_ages));
            flags.extend(flag_of_growth(reading.months, radiograph.sex.value));
            if let Some(guard) = guard {
                flags.extend(guard.doubt(&reading.traits));
                let upright = reading.upright.iter().filter(|upright| !upright.is_by_hand());
                flags.extend(upright.flat_map(|upright| upright.flags(guard.most_degrees)));
            }
            // Where the recipe did not look for the hand, the reading does not depend on it.
            let Preprocess { mask, crop, .. } = &self.manifest.preprocess;
            let sought = guard.is_some() && (*mask || *crop != Crop::None);
            if sought {
                flags.extend(reading.frame.hand().and_then(flag_of_cut));
                flags.extend(flag_of_rival(reading.frame.rival()));
            }
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
