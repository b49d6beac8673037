//! The 3x3 convolution of every layer shape of VGG16: `cargo bench -p boneage-nn --bench conv3x3`.
//!
//! "Gelem/s" are GFLOP/s, counted as a direct convolution would need them. `RAYON_NUM_THREADS` sets the
//! threads, `NN_ISA` the instruction set; a word after `--` picks benchmarks by name.

use boneage_nn::{Blocked, Conv3x3, Finish, Weights3x3};
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use std::time::Duration;

/// Input and output channels of the thirteen convolutions, and whether a pool follows.
const LAYERS: [(usize, usize, bool); 13] = [
    (3, 64, false),
    (64, 64, true),
    (64, 128, false),
    (128, 128, true),
    (128, 256, false),
    (256, 256, false),
    (256, 256, true),
    (256, 512, false),
    (512, 512, false),
    (512, 512, true),
    (512, 512, false),
    (512, 512, false),
    (512, 512, true),
];

/// Images and their side.
const CASES: [[usize; 2]; 3] = [[1, 256], [1, 500], [8, 256]];

/// Reproducible numbers around zero.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 1u64;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        })
        .collect()
}

fn flops(batch: usize, c_in: usize, c_out: usize, side: usize) -> u64 {
    (2 * 9 * batch * c_in * c_out * side * side) as u64
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    group
}

fn layer(c_in: usize, c_out: usize) -> Weights3x3<'static> {
    // Weights that keep the size of the numbers from layer to layer.
    let scale = 2.0 * (6.0 / (9.0 * c_in as f32)).sqrt();
    let weights: Vec<f32> = noise(c_out * c_in * 9).iter().map(|w| w * scale).collect();
    Weights3x3::new(weights, noise(c_out), [c_in, c_out]).expect("arrays of the right length")
}

/// All thirteen, one after the other.
fn stack(criterion: &mut Criterion) {
    let first = layer(3, 64).direct();
    let rest = |make: fn(Weights3x3<'static>) -> Conv3x3| -> Vec<_> {
        LAYERS[1..].iter().map(|&(c_in, c_out, pool)| (make(layer(c_in, c_out)), pool)).collect()
    };
    let ways = [("prepared", rest(Weights3x3::prepared)), ("streamed", rest(Weights3x3::streamed))];
    let mut group = group(criterion, "vgg16");
    for [batch, side] in CASES {
        let x = noise(batch * 3 * side * side);
        let (mut work, mut edge) = (0, side);
        for (c_in, c_out, pool) in LAYERS {
            work += flops(batch, c_in, c_out, edge);
            edge = if pool { edge / 2 } else { edge };
        }
        group.throughput(Throughput::Elements(work));
        for (way, rest) in &ways {
            group.bench_function(format!("forward b{batch} {side} {way}"), |bencher| {
                bencher.iter(|| {
                    let mut maps =
                        first.forward(&x, [batch, side, side], true).expect("an image of the right size");
                    for (layer, pool) in rest {
                        let finish = Finish { relu: true, pool: *pool };
                        maps = layer.forward(&maps, finish).expect("channels that follow each other");
                    }
                    maps
                });
            });
        }
    }
    group.finish();
}

/// Each shape by itself, forward and backward, for four images of 256.
fn layers(criterion: &mut Criterion) {
    const BATCH: usize = 4;
    let mut group = group(criterion, "layer b4");
    let mut side = 256;
    for (i, (c_in, c_out, pool)) in LAYERS.into_iter().enumerate() {
        // The first layer is another; the third of a block is as the second.
        if i > 0 && (i < 3 || LAYERS[i - 1] != (c_in, c_out, pool)) {
            let x = Blocked::from_nchw(&noise(BATCH * c_in * side * side), BATCH, c_in, side, side);
            let mut conv = layer(c_in, c_out).trainable("conv");
            let finish = Finish { relu: true, pool };
            let (y, passed) = conv.forward_train(&x, finish).expect("an input of the right shape");
            group.throughput(Throughput::Elements(flops(BATCH, c_in, c_out, side)));
            let shape = format!("{c_in} to {c_out} at {side}");
            group.bench_function(format!("forward {shape}"), |bencher| {
                bencher.iter(|| conv.forward(&x, finish));
            });
            group.bench_function(format!("weight gradient {shape}"), |bencher| {
                bencher.iter(|| conv.backward(&x, &passed, &y, false));
            });
            group.throughput(Throughput::Elements(2 * flops(BATCH, c_in, c_out, side)));
            group.bench_function(format!("both gradients {shape}"), |bencher| {
                bencher.iter(|| conv.backward(&x, &passed, &y, true));
            });
        }
        side = if pool { side / 2 } else { side };
    }
    group.finish();
}

criterion_group!(benches, stack, layers);
criterion_main!(benches);
