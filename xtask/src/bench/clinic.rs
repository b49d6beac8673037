use super::folder::Folder;
use super::report::{Bar, Report, number};
use super::{Common, build_ours};
use crate::phantom::film;
use crate::service::Service;
use anyhow::{Result, ensure};
use std::time::Instant;

/// The service: upload of a large film to its reading and its picture.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
}

/// Width and height of the films: a radiograph as it comes from the machine.
const SIZE: (u32, u32) = (2000, 2500);

/// Films that are timed, and with `--quick`.
const FILMS: [u32; 2] = [40, 5];

/// Seconds that half and 19 of 20 films may take, megabytes that the waiting service may hold, seconds until it
/// answers.
const BARS: [f64; 4] = [1.0, 2.0, 300.0, 1.0];

pub(crate) fn run(args: &Args) -> Result<()> {
    let Args { common } = args;
    let boneage = build_ours()?.join("boneage");
    let folder = Folder::new()?;
    let service = Service::start(&boneage, &folder.join("data"))?;
    let (started, idle) = (service.started.as_secs_f64(), service.megabytes()?);
    let films = FILMS[usize::from(common.quick)];
    let (mut read, mut shown, mut bytes) = (Vec::new(), Vec::new(), 0);
    // The first warms the caches and is not counted.
    for number in 0..=films {
        let film = film(SIZE.0, SIZE.1, number)?;
        bytes = film.len();
        let start = Instant::now();
        let id = service.upload(&film)?;
        let answer = service.read(&id)?;
        let answered = start.elapsed().as_secs_f64();
        ensure!(answer["state"] == "done", "{answer}");
        service.image(&id)?;
        if number > 0 {
            read.push(answered);
            shown.push(start.elapsed().as_secs_f64());
        }
    }
    let after = service.megabytes()?;
    let mut report = Report::new("The service");
    report.paragraph(&format!(
        "{films} films of {} x {} pixels, 8 bit PNG of {:.1} MB, one after another over loopback: from the first byte \
         of the upload to the reading, and to the last byte of the film's picture for the page.",
        SIZE.0,
        SIZE.1,
        bytes as f64 / 1e6
    ));
    let row = |what: &str, times: &mut Vec<f64>| {
        [vec![what.to_owned()], [0.5, 0.95].map(|share| number(quantile(times, share))).to_vec()].concat()
    };
    report.table(
        &["seconds", "p50", "p95"],
        &[row("to the reading", &mut read), row("to the picture", &mut shown)],
    );
    report.bars(&[
        Bar::limit("upload to picture, p50", quantile(&mut shown, 0.5), BARS[0], "s"),
        Bar::limit("upload to picture, p95", quantile(&mut shown, 0.95), BARS[1], "s"),
        Bar::limit("idle memory, model loaded", idle, BARS[2], "MB"),
        Bar::limit("memory after the films", after, BARS[2], "MB"),
        Bar::limit("time to serve after start", started, BARS[3], "s"),
    ]);
    report.write(&common.report("clinic"))
}

/// The value that this share of the values does not exceed.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (share * values.len() as f64).ceil() as usize;
    values[rank.clamp(1, values.len()) - 1]
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_quantile_is_a_value_that_was_measured() {
        let mut values: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert_eq!([0.5, 0.95, 1.0].map(|share| super::quantile(&mut values, share)), [10.0, 19.0, 20.0]);
    }
}
