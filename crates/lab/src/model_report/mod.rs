//! What there is to say about a finished model: its figures, its tables, and the model card.

mod card;
mod tables;

pub use card::model_card;

use crate::figures::{self, AgePair, Film, HeldShare, Series};
use crate::{Evaluation, INTERVAL_LEVEL, LabError, Scored, calibrate_intervals, median};
use boneage_assess::{Manifest, Predictor};
use boneage_core::{Months, Sex};
use boneage_draw::Drawing;
use std::path::Path;

/// Promises that the figure of reliability looks at.
const LEVELS: [f32; 6] = [0.5, 0.6, 0.7, 0.8, INTERVAL_LEVEL, 0.95];

/// A model with what it read of radiographs that trained nothing.
pub struct ModelReport {
    manifest: Manifest,
    /// With the intervals of the model, where it has them.
    held_out: Vec<Scored>,
    calibration: Vec<Scored>,
    evaluation: Evaluation,
}

impl ModelReport {
    /// From the readings of the holdout and, for the reliability of intervals, of the calibration part.
    ///
    /// # Errors
    /// When the holdout is empty.
    pub fn new(manifest: Manifest, held_out: &[Scored], calibration: Vec<Scored>) -> Result<Self, LabError> {
        let with_interval = |s: &Scored| {
            let read = Months(s.predicted.0.max(0.0));
            let interval = manifest.interval_of(read, Some(s.sex));
            Scored { interval, ..s.clone() }
        };
        let held_out: Vec<Scored> = held_out.iter().map(with_interval).collect();
        let nothing =
            || LabError::Data("a report of a model needs readings of the holdout; none is given".to_owned());
        let constant = median(held_out.iter().map(|s| s.truth)).ok_or_else(nothing)?;
        let evaluation =
            Evaluation::new(&held_out, constant, "the median of these labels").ok_or_else(nothing)?;
        Ok(ModelReport { manifest, held_out, calibration, evaluation })
    }

    /// The figures by the names of their files: what the readings allow.
    ///
    /// # Errors
    /// When a figure cannot be drawn.
    pub fn figures(&self) -> Result<Vec<(&'static str, Drawing)>, LabError> {
        let of_sex = |sex: Sex| Series {
            name: sex.to_string(),
            scored: self.held_out.iter().filter(|s| s.sex == sex).cloned().collect(),
        };
        let by_sex: Vec<Series> =
            [Sex::Male, Sex::Female].map(of_sex).into_iter().filter(|one| !one.scored.is_empty()).collect();
        let pair =
            |s: &Scored| AgePair { first: s.truth.0.into(), second: s.predicted.0.into(), sex: Some(s.sex) };
        let pairs: Vec<AgePair> = self.held_out.iter().map(pair).collect();
        let mut drawn = vec![
            ("errors-by-age", figures::errors_by_sex("Mean absolute error by age and sex", &by_sex)?),
            ("bland-altman", figures::bland_altman("Readings against labels", ["label", "reading"], &pairs)?),
        ];
        let shares = self.held_shares();
        if !shares.is_empty() {
            drawn.push(("reliability", figures::reliability("Reliability of the intervals", &shares)?));
        }
        Ok(drawn)
    }

    /// The sheet of attention maps of `films`.
    ///
    /// # Errors
    /// When there is no film or the model draws no map.
    pub fn attention(&self, predictor: &Predictor, films: &[Film]) -> Result<Drawing, LabError> {
        figures::attention_maps(predictor, &Film::few(films, figures::ATTENTION_FILMS))
    }

    /// How many labels of the holdout intervals of several promises hold, each calibrated anew; none where the
    /// calibration part does not suffice.
    fn held_shares(&self) -> Vec<HeldShare> {
        let mut shares = Vec::new();
        for level in LEVELS {
            let Ok(table) = calibrate_intervals(&self.calibration, level) else { continue };
            for sex in [Sex::Male, Sex::Female] {
                let of_sex = || self.held_out.iter().filter(|s| s.sex == sex);
                let holds =
                    |s: &&Scored| table.interval(Months(s.predicted.0.max(0.0)), Some(sex)).holds(s.truth);
                let (images, held) = (of_sex().count(), of_sex().filter(holds).count());
                shares.push(HeldShare { sex, promised: level.into(), images, held });
            }
        }
        shares
    }

    /// The report as Markdown; `figures` are the names of the figures that lie beside it, `command` is what made it.
    pub fn to_markdown(&self, figures: &[&str], command: &str) -> String {
        tables::report(self, figures, command)
    }

    /// Writes every drawing into `folder`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_figures(folder: &Path, drawings: &[(&str, Drawing)]) -> Result<(), LabError> {
        std::fs::create_dir_all(folder).map_err(LabError::io(folder))?;
        Ok(drawings.iter().try_for_each(|(name, drawing)| drawing.write(folder, name))?)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use boneage_assess::{BackboneName, ModelShape, NetworkShape, Training};
    use boneage_core::{Digest, stream};
    use boneage_nets::{HeadConfig, HeadKind};

    pub(crate) fn readings(name: &str, count: usize) -> Vec<Scored> {
        let mut random = stream(3, &[name]);
        let mut one = |i: usize| {
            let truth = random.uniform(10.0, 220.0).round() as f32;
            let predicted = Months(truth + 9.0 * random.normal() as f32);
            let sex = if i.is_multiple_of(2) { Sex::Male } else { Sex::Female };
            Scored { id: i.to_string(), sex, truth: Months(truth), predicted, accepted: None, interval: None }
        };
        (0..count).map(&mut one).collect()
    }

    pub(crate) fn report() -> ModelReport {
        let calibration = readings("calibration", 400);
        let digest = Digest::of(b"");
        let mut head = HeadConfig::new(HeadKind::Attention, 2, 2);
        head.sex_units = Some(32);
        let manifest = Manifest {
            format: Manifest::FORMAT,
            name: "tiny".into(),
            version: "3".into(),
            model: ModelShape::Network(NetworkShape {
                head,
                age_mean: 127.0,
                age_sd: 41.0,
                backbone: BackboneName { name: "vgg16-imagenet".into(), digest: digest.clone(), frozen: 10 },
            }),
            preprocess: Default::default(),
            trained_ages: [Months(12.0), Months(216.0)],
            training: Training {
                recipe: serde_json::json!({ "description": "a model of the tests", "cohort": "both" }),
                recipe_digest: digest.clone(),
                data_digest: digest,
                split: "by hash".into(),
            },
            metrics: Vec::new(),
            licence: "a licence".into(),
            attribution: "somebody".into(),
            interval: Some(calibrate_intervals(&calibration, 0.9).unwrap()),
            recalibration: None,
            guard: None,
            weights: None,
        };
        ModelReport::new(manifest, &readings("holdout", 300), calibration).unwrap()
    }

    #[test]
    fn a_report_has_its_figures_and_the_worst_cases_by_id() {
        let report = report();
        let names: Vec<&str> = report.figures().unwrap().iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["errors-by-age", "bland-altman", "reliability"]);
        let text = report.to_markdown(&names, "boneage report-model");
        assert!(text.contains("(figures/reliability.png)") && text.contains("intervals (90 %)"), "{text}");
        let errors = |s: &Scored| s.error().abs();
        let worst = report.held_out.iter().max_by(|a, b| errors(a).total_cmp(&errors(b))).unwrap();
        let rows: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("| id |")).skip(2).collect();
        assert!(rows[0].starts_with(&format!("| {} |", worst.id)) && rows.len() >= 20, "{rows:?}");
    }

    #[test]
    fn a_report_of_nothing_is_refused() {
        let ModelReport { manifest, .. } = report();
        assert!(ModelReport::new(manifest, &[], Vec::new()).is_err());
    }
}
