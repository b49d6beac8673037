//! Our side of `cargo xtask bench`: a program that does one piece of work each time it is asked.
//!
//! It speaks the protocol of the peers beside it (`xtask/bench/protocol.py`), a line in and a line out,
//! so that the chore treats everybody alike:
//!
//! ```text
//! run WORK...           -> ok MILLISECONDS
//! check WORK... FILE    -> ok         (the result as little-endian f32 goes to FILE)
//! version               -> ok TEXT
//! ```
//!
//! Works are words: `forward 1 256` is VGG16 over one image of 256 pixels. What a work needs is made when
//! it is first asked for and kept until another is. Measurements that no peer takes part in (the
//! roofline, the layers one by one, damaged uploads) answer with a line of their own.

mod bundle;
mod classical;
mod forward;
mod hand;
mod head_step;
mod layers;
mod phantoms;
mod preparation;
mod roofline;
mod training;
mod uploads;

use anyhow::{Context, Result, bail};
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

/// One piece of work, ready to be done again and again.
trait Work {
    /// Does it once.
    fn run(&mut self) -> Result<()>;

    /// What came of it, to be compared with the peers' results.
    fn result(&mut self) -> Result<Vec<f32>>;
}

fn main() -> Result<()> {
    let mut ready: Option<(String, Box<dyn Work>)> = None;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = answer(&words, &mut ready);
        let mut out = std::io::stdout().lock();
        match answer {
            Ok(text) => writeln!(out, "ok {text}")?,
            Err(error) => writeln!(out, "error {error:#}")?,
        }
        out.flush()?;
    }
    Ok(())
}

fn answer(words: &[&str], ready: &mut Option<(String, Box<dyn Work>)>) -> Result<String> {
    match words {
        ["version"] => Ok(format!("boneage {}", env!("CARGO_PKG_VERSION"))),
        ["run", work @ ..] => {
            let work = prepared(work, ready)?;
            let start = Instant::now();
            work.run()?;
            Ok(format!("{:.4}", start.elapsed().as_secs_f64() * 1e3))
        }
        ["check", work @ .., file] => {
            let values = prepared(work, ready)?.result()?;
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            std::fs::write(file, bytes).with_context(|| format!("result {file}"))?;
            Ok(String::new())
        }
        ["roofline"] => Ok(roofline::measure()),
        ["layers", batch, side] => layers::measure(batch.parse()?, side.parse()?),
        ["bundle", side, file] => bundle::write(side.parse()?, Path::new(file)).map(|()| String::new()),
        ["uploads", first, count] => uploads::rehearse_cases(first.parse()?, count.parse()?),
        ["uploads", first, count, address] => uploads::send(address, first.parse()?, count.parse()?),
        ["upload", case, file] => uploads::write_case(case.parse()?, Path::new(file)).map(|()| String::new()),
        ["hands", data, folder] => classical::write(Path::new(data), Path::new(folder)),
        ["phantoms", side, folder] => phantoms::write(side.parse()?, Path::new(folder)),
        ["film", width, height, file] => {
            phantoms::write_film(width.parse()?, height.parse()?, Path::new(file)).map(|()| String::new())
        }
        _ => bail!("{} is asked for and not known", words.join(" ")),
    }
}

/// The work that these words name; that of the last call where they are the same.
fn prepared<'a>(
    words: &[&str],
    ready: &'a mut Option<(String, Box<dyn Work>)>,
) -> Result<&'a mut Box<dyn Work>> {
    let name = words.join(" ");
    let kept = ready.take().filter(|(known, _)| *known == name);
    let (name, work) = match kept {
        Some(kept) => kept,
        None => {
            let work = prepare(words)?;
            (name, work)
        }
    };
    Ok(&mut ready.insert((name, work)).1)
}

fn prepare(words: &[&str]) -> Result<Box<dyn Work>> {
    Ok(match words {
        ["forward", batch, side] => Box::new(forward::Forward::new(batch.parse()?, side.parse()?)?),
        ["train", trainable, batch, side] => {
            Box::new(training::Training::new(trainable, batch.parse()?, side.parse()?)?)
        }
        ["head", batch] => Box::new(head_step::HeadStep::new(batch.parse()?)),
        ["features", side, folder] => Box::new(preparation::Features::new(side.parse()?, Path::new(folder))?),
        ["linear", folder, rows, components] => {
            Box::new(classical::Linear::new(Path::new(folder), rows.parse()?, components.parse()?)?)
        }
        [kind @ ("logistic" | "months"), folder, rows, components] => {
            let (rows, components) = (rows.parse()?, components.parse()?);
            Box::new(classical::Logistic::new(Path::new(folder), rows, components, *kind == "months")?)
        }
        ["sobel", folder] => Box::new(hand::Sobel::new(Path::new(folder))?),
        ["watershed", folder] => Box::new(hand::Watershed::new(Path::new(folder))?),
        ["steps", folder] => Box::new(hand::Steps::new(Path::new(folder))?),
        ["batch", folder] => Box::new(hand::Batch::new(Path::new(folder))?),
        ["extract", folder] => Box::new(hand::Extract::new(Path::new(folder))?),
        ["extract-batch", folder] => Box::new(hand::ExtractBatch::new(Path::new(folder))?),
        _ => bail!("work {:?} is not known here", words.join(" ")),
    })
}
