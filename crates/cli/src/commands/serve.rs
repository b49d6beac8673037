use crate::exit::Exit;
use crate::models::{self, Images, ModelArgs};
use crate::printer::Printer;
use anyhow::Context;
use boneage_server::{Settings, SettingsFile};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Serve a page, a REST service and a DICOM node that read films.
///
/// Without any option it serves this machine alone: open the address that it prints. Films, readings and
/// verdicts are kept in a folder of yours. Stop it with Ctrl-C; it goes on where it was.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// Address and port, instead of the settings' [default: 127.0.0.1:8642]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Port of a DICOM node that takes films by C-STORE, at the settings' address for it, else at that of --listen
    #[arg(long, value_name = "PORT")]
    dicom: Option<u16>,
    /// The node's application entity title, instead of the settings' [default: BONEAGE]
    #[arg(long, value_name = "TITLE")]
    aet: Option<String>,
    #[command(flatten)]
    model: ModelArgs,
    /// Print the settings in force as TOML, and stop
    #[arg(long)]
    print_config: bool,
}

/// Where settings and data lie: the options of every command about the service.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// Settings in TOML, as boneage serve can print them
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the data, instead of the settings' [default: boneage in your data folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  A page on this machine:
    boneage serve

  With a DICOM node at port 11112 of this machine:
    boneage serve --dicom 11112 --aet BONEAGE

  For a department, with users and encryption:
    boneage serve --print-config > boneage.toml    (then edit it)
    boneage users add anna --config boneage.toml
    boneage serve --config boneage.toml

For research use. Not a medical device.";

impl Place {
    /// Whether there is a file of settings.
    pub(crate) fn is_configured(&self) -> bool {
        self.config.is_some()
    }

    /// The settings of the file, or the defaults, with the options in place of what they say.
    pub(crate) fn settings(self) -> anyhow::Result<SettingsFile> {
        let file = match &self.config {
            Some(path) => {
                let shown = path.display();
                let text = fs::read_to_string(path).with_context(|| format!("settings {shown}"))?;
                SettingsFile::from_toml(&text).with_context(|| shown.to_string())?
            }
            None => SettingsFile::default(),
        };
        Ok(SettingsFile { data: self.data.or(file.data.clone()), ..file })
    }
}

/// Serves until it is told to stop.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    let file = args.place.settings()?;
    let mut file = SettingsFile { listen: args.listen.unwrap_or(file.listen), ..file };
    if let Some(port) = args.dicom {
        file.dicom.listen = Some(SocketAddr::new(file.dicom.listen.unwrap_or(file.listen).ip(), port));
    }
    file.dicom.aet = args.aet.unwrap_or(file.dicom.aet);
    if args.print_config {
        printer.result(file.to_toml())?;
        return Ok(Exit::Done);
    }
    serve(file, &args.model, printer)
}

/// Serves with these settings until it is told to stop.
pub(crate) fn serve(file: SettingsFile, model: &ModelArgs, printer: &Printer) -> anyhow::Result<Exit> {
    let settings = Settings::check(file)?;
    let predictor = models::predictor(model, Images::One)?;
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).with_target(false).init();
    let data = settings.data().display().to_string();
    boneage_server::serve(settings, predictor, |addresses| {
        let page = &addresses.page;
        // A service that cannot print is a service all the same.
        let _ = printer.result(format_args!("{page}\n"));
        if let Some(node) = addresses.node {
            let _ = printer.result(format_args!("dicom {node}\n"));
        }
        printer.note(format_args!("open {page} in a browser; data in {data}; Ctrl-C stops"));
    })?;
    Ok(Exit::Done)
}
