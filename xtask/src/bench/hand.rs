use super::contestant::Contestant;
use super::folder::Folder;
use super::report::{Bar, Report, number};
use super::rounds::{Plan, Times, measure};
use super::{Common, build_ours, python};
use anyhow::{Context, Result, ensure};

/// The hand extraction against scikit-image.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
}

/// Sides of the phantoms. The data set's radiographs are 800 to 3,000 pixels wide; its squashed copies 299.
const SIDES: [usize; 4] = [299, 512, 1024, 2048];

/// What is done, how it is told, and how many times as fast as scikit-image it must be.
const WORKS: [(&str, &str, f64); 3] = [
    ("sobel", "Sobel gradient", 10.0),
    ("watershed", "watershed", 4.0),
    ("batch", "whole extraction, a batch", 10.0),
];

/// Works that are told without a bar.
const ALSO: [(&str, &str); 3] = [
    ("steps", "whole extraction, one by one"),
    ("extract", "`extract_hand`, one by one"),
    ("extract-batch", "`extract_hand`, a batch"),
];

/// Times of one work at one size: ours, scikit-image, scikit-image with a pool of processes.
struct Row {
    work: &'static str,
    side: usize,
    /// Images of this size.
    images: usize,
    times: Vec<Option<Times>>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let common = &args.common;
    let interpreter = python::with(&common.python, &["skimage", "scipy", "PIL"])
        .context("no interpreter has scikit-image; hint: --python PATH, after pip install scikit-image")?;
    let binaries = build_ours()?;
    let mut ours =
        Contestant::start("ours", &mut Contestant::command(&binaries.join("boneage-bench"), common.threads))?;
    let sides = if common.quick { &SIDES[..2] } else { &SIDES[..] };
    let folder = Folder::new()?;
    let mut images = Vec::new();
    for side in sides {
        let asked = format!("phantoms {side} {}", folder.join(side.to_string()).display());
        images.push(ours.ask(&asked)?.parse::<usize>()?);
    }
    let processes = common.threads.to_string();
    let peer = |name: &str, arguments: &[&str]| {
        Contestant::start(
            name,
            &mut python::script(&interpreter, "peer_scikit_image.py", arguments, common.threads),
        )
    };
    let mut contestants =
        vec![ours, peer("scikit-image", &[])?, peer("scikit-image, pool", &["--processes", &processes])?];
    for side in sides {
        agree(&mut contestants, &folder, *side)?;
    }

    let mut rows = Vec::new();
    for (&side, images) in sides.iter().zip(images) {
        // scikit-image takes seconds an image at the largest size.
        let plan = Plan::new(common.quick);
        let plan = if side > 512 { plan.brief() } else { plan };
        for work in WORKS.iter().map(|work| work.0).chain(ALSO.map(|work| work.0)) {
            eprintln!("{work} at {side} px");
            // The pool only differs where a batch is asked for.
            let all = if work.ends_with("batch") { 3 } else { 2 };
            let asked = format!("{work} {}", folder.join(side.to_string()).display());
            let mut asked_of: Vec<&mut Contestant> = contestants[..all].iter_mut().collect();
            let times = measure(&mut asked_of, &asked, plan);
            rows.push(Row { work, side, images, times });
        }
    }
    report(common, &mut contestants, &rows)
}

/// Gradient, basins and the object are the same to the last bit before anything is timed.
fn agree(contestants: &mut [Contestant], folder: &Folder, side: usize) -> Result<()> {
    let images = folder.join(side.to_string());
    for kind in ["sobel", "watershed", "steps", "batch"] {
        let work = format!("{kind} {}", images.display());
        let mut results =
            contestants.iter_mut().map(|contestant| contestant.result(&work, &folder.join("result")));
        let ours = results.next().context("we are a contestant")??;
        for result in results {
            let theirs = result?;
            let differ = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
            ensure!(ours.len() == theirs.len() && differ == 0, "{kind} at {side} px: {differ} pixels differ");
        }
    }
    Ok(())
}

fn report(common: &Common, contestants: &mut [Contestant], rows: &[Row]) -> Result<()> {
    let mut report = Report::new("The hand, against scikit-image");
    let versions: Vec<String> =
        contestants[..2].iter_mut().map(|c| c.ask("version")).collect::<Result<_>>()?;
    let first = rows.iter().filter(|row| row.work == WORKS[0].0);
    let counts: Vec<String> = first.map(|row| format!("{} at {} px", row.images, row.side)).collect();
    report.paragraph(&format!(
        "{}, {} threads or processes each, in turn, medians. Images are phantoms of \
         `fixtures/segmentation`, enlarged and made grainy, whole greys as f32: {} of them. The whole extraction is Sobel, \
         markers by two thresholds, watershed, filled holes, objects, the largest object. Gradients, labels and \
         masks of both sides were compared first and are the same to the last bit. A batch uses all cores on our \
         side; scikit-image as it is and with a pool of processes.",
        versions.join(" against "),
        common.threads,
        counts.join(", ")
    ));
    let each = |row: &Row| -> Vec<Option<f64>> {
        let ms = |times: &Times| times.median() / row.images as f64;
        row.times.iter().map(|times| times.as_ref().map(ms)).collect()
    };
    let mut bars = Vec::new();
    for (work, told, required) in WORKS {
        for row in rows.iter().filter(|row| row.work == work) {
            if let [Some(ours), Some(theirs), ..] = each(row)[..] {
                bars.push(Bar::faster(format!("{told}, {} px", row.side), theirs / ours, required));
            }
        }
    }
    report.bars(&bars);
    report.heading("Milliseconds an image");
    let cell = |value: Option<f64>| value.map_or("-".to_owned(), number);
    let table: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let told = WORKS.iter().map(|w| (w.0, w.1)).chain(ALSO).find(|told| told.0 == row.work);
            let times = each(row);
            let ratio = |peer: usize| Some(times.get(peer).copied().flatten()? / times[0]?);
            let mut line = vec![told.map_or(row.work, |told| told.1).to_owned(), row.side.to_string()];
            line.extend((0..3).map(|i| cell(times.get(i).copied().flatten())));
            line.extend([cell(ratio(1)), cell(ratio(2))]);
            line
        })
        .collect();
    report.table(
        &["work", "side", "ours", "scikit-image", "with a pool", "ratio", "ratio to the pool"],
        &table,
    );
    report.paragraph(
        "`extract_hand` is what the program runs: it works on a grid of at most 400 cells, and it searches the \
         frame for plates and thresholds, which scikit-image does not do here; its column for scikit-image is the \
         plain extraction at full size.",
    );
    report.write(&common.report("hand"))
}
