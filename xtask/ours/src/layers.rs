//! VGG16 layer by layer: the time of each convolution inside a whole pass.

use crate::forward::{drawing, weights};
use anyhow::{Context, Result};
use boneage_nets::VGG16_BLOCKS;
use boneage_nn::{Finish, Weights3x3};
use safetensors::SafeTensors;
use serde_json::json;
use std::time::Instant;

/// Passes; the median of each layer is told.
const PASSES: usize = 15;

/// Operations of Winograd's F(4x4, 3x3) a tile and channel, each a slot of the multiply-add units: twelve
/// transforms of six inputs at 13, ten of six products at 10.
const INPUT_TRANSFORM: usize = 12 * 13;
const OUTPUT_TRANSFORM: usize = 10 * 10;

/// A JSON array with, for each layer: name, milliseconds, FLOPs of the direct convolution, and FLOPs (two a
/// slot) of what Winograd does instead.
pub(crate) fn measure(batch: usize, side: usize) -> Result<String> {
    let bytes = weights()?;
    let file = SafeTensors::deserialize(&bytes)?;
    let image: Vec<f32> = (0..batch)
        .flat_map(|image| drawing(image, side).pixels().repeat(3))
        .map(|grey| grey - 110.0)
        .collect();
    let mut layers = Vec::new();
    let (mut first, mut in_channels, mut size) = (None, 3, side);
    for (block, convolutions) in VGG16_BLOCKS.iter().enumerate() {
        for (index, &out) in convolutions.iter().enumerate() {
            let name = format!("block{}_conv{}", block + 1, index + 1);
            let weight = tensor(&file, &format!("{name}.weight"))?;
            let bias = tensor(&file, &format!("{name}.bias"))?;
            let weights = Weights3x3::new(weight, bias, [in_channels, out])?;
            let pool = index + 1 == convolutions.len();
            let direct = 2 * batch * size * size * in_channels * out * 9;
            let tiles = batch * size.div_ceil(4).pow(2);
            let products = 36 * in_channels * out;
            let own = 2 * tiles * (products + INPUT_TRANSFORM * in_channels + OUTPUT_TRANSFORM * out);
            if first.is_none() {
                first = Some(weights.direct());
                layers.push((name, direct, direct, None));
            } else {
                layers.push((name, direct, own, Some((weights.prepared(), Finish { relu: true, pool }))));
            }
            in_channels = out;
            size /= 1 + usize::from(pool);
        }
    }
    let first = first.context("VGG16 has layers")?;
    let mut times = vec![Vec::new(); layers.len()];
    for pass in 0..PASSES + 2 {
        let mut start = Instant::now();
        let mut maps = first.forward(&image, [batch, side, side], true)?;
        for ((_, _, _, layer), times) in layers.iter().zip(&mut times) {
            if let Some((convolution, finish)) = layer {
                start = Instant::now();
                maps = convolution.forward(&maps, *finish)?;
            }
            if pass >= 2 {
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        std::hint::black_box(&maps);
    }
    let rows: Vec<_> = layers
        .iter()
        .zip(times)
        .map(|((name, direct, own, _), mut times)| {
            times.sort_by(f64::total_cmp);
            json!([name, times[PASSES / 2], direct, own])
        })
        .collect();
    Ok(serde_json::Value::Array(rows).to_string())
}

/// A tensor of halves or floats as floats.
fn tensor(file: &SafeTensors<'_>, name: &str) -> Result<Vec<f32>> {
    let view = file.tensor(name).with_context(|| format!("tensor {name}"))?;
    anyhow::ensure!(view.dtype() == safetensors::Dtype::F16, "{name} is kept as {:?}, not F16", view.dtype());
    let (pairs, _) = view.data().as_chunks::<2>();
    Ok(pairs.iter().map(|&bytes| half::f16::from_le_bytes(bytes).to_f32()).collect())
}
