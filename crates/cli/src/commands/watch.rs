use super::serve::{Place, serve};
use crate::exit::Exit;
use crate::models::ModelArgs;
use crate::printer::Printer;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Read every film that is put into a folder.
///
/// A film that is there whole is read once, by its content; its results are written, and it is moved to the folder done
/// in the watched one, or to failed beside a text that says why. Films in a folder called female or male are of
/// girls or of boys; DICOM files tell the sex themselves. Stop it with Ctrl-C; it goes on where it was. It is a
/// service as boneage serve is, and prints the address of its page.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Folder of the results [default: results in the watched one]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What is written of each film; may be given several times: reading.json, fhir.json, report.pdf, overlay.png,
    /// and of DICOM films sr.dcm, sc.dcm, pdf.dcm [default: reading.json and report.pdf]
    #[arg(long, value_name = "NAME")]
    write: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Address and port of the page, instead of the settings' [default: a free port of this machine]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    model: ModelArgs,
}

const EXAMPLES: &str = "\
Examples:
  Read what is put into films, with a page and a structured report of each:
    boneage watch films --out results --write report.pdf --write sr.dcm

  Beside a service that runs: set folder under [watch] in its settings instead.

For research use. Not a medical device.";

/// Watches until it is told to stop.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    let configured = args.place.is_configured();
    let mut file = args.place.settings()?;
    if let Some(listen) = args.listen {
        file.listen = listen;
    } else if !configured {
        file.listen.set_port(0);
    }
    file.watch.folder = Some(args.folder);
    file.watch.out = args.out.or(file.watch.out);
    if !args.write.is_empty() {
        file.watch.write = args.write;
    }
    serve(file, &args.model, printer)
}
