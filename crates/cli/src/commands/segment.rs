use crate::exit::{Exit, OurFault, exit_of};
use crate::film::load;
use crate::inputs::{gather, output_names};
use crate::kept::keep;
use crate::printer::Printer;
use anyhow::{Context, anyhow, bail};
use boneage_assess::Film;
use boneage_core::{Flag, FlagCode, Plane};
use boneage_lab::Segmentation;
use boneage_lab::figures::stages;
use boneage_vision::{DecodeLimits, HandExtraction, HandRecipe, extract_hand, is_inverted};
use image::GrayImage;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Find the hand in radiographs, and show how it was found.
///
/// Writes for every image the mask of the hand (white inside) and the hand on black, both as large as
/// the image; with --stages also a sheet of all steps, from the gradient to the extracted hand. Where no
/// hand is found, the mask is the whole frame and the reason is told.
///
/// With --measure, measures the extraction on the RSNA training data and its annotated hands instead.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  Every step for one film, in the folder out:
    boneage segment hand.png --out out --stages

  How well hands are found on the whole of the RSNA training data:
    boneage segment --measure --data rsna --out results/segmentation.md

Exit code: 0 a hand in every image, 1 some without, 2 some unreadable, 3 a fault of boneage.")]
pub(crate) struct Args {
    /// Images, and folders of images
    #[arg(value_name = "PATH", required_unless_present = "measure", conflicts_with = "measure")]
    paths: Vec<PathBuf>,
    /// Folder for the pictures; with --measure, the file for the report
    #[arg(long, value_name = "DIR|FILE")]
    out: PathBuf,
    /// Also draw a sheet of all steps
    #[arg(long)]
    stages: bool,
    /// Measure on labelled data instead
    #[arg(long, requires = "data")]
    measure: bool,
    /// With --measure: folder of the RSNA training data, with its annotations
    #[arg(long, value_name = "DIR", requires = "measure")]
    data: Option<PathBuf>,
    /// With --measure: a table id,letter of letters of lead judged by eye, to be counted in the report
    #[arg(long, value_name = "CSV", requires = "measure")]
    checked: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(long)]
    force: bool,
}

/// What is meant, checked before the first image is read.
enum Settings {
    Measure { data: PathBuf, report: PathBuf, checked: Option<PathBuf>, command: String },
    Extract { files: Vec<(PathBuf, Pictures)>, failures: Vec<anyhow::Error> },
}

/// Where the pictures of one image go.
struct Pictures {
    mask: PathBuf,
    hand: PathBuf,
    stages: Option<PathBuf>,
}

impl Settings {
    fn new(args: Args) -> anyhow::Result<Self> {
        if let Some(data) = args.data {
            keep([&args.out], args.force)?;
            // As a reader would type it: folders of this machine are nobody's business.
            let checked = args.checked.as_ref().map(|file| format!(" --checked {}", file.display()));
            let out = args.out.display();
            let checked = checked.unwrap_or_default();
            let command = format!("boneage segment --measure --data DIR{checked} --out {out}");
            return Ok(Settings::Measure { data, report: args.out, checked: args.checked, command });
        }
        let inputs = gather(&args.paths);
        fs::create_dir_all(&args.out).with_context(|| format!("folder {}", args.out.display()))?;
        let mut files = Vec::new();
        for (file, name) in inputs.files.iter().zip(output_names(&inputs.files, "png")) {
            let name = name.strip_suffix(".png").unwrap_or(&name);
            let picture = |kind: &str| args.out.join(format!("{name}.{kind}.png"));
            let stages = args.stages.then(|| picture("stages"));
            let pictures = Pictures { mask: picture("mask"), hand: picture("hand"), stages };
            let all = [Some(&pictures.mask), Some(&pictures.hand), pictures.stages.as_ref()];
            keep(all.into_iter().flatten(), args.force)?;
            files.push((file.clone(), pictures));
        }
        Ok(Settings::Extract { files, failures: inputs.failures })
    }
}

/// Extracts every hand, or measures the extraction.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    match Settings::new(args)? {
        Settings::Measure { data, report, checked, command } => {
            let found = Segmentation::measure(&data, &HandRecipe::default())?;
            let read = |path: &PathBuf| {
                fs::read_to_string(path).with_context(|| format!("table {}", path.display()))
            };
            let table = checked.as_ref().map(read).transpose()?;
            let text = found.to_markdown(&command, table.as_deref())?;
            fs::write(&report, &text).with_context(|| format!("report {}", report.display()))?;
            printer.note(format!("wrote {}", report.display()));
            Ok(if found.unreadable.is_empty() { Exit::Done } else { Exit::Input })
        }
        Settings::Extract { files, failures } => extract_all(&files, &failures, printer),
    }
}

fn extract_all(
    files: &[(PathBuf, Pictures)],
    failures: &[anyhow::Error],
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let mut exit = Exit::Done;
    for failure in failures {
        printer.error(failure);
        exit = exit.max(Exit::Input);
    }
    let progress = printer.progress(files.len());
    for (file, pictures) in files {
        // A fault in one image must not take the others with it.
        let done = catch_unwind(AssertUnwindSafe(|| extract_one(file, pictures))).unwrap_or_else(|_| {
            Err(anyhow!("it could not be read to the end").context(OurFault("read the image")))
        });
        match done {
            Ok(flags) => {
                let missing = flags.iter().any(|flag| flag.code == FlagCode::HandNotFound);
                exit = exit.max(if missing { Exit::No } else { Exit::Done });
                let found = (!missing).then_some("hand found");
                let reasons = flags.iter().map(|flag| flag.message.as_str());
                let told: Vec<&str> = found.into_iter().chain(reasons).collect();
                let line = format!("{}: {}\n", file.display(), told.join("; "));
                progress.suspend(|| printer.result(line))?;
            }
            Err(error) => {
                exit = exit.max(exit_of(&error));
                progress.suspend(|| printer.error(&error.context(file.display().to_string())));
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(exit)
}

/// What was noticed about the image.
fn extract_one(file: &Path, pictures: &Pictures) -> anyhow::Result<Vec<Flag>> {
    let Film { plane: mut film, mut flags, header, .. } = load(file, &DecodeLimits::default())?;
    // A DICOM file says itself which values are bright.
    if header.is_none() && is_inverted(&film) {
        film = film.map(|grey| 1.0 - grey);
        flags.push(Flag::new(FlagCode::PolarityInverted, "bones were dark; the image was inverted"));
    }
    let found = extract_hand(&film, &HandRecipe::default());
    save(&found.mask, &pictures.mask)?;
    save(&found.extracted, &pictures.hand)?;
    if let Some(path) = &pictures.stages {
        let sheet = stages(&film, &found, &flags).to_picture(1.0);
        sheet.save(path).with_context(|| format!("sheet {}", path.display()))?;
    }
    let HandExtraction { failure, .. } = found;
    flags.extend(failure);
    Ok(flags)
}

fn save(plane: &Plane, path: &Path) -> anyhow::Result<()> {
    let bytes = plane.pixels().iter().map(|&grey| (grey.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
    let Some(image) = GrayImage::from_raw(plane.width() as u32, plane.height() as u32, bytes) else {
        bail!("{} x {} pixels do not make a picture", plane.width(), plane.height());
    };
    image.save(path).with_context(|| format!("picture {}", path.display()))
}
