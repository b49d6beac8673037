use super::*;
use crate::blocked::Blocked;
use crate::simd::Isa;
use crate::testing::{widen, with_threads};
use bytes::Bytes;
use half::f16;

/// Reproducible numbers around zero.
pub(super) fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        })
        .collect()
}

/// The definition in f64: `[batch, out, height, width]`.
pub(super) fn reference(
    x: &[f64],
    weights: &[f64],
    bias: &[f64],
    [batch, c_in, c_out, h, w]: [usize; 5],
    finish: Finish,
) -> Vec<f64> {
    let mut y = Vec::new();
    for n in 0..batch {
        for (k, &bias) in bias.iter().enumerate().take(c_out) {
            let mut plane = vec![bias; h * w];
            for (i, sum) in plane.iter_mut().enumerate() {
                for c in 0..c_in {
                    for tap in 0..9 {
                        let (yy, xx) = (i / w + tap / 3, i % w + tap % 3);
                        if (1..=h).contains(&yy) && (1..=w).contains(&xx) {
                            *sum += x[((n * c_in + c) * h + yy - 1) * w + xx - 1]
                                * weights[(k * c_in + c) * 9 + tap];
                        }
                    }
                }
                if finish.relu {
                    *sum = sum.max(0.0);
                }
            }
            match finish.pool {
                false => y.extend(plane),
                true => {
                    for i in 0..h / 2 * (w / 2) {
                        let at = i / (w / 2) * 2 * w + i % (w / 2) * 2;
                        y.push(plane[at].max(plane[at + 1]).max(plane[at + w]).max(plane[at + w + 1]));
                    }
                }
            }
        }
    }
    y
}

/// Relative to the norm of all values, as rounding spreads over a tile.
#[track_caller]
pub(super) fn assert_close(got: &[f32], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let norm = want.iter().map(|v| v * v).sum::<f64>().sqrt();
    let error = got.iter().zip(want).map(|(g, w)| (f64::from(*g) - w).powi(2)).sum::<f64>().sqrt();
    assert!(error <= tolerance * norm.max(1e-3), "{what}: relative error {}", error / norm);
}

#[test]
fn every_instruction_set_agrees_with_the_definition() {
    // Odd sizes, ragged channels, one pixel, batches; the last ones are large enough for groups of tiles.
    let shapes = [
        [1, 16, 16, 1, 1],
        [2, 5, 33, 7, 9],
        [1, 64, 48, 10, 13],
        [3, 17, 70, 4, 4],
        [1, 40, 20, 68, 51],
        [5, 16, 16, 33, 30],
    ];
    for (seed, shape) in shapes.into_iter().enumerate() {
        let [batch, c_in, c_out, h, w] = shape;
        let x = noise(batch * c_in * h * w, seed as u64 + 1);
        let (weights, bias) = (noise(c_out * c_in * 9, 50), noise(c_out, 51));
        let blocked = Blocked::from_nchw(&x, batch, c_in, h, w);
        for isa in Isa::available() {
            for finish in
                [Finish::default(), Finish { relu: true, pool: false }, Finish { relu: true, pool: true }]
            {
                let what = format!("{} {shape:?} {finish:?}", isa.as_str());
                let want = reference(&widen(&x), &widen(&weights), &widen(&bias), shape, finish);
                let layer = Weights3x3::new(&weights, &bias, [c_in, c_out]).unwrap().on(isa);
                let prepared = layer.clone().prepared();
                assert_close(&prepared.forward(&blocked, finish).unwrap().to_nchw(), &want, 3e-6, &what);
                let y = layer.clone().exact().forward(&blocked, finish).unwrap();
                assert_close(&y.to_nchw(), &want, 3e-6, &format!("exact {what}"));
                if !finish.pool {
                    let y = layer.direct().forward(&x, [batch, h, w], finish.relu).unwrap();
                    assert_close(&y.to_nchw(), &want, 3e-6, &format!("direct {what}"));
                }
            }
        }
    }
}

/// Panels, ragged ones too, in parts of their channels; groups of tiles; halves and floats; one and more threads.
#[test]
fn streamed_weights_give_the_bits_of_prepared_ones() {
    for shape in [[1, 150, 136, 9, 14], [2, 64, 192, 8, 8], [1, 3, 70, 5, 5], [1, 20, 40, 68, 51]] {
        let [batch, c_in, c_out, h, w] = shape;
        let halves: Vec<f16> = noise(c_out * c_in * 9, 7).into_iter().map(f16::from_f32).collect();
        let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        // From an odd address on, as a file may hold them.
        let bytes = Bytes::from([&[0][..], &bytes].concat()).slice(1..);
        let full: Vec<f32> = halves.iter().map(|half| half.to_f32()).collect();
        let x = Blocked::from_nchw(&noise(batch * c_in * h * w, 8), batch, c_in, h, w);
        let finish = Finish { relu: true, pool: false };
        for isa in Isa::available() {
            let layer = |weights| Weights3x3::new(weights, noise(c_out, 9), [c_in, c_out]).unwrap().on(isa);
            let full = || layer(full.clone().into());
            let half = || layer(StoredWeights::Half(bytes.clone()));
            let want = full().prepared().forward(&x, finish).unwrap().to_nchw();
            let layers = [half().prepared(), full().streamed(), half().streamed()];
            for (threads, way) in (1..4).flat_map(|threads| (0..3).map(move |way| (threads, way))) {
                let y = with_threads(threads, || layers[way].forward(&x, finish).unwrap().to_nchw());
                assert!(y == want, "{} {shape:?}, way {way}, {threads} threads", isa.as_str());
            }
        }
    }
}

#[test]
fn filling_channels_stay_zero() {
    let (weights, bias) = (noise(20 * 3 * 9, 1), vec![1.0; 20]);
    let layer = Weights3x3::new(&weights, &bias, [3, 20]).unwrap().prepared();
    let y = layer.forward(&Blocked::from_nchw(&noise(3 * 64, 2), 1, 3, 8, 8), Finish::default()).unwrap();
    let filling = y.as_slice()[64 * 16..].chunks(16).flat_map(|pixel| &pixel[4..]);
    assert!(filling.into_iter().all(|&v| v == 0.0));
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let (x, weights, bias) = (noise(2 * 32 * 60 * 60, 3), noise(32 * 32 * 9, 4), noise(32, 5));
    let layer = Weights3x3::new(&weights, &bias, [32, 32]).unwrap().prepared();
    let blocked = Blocked::from_nchw(&x, 2, 32, 60, 60);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| layer.forward(&blocked, Finish { relu: true, pool: true }).unwrap().to_nchw())
    };
    let one = with(1);
    assert!(with(2) == one && with(3) == one);
}

#[test]
fn wrong_lengths_are_named() {
    let error = Weights3x3::new(vec![0.0; 10], vec![0.0], [1, 1]).err().unwrap().to_string();
    assert!(error.contains("10") && error.contains('9'), "{error}");
}
