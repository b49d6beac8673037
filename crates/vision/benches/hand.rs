//! The steps of the hand extraction: `cargo bench -p boneage-vision --bench hand`.
//!
//! Over one phantom of `fixtures/segmentation`, enlarged and made grainy: Sobel gradient, watershed, filled
//! holes, objects, and `extract_hand` as a whole. Beside scikit-image: `cargo xtask bench hand`.

#![allow(clippy::unwrap_used)] // A benchmark may unwrap as a test may.

use boneage_core::{Affine, Plane, stream};
use boneage_vision::{
    DecodeLimits, HandRecipe, Labels, components, decode, extract_hand, fill_holes, sobel, warp, watershed,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::path::Path;

/// Whole greys 0..255.
fn phantom(side: usize) -> Plane {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/segmentation/plain.png");
    let plain = decode(&std::fs::read(file).unwrap(), &DecodeLimits::default()).unwrap().plane;
    let map = Affine::grid((side, side), (plain.width(), plain.height()));
    let mut random = stream(1, &["grain"]);
    let mut film = warp(&plain, &map, side, side);
    for grey in film.pixels_mut() {
        *grey = (*grey * 255.0 + 1.5 * random.normal() as f32).round().clamp(0.0, 255.0);
    }
    film
}

fn hand(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hand");
    group.sample_size(20);
    for side in [299, 1024] {
        let film = phantom(side);
        group.throughput(Throughput::Elements((side * side) as u64));
        let gradient = sobel(&film);
        let marker = |&grey: &f32| u32::from(grey < 35.0) + 2 * u32::from(grey > 75.0);
        let markers = Labels::new(side, side, film.pixels().iter().map(marker).collect());
        let mask = watershed(&gradient, &markers).is(2);
        let scaled = film.map(|grey| grey / 255.0);
        group.bench_function(BenchmarkId::new("sobel", side), |b| b.iter(|| sobel(&film)));
        group.bench_function(BenchmarkId::new("watershed", side), |b| {
            b.iter(|| watershed(&gradient, &markers));
        });
        group.bench_function(BenchmarkId::new("fill_holes", side), |b| {
            b.iter(|| {
                let mut filled = mask.clone();
                fill_holes(&mut filled, side, side);
                filled
            });
        });
        group.bench_function(BenchmarkId::new("components", side), |b| {
            b.iter(|| components(&mask, side, side));
        });
        group.bench_function(BenchmarkId::new("extract_hand", side), |b| {
            b.iter(|| extract_hand(&scaled, &HandRecipe::default()));
        });
    }
    group.finish();
}

criterion_group!(benches, hand);
criterion_main!(benches);
