use super::serve::Place;
use crate::exit::Exit;
use crate::printer::Printer;
use anyhow::{Context, bail};
use boneage_server::{MIN_PASSWORD, Role, Settings, Users};
use std::fmt::Write;
use std::io::{self, BufRead, IsTerminal};

/// Say who may use a service.
///
/// A running service knows of changes at once. Roles: a viewer sees films and readings, a reader uploads films
/// and accepts or overrules readings, an admin deletes films and sees the audit log.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Add a user; the password is asked for, or read from stdin
    Add {
        /// The name to log in with
        name: String,
        /// What the user may do: viewer, reader or admin
        #[arg(long, value_name = "ROLE", default_value = "reader")]
        role: Role,
        #[command(flatten)]
        place: Place,
    },
    /// List names and roles
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Remove a user with all logins and tokens
    Remove {
        /// Whom
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Make a token for programs that act for a user; it is shown this once
    Token {
        /// For whom
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Adds, lists or removes users.
pub(crate) fn run(args: Args, printer: &Printer) -> anyhow::Result<Exit> {
    match args.what {
        What::Add { name, role, place } => {
            let users = users(place)?;
            users.add(&name, role, &password(printer)?)?;
            printer.note(format_args!("{name} is a user now, {}", role.as_str()));
        }
        What::List { place } => {
            let mut lines = String::new();
            for (name, role) in users(place)?.list()? {
                writeln!(lines, "{name}\t{}", role.as_str()).expect("a string takes everything");
            }
            printer.result(lines)?;
        }
        What::Remove { name, place } => {
            users(place)?.remove(&name)?;
            printer.note(format_args!("{name} is no user any more"));
        }
        What::Token { name, place } => {
            let token = users(place)?.token(&name)?;
            printer.result(format_args!("{token}\n"))?;
            printer.note("send it as the header Authorization: Bearer TOKEN; it is not shown again");
        }
    }
    Ok(Exit::Done)
}

fn users(place: Place) -> anyhow::Result<Users> {
    Ok(Users::open(&Settings::check(place.settings()?)?)?)
}

/// Typed twice on a terminal without being shown, else the first line of stdin.
fn password(printer: &Printer) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).context("the password on stdin")?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    printer.note(format_args!("a password of at least {MIN_PASSWORD} characters"));
    let first = rpassword::prompt_password("password: ")?;
    if first != rpassword::prompt_password("once more: ")? {
        bail!("the passwords differ; hint: try again");
    }
    Ok(first)
}
