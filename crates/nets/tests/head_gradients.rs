//! The gradients of whole heads, dropout and sex branch included, against central differences of a
//! second implementation in double precision.

#![allow(clippy::unwrap_used)] // Tests, helpers included, may unwrap.

use std::collections::HashMap;

use boneage_core::stream;
use boneage_nets::{Head, HeadActivation, HeadConfig, HeadKind};
use boneage_nn::{Dropout, Loss};

type Parameters = HashMap<String, Vec<f64>>;

/// A batch and its dropout masks.
struct Batch {
    features: Vec<f64>,
    sex: Vec<f32>,
    target: Vec<f32>,
    masks: [Vec<f32>; 2],
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

/// `[rows, inputs]` through the dense layer `name`.
fn dense(parameters: &Parameters, name: &str, x: &[f64], function: impl Fn(f64) -> f64) -> Vec<f64> {
    let weights = &parameters[&format!("head.{name}.weights")];
    let bias = &parameters[&format!("head.{name}.bias")];
    let (outputs, inputs) = (bias.len(), weights.len() / bias.len());
    let mut y = Vec::new();
    for row in x.chunks_exact(inputs) {
        for o in 0..outputs {
            let sum: f64 = row.iter().enumerate().map(|(i, x)| x * weights[i * outputs + o]).sum();
            y.push(function(sum + bias[o]));
        }
    }
    y
}

fn batch_norm(parameters: &Parameters, x: &[f64]) -> Vec<f64> {
    let (gamma, beta) = (&parameters["head.batch_norm.gamma"], &parameters["head.batch_norm.beta"]);
    let channels = gamma.len();
    let rows = (x.len() / channels) as f64;
    let mut y = vec![0.0; x.len()];
    for c in 0..channels {
        let column = || x.iter().skip(c).step_by(channels);
        let mean = column().sum::<f64>() / rows;
        let variance = column().map(|x| (x - mean).powi(2)).sum::<f64>() / rows;
        for (y, x) in y.iter_mut().skip(c).step_by(channels).zip(column()) {
            *y = gamma[c] * (x - mean) / (variance + 1e-3).sqrt() + beta[c];
        }
    }
    y
}

/// The attention map, `[n, h, w]`.
fn attention(config: &HeadConfig, parameters: &Parameters, normal: &[f64]) -> Vec<f64> {
    let relu = |x: f64| x.max(0.0);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let x = dense(parameters, "attention_1", normal, relu);
    let x = dense(parameters, "attention_2", &x, relu);
    if config.kind == HeadKind::Attention1x1 {
        return dense(parameters, "attention_map", &x, sigmoid);
    }
    let weights = &parameters["head.attention_map.weights"];
    let bias = &parameters["head.attention_map.bias"];
    let value = |(row, x): (usize, &[f64])| {
        let p = row % bias.len();
        sigmoid(bias[p] + x.iter().zip(&weights[p * 16..]).map(|(x, w)| x * w).sum::<f64>())
    };
    x.chunks_exact(16).enumerate().map(value).collect()
}

fn loss(config: &HeadConfig, parameters: &Parameters, batch: &Batch) -> f64 {
    let (positions, channels) = (config.positions(), config.channels);
    let normal = batch_norm(parameters, &batch.features);
    let map = match config.kind {
        HeadKind::FullyConnected => vec![1.0; normal.len() / channels],
        _ => attention(config, parameters, &normal),
    };
    let sex: Vec<f64> = batch.sex.iter().map(|&s| 2.0 * (f64::from(s) - 0.5)).collect();
    let units = config.sex_units.unwrap_or(0);
    let branch = if units > 0 { dense(parameters, "sex", &sex, |x| x.max(0.0)) } else { Vec::new() };
    let activation = |x: f64| match config.activation {
        HeadActivation::Elu if x < 0.0 => x.exp() - 1.0,
        _ => x.max(0.0),
    };
    let mut joined = Vec::new();
    for n in 0..batch.target.len() {
        let map = &map[n * positions..][..positions];
        let divisor = if config.rescale { map.iter().sum() } else { positions as f64 };
        for c in 0..channels {
            let sum: f64 = (0..positions).map(|p| map[p] * normal[(n * positions + p) * channels + c]).sum();
            joined.push(sum / divisor * f64::from(batch.masks[0][n * channels + c]));
        }
        joined.extend(&branch[n * units..][..units]);
    }
    let mut x = dense(parameters, "dense_1", &joined, activation);
    if config.kind == HeadKind::FullyConnected {
        x = dense(parameters, "dense_2", &x, activation);
    }
    x.iter_mut().zip(&batch.masks[1]).for_each(|(x, &factor)| *x *= f64::from(factor));
    let value = dense(parameters, "output", &x, |x| x);
    let error = value.iter().zip(&batch.target).map(|(v, &t)| (v - f64::from(t)).powi(2));
    error.sum::<f64>() / batch.target.len() as f64
}

fn check(config: HeadConfig) {
    const N: usize = 4;
    let mut random = stream(1, &["batch"]);
    let mut normal = |count: usize, scale: f64| -> Vec<f32> {
        (0..count).map(|_| (scale * random.normal()) as f32).collect()
    };
    let mut head = Head::new(config.clone(), 2);
    for param in head.params_mut() {
        // Away from the start, where biases are 0 and the map is the same everywhere.
        let noise = normal(param.value.len(), 0.2);
        param.value.iter_mut().zip(noise).for_each(|(v, noise)| *v += noise);
    }
    let features = normal(N * config.positions() * config.channels, 2.0);
    let features: Vec<f32> = features.iter().map(|x| x.max(0.0)).collect();
    let target = normal(N, 1.0);
    let sex = vec![0.0, 1.0, 0.5, 1.0];

    let dropout_stream = || stream(3, &["dropout"]);
    let mut random = dropout_stream();
    let masks =
        [(config.dropout[0], config.channels), (config.dropout[1], config.hidden)].map(|(rate, width)| {
            let mut mask = vec![0.0; N * width];
            Dropout::new(rate).draw(&mut mask, &mut || random.unit());
            mask
        });
    let mut batch = Batch { features: widen(&features), sex, target, masks };

    let mut grad_features = vec![0.0; features.len()];
    let found = head.forward_backward_through(
        &features,
        &batch.sex,
        &batch.target,
        Loss::Mse,
        &mut dropout_stream(),
        Some(&mut grad_features),
    );
    let mut parameters: Parameters =
        head.params().iter().map(|param| (param.name.clone(), widen(&param.value))).collect();
    let expected = loss(&config, &parameters, &batch);
    assert!((f64::from(found) / expected - 1.0).abs() < 1e-5, "loss {found}, expected {expected}");

    for param in head.params() {
        let mut numeric = Vec::new();
        for i in 0..param.value.len() {
            let here = parameters[&param.name][i];
            let mut at = |value: f64| {
                parameters.get_mut(&param.name).unwrap()[i] = value;
                loss(&config, &parameters, &batch)
            };
            numeric.push((at(here + STEP) - at(here - STEP)) / (2.0 * STEP));
            at(here);
        }
        compare(&param.name, &param.grad, &numeric);
    }
    let mut numeric = Vec::new();
    for i in 0..features.len() {
        let here = batch.features[i];
        let mut at = |value: f64| {
            batch.features[i] = value;
            loss(&config, &parameters, &batch)
        };
        numeric.push((at(here + STEP) - at(here - STEP)) / (2.0 * STEP));
        at(here);
    }
    compare("features", &grad_features, &numeric);
}

/// Half the distance of the central differences.
const STEP: f64 = 1e-6;

fn compare(name: &str, found: &[f32], numeric: &[f64]) {
    let scale = numeric.iter().fold(1e-4f64, |largest, v| largest.max(v.abs()));
    for (i, (&found, expected)) in found.iter().zip(numeric).enumerate() {
        let off = (f64::from(found) - expected).abs();
        assert!(off < 5e-5 * scale, "{name}[{i}]: {found}, numerically {expected}");
    }
}

fn small(kind: HeadKind) -> HeadConfig {
    HeadConfig { channels: 6, hidden: 8, sex_units: Some(3), ..HeadConfig::new(kind, 3, 3) }
}

#[test]
fn attention_head() {
    check(small(HeadKind::Attention));
    let relu = HeadActivation::Relu;
    let plain = small(HeadKind::Attention);
    check(HeadConfig { rescale: false, sex_units: None, activation: relu, ..plain });
}

#[test]
fn attention_1x1_head() {
    check(small(HeadKind::Attention1x1));
}

#[test]
fn fully_connected_head() {
    check(small(HeadKind::FullyConnected));
}
