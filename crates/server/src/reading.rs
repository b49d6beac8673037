use crate::by_hand::ByHand;
use boneage_assess::Film;
use boneage_core::{
    AgeSource, Assessment, ChronologicalAge, Date, Decision, Digest, Months, Plane, SexSource,
};
use boneage_report::{Reference, Score};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the model said about a film, as it is stored and as it is told.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Reading {
    /// Bone age to a tenth of a month; null when refused.
    pub(crate) months: Option<f64>,
    /// Where the reading of an expert should lie; null for a model without calibrated intervals.
    pub(crate) interval: Option<Interval>,
    /// `accepted`, `flagged` or `refused`.
    pub(crate) decision: String,
    /// Reasons to look twice, most serious first.
    pub(crate) flags: Vec<Flag>,
    /// The sex that was read for, `female` or `male`; null: both, and their mean.
    pub(crate) sex: Option<String>,
    /// Who said so: `given`, `header` (of a DICOM file) or `unknown`.
    pub(crate) sex_source: String,
    /// The child's age on the day of the study, by the header of a DICOM file.
    pub(crate) chronological_age: Option<Age>,
    /// How the bone age stands to the child's age, where both are known.
    pub(crate) standing: Option<Standing>,
    /// The day of the study, by the header of a DICOM file; null in a de-identified store.
    pub(crate) study_date: Option<String>,
    /// Whether there are results as DICOM: the film came as DICOM and is kept.
    pub(crate) dicom: bool,
    /// How a person laid the film down; null: it was read the automatic way.
    #[serde(default)]
    pub(crate) by_hand: Option<ByHand>,
    /// The model that answered.
    pub(crate) model: Model,
    /// Size of the upright image in pixels.
    pub(crate) width: usize,
    /// Size of the upright image in pixels.
    pub(crate) height: usize,
    /// Whether there is an attention map.
    pub(crate) attention: bool,
    /// Whether a hand was found.
    pub(crate) hand: bool,
    /// How long reading took, in milliseconds.
    pub(crate) duration_ms: u64,
    /// Version of boneage.
    pub(crate) version: String,
}

/// A prediction interval with its promised coverage.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Interval {
    /// Lower end in months.
    pub(crate) lower: f64,
    /// Upper end in months.
    pub(crate) upper: f64,
    /// Promised coverage, 0.9 for 90 %.
    pub(crate) level: f64,
}

/// How old the child was when the film was taken.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Age {
    /// In months.
    pub(crate) months: f64,
    /// `dates` (of birth and study) or `stated`.
    #[schema(value_type = String)]
    pub(crate) source: AgeSource,
}

/// The bone age beside what is usual at the child's age.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Standing {
    /// Bone age minus chronological age, in months.
    pub(crate) difference: f64,
    /// The same in standard deviations; null outside the reference's table, and without a sex.
    pub(crate) sds: Option<f64>,
    /// The reference's name.
    pub(crate) reference: String,
}

/// A reason to look twice.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Flag {
    /// For programs.
    #[schema(value_type = String)]
    pub(crate) code: boneage_core::FlagCode,
    /// For people: a sentence.
    pub(crate) message: String,
}

/// Which model answered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Model {
    /// Its name.
    pub(crate) name: String,
    /// SHA-256 of its file.
    pub(crate) digest: String,
}

impl Reading {
    /// An assessment of a film, without its pictures.
    pub(crate) fn of(assessment: &Assessment, film: &Film, reference: &Reference, duration_ms: u64) -> Self {
        let interval = assessment.interval.map(|interval| Interval {
            lower: tenth(interval.lower.0),
            upper: tenth(interval.upper.0),
            level: (f64::from(interval.level) * 1000.0).round() / 1000.0,
        });
        let flags = assessment.flags.iter().cloned();
        let standing = reference.standing_of(assessment).map(|standing| Standing {
            difference: tenth(standing.difference),
            sds: match standing.score {
                Score::Sds(sds) => Some(tenth(sds)),
                _ => None,
            },
            reference: standing.reference,
        });
        let study_date = film.header.as_ref().and_then(|header| header.study_date);
        Reading {
            months: assessment.months.map(|months| tenth(months.0)),
            interval,
            decision: assessment.decision.as_str().to_owned(),
            flags: flags.map(|flag| Flag { code: flag.code, message: flag.message }).collect(),
            sex: assessment.sex.value.map(|sex| sex.as_str().to_owned()),
            sex_source: match assessment.sex.source {
                SexSource::Header => "header",
                SexSource::Unknown => "unknown",
                _ => "given",
            }
            .to_owned(),
            chronological_age: assessment
                .chronological
                .map(|age| Age { months: tenth(age.months.0), source: age.source }),
            standing,
            study_date: study_date.map(|date| date.to_string()),
            dicom: film.source.as_ref().is_some_and(|source| source.can_be_referred_to()),
            by_hand: None,
            model: Model { name: assessment.model.name.clone(), digest: assessment.model.digest.to_string() },
            width: film.plane.width(),
            height: film.plane.height(),
            attention: assessment.attention.is_some(),
            hand: assessment.hand.is_some(),
            duration_ms,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The assessment again, of the file with this digest, with the pictures that were kept.
    pub(crate) fn assessment(
        &self,
        input: &Digest,
        attention: Option<Plane>,
        hand: Option<Plane>,
    ) -> Assessment {
        let months = |months: f64| Months(months as f32);
        Assessment {
            months: self.months.map(months),
            interval: self.interval.as_ref().map(|interval| boneage_core::Interval {
                lower: months(interval.lower),
                upper: months(interval.upper),
                level: interval.level as f32,
            }),
            decision: match self.decision.as_str() {
                "accepted" => Decision::Accepted,
                "flagged" => Decision::Flagged,
                _ => Decision::Refused,
            },
            flags: self
                .flags
                .iter()
                .map(|flag| boneage_core::Flag::new(flag.code, flag.message.as_str()))
                .collect(),
            sex: boneage_core::SexGiven {
                value: self.sex.as_deref().and_then(|word| word.parse().ok()),
                source: match self.sex_source.as_str() {
                    "header" => SexSource::Header,
                    "unknown" => SexSource::Unknown,
                    _ => SexSource::Given,
                },
            },
            chronological: self
                .chronological_age
                .as_ref()
                .map(|age| ChronologicalAge { months: months(age.months), source: age.source }),
            model: boneage_core::ModelName {
                name: self.model.name.clone(),
                digest: Digest(self.model.digest.clone()),
            },
            attention,
            hand,
            input: Some(input.clone()),
        }
    }

    /// The day of the study.
    pub(crate) fn study_day(&self) -> Option<Date> {
        Date::parse(self.study_date.as_deref()?)
    }
}

/// Further digits are noise.
pub(crate) fn tenth(number: f32) -> f64 {
    (f64::from(number) * 10.0).round() / 10.0
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use boneage_core::{Interval, ModelName, SexGiven};

    /// A film that was read as `months`.
    pub(crate) fn reading(months: Option<f32>) -> Reading {
        let decision = if months.is_some() { Decision::Accepted } else { Decision::Refused };
        let assessment = Assessment { months: months.map(Months), decision, ..assessment() };
        Reading::of(&assessment, &film(), &Reference::brush_foundation(), 12)
    }

    pub(crate) fn assessment() -> Assessment {
        Assessment {
            months: Some(Months(127.3)),
            interval: Some(Interval { lower: Months(112.0), upper: Months(142.6), level: 0.9 }),
            decision: Decision::Flagged,
            flags: vec![boneage_core::Flag::new(boneage_core::FlagCode::RightHand, "a right hand")],
            sex: SexGiven { value: Some(boneage_core::Sex::Female), source: SexSource::Header },
            chronological: Some(ChronologicalAge { months: Months(120.0), source: AgeSource::Dates }),
            model: ModelName { name: "test".into(), digest: Digest::of(b"model") },
            attention: None,
            hand: None,
            input: Some(Digest::of(b"file")),
        }
    }

    pub(crate) fn film() -> Film {
        Film {
            plane: Plane::from_fn(40, 50, |x, y| (x + y) as f32 / 90.0),
            flags: Vec::new(),
            header: None,
            source: None,
            digest: Digest::of(b"file"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_reading_is_the_assessment_again() {
        let before = testing::assessment();
        let reading = Reading::of(&before, &testing::film(), &Reference::brush_foundation(), 12);
        let text = serde_json::to_string(&reading).unwrap();
        let reading: Reading = serde_json::from_str(&text).unwrap();
        let after = reading.assessment(&Digest::of(b"file"), None, None);
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
        let standing = reading.standing.unwrap();
        assert_eq!((standing.difference, standing.sds), (7.3, Some(0.6)));
    }
}
