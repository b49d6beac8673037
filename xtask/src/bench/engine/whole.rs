use super::Args;
use super::field::Field;
use crate::bench::process::{Taken, take};
use crate::bench::python;
use crate::bench::report::{Bar, Report, number};
use crate::bench::rounds::Times;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// Pixels of a film from the scanner; the median of the data set's originals is near.
const FILM: (usize, usize) = (1500, 2000);

/// Image size of the model, and the most memory in megabytes.
const MEMORY: [(usize, f64); 2] = [(256, 450.0), (500, 700.0)];

/// How many times as fast as the script, imports counted and not.
const SPEED: [f64; 2] = [5.0, 2.4];

/// Images of the RSNA training set, and the minutes that their features may take.
const DATA_SET: (usize, f64) = (12_611, 17.0);

/// `boneage predict` as a process, and the features of a data set.
pub(super) fn measure_all(
    field: &mut Field,
    args: &Args,
    report: &mut Report,
    bars: &mut Vec<Bar>,
) -> Result<()> {
    let film = field.folder.join("film.png");
    let (width, height) = FILM;
    field.ours()?.ask(&format!("film {width} {height} {}", film.display()))?;
    for (side, _) in MEMORY {
        let model = field.folder.join(format!("model-{side}"));
        field.ours()?.ask(&format!("bundle {side} {}", model.display()))?;
    }
    report.heading("`boneage predict`, the whole process");
    report.paragraph(&format!(
        "One synthetic film of {width} x {height} pixels, untrained heads. Peer: `xtask/bench/predict_pytorch.py`, \
         which decodes, resizes, runs VGG16 and the attention head, and does nothing else."
    ));
    predictions(field, args, &film, report, bars)?;
    data_set(field, args, &film, report, bars)
}

fn predictions(
    field: &Field,
    args: &Args,
    film: &Path,
    report: &mut Report,
    bars: &mut Vec<Bar>,
) -> Result<()> {
    let threads = args.common.threads;
    let interpreter = field.python(&["torch", "safetensors", "PIL"]);
    let mut rows = Vec::new();
    for (side, most) in MEMORY {
        let model = field.folder.join(format!("model-{side}"));
        let mut ours = Command::new(field.binaries.join("boneage"));
        ours.args(["predict", "--format", "json", "--model"]).arg(&model).arg(film);
        ours.env("RAYON_NUM_THREADS", threads.to_string());
        let log = field.folder.join("script.log");
        let script = |python: &Path| -> Result<Command> {
            let mut command = python::script(python, "predict_pytorch.py", &[], threads);
            command.arg(film).arg(&model).arg(side.to_string());
            command.stderr(std::fs::File::create(&log)?);
            Ok(command)
        };
        let (mut our_times, mut megabytes) = (Vec::new(), 0f64);
        let (mut whole, mut after_imports, mut their_megabytes) = (Vec::new(), Vec::new(), 0f64);
        for round in 0..=field.plan.most.min(11) {
            let taken = take(&mut ours)?;
            megabytes = megabytes.max(taken.megabytes);
            let theirs: Option<(Taken, f64)> = match &interpreter {
                Some(python) => {
                    let taken = take(&mut script(python)?)?;
                    Some((taken, milliseconds_told(&log)?))
                }
                None => None,
            };
            // The first reads everything from the disk.
            if round > 0 {
                our_times.push(taken.milliseconds);
                if let Some((taken, told)) = theirs {
                    whole.push(taken.milliseconds);
                    after_imports.push(told);
                    their_megabytes = their_megabytes.max(taken.megabytes);
                }
            }
        }
        let median = |times| Times::new(times).map(|times| times.median());
        let ours = median(our_times).context("at least one round")?;
        rows.push(vec![format!("boneage predict, {side} px"), number(ours), "1".into(), number(megabytes)]);
        bars.push(Bar::limit(format!("memory of predict, {side} px"), megabytes, most, "MB"));
        let peers = [("imports counted", median(whole)), ("imports not counted", median(after_imports))];
        for ((told, theirs), required) in peers.into_iter().zip(SPEED) {
            let Some(theirs) = theirs else { continue };
            let name = format!("PyTorch script, {side} px, {told}");
            rows.push(vec![name, number(theirs), number(theirs / ours), number(their_megabytes)]);
            // The bars are those of the smaller model; the larger is told.
            if side == MEMORY[0].0 {
                bars.push(Bar::faster(format!("predict, {side} px, {told}"), theirs / ours, required));
            }
        }
    }
    report.table(&["process", "ms", "ours is so many times as fast", "most memory, MB"], &rows);
    Ok(())
}

/// What the script wrote last: `123.4 ms after the imports`.
fn milliseconds_told(log: &Path) -> Result<f64> {
    let text = std::fs::read_to_string(log)?;
    let line =
        text.lines().rev().find(|line| line.ends_with("after the imports")).with_context(|| text.clone())?;
    line.split_whitespace().next().context("a number")?.parse().with_context(|| line.to_owned())
}

fn data_set(
    field: &mut Field,
    args: &Args,
    film: &Path,
    report: &mut Report,
    bars: &mut Vec<Bar>,
) -> Result<()> {
    let (images, minutes) = DATA_SET;
    let films = field.folder.join("films");
    std::fs::create_dir_all(&films)?;
    std::fs::copy(film, films.join("film.png"))?;
    let small = films.with_file_name("squashed");
    std::fs::create_dir_all(&small)?;
    field.ours()?.ask(&format!("film 299 299 {}", small.join("film.png").display()))?;
    let (width, height) = FILM;
    let mut rows = Vec::new();
    let mut sets = vec![
        (format!("synthetic, {width} x {height} px"), films),
        ("synthetic, 299 x 299 px".to_owned(), small),
    ];
    if let Some(folder) = &args.data {
        sets.push(("radiographs given".to_owned(), folder.canonicalize()?));
    }
    for (told, folder) in &sets {
        let asked = format!("features 256 {}", folder.display());
        let times = (0..=3).map(|_| field.ours().ok()?.time(&asked));
        let times = Times::new(times.skip(1).collect::<Option<Vec<f64>>>().unwrap_or_default());
        let Some(times) = times else { continue };
        let a_second = FEATURES_ASKED as f64 / times.median() * 1e3;
        let took = images as f64 / a_second / 60.0;
        rows.push(vec![told.clone(), number(a_second), number(took)]);
        if folder == &sets.last().map(|set| set.1.clone()).unwrap_or_default() {
            bars.push(Bar::limit(format!("features of {images} images, {told}"), took, minutes, "minutes"));
        }
    }
    report.heading("Features of a data set");
    report.paragraph(&format!(
        "Decoded, framed and through VGG16 at 256 px in batches of 8, as the feature cache is filled; \
         {FEATURES_ASKED} images timed, extrapolated to the {images} of the RSNA training set."
    ));
    report.table(&["images", "images a second", "minutes for all"], &rows);
    Ok(())
}

/// Images of one `features` work, see `preparation.rs`.
const FEATURES_ASKED: usize = 64;
