//! Every figure of the paper, and those that a report of a training needs: functions from data to a
//! [`Drawing`](boneage_draw::Drawing), which writes itself as SVG and PNG. The same data give the same bytes.
//!
//! | the paper's figure | here |
//! |---|---|
//! | 1, samples | [`samples`] |
//! | 2, ages | [`age_distribution`] |
//! | 3, extraction | [`stages`] |
//! | section III.B, augmentation | [`augmentation`] |
//! | 4, regressions | [`agreement`], [`regression_errors`] |
//! | 5, convolutional and dense | [`connections_diagram`] |
//! | 6 and section IV.B.2, network and transfer | [`vgg16_diagram`], [`transfer_diagram`] |
//! | 7 and 8, Models 1 and 2 | [`model_1_diagram`], [`model_2_diagram`] |
//! | table I | [`comparison`] |
//! | 9, predicted against true | [`agreement`], [`residuals`], [`errors_by_age`] |
//! | 10, attention | [`attention_maps`] |
//!
//! Charts and diagrams are for paper; sheets of radiographs have a dark ground, so that the film is the
//! brightest thing on them. Males are blue and females orange everywhere.

mod age_distribution;
mod agreement;
mod attention_maps;
mod augmentation;
mod axes;
mod bland_altman;
mod boxes;
mod comparison;
mod connections;
mod errors_by_age;
mod film;
mod learning;
mod model_diagram;
mod predictions;
mod regression_errors;
mod reliability;
mod residuals;
mod samples;
mod stages;
mod theme;
mod transfer_diagram;
mod vgg_diagram;

pub use age_distribution::age_distribution;
pub use agreement::agreement;
pub use attention_maps::attention_maps;
pub use augmentation::augmentation;
pub use bland_altman::{AgePair, bland_altman};
pub use comparison::{ComparedCell, comparison};
pub use connections::connections_diagram;
pub use errors_by_age::{errors_by_age, errors_by_sex};
pub use film::Film;
pub use learning::{LearningCurve, learning_curves};
pub use model_diagram::{model_1_diagram, model_2_diagram, model_diagram};
pub use predictions::Series;
pub use regression_errors::{ComponentCurve, ComponentError, regression_errors};
pub use reliability::{HeldShare, reliability};
pub use residuals::residuals;
pub use samples::samples;
pub use stages::stages;
pub use transfer_diagram::transfer_diagram;
pub use vgg_diagram::vgg16_diagram;

/// Sides of the images of the paper's two models, in pixels.
pub const MODEL_PIXELS: [usize; 2] = [256, 500];
/// Films of each sex in a row of the sheet of samples.
pub const SAMPLE_COLUMNS: usize = 6;
/// Films on the sheet of attention maps.
pub const ATTENTION_FILMS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests::labelled;
    use crate::{AugmentRanges, DatasetAnalysis, EpochRecord, Estimate, LabError, Scored};
    use boneage_core::{Months, Plane, Sex, stream};
    use boneage_draw::Drawing;
    use boneage_vision::Preprocess;

    fn film(sex: Sex) -> Film {
        let plane = Plane::from_fn(90, 120, |x, y| {
            let (u, v) = (x as f32 / 90.0 - 0.5, y as f32 / 120.0 - 0.6);
            0.1 + 0.7 * (-(u * u + v * v) * 10.0).exp()
        });
        Film { plane, months: Some(Months(130.0)), sex: Some(sex) }
    }

    fn series(name: &str) -> Series {
        let mut random = stream(5, &[name]);
        let mut one = |i: usize| {
            let truth = random.uniform(10.0, 220.0).round() as f32;
            let predicted = Months(truth + 9.0 * random.normal() as f32);
            let sex = if i.is_multiple_of(2) { Sex::Male } else { Sex::Female };
            Scored { id: i.to_string(), sex, truth: Months(truth), predicted, accepted: None, interval: None }
        };
        Series { name: name.to_owned(), scored: (0..120).map(&mut one).collect() }
    }

    /// Of both sexes and of none, one beyond the axis.
    fn pairs() -> Vec<AgePair> {
        let pair = |s: &Scored| AgePair {
            first: s.truth.0.into(),
            second: s.predicted.0.into(),
            sex: (s.id != "7").then_some(s.sex),
        };
        let far = AgePair { first: 10.0, second: 230.0, sex: None };
        series("a").scored.iter().map(pair).chain([far]).collect()
    }

    fn held(promised: f64, held: usize) -> HeldShare {
        HeldShare { sex: Sex::Female, promised, images: 120, held }
    }

    fn curve(name: &str) -> LearningCurve {
        let epoch = |epoch: u32| EpochRecord {
            epoch,
            loss: 1.0 / f64::from(epoch),
            inner_loss: 1.1 / f64::from(epoch),
            inner_mae: 20.0 / f64::from(epoch),
            inner_rmse: 25.0 / f64::from(epoch),
            learning_rate: 1e-3,
            best: true,
            seconds: 1.0,
        };
        LearningCurve { name: name.to_owned(), epochs: (1..=30).map(epoch).collect() }
    }

    fn components(name: &str) -> ComponentCurve {
        let point = |components| ComponentError { components, training: 10.0, test: 20.0 };
        let points = [1, 10, 100].map(point).into();
        ComponentCurve { name: name.to_owned(), points, chosen: Some(10), constant: Some(32.0) }
    }

    fn cell(cohort: &str, ours: Option<Estimate>) -> ComparedCell {
        let (model, cohort) = ("VGG16 and attention".to_owned(), cohort.to_owned());
        ComparedCell { model, cohort, paper: Some(9.82), ours, constant: 32.4, images: 1343 }
    }

    /// Every figure, each from the least data that it takes and from more.
    fn all() -> Vec<(&'static str, Drawing)> {
        let set = labelled(&[(Sex::Male, 24.0), (Sex::Female, 100.0), (Sex::Female, 228.0)]);
        let ours = Some(Estimate { value: 9.9, interval_95: [9.5, 10.4] });
        let ranges = AugmentRanges { gamma: 0.25, noise: 4.0, ..AugmentRanges::default() };
        let films = [film(Sex::Female), film(Sex::Female), film(Sex::Male), film(Sex::Male)];
        let drawn: Vec<(&str, Result<Drawing, LabError>)> = vec![
            ("age-distribution", age_distribution(&DatasetAnalysis::of(&set))),
            ("agreement", agreement("t", &[series("a")])),
            ("agreement of three", agreement("t", &[series("a"), series("b"), series("c")])),
            ("residuals", residuals("t", &[series("a"), series("b")])),
            ("bland-altman", bland_altman("t", ["label", "reading"], &pairs())),
            ("errors-by-age, sexes", errors_by_sex("t", &[series("male"), series("female")])),
            ("reliability", reliability("t", &[held(0.5, 61), held(0.9, 120)])),
            ("errors-by-age", errors_by_age("t", &[series("a"), series("b")])),
            ("learning-curves", learning_curves("t", &[curve("a"), curve("b")])),
            ("regression-errors", regression_errors("t", &[components("a"), components("b")])),
            ("comparison", comparison("t", &[cell("male", ours), cell("both", None)])),
            ("samples", samples(&films)),
            ("one sample", samples(&films[..1])),
            ("augmentation", Ok(augmentation(&films[0], &Preprocess::default(), &ranges, 1))),
            ("connections", connections_diagram(256)),
            ("vgg16", Ok(vgg16_diagram(256))),
            ("transfer", transfer_diagram(256)),
            ("model 2", model_2_diagram(500)),
        ];
        drawn.into_iter().map(|(name, drawing)| (name, drawing.expect(name))).collect()
    }

    #[test]
    fn the_same_data_give_the_same_bytes() {
        for ((name, first), (_, second)) in all().iter().zip(all()) {
            assert_eq!(first.to_svg(), second.to_svg(), "{name}");
            assert_eq!(first.to_picture(1.0), second.to_picture(1.0), "{name}");
        }
    }

    /// Where a number of an attribute lies, for each element of a kind.
    fn numbers(svg: &str, element: &str, attribute: &str) -> Vec<f64> {
        let start = format!("<{element} ");
        let values = svg.split(&start).skip(1).map(|rest| {
            let rest = rest.split_once(&format!("{attribute}=\"")).expect(attribute).1;
            rest.split_once('"').expect("a quote").0.parse().expect("a number")
        });
        values.collect()
    }

    #[test]
    fn no_word_leaves_its_figure() {
        for (name, drawing) in all() {
            let svg = drawing.to_svg();
            let (width, height) = drawing.size();
            let texts: Vec<&str> = svg.lines().filter(|line| line.starts_with("<text")).collect();
            let (xs, ys) = (numbers(&svg, "text", "x"), numbers(&svg, "text", "y"));
            for ((text, (x, y)), length) in
                texts.iter().zip(xs.iter().zip(ys)).zip(numbers(&svg, "text", "textLength"))
            {
                let left = match () {
                    () if text.contains("\"middle\"") => x - length / 2.0,
                    () if text.contains("\"end\"") => x - length,
                    () => *x,
                };
                assert!(left >= 4.0 && left + length <= width - 4.0, "{name}: {text}");
                assert!(y >= 10.0 && y <= height - 8.0, "{name}: {text}");
            }
        }
    }

    #[test]
    fn figures_of_nothing_are_refused_by_name() {
        let empty = Series { name: "a".to_owned(), scored: Vec::new() };
        let no_epochs = LearningCurve { name: "a".to_owned(), epochs: Vec::new() };
        let no_points = ComponentCurve { points: Vec::new(), ..components("a") };
        for (name, drawn) in [
            ("age-distribution", age_distribution(&DatasetAnalysis::of(&labelled(&[])))),
            ("agreement", agreement("t", &[])),
            ("agreement", agreement("t", &[series("a"), empty.clone()])),
            ("residuals", residuals("t", &[series("a"), empty.clone()])),
            ("errors-by-age", errors_by_age("t", &[empty])),
            ("learning-curves", learning_curves("t", &[no_epochs])),
            ("regression-errors", regression_errors("t", &[no_points])),
            ("comparison", comparison("t", &[])),
            ("bland-altman", bland_altman("t", ["a", "b"], &[])),
            ("reliability", reliability("t", &[])),
            ("samples", samples(&[])),
        ] {
            let message = drawn.map(|_| ()).expect_err(name).to_string();
            assert!(message.contains(name) && message.contains("nothing to show"), "{message}");
        }
    }
}
