use crate::exit::Exit;
use crate::printer::Printer;
use anyhow::{Context, bail};
use boneage_lab::{
    AnyRecipe, Dataset, EpochRecord, Experiment, FrozenVgg16, Part, Purpose, RegressionRecipe, RunFolder,
    train, train_regression,
};
use std::path::{Path, PathBuf};

/// Train a model as a recipe says.
///
/// The frozen part of the network looks at every image once; its features are kept in a cache, and
/// further training on the same images takes minutes. A training that was stopped goes on where it was
/// when the same command is given again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  boneage train recipes/attention-sex-256.toml --data rsna --out runs/attention-sex-256")]
pub(crate) struct Args {
    /// The recipe, a TOML file
    recipe: PathBuf,
    /// Folder of the data set: boneage-training-dataset.csv and its folder of images
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Folder of the run: made anew, or continued where it holds the same recipe
    #[arg(long, value_name = "DIR", required_unless_present = "cache_only")]
    out: Option<PathBuf>,
    /// Fill the feature cache for this recipe and stop
    #[arg(long)]
    cache_only: bool,
    /// Leave the held-out images alone: for choosing between recipes by the inner validation
    #[arg(long, conflicts_with = "cache_only")]
    trial: bool,
    /// Folder of the feature cache [default: boneage in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// Weights of the frozen network
    #[arg(long, value_name = "FILE", default_value = "models/vgg16-imagenet.safetensors")]
    backbone: PathBuf,
}

/// Fills the cache, then trains; a regression needs no cache.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    let recipe = AnyRecipe::read(&args.recipe)?;
    let cache_dir = match &args.cache_dir {
        Some(dir) => dir.clone(),
        None => default_cache_dir()?,
    };
    let recipe = match recipe {
        AnyRecipe::Network(recipe) => *recipe,
        AnyRecipe::Regression(recipe) => return regress(&recipe, &args, &cache_dir, printer),
    };
    let backbone = FrozenVgg16::read(&args.backbone, recipe.transfer.frozen)
        .context("the frozen network could not be read; hint: run from the checkout, or give --backbone")?;
    let experiment = Experiment::open(recipe, &args.data, &cache_dir, &backbone)?;
    tell(&experiment, printer);
    let purpose = match (args.cache_only, args.trial) {
        (true, _) => Purpose::Everything,
        (false, true) => Purpose::Trial,
        (false, false) => Purpose::Report,
    };
    experiment.fill(&backbone, purpose)?;
    if args.cache_only {
        printer.note(format!("features are in {}", experiment.cache.folder().display()));
        return Ok(Exit::Done);
    }
    let folder = args.out.context("give the folder of the run with --out")?;
    let run = RunFolder::open(&folder, &experiment)?;
    train(&experiment, &backbone, &run, None, &mut |epoch| printer.note(line(epoch, &experiment)))?;
    let name = args.backbone.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let finished = run.finish(&experiment, purpose, name, &backbone)?;
    printer.note(format!(
        "model {}, report {}",
        run.model().display(),
        run.path().join("report.md").display()
    ));
    for (part, evaluation) in [("inner validation", finished.inner), ("holdout", finished.holdout)] {
        if let Some(evaluation) = evaluation {
            printer.result(format!("{part}\n{}", evaluation.to_text()))?;
        }
    }
    Ok(Exit::Done)
}

/// Fits one of the paper's regressions.
fn regress(
    recipe: &RegressionRecipe,
    args: &Args,
    cache_dir: &Path,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    if args.cache_only || args.trial {
        bail!(
            "{} is a regression, which has no features to cache and chooses by cross-validation; \
             hint: leave --cache-only and --trial out",
            recipe.name
        );
    }
    let folder = args.out.as_ref().context("give the folder of the run with --out")?;
    let dataset = Dataset::read(&args.data)?;
    tell_unused(&dataset, printer);
    let finished = train_regression(recipe, &dataset, cache_dir, folder)?;
    if let Some(count) = finished.components {
        printer.note(format!("{}: {count} principal components", recipe.name));
    }
    printer.note(format!(
        "model {}, report {}",
        folder.join("model.safetensors").display(),
        folder.join("report.md").display()
    ));
    for (part, evaluation) in [("training", &finished.training), ("holdout", &finished.holdout)] {
        printer.result(format!("{part}\n{}", evaluation.to_text()))?;
    }
    Ok(Exit::Done)
}

fn line(epoch: &EpochRecord, experiment: &Experiment) -> String {
    format!(
        "epoch {}/{}  loss {:.4}  inner loss {:.4}  MAE {:.2}  RMSE {:.2} months  rate {:.1e}  {:.1} s{}",
        epoch.epoch,
        experiment.recipe.training.epochs,
        epoch.loss,
        epoch.inner_loss,
        epoch.inner_mae,
        epoch.inner_rmse,
        epoch.learning_rate,
        epoch.seconds,
        if epoch.best { "  best" } else { "" }
    )
}

fn tell(experiment: &Experiment, printer: &Printer) {
    let count = |part| experiment.split.list(part).len();
    let recipe = &experiment.recipe;
    printer.note(format!(
        "{}: {} images for training, {} for inner validation, {} for calibration, {} held out",
        recipe.name,
        count(Part::Training),
        count(Part::Inner),
        count(Part::Calibration),
        count(Part::Holdout)
    ));
    for dropped in &experiment.split.dropped {
        let (part, twin_part) = (dropped.part.as_str(), dropped.twin_part.as_str());
        printer.note(format!(
            "{} ({part}) is not used: it looks like {} ({twin_part})",
            dropped.id, dropped.twin
        ));
    }
    tell_unused(&experiment.dataset, printer);
}

/// Says how much of the table cannot be used.
fn tell_unused(dataset: &Dataset, printer: &Printer) {
    if !dataset.missing.is_empty() || !dataset.rejected.is_empty() {
        printer.warning(format!(
            "{} images of the table are missing and {} rows could not be used; boneage dataset check names them",
            dataset.missing.len(),
            dataset.rejected.len()
        ));
    }
}

/// `$XDG_CACHE_HOME/boneage`, else `~/.cache/boneage`.
pub(crate) fn default_cache_dir() -> anyhow::Result<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    match (folder("XDG_CACHE_HOME"), folder("HOME")) {
        (Some(cache), _) => Ok(cache.join("boneage")),
        (None, Some(home)) => Ok(home.join(".cache/boneage")),
        (None, None) => bail!("no cache folder is known, as HOME is not set; hint: give --cache-dir"),
    }
}
