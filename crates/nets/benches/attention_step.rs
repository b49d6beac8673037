//! One training step of the paper's attention head: `cargo bench -p boneage-nets --bench attention_step`.
//!
//! Batch 32, features `[32, 15, 15, 512]` (images of 500 pixels), forward, backward and Adam.

use boneage_core::stream;
use boneage_nets::{Head, HeadConfig, HeadKind};
use boneage_nn::{Adam, AdamConfig, Loss};
use criterion::{Criterion, criterion_group, criterion_main};

fn attention_step(criterion: &mut Criterion) {
    const BATCH: usize = 32;
    let config = HeadConfig { sex_units: Some(32), ..HeadConfig::new(HeadKind::Attention, 15, 15) };
    let mut random = stream(1, &["bench"]);
    let count = BATCH * config.positions() * config.channels;
    let features: Vec<f32> = (0..count).map(|_| random.normal().max(0.0) as f32).collect();
    let target: Vec<f32> = (0..BATCH).map(|_| random.normal() as f32).collect();
    let sex: Vec<f32> = (0..BATCH).map(|i| (i % 2) as f32).collect();
    let mut head = Head::new(config, 1);
    let mut adam = Adam::new(AdamConfig::default());

    let mut group = criterion.benchmark_group("attention head, batch 32 x 15 x 15 x 512");
    group.bench_function("training step", |bencher| {
        bencher.iter(|| {
            head.forward_backward(&features, &sex, &target, Loss::Mse, &mut random);
            adam.step(&mut head.params_mut());
        });
    });
    group.bench_function("prediction", |bencher| bencher.iter(|| head.predict(&features, &sex)));
    group.finish();
}

criterion_group!(benches, attention_step);
criterion_main!(benches);
