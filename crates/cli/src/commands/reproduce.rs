use crate::commands::train::default_cache_dir;
use crate::exit::Exit;
use crate::printer::Printer;
use boneage_lab::Reproduction;
use std::path::PathBuf;

/// Run the paper: every system, table and figure of it, and a report.
///
/// What is done is not done again, and what was stopped goes on where it was when the same command is
/// given again. On two cores the whole takes hours; --quick takes minutes and says nothing about accuracy.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  boneage reproduce --data rsna --out reproduction")]
pub(crate) struct Args {
    /// Folder of the data set: boneage-training-dataset.csv and its folder of images
    #[arg(long, value_name = "DIR", required_unless_present = "list")]
    data: Option<PathBuf>,
    /// Folder of the results: made anew, or continued
    #[arg(long, value_name = "DIR", required_unless_present = "list")]
    out: Option<PathBuf>,
    /// Every step on 300 radiographs and two epochs
    #[arg(long)]
    quick: bool,
    /// Do this step and those that it needs; may be given more than once
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Name the steps and stop
    #[arg(long)]
    list: bool,
    /// Radiographs that the figures show, in place of those of the data set
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
    /// Folder of the paper's recipes
    #[arg(long, value_name = "DIR", default_value = "recipes/paper")]
    recipes: PathBuf,
    /// Folder of the feature cache [default: boneage in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// Weights of the frozen network
    #[arg(long, value_name = "FILE", default_value = "models/vgg16-imagenet.safetensors")]
    backbone: PathBuf,
}

/// Does what is not done yet.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    let cache = match args.cache_dir {
        Some(dir) => dir,
        None => default_cache_dir()?,
    };
    let reproduction = Reproduction {
        data: args.data.unwrap_or_default(),
        out: args.out.unwrap_or_default(),
        cache,
        backbone: args.backbone,
        recipes: args.recipes,
        pictures: args.pictures,
        quick: args.quick,
    };
    if args.list {
        let steps = reproduction.steps()?;
        let lines = steps.iter().map(|(name, what)| format!("{name:<40} {what}\n"));
        printer.result(lines.collect::<String>())?;
        return Ok(Exit::Done);
    }
    reproduction.run(&args.only, &mut |line| printer.note(line))?;
    printer.result(format!("{}\n", reproduction.out.join("REPRODUCTION.md").display()))?;
    Ok(Exit::Done)
}
