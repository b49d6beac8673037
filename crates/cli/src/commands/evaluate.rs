use crate::exit::Exit;
use crate::kept::keep;
use crate::models::{self, Images, ModelArgs};
use crate::printer::Printer;
use anyhow::{Context, anyhow, bail};
use boneage_core::Months;
use boneage_lab::{Dataset, Evaluation, Part, Radiograph, median, part_of, read_all, read_ids, readings_csv};
use std::fs;
use std::path::PathBuf;

/// Measure a model on labelled radiographs.
///
/// Tells the mean absolute error (MAE), the root mean squared error and the share within 6, 12 and
/// 24 months, each with its 95 % interval, by sex and age, beside what one constant age would reach.
/// Every readable image counts, whether or not it would be refused; accepted only stands beside it.
/// For a model with intervals, how often they hold the label, by sex and age, and how wide they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  The fifth of the RSNA data that no training has seen:
    boneage evaluate --data rsna --split holdout

  One's own images:
    boneage evaluate --images films --labels ages.csv --format json")]
pub(crate) struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Folder of images, each named by its id: ID.png or ID.jpg
    #[arg(long, value_name = "DIR", requires = "labels", conflicts_with = "data")]
    images: Option<PathBuf>,
    /// Table with the columns id, boneage (months) and male (or sex)
    #[arg(long, value_name = "CSV", requires = "images")]
    labels: Option<PathBuf>,
    /// Folder of the RSNA training data, instead of --images and --labels
    #[arg(long, value_name = "DIR", required_unless_present = "images")]
    data: Option<PathBuf>,
    /// With --data: which part of it
    #[arg(long, value_enum, default_value = "holdout", requires = "data")]
    split: Split,
    /// Only these ids: one a line, or the first column of a CSV file
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    /// How the result is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Exit with 1 where the intervals do not keep their promise: of all images 2 in 100 more or fewer than
    /// promised, or of a sex and age so many that chance explains it once in a hundred
    #[arg(long)]
    verify_coverage: bool,
    /// Also write each image's reading to this CSV file
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Replace the file of --predictions if it is there already
    #[arg(long, requires = "predictions")]
    force: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Split {
    Holdout,
    Inner,
    Calibration,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What is meant: the images to read, and the constant to stand beside.
struct Settings {
    radiographs: Vec<Radiograph>,
    /// Ids without an image and rows that could not be used, in words.
    left_out: Vec<String>,
    constant: Months,
    constant_source: &'static str,
}

impl Settings {
    fn new(args: &Args) -> anyhow::Result<Self> {
        keep(&args.predictions, args.force)?;
        let ids = args.ids.as_deref().map(read_ids).transpose()?;
        let wanted = |id: &str| ids.as_ref().is_none_or(|ids| ids.contains(id));
        let (dataset, part) = match (&args.data, &args.images, &args.labels) {
            (Some(data), _, _) => (Dataset::read(data)?, Some(args.split.part())),
            (None, Some(images), Some(labels)) => (Dataset::read_parts(images, labels)?, None),
            _ => bail!("no images are given; hint: --data DIR, or --images DIR with --labels CSV"),
        };
        let asked = |id: &str| wanted(id) && part.is_none_or(|part| part_of(id) == part);
        let left_out = left_out(&dataset, &asked);
        let mut radiographs = dataset.radiographs;
        let training = radiographs.iter().filter(|r| part_of(&r.id) == Part::Training);
        let of_training = median(training.map(|r| r.months));
        radiographs.retain(|r| asked(&r.id));
        let (constant, constant_source) = match part {
            Some(_) => (of_training, "the median of the training labels"),
            None => (median(radiographs.iter().map(|r| r.months)), "the median of these labels"),
        };
        let constant = constant.filter(|_| !radiographs.is_empty());
        let constant = constant.ok_or_else(|| {
            anyhow!(
                "no labelled image is left to read; hint: do --images, --labels and --ids use the same ids?"
            )
        })?;
        Ok(Settings { radiographs, left_out, constant, constant_source })
    }
}

impl Split {
    fn part(self) -> Part {
        match self {
            Split::Holdout => Part::Holdout,
            Split::Inner => Part::Inner,
            Split::Calibration => Part::Calibration,
        }
    }
}

/// Most of each kind that are named one by one.
const NAMED: usize = 5;

/// What of the table is not measured, where it is asked for: a figure must not hide whom it leaves out.
fn left_out(dataset: &Dataset, wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let missing: Vec<String> = dataset.missing.iter().filter(|id| wanted(id)).cloned().collect();
    let rejected: Vec<String> =
        dataset.rejected.iter().map(|row| format!("line {}: {}", row.line, row.reason)).collect();
    let told = |what: &str, items: Vec<String>, between: &str| {
        let named = items.iter().take(NAMED).cloned().collect::<Vec<_>>().join(between);
        let more = if items.len() > NAMED { ", and more" } else { "" };
        (!items.is_empty()).then(|| format!("{} {what}: {named}{more}", items.len()))
    };
    let missing = told("labelled images are not in the folder", missing, ", ");
    missing.into_iter().chain(told("rows of the table cannot be used", rejected, "; ")).collect()
}

/// Reads every image and prints the evaluation.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    let settings = Settings::new(&args)?;
    let predictor = models::predictor(&args.model, Images::Many)?;
    settings.left_out.iter().for_each(|line| printer.warning(line));
    let all: Vec<&Radiograph> = settings.radiographs.iter().collect();
    let (scored, unreadable) = read_all(&predictor, &all);
    for reason in &unreadable {
        printer.error(&anyhow!("{reason}"));
    }
    if let Some(path) = &args.predictions {
        fs::write(path, readings_csv(&scored)).with_context(|| format!("predictions {}", path.display()))?;
    }
    let evaluation = Evaluation::new(&scored, settings.constant, settings.constant_source)
        .context("none of the images could be read")?;
    match args.format {
        Format::Text => printer.result(evaluation.to_text())?,
        Format::Json => {
            let json = serde_json::json!({
                "model": predictor.name(),
                "unreadable": unreadable.len(),
                "evaluation": evaluation,
            });
            printer.result(format!("{}\n", serde_json::to_string_pretty(&json)?))?;
        }
    }
    let exit = if unreadable.is_empty() { Exit::Done } else { Exit::Input };
    if !args.verify_coverage {
        return Ok(exit);
    }
    let coverage = evaluation.coverage.with_context(|| {
        format!(
            "model {} has no intervals to verify; hint: boneage intervals calibrate",
            predictor.name().name
        )
    })?;
    let failures = coverage.failures();
    failures.iter().for_each(|failure| printer.warning(failure));
    Ok(exit.max(if failures.is_empty() { Exit::Done } else { Exit::No }))
}
