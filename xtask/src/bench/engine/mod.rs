//! What the engine is measured at; one file a table.

mod field;
mod forward;
mod growth;
mod roofline;
mod training;
mod whole;

use super::Common;
use super::report::{Bar, Report};
use anyhow::Result;
use field::Field;
use std::path::PathBuf;

/// The convolution engine against its peers.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    /// Radiographs for the time that a whole data set takes [default: synthetic ones]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Only this table; may be given several times
    #[arg(long, value_enum, value_name = "TABLE")]
    only: Vec<Section>,
}

/// A part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Section {
    /// VGG16 forward, all engines
    Forward,
    /// Training steps of VGG16
    Training,
    /// Training step of the attention head
    Head,
    /// `boneage predict` as a process, and a whole data set
    Whole,
    /// Time against image size, batch and threads
    Growth,
    /// The limits of the machine and how near each layer comes
    Roofline,
}

/// What a section adds to the report.
type Table = fn(&mut Field, &Args, &mut Report, &mut Vec<Bar>) -> Result<()>;

const SECTIONS: [(Section, Table); 6] = [
    (Section::Forward, forward::measure_all),
    (Section::Training, training::measure_all),
    (Section::Head, training::measure_head),
    (Section::Whole, whole::measure_all),
    (Section::Growth, growth::measure_all),
    (Section::Roofline, roofline::measure_all),
];

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut field = Field::new(&args.common)?;
    let mut head = Report::new("The engine, against its peers");
    head.paragraph(&format!(
        "{}. {} threads each, asked in turn, medians; the others are stopped while one works. Work is the feature \
         stack of VGG16 in f32 (13 convolutions 3x3 with bias and ReLU, 5 maxima), with the same weights and \
         images for everybody; results were compared before anything was timed. FLOPs are those of a direct \
         convolution, whatever an engine does instead.",
        field.versions()?.join(", "),
        args.common.threads
    ));
    let (mut body, mut bars) = (Report::default(), Vec::new());
    for (section, table) in SECTIONS {
        if args.only.is_empty() || args.only.contains(&section) {
            table(&mut field, args, &mut body, &mut bars)?;
        }
    }
    head.bars(&bars);
    head.append(&body);
    head.write(&args.common.report("engine"))
}
