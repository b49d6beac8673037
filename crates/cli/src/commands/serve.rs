use crate::exit::Exit;
use crate::models::{self, Images, ModelArgs};
use crate::printer::Printer;
use anyhow::Context;
use boneage_server::{Settings, SettingsFile};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Serve a page and a REST service that read films.
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
    #[command(flatten)]
    model: ModelArgs,
    /// Print the settings in force as TOML, and stop
    #[arg(long)]
    print_config: bool,
}

/// Where settings and data lie: the options of every command about the service.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// Settings in TOML; see --print-config of boneage serve
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

  For a department, with users and encryption:
    boneage serve --print-config > boneage.toml    (then edit it)
    boneage users add anna --role admin --config boneage.toml
    boneage serve --config boneage.toml

For research use. Not a medical device.";

impl Place {
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
    let file = SettingsFile { listen: args.listen.unwrap_or(file.listen), ..file };
    if args.print_config {
        printer.result(file.to_toml())?;
        return Ok(Exit::Done);
    }
    let settings = Settings::check(file)?;
    let predictor = models::predictor(&args.model, Images::One)?;
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).with_target(false).init();
    let data = settings.data().display().to_string();
    boneage_server::serve(settings, predictor, |address| {
        // A service that cannot print is a service all the same.
        let _ = printer.result(format_args!("{address}\n"));
        printer.note(format_args!("open {address} in a browser; data in {data}; Ctrl-C stops"));
    })?;
    Ok(Exit::Done)
}
