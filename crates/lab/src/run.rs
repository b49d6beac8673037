use crate::checkpoint::{read_network, write_atomically};
use crate::feeder::AgeScale;
use crate::model_facts::{self, ATTRIBUTION, LICENCE};
use crate::predictions::predictions_csv;
use crate::training::predict;
use crate::{
    Backbone, EpochRecord, Evaluation, Experiment, INTERVAL_LEVEL, LabError, Part, Purpose, Recipe, Scored,
    calibrate_intervals, median, read_predictions,
};
use boneage_assess::{
    BackboneName, Bundle, IntervalTable, Manifest, Metric, ModelShape, ModelWeights, NetworkShape,
    NetworkWeights, Training,
};
use boneage_core::Months;
use boneage_nets::{Network, VggTail};
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is added to the terms of every model, for the backbone.
const BACKBONE_LICENCE: &str = "VGG16 features: CC BY 4.0.";
/// Whom else to name.
const BACKBONE_ATTRIBUTION: &str = "VGG16 by K. Simonyan and A. Zisserman, University of Oxford";

/// The folder of one training: resolved recipe, split, metrics, checkpoints, and in the end the
/// predictions, their evaluation and the model.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

/// What a finished run says about its model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finished {
    /// On the inner validation, by which choices were made.
    pub inner: Option<Evaluation>,
    /// On the holdout; `None` in a trial.
    pub holdout: Option<Evaluation>,
}

impl RunFolder {
    /// Makes the folder, or opens it where it holds the same recipe.
    ///
    /// # Errors
    /// When the folder holds another recipe or cannot be made.
    pub fn open(path: &Path, experiment: &Experiment) -> Result<Self, LabError> {
        claim_folder(path, &experiment.recipe.to_toml())?;
        let run = RunFolder { path: path.to_owned() };
        let split = serde_json::to_vec_pretty(&experiment.split).expect("ids and words");
        write_atomically(&run.file("split.json"), &split)?;
        Ok(run)
    }

    /// Opens the folder of a run to look at what it left.
    ///
    /// # Errors
    /// When the folder holds no run.
    pub fn existing(path: &Path) -> Result<Self, LabError> {
        let run = RunFolder { path: path.to_owned() };
        if !run.file("recipe.toml").exists() {
            let path = path.display();
            return Err(LabError::Run(format!(
                "folder {path} holds no recipe.toml; hint: name a folder that boneage train made"
            )));
        }
        Ok(run)
    }

    /// Its recipe, resolved.
    ///
    /// # Errors
    /// When the recipe cannot be read.
    pub fn recipe(&self) -> Result<Recipe, LabError> {
        Recipe::read(&self.file("recipe.toml"))
    }

    /// What the best epoch's network predicts for one part of the split; none where that was not read.
    ///
    /// # Errors
    /// When the run is not finished, or its predictions cannot be read.
    pub fn predictions(&self, part: Part) -> Result<Vec<Scored>, LabError> {
        read_predictions(&self.file("predictions.csv"), part)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The best epoch's network.
    pub(crate) fn best(&self) -> PathBuf {
        self.file("best.safetensors")
    }

    /// Everything after the last epoch.
    pub(crate) fn last(&self) -> PathBuf {
        self.file("last.safetensors")
    }

    /// The model that comes out.
    pub fn model(&self) -> PathBuf {
        self.file("model.safetensors")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Every finished epoch.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn epochs(&self) -> Result<Vec<EpochRecord>, LabError> {
        let path = self.file("metrics.jsonl");
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = std::fs::read_to_string(&path).map_err(LabError::io(&path))?;
        // A line that a kill cut in half belongs to an epoch without a checkpoint.
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Forgets epochs after the first `epochs`: they were told but not checkpointed.
    pub(crate) fn keep_epochs(&self, epochs: u32) -> Result<(), LabError> {
        let kept = self.epochs()?.into_iter().filter(|record| record.epoch <= epochs);
        let text: String = kept.map(|record| json_line(&record)).collect();
        write_atomically(&self.file("metrics.jsonl"), text.as_bytes())
    }

    pub(crate) fn add_epoch(&self, record: &EpochRecord) -> Result<(), LabError> {
        let path = self.file("metrics.jsonl");
        let file = OpenOptions::new().append(true).create(true).open(&path);
        file.and_then(|mut file| file.write_all(json_line(record).as_bytes())).map_err(LabError::io(&path))
    }

    /// Predicts inner validation and, unless this is a trial, calibration part and holdout with the best head, and
    /// writes predictions, evaluation, report and model, whose manifest knows `backbone` by `name`. Its
    /// intervals are those of the calibration part, where that holds enough images of each sex.
    ///
    /// # Errors
    /// When no epoch is finished or the disk fails.
    pub fn finish(
        &self,
        experiment: &Experiment,
        purpose: Purpose,
        name: String,
        backbone: &dyn Backbone,
    ) -> Result<Finished, LabError> {
        let config = experiment.recipe.head.clone();
        let network = read_network(&self.best(), Network::initial(backbone.tail(), config, 0))?;
        let training = experiment.indices(Part::Training);
        let ages = || training.iter().map(|&i| experiment.dataset.radiographs[i].months);
        let constant = median(ages()).unwrap_or(Months(0.0));
        let predicted = |part: Part| predict(experiment, &network, backbone, &experiment.indices(part));
        let inner = predicted(Part::Inner)?;
        let mut shift = 0.0;
        if experiment.recipe.training.centred {
            let read = experiment.indices(Part::Inner).into_iter().zip(&inner);
            let error =
                |(i, read): (usize, &Months)| Months(experiment.dataset.radiographs[i].months.0 - read.0);
            shift = median(read.map(error)).map_or(0.0, |months| months.0);
        }
        let scored = |part: Part, predicted: Vec<Months>, table: Option<&IntervalTable>| -> Vec<Scored> {
            let read = experiment.indices(part).into_iter().zip(predicted);
            read.map(|(index, predicted)| {
                let r = &experiment.dataset.radiographs[index];
                let (id, sex, truth, predicted) =
                    (r.id.clone(), r.sex, r.months, Months(predicted.0 + shift));
                let interval = table.map(|table| table.interval(Months(predicted.0.max(0.0)), Some(sex)));
                // Refusal is decided on the image itself, which the cache does not hold.
                Scored { id, sex, truth, predicted, accepted: None, interval }
            })
            .collect()
        };
        // Without intervals where there are too few to calibrate them: the report says so.
        let calibration = if purpose == Purpose::Trial {
            Vec::new()
        } else {
            scored(Part::Calibration, predicted(Part::Calibration)?, None)
        };
        let interval = calibrate_intervals(&calibration, INTERVAL_LEVEL).ok();
        let mut parts = Vec::new();
        let mut evaluate = |part: Part, predicted: Vec<Months>| -> Option<Evaluation> {
            let scored = scored(part, predicted, interval.as_ref());
            let evaluation = Evaluation::new(&scored, constant, "the median of the training labels");
            parts.push((part, scored));
            evaluation
        };
        let inner = evaluate(Part::Inner, inner);
        let holdout =
            if purpose == Purpose::Trial { None } else { evaluate(Part::Holdout, predicted(Part::Holdout)?) };
        parts.push((Part::Calibration, calibration));
        let finished = Finished { inner, holdout };
        write_atomically(&self.file("predictions.csv"), predictions_csv(&parts).as_bytes())?;
        let json = serde_json::to_vec_pretty(&finished).expect("words and numbers");
        write_atomically(&self.file("evaluation.json"), &json)?;
        let report = report(experiment, &self.epochs()?, &finished, interval.as_ref());
        write_atomically(&self.file("report.md"), report.as_bytes())?;

        let scale = AgeScale::of(&ages().collect::<Vec<_>>());
        let recipe = &experiment.recipe;
        let manifest = Manifest {
            format: Manifest::FORMAT,
            name: recipe.name.clone(),
            version: "1".to_owned(),
            model: ModelShape::Network(NetworkShape {
                head: recipe.head.clone(),
                age_mean: scale.mean + shift,
                age_sd: scale.sd,
                backbone: BackboneName { name, digest: backbone.weights(), frozen: recipe.transfer.frozen },
            }),
            preprocess: recipe.preprocess.clone(),
            trained_ages: model_facts::trained_ages(ages()),
            training: Training {
                recipe: recipe.to_json(),
                recipe_digest: recipe.digest(),
                data_digest: experiment.data_digest.clone(),
                split: recipe.split.describe().to_owned(),
            },
            metrics: metrics(&finished),
            licence: format!("{LICENCE} {BACKBONE_LICENCE}"),
            attribution: format!("{ATTRIBUTION}; {BACKBONE_ATTRIBUTION}"),
            interval,
            recalibration: None,
            guard: None,
            weights: None,
        };
        let tuned = network.tail().map_or_else(Vec::new, VggTail::state);
        let weights = ModelWeights::Network(Box::new(NetworkWeights { head: network.head().clone(), tuned }));
        let bundle = Bundle { manifest, weights };
        write_atomically(&self.model(), &bundle.to_bytes()?)?;
        Ok(finished)
    }
}

/// Makes the folder of a run and writes its resolved recipe, unless it is there already.
///
/// # Errors
/// When the folder holds another recipe or cannot be made.
pub(crate) fn claim_folder(path: &Path, recipe: &str) -> Result<(), LabError> {
    std::fs::create_dir_all(path).map_err(LabError::io(path))?;
    let file = path.join("recipe.toml");
    match std::fs::read_to_string(&file) {
        Ok(found) if found != recipe => {
            let path = path.display();
            Err(LabError::Run(format!("folder {path} holds another recipe; hint: choose another --out")))
        }
        Ok(_) => Ok(()),
        Err(_) => write_atomically(&file, recipe.as_bytes()),
    }
}

fn json_line(record: &EpochRecord) -> String {
    let mut line = serde_json::to_string(record).expect("numbers and truth values");
    line.push('\n');
    line
}

/// The figures as the manifest keeps them: those of the holdout where it was read.
fn metrics(finished: &Finished) -> Vec<Metric> {
    match (&finished.holdout, &finished.inner) {
        (Some(holdout), _) => model_facts::metrics("holdout", holdout),
        (None, Some(inner)) => model_facts::metrics("inner validation", inner),
        (None, None) => Vec::new(),
    }
}

fn report(
    experiment: &Experiment,
    epochs: &[EpochRecord],
    finished: &Finished,
    interval: Option<&IntervalTable>,
) -> String {
    let recipe = &experiment.recipe;
    let mut text = format!("# {}\n\n{}\n\n", recipe.name, recipe.description);
    let count = |part| experiment.split.list(part).len();
    text.push_str(&format!(
        "Recipe {}, data {}. {} images for training, {} for inner validation, {} held out.\n",
        recipe.digest().short(),
        experiment.data_digest.short(),
        count(Part::Training),
        count(Part::Inner),
        count(Part::Holdout)
    ));
    if let Some(best) = epochs.iter().rfind(|record| record.best) {
        let seconds: f64 = epochs.iter().map(|record| record.seconds).sum();
        text.push_str(&format!("Best epoch {} of {}, {seconds:.0} s in all.\n", best.epoch, epochs.len()));
    }
    text.push_str(&match interval {
        Some(table) => format!(
            "Intervals of {:.0} % from {} calibration images, which trained nothing.\n",
            table.level * 100.0,
            table.images
        ),
        None => "No intervals: they need 100 calibration images of each sex.\n".to_owned(),
    });
    for (name, evaluation) in [("Inner validation", &finished.inner), ("Holdout", &finished.holdout)] {
        if let Some(evaluation) = evaluation {
            text.push_str(&format!("\n## {name}\n\n```text\n{}```\n", evaluation.to_text()));
        }
    }
    text
}
