use crate::exit::{Exit, OurFault};
use crate::film::load;
use crate::inputs::gather;
use crate::models::{self, Images, ModelArgs};
use crate::outputs::{Folders, Outputs, Told};
use crate::placing::PlacingArgs;
use crate::printer::Printer;
use crate::report::{self, Format};
use crate::sex_table::Sexes;
use anyhow::{Context, anyhow, bail};
use boneage_assess::{Film, Pictures, Predictor};
use boneage_core::{Decision, DecodeLimits, Moment, Sex};
use boneage_dicom::UidRoot;
use boneage_report::{AdultHeight, Reference};
use boneage_vision::Placing;
use std::fs::{self, File};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Read the bone age from radiographs of the left hand.
///
/// Gives an age for every image, with the reasons to look twice (flags) where there are any.
/// Images are PNG, JPEG, TIFF, BMP or DICOM files; a folder or a DICOMDIR stands for all images in it.
/// The age depends on the sex of the child: give it with --sex or --sex-csv, or leave it to the DICOM header.
/// Without it the mean of the readings for a girl and for a boy is told, and flagged.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Images, and folders of images
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Sex of the child: male or female
    #[arg(long, value_name = "SEX")]
    sex: Option<Sex>,
    /// Table of sexes with the columns file,sex (or id,male as in the RSNA data)
    #[arg(long, value_name = "FILE")]
    sex_csv: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    /// How the result is written
    #[arg(long, value_enum, default_value = "text")]
    format: FormatWord,
    /// Also draw each image with the attention map and the hand's contour into this folder
    #[arg(long, value_name = "DIR")]
    overlay: Option<PathBuf>,
    /// Also write a page about each image, as PDF/A, into this folder
    #[arg(long, value_name = "DIR")]
    pdf: Option<PathBuf>,
    /// Also write each DICOM film's result as DICOM into this folder: picture, page and structured report
    #[arg(long, value_name = "DIR")]
    dicom_out: Option<PathBuf>,
    /// With --dicom-out: what new UIDs begin with
    #[arg(long, value_name = "UID", default_value_t, requires = "dicom_out")]
    uid_root: UidRoot,
    /// Table of usual bone ages with the columns sex,age,mean,sd in months [default: Brush Foundation]
    #[arg(long, value_name = "CSV")]
    reference: Option<PathBuf>,
    /// The child's height in centimetres: its adult height is predicted by the tables of Bayley and Pinneau
    #[arg(long, value_name = "CM", value_parser = centimetres)]
    height: Option<f32>,
    #[command(flatten)]
    placing: PlacingArgs,
    /// Write the result to this file instead of the terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(long)]
    force: bool,
    /// Largest image that is read, in millions of pixels
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max_megapixels: u32,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormatWord {
    Text,
    Json,
    Csv,
    Fhir,
}

const EXAMPLES: &str = "\
Examples:
  One film of a girl:
    boneage predict hand.png --sex female

  With a picture of where the network looked, written to the folder out:
    boneage predict hand.png --sex female --overlay out

  A film that lies on its side, of which only the right half is the hand:
    boneage predict hand.png --sex male --turn 90 --crop 0.5,0,0.5,1

  A DICOM film, the result as page and as DICOM objects for the archive:
    boneage predict film.dcm --pdf out --dicom-out out

  A folder of films, the sexes in a table, the result for a spreadsheet:
    boneage predict films/ --sex-csv children.csv --format csv --out ages.csv

Exit code: 0 all accepted or flagged, 1 some refused, 2 some unreadable, 3 a fault of boneage.

For research use. Not a medical device.";

/// What is meant, checked as far as it can be before the first image is read.
struct Settings {
    files: Vec<PathBuf>,
    failures: Vec<anyhow::Error>,
    sexes: Sexes,
    model: ModelArgs,
    format: Format,
    outputs: Vec<Outputs>,
    uid_root: UidRoot,
    reference: Reference,
    height: Option<f32>,
    placing: Option<Placing>,
    at: Moment,
    out: Option<PathBuf>,
    force: bool,
    limits: DecodeLimits,
}

impl Settings {
    fn new(args: Args) -> anyhow::Result<Self> {
        let table = match &args.sex_csv {
            Some(path) => {
                Some(fs::read_to_string(path).with_context(|| format!("sex table {}", path.display()))?)
            }
            None => None,
        };
        let sexes = Sexes::new(args.sex, args.sex_csv.as_deref().zip(table.as_deref()))?;
        let inputs = gather(&args.paths);
        let reference = match &args.reference {
            Some(path) => Reference::read(path).with_context(|| format!("reference {}", path.display()))?,
            None => Reference::brush_foundation(),
        };
        let placing = args.placing.placing()?;
        let of_one = [("--height", args.height.is_some()), ("--turn, --mirror or --crop", placing.is_some())];
        if let Some((option, _)) = of_one.iter().find(|(_, given)| *given && inputs.files.len() > 1) {
            bail!(
                "{option} is of one film, and there are {} films; hint: read them one by one",
                inputs.files.len()
            );
        }
        let folders = Folders { overlay: args.overlay, pdf: args.pdf, dicom: args.dicom_out };
        let outputs = folders.plan(&inputs.files, args.force)?;
        Ok(Settings {
            files: inputs.files,
            failures: inputs.failures,
            sexes,
            model: args.model,
            format: match args.format {
                FormatWord::Text => Format::Text,
                FormatWord::Json => Format::Json,
                FormatWord::Csv => Format::Csv,
                FormatWord::Fhir => Format::Fhir,
            },
            outputs,
            uid_root: args.uid_root,
            reference,
            height: args.height,
            placing,
            at: Moment::now().context("the clock of this machine stands before 1970; hint: set it")?,
            out: args.out,
            force: args.force,
            limits: DecodeLimits::pixels(u64::from(args.max_megapixels) * 1_000_000),
        })
    }
}

/// Reads every image, writes every result, and ends with the highest exit of all.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    let settings = Settings::new(args)?;
    let mut exit = Exit::Done;
    for failure in &settings.failures {
        printer.error(failure);
        exit = exit.max(Exit::Input);
    }
    let images = if settings.files.len() == 1 { Images::One } else { Images::Many };
    // Neither needs the other: the first file is decoded while the model is made ready.
    let (predictor, first) = rayon::join(
        || models::predictor(&settings.model, images),
        || settings.files.first().map(|file| guarded(|| load(file, &settings.limits))),
    );
    let predictor = predictor?;
    let mut out: Box<dyn Write> = match &settings.out {
        Some(path) => Box::new(create(path, settings.force)?),
        None => Box::new(printer.results()),
    };
    match read_all(&settings, &predictor, first, &mut *out, printer) {
        Ok(worst) => Ok(exit.max(worst)),
        // The reader of the pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe && settings.out.is_none() => Ok(exit),
        Err(error) => {
            let target =
                settings.out.as_ref().map_or("the result".to_owned(), |path| path.display().to_string());
            Err(anyhow!("could not write {target}: {error}; hint: check the space on the disk"))
        }
    }
}

fn read_all(
    settings: &Settings,
    predictor: &Predictor,
    mut first: Option<anyhow::Result<Film>>,
    out: &mut dyn Write,
    printer: &Printer,
) -> io::Result<Exit> {
    let mut report = report::report(settings.format);
    let mut exit = Exit::Done;
    let progress = printer.progress(settings.files.len());
    report.begin(out)?;
    for (i, file) in settings.files.iter().enumerate() {
        let loaded = first.take().unwrap_or_else(|| guarded(|| load(file, &settings.limits)));
        let read = loaded
            .and_then(|film| guarded(|| read_one(settings, predictor, film, file, &settings.outputs[i])));
        match read {
            Ok(told) => {
                if told.assessment.decision == Decision::Refused {
                    exit = exit.max(Exit::No);
                }
                progress.suspend(|| {
                    report.add(out, &file.display().to_string(), &told.case()).and_then(|()| out.flush())
                })?;
            }
            Err(error) => {
                exit = exit.max(crate::exit::exit_of(&error));
                progress.suspend(|| printer.error(&error.context(file.display().to_string())));
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    report.end(out)?;
    out.flush()?;
    Ok(exit)
}

/// A fault in one image must not take the others with it.
fn guarded<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(anyhow!("it could not be read to the end").context(OurFault("read the image")))
    })
}

fn read_one(
    settings: &Settings,
    predictor: &Predictor,
    film: Film,
    file: &Path,
    outputs: &Outputs,
) -> anyhow::Result<Told> {
    let pictures = if outputs.show_the_film() { Pictures::Wanted } else { Pictures::Unwanted };
    let assessment = film.assess(predictor, settings.sexes.of(file), settings.placing.as_ref(), pictures);
    let standing = settings.reference.standing_of(&assessment);
    let age = assessment.chronological.map(|age| age.months);
    let adult_height = settings
        .height
        .zip(assessment.months)
        .map(|(height, months)| AdultHeight::predict(height, months, assessment.sex.value, age));
    let study_date = film.header.as_ref().and_then(|header| header.study_date);
    let told = Told { assessment, study_date, standing, adult_height, at: settings.at };
    outputs.write(&film, &told, &settings.uid_root)?;
    Ok(told)
}

/// A height that a child can have.
fn centimetres(word: &str) -> Result<f32, String> {
    let height: f32 = word.parse().map_err(|_| format!("{word:?} is no number"))?;
    if (40.0..=230.0).contains(&height) {
        Ok(height)
    } else {
        Err(format!("a height of {height} cm; hint: 40 to 230, in centimetres"))
    }
}

/// A new file; one that is there is kept unless `force`.
fn create(path: &Path, force: bool) -> anyhow::Result<File> {
    let made = if force { File::create(path) } else { File::create_new(path) };
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            anyhow!("{} exists already; hint: --force replaces it", path.display())
        }
        _ => anyhow!("{}: {error}; hint: check folder and permissions", path.display()),
    })
}
