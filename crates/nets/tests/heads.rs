//! The heads as a whole: against PyTorch (`fixtures/nets/heads.safetensors`, made by `make_heads.py`
//! beside it), as learners, and on any number of threads.

#![allow(clippy::unwrap_used)] // Tests, helpers included, may unwrap.

use boneage_core::stream;
use boneage_nets::{Head, HeadActivation, HeadConfig, HeadKind, NamedTensor};
use boneage_nn::{Adam, AdamConfig, Loss};
use safetensors::SafeTensors;

static FIXTURE: &[u8] = include_bytes!("../../../fixtures/nets/heads.safetensors");

/// The tensors of one case, without its prefix.
fn case(name: &str) -> impl Fn(&str) -> NamedTensor {
    let tensors = SafeTensors::deserialize(FIXTURE).unwrap();
    move |what| {
        let tensor = tensors.tensor(&format!("{name}/{what}")).unwrap();
        let numbers = tensor.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        let name = what.rsplit('/').next().unwrap().to_owned();
        NamedTensor { name, shape: tensor.shape().to_vec(), values: numbers.collect() }
    }
}

#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(0.0f32, |largest, v| largest.max(v.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let off = (found - expected).abs();
        assert!(off <= tolerance * scale, "{what}[{i}] is {found}, in PyTorch {expected} (scale {scale})");
    }
}

#[test]
fn forward_and_gradients_are_pytorchs() {
    let small = |kind, sex_units| HeadConfig {
        channels: 20,
        hidden: 24,
        dropout: [0.0; 2],
        sex_units,
        ..HeadConfig::new(kind, 3, 3)
    };
    let plain = small(HeadKind::Attention1x1, None);
    for (name, config) in [
        ("attention", small(HeadKind::Attention, Some(5))),
        ("attention_1x1", HeadConfig { rescale: false, activation: HeadActivation::Relu, ..plain }),
        ("fully_connected", small(HeadKind::FullyConnected, Some(3))),
    ] {
        let get = case(name);
        let values = |what: &str| get(what).values;
        let mut head = Head::new(config, 0);
        let state: Vec<NamedTensor> =
            head.state().iter().rev().map(|tensor| get(&format!("state/{}", tensor.name))).collect();
        head.load_state(&state).unwrap();

        let (features, sex) = (values("features"), values("sex"));
        let mut random = stream(0, &["dropout"]);
        let loss = head.forward_backward(&features, &sex, &values("target"), Loss::Mse, &mut random);
        assert_close("loss", &[loss], &values("loss"), 1e-5);
        for param in head.params() {
            let what = format!("grad/{}", param.name);
            assert_close(&format!("{name}/{what}"), &param.grad, &values(&what), 2e-5);
        }
        for tensor in head.state().iter().filter(|tensor| tensor.name.contains("running")) {
            assert_close(&tensor.name, &tensor.values, &values(&format!("after/{}", tensor.name)), 1e-6);
        }
        let output = head.predict(&features, &sex);
        assert_close("predicted", &output.value, &values("predicted"), 1e-5);
        match output.attention {
            Some(map) => assert_close("map", &map, &values("map"), 1e-5),
            None => assert_eq!(name, "fully_connected"),
        }
    }
}

#[test]
fn heads_have_as_many_parameters_as_the_papers() {
    for (kind, side, expected) in [
        (HeadKind::Attention, 15, 565_058),
        (HeadKind::Attention1x1, 15, 561_250),
        (HeadKind::FullyConnected, 8, 1_576_961),
    ] {
        let mut config = HeadConfig::new(kind, side, side);
        assert_eq!(Head::new(config.clone(), 1).parameter_count(), expected, "{kind:?}");
        config.sex_units = Some(32);
        let head = Head::new(config, 1);
        assert_eq!(head.parameter_count(), expected + 64 + 32 * 1024);
        assert_eq!(head.config().parameter_count(), head.parameter_count() as u64);
    }
}

/// Features that a backbone might give: not negative, many of them 0.
fn features(seed: u64, count: usize) -> Vec<f32> {
    let mut random = stream(seed, &["features"]);
    (0..count).map(|_| random.normal().max(0.0) as f32).collect()
}

fn small_config(kind: HeadKind) -> HeadConfig {
    HeadConfig { channels: 64, hidden: 128, sex_units: Some(8), ..HeadConfig::new(kind, 4, 4) }
}

#[test]
fn each_head_learns_sixteen_samples_by_heart() {
    for kind in [HeadKind::Attention, HeadKind::Attention1x1, HeadKind::FullyConnected] {
        let config = HeadConfig { dropout: [0.0; 2], ..small_config(kind) };
        let features = features(1, 16 * config.positions() * config.channels);
        let mut random = stream(2, &["targets"]);
        let target: Vec<f32> = (0..16).map(|_| random.normal() as f32).collect();
        let sex: Vec<f32> = (0..16).map(|_| random.below(2) as f32).collect();
        let mut head = Head::new(config, 3);
        let mut adam = Adam::new(AdamConfig::default());
        let mut loss = f32::INFINITY;
        for _ in 0..400 {
            loss = head.forward_backward(&features, &sex, &target, Loss::Mse, &mut random);
            adam.step(&mut head.params_mut());
        }
        assert!(loss < 1e-3, "{kind:?}: {loss}");
        let predicted = head.predict(&features, &sex).value;
        let worst = predicted.iter().zip(&target).fold(0.0f32, |worst, (p, t)| worst.max((p - t).abs()));
        assert!(worst < 0.2, "{kind:?}: off by {worst} with running statistics");
    }
}

#[test]
fn training_gives_the_same_bits_on_any_number_of_threads() {
    let train = |kind, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let config = HeadConfig { sex_units: Some(8), ..HeadConfig::new(kind, 15, 15) };
            let features = features(1, 20 * config.positions() * config.channels);
            let target: Vec<f32> = (0..20).map(|i| i as f32 / 10.0 - 1.0).collect();
            let sex: Vec<f32> = (0..20).map(|i| (i % 2) as f32).collect();
            let mut head = Head::new(config, 3);
            let mut adam = Adam::new(AdamConfig::default());
            let mut random = stream(4, &["dropout"]);
            for _ in 0..2 {
                head.forward_backward(&features, &sex, &target, Loss::Mse, &mut random);
                adam.step(&mut head.params_mut());
            }
            (head.state(), head.predict(&features, &sex))
        })
    };
    for kind in [HeadKind::Attention, HeadKind::Attention1x1, HeadKind::FullyConnected] {
        let one = train(kind, 1);
        assert!(one == train(kind, 2) && one == train(kind, 3), "{kind:?}");
    }
}

#[test]
fn maps_lie_between_0_and_1_and_batches_do_not_matter() {
    let config = small_config(HeadKind::Attention);
    let sample = config.positions() * config.channels;
    let features = features(5, 40 * sample);
    let sex = vec![0.5; 40];
    let head = Head::new(config.clone(), 6);
    let together = head.predict(&features, &sex);
    let maps = together.attention.unwrap();
    assert_eq!((together.value.len(), maps.len()), (40, 40 * config.positions()));
    assert!(maps.iter().all(|a| (0.0..=1.0).contains(a)));
    let alone = head.predict(&features[37 * sample..38 * sample], &sex[..1]);
    assert!((alone.value[0] - together.value[37]).abs() < 1e-5);
    assert_eq!(head.predict(&[], &[]).value, [] as [f32; 0]);
}

#[test]
fn a_state_of_another_head_is_refused_and_changes_nothing() {
    let mut head = Head::new(small_config(HeadKind::Attention), 7);
    let before = head.state();
    let other = Head::new(small_config(HeadKind::Attention1x1), 8);
    let error = head.load_state(&other.state()).unwrap_err().to_string();
    assert!(error.contains("head.attention_map.weights") && error.contains("[16, 16]"), "{error}");
    assert_eq!(head.state(), before);
    let other = Head::new(HeadConfig { sex_units: None, ..small_config(HeadKind::Attention) }, 8);
    assert!(head.load_state(&other.state()).is_err());
    head.load_state(&Head::new(small_config(HeadKind::Attention), 8).state()).unwrap();
    assert_ne!(head.state(), before);
}

#[test]
fn the_sex_changes_the_age_only_where_there_is_a_branch_for_it() {
    for (sex_units, changes) in [(Some(8), true), (None, false)] {
        let head = Head::new(HeadConfig { sex_units, ..small_config(HeadKind::Attention) }, 9);
        let features = features(10, 16 * 64);
        let [female, male] = [0.0, 1.0].map(|sex| head.predict(&features, &[sex]).value[0]);
        assert_eq!(female != male, changes);
    }
}
