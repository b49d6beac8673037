//! A whole training on drawings, from files to a model, with a small stand-in for VGG16.

#![allow(clippy::unwrap_used)] // also in the functions that the tests share

use boneage_assess::{Bundle, Predictor};
use boneage_core::{Digest, Months, Plane, stream};
use boneage_lab::{
    Augment, Backbone, Experiment, FrozenVgg16, LabError, Part, Purpose, Radiograph, Recipe, RunFolder,
    Split, View, median, read_all, train,
};
use boneage_nets::{Features, NetsError};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Mean and spread of each 32 x 32 cell, at two scales of grey: `[size / 32, size / 32, 6]`.
#[derive(Default)]
struct CellMeans {
    images: AtomicUsize,
    /// Panics, as a killed process ends, when asked for an image after so many.
    dies_after: Option<usize>,
}

impl Backbone for CellMeans {
    fn digest(&self) -> Digest {
        Digest::of(b"cell means")
    }

    fn map(&self, size: usize) -> [usize; 3] {
        [size / 32, size / 32, 6]
    }

    fn features(&self, images: &[&Plane]) -> Result<Features, NetsError> {
        let seen = self.images.fetch_add(images.len(), Ordering::SeqCst);
        assert!(self.dies_after.is_none_or(|most| seen < most), "killed");
        let [height, width, channels] = self.map(images[0].width());
        let mut values = Vec::new();
        for image in images {
            for cell in 0..height * width {
                let (left, top) = (cell % width * 32, cell / width * 32);
                let pixels = || (top..top + 32).flat_map(|y| image.row(y)[left..left + 32].iter().copied());
                let mean = pixels().sum::<f32>() / 1024.0;
                let spread = pixels().map(|p| (p - mean).abs()).sum::<f32>() / 1024.0;
                let edge = image.at(left + 16, top + 16);
                values.extend([mean, spread, edge, mean * mean / 255.0, spread.sqrt(), (mean - 128.0).abs()]);
            }
        }
        Ok(Features { batch: images.len(), height, width, channels, values })
    }
}

/// A data set of drawings: a bright disc on a grey plate, the larger the older.
fn draw_data(folder: &Path, count: usize) {
    std::fs::create_dir_all(folder.join("boneage-training-dataset")).unwrap();
    let mut table = String::from("id,boneage,male\n");
    for i in 0..count {
        let id = 1377 + i;
        let mut random = stream(9, &["drawing", &id.to_string()]);
        let (months, male) = (random.uniform(12.0, 216.0), random.unit() < 0.5);
        let (cx, cy) = (random.uniform(28.0, 36.0), random.uniform(28.0, 36.0));
        let radius = 6.0 + months / 12.0;
        let image = image::GrayImage::from_fn(64, 64, |x, y| {
            let inside = (f64::from(x) - cx).hypot(f64::from(y) - cy) < radius;
            image::Luma([(40.0 + random.uniform(0.0, 20.0) + if inside { 150.0 } else { 0.0 }) as u8])
        });
        image.save(folder.join(format!("boneage-training-dataset/{id}.png"))).unwrap();
        let male = if male { "True" } else { "False" };
        table.push_str(&format!("{id},{months:.0},{male}\n"));
    }
    std::fs::write(folder.join("boneage-training-dataset.csv"), table).unwrap();
}

fn smoke() -> Recipe {
    Recipe::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/smoke.toml")).unwrap()
}

fn train_into(
    folder: &Path,
    experiment: &Experiment,
    backbone: &dyn Backbone,
    until: Option<u32>,
) -> RunFolder {
    let run = RunFolder::open(folder, experiment).unwrap();
    train(experiment, backbone, &run, until, &mut |_| ()).unwrap();
    run
}

#[test]
fn a_training_learns_resumes_exactly_and_leaves_a_model() {
    let dir = tempfile::tempdir().unwrap();
    let (data, cache) = (dir.path().join("data"), dir.path().join("cache"));
    draw_data(&data, 240);
    let backbone = CellMeans::default();
    let experiment = Experiment::open(smoke(), &data, &cache, &backbone).unwrap();
    experiment.fill(&backbone, Purpose::Report).unwrap();

    let straight = train_into(&dir.path().join("straight"), &experiment, &backbone, None);
    let epochs = straight.epochs().unwrap();
    assert_eq!(epochs.len(), 4);
    assert!(epochs[3].loss < epochs[0].loss, "{epochs:?}");

    // Killed after two epochs, between telling the third and checkpointing it, then gone on.
    let stopped = dir.path().join("stopped");
    let run = train_into(&stopped, &experiment, &backbone, Some(2));
    let metrics = stopped.join("metrics.jsonl");
    let told = std::fs::read_to_string(&metrics).unwrap();
    let third = serde_json::to_string(&epochs[2]).unwrap();
    std::fs::write(&metrics, format!("{told}{third}\n{{\"epoch\": 4, \"lo")).unwrap();
    // On another number of threads than before, which must not matter.
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    one.install(|| train(&experiment, &backbone, &run, None, &mut |_| ())).unwrap();
    for file in ["last.safetensors", "best.safetensors"] {
        let read = |run: &RunFolder| std::fs::read(run.path().join(file)).unwrap();
        assert!(read(&straight) == read(&run), "{file} differs");
    }
    let figures = |run: &RunFolder| -> Vec<(u32, f64, f64)> {
        run.epochs().unwrap().iter().map(|e| (e.epoch, e.loss, e.inner_mae)).collect()
    };
    assert_eq!(figures(&run), figures(&straight));

    let evaluation =
        straight.finish(&experiment, Purpose::Report, "cells".into(), &backbone).unwrap().holdout.unwrap();
    assert_eq!(evaluation.all.images, experiment.split.list(Part::Holdout).len());
    let bundle = Bundle::read(&std::fs::read(straight.model()).unwrap()).unwrap();
    assert_eq!(bundle.manifest.name, "smoke");
    assert!((bundle.manifest.metrics[0].value - evaluation.all.mae.value).abs() < 1e-9);
    let predictions = std::fs::read_to_string(straight.path().join("predictions.csv")).unwrap();
    let Split { inner, calibration, .. } = &experiment.split;
    let expected = evaluation.all.images + inner.len() + calibration.len() + 1;
    assert_eq!(predictions.lines().count(), expected);

    // The folder belongs to its recipe.
    let mut other = smoke();
    other.training.epochs = 5;
    let other = Experiment::open(other, &data, &cache, &backbone).unwrap();
    assert!(matches!(RunFolder::open(straight.path(), &other), Err(LabError::Run(_))));
}

#[test]
fn fresh_views_differ_from_epoch_to_epoch_and_the_first_is_the_kept_one() {
    let dir = tempfile::tempdir().unwrap();
    let (data, cache) = (dir.path().join("data"), dir.path().join("cache"));
    draw_data(&data, 120);
    let train = |fresh: bool, name: &str| {
        let backbone = CellMeans::default();
        let mut recipe = smoke();
        recipe.augment = Augment { views: 1, fresh, include_clean: false, ..recipe.augment };
        recipe.training.epochs = 2;
        let experiment = Experiment::open(recipe, &data, &cache, &backbone).unwrap();
        experiment.fill(&backbone, Purpose::Trial).unwrap();
        let run = train_into(&dir.path().join(name), &experiment, &backbone, None);
        run.epochs().unwrap().iter().map(|epoch| epoch.loss).collect::<Vec<_>>()
    };
    let (kept, fresh) = (train(false, "kept"), train(true, "fresh"));
    // The cache rounds features to half precision.
    assert!((kept[0] - fresh[0]).abs() < 0.01 * kept[0], "{kept:?} {fresh:?}");
    assert!((kept[1] - fresh[1]).abs() > 1e-4 * kept[1], "{kept:?} {fresh:?}");
}

#[test]
fn a_cache_killed_in_the_middle_goes_on_and_comes_out_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    draw_data(&data, 60);
    let open = |cache: &str, backbone: &CellMeans| {
        Experiment::open(smoke(), &data, &dir.path().join(cache), backbone).unwrap()
    };
    let whole = CellMeans::default();
    let reference = open("whole", &whole);
    reference.fill(&whole, Purpose::Everything).unwrap();

    let dying = CellMeans { dies_after: Some(30), ..CellMeans::default() };
    let killed = open("killed", &dying);
    let death =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| killed.fill(&dying, Purpose::Everything)));
    assert!(death.is_err());
    let second = CellMeans::default();
    open("killed", &second).fill(&second, Purpose::Everything).unwrap();
    let (all, again) = (whole.images.into_inner(), second.images.into_inner());
    // Whatever had been flushed by then is not computed again.
    assert!(again < all, "{again} of {all} computed again");

    for view in reference.recipe.augment.all().into_iter().chain([View::Clean]) {
        let (a, b) = (reference.cache.reader(view).unwrap(), killed.cache.reader(view).unwrap());
        let mut records = [vec![0.0; 24], vec![0.0; 24]];
        for index in 0..60 {
            assert_eq!(a.is_done(index), b.is_done(index));
            if a.is_done(index) {
                a.read(index, &mut records[0]).unwrap();
                b.read(index, &mut records[1]).unwrap();
                assert_eq!(records[0], records[1]);
            }
        }
    }
    // A third filling finds nothing to do.
    let third = CellMeans::default();
    open("killed", &third).fill(&third, Purpose::Everything).unwrap();
    assert_eq!(third.images.into_inner(), 0);
}

#[test]
fn an_unreadable_image_is_named_after_the_rest_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    draw_data(&data, 60);
    std::fs::write(data.join("boneage-training-dataset/1380.png"), b"not an image").unwrap();
    let backbone = CellMeans::default();
    let experiment = Experiment::open(smoke(), &data, &dir.path().join("cache"), &backbone).unwrap();
    let message = experiment.fill(&backbone, Purpose::Everything).unwrap_err().to_string();
    assert!(message.contains("1380.png") && message.contains("dataset check"), "{message}");
    let clean = experiment.cache.reader(View::Clean).unwrap();
    assert_eq!((0..60).filter(|&i| !clean.is_done(i)).count(), 1);
}

#[test]
fn the_model_reads_files_as_the_training_read_its_cache() {
    check_the_model_reads_as_the_training_did(13);
}

#[test]
fn a_model_with_trained_convolutions_reads_files_as_the_training_read_its_cache() {
    check_the_model_reads_as_the_training_did(11);
}

#[test]
fn a_training_begins_where_another_model_ended() {
    let dir = tempfile::tempdir().unwrap();
    let (data, cache) = (dir.path().join("data"), dir.path().join("cache"));
    draw_data(&data, 160);
    let backbone = CellMeans::default();
    let train = |recipe: Recipe, name: &str| {
        let experiment = Experiment::open(recipe, &data, &cache, &backbone)?;
        experiment.fill(&backbone, Purpose::Trial)?;
        let run = RunFolder::open(&dir.path().join(name), &experiment)?;
        train(&experiment, &backbone, &run, None, &mut |_| ())?;
        run.finish(&experiment, Purpose::Trial, "cells".into(), &backbone)?;
        Ok::<RunFolder, LabError>(run)
    };
    let first = train(smoke(), "first").unwrap();
    let mut recipe = smoke();
    recipe.start = Some(first.model());
    recipe.training.epochs = 1;
    let second = train(recipe.clone(), "second").unwrap();
    let losses = |run: &RunFolder| run.epochs().unwrap().iter().map(|e| e.loss).collect::<Vec<_>>();
    assert!(losses(&second)[0] < losses(&first)[0], "{:?} {:?}", losses(&first), losses(&second));

    recipe.head.hidden += 1;
    let message = train(recipe, "third").map(|_| ()).unwrap_err().to_string();
    assert!(message.contains("dense") && message.contains("hint: the same [head]"), "{message}");
}

fn check_the_model_reads_as_the_training_did(frozen: usize) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    draw_data(&data, 60);
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/vgg16-imagenet.safetensors");
    let backbone = FrozenVgg16::read(&weights, frozen).unwrap();
    let mut recipe = smoke();
    recipe.augment.views = 0;
    recipe.head.channels = 512;
    recipe.transfer.frozen = frozen;
    recipe.training.epochs = 1;
    recipe.training.centred = true;
    let experiment = Experiment::open(recipe, &data, &dir.path().join("cache"), &backbone).unwrap();
    experiment.fill(&backbone, Purpose::Trial).unwrap();
    let run = train_into(&dir.path().join("run"), &experiment, &backbone, None);
    let name = "vgg16-imagenet".to_owned();
    let finished = run.finish(&experiment, Purpose::Trial, name, &backbone).unwrap();
    assert!(finished.holdout.is_none());

    let predictor =
        Predictor::new(&std::fs::read(run.model()).unwrap(), &std::fs::read(&weights).unwrap()).unwrap();
    let inner: Vec<&Radiograph> =
        experiment.indices(Part::Inner).into_iter().map(|i| &experiment.dataset.radiographs[i]).collect();
    let (scored, unreadable) = read_all(&predictor, &inner);
    assert!(unreadable.is_empty() && !scored.is_empty());
    let predictions = std::fs::read_to_string(run.path().join("predictions.csv")).unwrap();
    let number = |line: &str, field| line.split(',').nth(field).unwrap().parse::<f32>().unwrap();
    let errors = predictions.lines().skip(1).map(|line| Months(number(line, 4) - number(line, 3)));
    let middle = median(errors).unwrap();
    assert!(middle.0.abs() < 0.01, "a centred model errs by {} in the median", middle.0);
    for (line, scored) in predictions.lines().skip(1).zip(&scored) {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields[0], scored.id);
        let cached: f32 = fields[4].parse().unwrap();
        // The cache rounds features to half precision.
        assert!(
            (cached.max(0.0) - scored.predicted.0.max(0.0)).abs() < 0.5,
            "{line}: {}",
            scored.predicted.0
        );
    }
}
