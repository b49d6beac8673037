use crate::exit::Exit;
use crate::kept::keep;
use crate::models::{self, ModelArgs};
use crate::printer::Printer;
use anyhow::{Context, bail};
use boneage_draw::Drawing;
use boneage_lab::figures::{self, ComparedCell, Film, LearningCurve, Series};
use boneage_lab::{Augment, Dataset, DatasetAnalysis, LabError, Part, Recipe, RunFolder};
use boneage_vision::{HandRecipe, Preprocess, extract_hand};
use std::fs;
use std::path::PathBuf;

/// Draw the figures of the paper and of a report: each as SVG and as PNG.
///
/// What can be drawn is drawn: diagrams of the networks without any input; the ages and samples of a data
/// set with --data; sheets of films with --films or --data; predictions and learning curves with --run;
/// the comparison with the paper with --table.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  Diagrams, and every figure of the data set and of two trainings:
    boneage figures --data rsna --run runs/model-1 --run runs/model-2 --out figures

  Attention maps of one's own films:
    boneage figures --films films --only attention-maps --out figures")]
pub(crate) struct Args {
    /// Folder of the data set: boneage-training-dataset.csv and its folder of images
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder of the films that sheets show, with a table labels.csv (id, boneage, male) if there is one; else
    /// some of the data set
    #[arg(long, value_name = "DIR")]
    films: Option<PathBuf>,
    /// Folder of a training; may be given more than once
    #[arg(long, value_name = "DIR")]
    run: Vec<PathBuf>,
    /// Which predictions of the trainings are shown
    #[arg(long, value_enum, default_value = "holdout")]
    split: Split,
    /// A table1.csv of `boneage reproduce`
    #[arg(long, value_name = "CSV")]
    table: Option<PathBuf>,
    /// Recipe whose preprocessing and augmentation the sheet of augmentation shows; else the paper's
    #[arg(long, value_name = "TOML")]
    recipe: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    /// Draw this figure alone; may be given more than once
    #[arg(long, value_name = "FIGURE")]
    only: Vec<Name>,
    /// Folder for the figures: made where it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace files that are there already
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Split {
    Holdout,
    Inner,
}

/// Every figure, by the name of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    Connections,
    Vgg16,
    Transfer,
    Model1,
    Model2,
    AgeDistribution,
    Samples,
    Extraction,
    Augmentation,
    AttentionMaps,
    Agreement,
    Residuals,
    ErrorsByAge,
    LearningCurves,
    Comparison,
}

/// What a figure is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Nothing,
    Data,
    Films,
    Runs,
    Table,
}

impl Name {
    fn as_str(self) -> &'static str {
        match self {
            Name::Connections => "connections",
            Name::Vgg16 => "vgg16",
            Name::Transfer => "transfer",
            Name::Model1 => "model1",
            Name::Model2 => "model2",
            Name::AgeDistribution => "age-distribution",
            Name::Samples => "samples",
            Name::Extraction => "extraction",
            Name::Augmentation => "augmentation",
            Name::AttentionMaps => "attention-maps",
            Name::Agreement => "agreement",
            Name::Residuals => "residuals",
            Name::ErrorsByAge => "errors-by-age",
            Name::LearningCurves => "learning-curves",
            Name::Comparison => "comparison",
        }
    }

    fn input(self) -> Input {
        match self {
            Name::Connections | Name::Vgg16 | Name::Transfer | Name::Model1 | Name::Model2 => Input::Nothing,
            Name::AgeDistribution => Input::Data,
            Name::Samples | Name::Extraction | Name::Augmentation | Name::AttentionMaps => Input::Films,
            Name::Agreement | Name::Residuals | Name::ErrorsByAge | Name::LearningCurves => Input::Runs,
            Name::Comparison => Input::Table,
        }
    }
}

/// What is meant, read and checked before the first figure is drawn.
struct Settings {
    names: Vec<Name>,
    data: Option<Dataset>,
    /// Those that were given, else those of the data set.
    films: Vec<Film>,
    runs: Vec<RunFolder>,
    part: Part,
    cells: Vec<ComparedCell>,
    recipe: Option<Recipe>,
    model: ModelArgs,
}

impl Settings {
    fn new(args: &Args) -> anyhow::Result<Self> {
        let has = |input: Input| match input {
            Input::Nothing => true,
            Input::Data => args.data.is_some(),
            Input::Films => args.films.is_some() || args.data.is_some(),
            Input::Runs => !args.run.is_empty(),
            Input::Table => args.table.is_some(),
        };
        if let Some(name) = args.only.iter().find(|name| !has(name.input())) {
            let hint = match name.input() {
                Input::Nothing | Input::Data => "--data DIR",
                Input::Films => "--films DIR or --data DIR",
                Input::Runs => "--run DIR",
                Input::Table => "--table CSV",
            };
            bail!("figure {} needs more than was given; hint: {hint}", name.as_str());
        }
        let wanted = |name: &Name| match args.only.is_empty() {
            true => has(name.input()),
            false => args.only.contains(name),
        };
        let all = <Name as clap::ValueEnum>::value_variants().iter().copied();
        let names: Vec<Name> = all.filter(wanted).collect();
        let files = |name: &Name| ["svg", "png"].map(|end| args.out.join(format!("{}.{end}", name.as_str())));
        keep(names.iter().flat_map(files), args.force)?;
        let data = args.data.as_deref().map(Dataset::read).transpose()?;
        let films = match (&args.films, &data) {
            _ if !names.iter().any(|name| name.input() == Input::Films) => Vec::new(),
            (Some(folder), _) => Film::folder(folder)?,
            (None, Some(data)) => Film::spread(data, figures::SAMPLE_COLUMNS)?,
            (None, None) => Vec::new(),
        };
        Ok(Settings {
            data,
            films,
            runs: args.run.iter().map(|run| RunFolder::existing(run)).collect::<Result<_, _>>()?,
            part: match args.split {
                Split::Holdout => Part::Holdout,
                Split::Inner => Part::Inner,
            },
            cells: args.table.as_deref().map(ComparedCell::read).transpose()?.unwrap_or_default(),
            recipe: args.recipe.as_deref().map(Recipe::read).transpose()?,
            model: args.model.clone(),
            names,
        })
    }
}

/// Draws what was asked for and names each file on stdout.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    let settings = Settings::new(&args)?;
    fs::create_dir_all(&args.out).with_context(|| format!("folder {}", args.out.display()))?;
    for &name in &settings.names {
        let drawing = settings.draw(name).with_context(|| format!("figure {}", name.as_str()))?;
        drawing.write(&args.out, name.as_str())?;
        for end in ["svg", "png"] {
            printer.result(format!("{}\n", args.out.join(format!("{}.{end}", name.as_str())).display()))?;
        }
    }
    Ok(Exit::Done)
}

impl Settings {
    fn draw(&self, name: Name) -> anyhow::Result<Drawing> {
        Ok(match name {
            Name::Connections => figures::connections_diagram(figures::MODEL_PIXELS[0])?,
            Name::Vgg16 => figures::vgg16_diagram(figures::MODEL_PIXELS[0]),
            Name::Transfer => figures::transfer_diagram(figures::MODEL_PIXELS[0])?,
            Name::Model1 => figures::model_1_diagram(figures::MODEL_PIXELS[0])?,
            Name::Model2 => figures::model_2_diagram(figures::MODEL_PIXELS[1])?,
            Name::AgeDistribution => {
                let data = self.data.as_ref().context("no data set was read")?;
                figures::age_distribution(&DatasetAnalysis::of(data))?
            }
            Name::Samples => figures::samples(&self.films)?,
            Name::Extraction => {
                let film = self.first_film()?;
                let found = extract_hand(&film.plane, &HandRecipe::default());
                figures::stages(&film.plane, &found, &[])
            }
            Name::Augmentation => {
                let (preprocess, augment) = match &self.recipe {
                    Some(recipe) => (recipe.preprocess.clone(), recipe.augment),
                    None => (Preprocess::default(), Augment::default()),
                };
                figures::augmentation(self.first_film()?, &preprocess, &augment.ranges, augment.seed)
            }
            Name::AttentionMaps => {
                let films = Film::few(&self.films, figures::ATTENTION_FILMS);
                figures::attention_maps(&models::predictor(&self.model, models::Images::Many)?, &films)?
            }
            Name::Agreement => figures::agreement("Predicted against true bone age", &self.series()?)?,
            Name::Residuals => figures::residuals("Errors by age", &self.series()?)?,
            Name::ErrorsByAge => figures::errors_by_age("Mean absolute error by age", &self.series()?)?,
            Name::LearningCurves => {
                let curve =
                    |run: &RunFolder| Ok(LearningCurve { name: run.recipe()?.name, epochs: run.epochs()? });
                let curves: Vec<LearningCurve> =
                    self.runs.iter().map(curve).collect::<Result<_, LabError>>()?;
                figures::learning_curves("Learning curves", &curves)?
            }
            Name::Comparison => figures::comparison("The paper's table I, reproduced", &self.cells)?,
        })
    }

    fn first_film(&self) -> anyhow::Result<&Film> {
        Film::typical(&self.films).context("there is no film to show")
    }

    fn series(&self) -> anyhow::Result<Vec<Series>> {
        let one =
            |run: &RunFolder| Ok(Series { name: run.recipe()?.name, scored: run.predictions(self.part)? });
        self.runs.iter().map(one).collect()
    }
}
