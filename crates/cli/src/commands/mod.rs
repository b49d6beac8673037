//! One file a command. Each holds, in this order, `Args` (what was typed: the only place for clap types),
//! `Settings` (what is meant, checked) and
//! `run(args: Args, printer: &Printer) -> anyhow::Result<Exit>`.
//!
//! An error that `run` returns is the user's input (exit code 2) unless it carries
//! [`OurFault`](crate::exit::OurFault) as context (exit code 3).

pub(crate) mod calibrate;
pub(crate) mod compare;
pub(crate) mod dataset;
pub(crate) mod evaluate;
pub(crate) mod figures;
pub(crate) mod fit_guard;
pub(crate) mod intervals;
pub(crate) mod models;
pub(crate) mod predict;
pub(crate) mod report_model;
pub(crate) mod reproduce;
pub(crate) mod segment;
pub(crate) mod serve;
pub(crate) mod stress;
pub(crate) mod train;
pub(crate) mod users;
pub(crate) mod watch;
