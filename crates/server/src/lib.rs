//! `boneage serve`: a page for a radiologist and a REST service for a program, in one process.
//!
//! An upload is streamed to the disk, fsynced under its digest, and becomes a row of the film table before it is
//! acknowledged: the row is the job. One worker leases rows, reads them with
//! [`Predictor`](boneage_assess::Predictor) and writes the result into the same row. The same bytes for the same
//! sex are the same row, so that nothing is read twice, and a process that is killed at any moment loses nothing
//! that it has acknowledged. Everything lives in one data folder: the SQLite file, the uploads, the pictures.
//!
//! ```no_run
//! use boneage_server::{Settings, SettingsFile};
//! # fn example(predictor: boneage_assess::Predictor) -> Result<(), Box<dyn std::error::Error>> {
//! let file = SettingsFile::from_toml("listen = \"127.0.0.1:8642\"")?;
//! boneage_server::serve(Settings::check(file)?, predictor, |addresses| println!("{}", addresses.page))?;
//! # Ok(())
//! # }
//! ```

mod access;
mod api;
mod by_hand;
mod clock;
mod error;
mod folder;
mod incoming;
mod metrics;
mod node;
mod page;
mod pictures;
mod reading;
mod rehearsal;
mod results;
mod serve;
mod service;
mod settings;
mod store;
mod tls;
mod watch;
mod worker;

pub use access::{MIN_PASSWORD, Role, Users};
pub use api::openapi;
pub use error::ServerError;
pub use rehearsal::{Rehearsal, rehearse};
pub use serve::{Addresses, serve};
pub use settings::{Settings, SettingsFile};
