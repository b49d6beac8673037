use crate::exit::Exit;
use crate::kept::keep;
use crate::printer::Printer;
use anyhow::Context;
use boneage_lab::figures::{AgePair, bland_altman};
use boneage_lab::{Comparison, PairedReading, Readings, pair_readings};
use std::path::{Path, PathBuf};

/// Compare two tables of predicted ages, of this program or of others.
///
/// Tells how far each is from the label and from the other on the radiographs that both read: the difference
/// of the mean absolute errors radiograph by radiograph with its 95 % interval, bias and limits of agreement.
/// A table needs a column for the id and one for the age; labels come from a column of either table or from
/// --labels.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  Two models on the same films:
    boneage compare old.csv new.csv --figure figures

  Another program's table against ours, with the labels in a third:
    boneage compare ours.csv theirs.csv --column bone_age --labels ages.csv")]
pub(crate) struct Args {
    /// The first table
    a: PathBuf,
    /// The second table
    b: PathBuf,
    /// Column of the predicted age in the second table, and in the first where it has one of that name
    /// [default: one that is usually called so]
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// Column of the predicted age in the first table
    #[arg(long, value_name = "NAME")]
    column_a: Option<String>,
    /// Table of the labels with the columns id, boneage (months) and male (or sex)
    #[arg(long, value_name = "CSV")]
    labels: Option<PathBuf>,
    /// Only rows of this part, in tables with a column part: holdout, inner, calibration, training
    #[arg(long, value_name = "PART")]
    part: Option<String>,
    /// How the result is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Also draw the differences (Bland and Altman) into this folder, as bland-altman.svg and .png
    #[arg(long, value_name = "DIR")]
    figure: Option<PathBuf>,
    /// Replace figures that are there already
    #[arg(long, requires = "figure")]
    force: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Joins the tables and prints the comparison.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    keep(args.figure.iter().flat_map(|folder| figure_files(folder)), args.force)?;
    let part = args.part.as_deref();
    let b = labelled(Readings::read(&args.b, args.column.as_deref(), part)?, &args)?;
    let of_a = match (&args.column_a, &args.column) {
        (Some(column), _) => Readings::read(&args.a, Some(column), part)?,
        // The name is the second table's; the first may have the same or a usual one.
        (None, Some(column)) => {
            Readings::read(&args.a, Some(column), part).or_else(|_| Readings::read(&args.a, None, part))?
        }
        (None, None) => Readings::read(&args.a, None, part)?,
    };
    let a = labelled(of_a, &args)?;
    for (readings, path) in [(&a, &args.a), (&b, &args.b)] {
        if readings.without_age > 0 {
            let (rows, path) = (readings.without_age, path.display());
            printer.warning(format!("{rows} rows of {path} have no age and are left out"));
        }
    }
    let pairs = pair_readings(&a, &b)?;
    let unpaired = [a.rows.len() - pairs.len(), b.rows.len() - pairs.len()];
    let compared = Comparison::of(&pairs, unpaired).context("no radiograph is in both tables")?;
    match args.format {
        Format::Text => {
            let name = |path: &Path, readings: &Readings| format!("{}, {}", path.display(), readings.column);
            printer.result(compared.to_text([&name(&args.a, &a), &name(&args.b, &b)]))?;
        }
        Format::Json => printer.result(format!("{}\n", serde_json::to_string_pretty(&compared)?))?,
    }
    if let Some(folder) = &args.figure {
        std::fs::create_dir_all(folder).with_context(|| format!("folder {}", folder.display()))?;
        let drawn: Vec<AgePair> = pairs.iter().map(ages).collect();
        let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (first, second) = (name(&args.a), name(&args.b));
        // Two files of one name in different folders.
        let names = if first == second { ["a", "b"] } else { [first.as_str(), second.as_str()] };
        bland_altman("Agreement of two readings", names, &drawn)?.write(folder, FIGURE)?;
        figure_files(folder).iter().for_each(|file| printer.note(file.display()));
    }
    Ok(Exit::Done)
}

const FIGURE: &str = "bland-altman";

fn figure_files(folder: &Path) -> [PathBuf; 2] {
    ["svg", "png"].map(|end| folder.join(format!("{FIGURE}.{end}")))
}

fn labelled(mut readings: Readings, args: &Args) -> anyhow::Result<Readings> {
    if let Some(labels) = &args.labels {
        readings.label(labels)?;
    }
    Ok(readings)
}

fn ages(pair: &PairedReading) -> AgePair {
    AgePair { first: pair.a.0.into(), second: pair.b.0.into(), sex: pair.sex }
}
