//! Components and regressions against scikit-learn: `fixtures/classical/scikit_learn.safetensors`, made by
//! `make.py` beside it.

#![allow(clippy::unwrap_used)] // Tests, helpers included, may unwrap.

use boneage_classical::{LinearRegression, LogisticOptions, LogisticRegression, Pca, PcaOptions, Samples};
use safetensors::{Dtype, SafeTensors};

static FIXTURE: &[u8] = include_bytes!("../../../fixtures/classical/scikit_learn.safetensors");

/// Samples on which scikit-learn was trained; the others of `months` are those it was tested on.
const TRAINED: usize = 240;
/// Greys to what the logistic regression reads.
const SCALE: f32 = 1.0 / 255.0;

fn tensor(name: &str) -> Vec<f32> {
    let file = SafeTensors::deserialize(FIXTURE).unwrap();
    let tensor = file.tensor(name).unwrap();
    match tensor.dtype() {
        Dtype::U8 => tensor.data().iter().map(|&grey| f32::from(grey)).collect(),
        _ => tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
    }
}

fn samples(name: &str) -> Samples {
    Samples::new(tensor(name), 256).unwrap()
}

fn worst(found: impl IntoIterator<Item = f64>, expected: &[f32]) -> f64 {
    found.into_iter().zip(expected).map(|(a, &b)| (a - f64::from(b)).abs()).fold(0.0, f64::max)
}

fn scaled(samples: &Samples) -> Samples {
    Samples::new(samples.values().iter().map(|value| value * SCALE).collect(), samples.width()).unwrap()
}

#[test]
fn the_first_components_are_those_of_the_whole_decomposition_and_the_rest_span_the_same() {
    let pca = Pca::fit(&samples("trained"), PcaOptions::new(40)).unwrap();
    let expected = samples("components");
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    for (i, (ours, theirs)) in pca.components().rows().zip(expected.rows()).enumerate().take(20) {
        let sign = dot(ours, theirs).signum() as f32;
        let distance = worst(ours.iter().map(|&v| f64::from(v * sign)), theirs);
        assert!(distance < 1e-3, "component {i} differs by {distance}");
    }
    let variances = tensor("variances");
    assert!((0..20).all(|i| (pca.variances()[i] / f64::from(variances[i]) - 1.0).abs() < 1e-4));
    // Each of theirs lies within ours but for a small angle.
    for (i, theirs) in expected.rows().enumerate() {
        let within: f64 = pca.components().rows().map(|ours| dot(ours, theirs).powi(2)).sum();
        let angle = (1.0 - within).max(0.0).sqrt().asin().to_degrees();
        assert!(
            angle < if i < 36 { 2.0 } else { 30.0 },
            "component {i} lies {angle} degrees beside the span"
        );
    }
}

#[test]
fn least_squares_agree_with_and_without_components() {
    let (trained, tested, months) = (samples("trained"), samples("tested"), tensor("months"));
    let pca = Pca::from_parts(trained_mean(&trained), samples("components")).unwrap();
    let fit = LinearRegression::fit(&pca.transform(&trained).unwrap(), &months[..TRAINED]).unwrap();
    let scores = pca.transform(&tested).unwrap();
    let distance = worst(scores.rows().map(|row| fit.predict(row)), &tensor("linear.scores"));
    assert!(distance < 1e-2, "{distance} months");
    let few: Vec<usize> = (0..100).collect();
    let fit = LinearRegression::fit(&trained.select(&few), &months[..100]).unwrap();
    let distance = worst(tested.rows().map(|row| fit.predict(row)), &tensor("linear.pixels"));
    assert!(distance < 1e-2, "{distance} months");
}

#[test]
fn one_against_the_rest_is_liblinears() {
    let (trained, tested, months) = (samples("trained"), samples("tested"), tensor("months"));
    let classes = tensor("logistic.classes");
    let labels: Vec<usize> =
        months[..TRAINED].iter().map(|age| classes.iter().position(|class| class == age).unwrap()).collect();
    let pca = Pca::from_parts(trained_mean(&trained), samples("components")).unwrap();
    let scores = scaled(&pca.transform(&trained).unwrap());
    let options = LogisticOptions { tolerance: 1e-6, ..LogisticOptions::default() };
    let fit = LogisticRegression::fit(&scores, &labels, classes.len(), options).unwrap();
    let scores = scaled(&pca.transform(&tested).unwrap());
    let probabilities = scores.rows().flat_map(|row| fit.probabilities(row));
    let distance = worst(probabilities, &tensor("logistic.probabilities"));
    assert!(distance < 1e-4, "probabilities differ by {distance}");
    let predicted: Vec<f32> = scores.rows().map(|row| classes[fit.most_likely(row)]).collect();
    assert_eq!(predicted, tensor("logistic.predicted"));
}

/// The mean of the samples, as scikit-learn took it off.
fn trained_mean(trained: &Samples) -> Vec<f32> {
    (0..trained.width())
        .map(|j| trained.rows().map(|row| f64::from(row[j])).sum::<f64>() as f32 / trained.len() as f32)
        .collect()
}
