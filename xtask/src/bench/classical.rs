use super::contestant::Contestant;
use super::folder::Folder;
use super::report::{Bar, Report, number};
use super::rounds::{Plan, measure};
use super::{Common, build_ours, python};
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;

/// The paper's regressions against scikit-learn.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    /// Folder of the data set: the greys of its masked hands are what is fitted to
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

/// How many times as fast as scikit-learn's fastest solver each fit must be.
const FASTER: f64 = 3.0;
/// How far our error may be from scikit-learn's, in months.
const MONTHS: f64 = 0.1;
/// A solver gives the same answer if its result is ours within this share: sums of absolute differences over
/// sums of absolute values.
const SAME: f64 = 0.01;
/// Ways to components. The two that decompose everything take minutes at 16,384 greys.
const SVD: [&str; 2] = ["randomized", "arpack"];
/// Ways to a logistic regression.
const SOLVERS: [&str; 4] = ["liblinear", "lbfgs", "newton-cholesky", "newton-cg"];

/// One solver of scikit-learn, tried once.
struct Trial {
    name: String,
    /// Share by which its result differs from ours.
    difference: f64,
    milliseconds: f64,
}

/// A fit that is timed.
struct Fit {
    told: String,
    trials: Vec<Trial>,
    /// Medians: ours, then the fastest solver with the same answer.
    medians: [f64; 2],
    rounds: usize,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let common = &args.common;
    let interpreter = python::with(&common.python, &["sklearn", "numpy"])
        .context("no interpreter has scikit-learn; hint: --python PATH, after pip install scikit-learn")?;
    let binaries = build_ours()?;
    let mut ours =
        Contestant::start("ours", &mut Contestant::command(&binaries.join("boneage-bench"), common.threads))?;
    let folder = Folder::new()?;
    let data = args.data.canonicalize().with_context(|| args.data.display().to_string())?;
    eprintln!("reading the hands of {}", data.display());
    let counts = ours.ask(&format!("hands {} {}", data.display(), folder.join("hands").display()))?;
    let [trained, tested] = counts.split(' ').collect::<Vec<_>>()[..] else {
        anyhow::bail!("our side counted {counts:?}")
    };
    let trained: usize = trained.parse()?;
    let rows = trained.min(if common.quick { 400 } else { 2000 });

    let jobs = common.threads.to_string();
    let peer = |name: String, arguments: &[&str]| {
        let script = "peer_scikit_learn.py";
        Contestant::start(&name, &mut python::script(&interpreter, script, arguments, common.threads))
    };
    let svd = SVD.map(|svd| peer(format!("PCA {svd}"), &["--svd", svd]));
    let mut svd = svd.into_iter().collect::<Result<Vec<_>>>()?;
    let mut solvers = Vec::new();
    for solver in SOLVERS {
        solvers.push(peer(solver.to_owned(), &["--solver", solver])?);
        let name = format!("{solver}, {jobs} processes");
        solvers.push(peer(name, &["--solver", solver, "--jobs", &jobs])?);
    }

    let mut fits = Vec::new();
    for (kind, components) in [("linear", 100), ("logistic", 20), ("logistic", 50)] {
        let peers = if kind == "linear" { &mut svd } else { &mut solvers };
        let told = match kind {
            "linear" => format!("{components} principal components and least squares"),
            _ => format!("logistic regression on {components} coordinates"),
        };
        eprintln!("{told}");
        let work = format!("{kind} {} {rows} {components}", folder.join("hands").display());
        fits.push(fit(told, &work, &mut ours, peers, &folder, common.quick)?);
    }
    let errors = errors(&mut ours, &mut solvers[0], &folder, if common.quick { rows } else { trained })?;
    let versions = [ours.ask("version")?, svd[0].ask("version")?];
    report(common, &versions, [rows, trained], tested, &fits, errors)
}

/// Tries every peer once, and times the fastest of those that answer as we do.
fn fit(
    told: String,
    work: &str,
    ours: &mut Contestant,
    peers: &mut [Contestant],
    folder: &Folder,
    quick: bool,
) -> Result<Fit> {
    let own = ours.result(work, &folder.join("result"))?;
    let mut trials = Vec::new();
    for peer in peers.iter_mut() {
        let theirs = peer.result(work, &folder.join("result"))?;
        ensure!(own.len() == theirs.len(), "{}: {} numbers, not {}", peer.name, theirs.len(), own.len());
        let milliseconds = peer.time(work).with_context(|| format!("{} cannot be timed", peer.name))?;
        trials.push(Trial { name: peer.name.clone(), difference: difference(&own, &theirs), milliseconds });
    }
    let same = trials.iter().enumerate().filter(|(_, trial)| trial.difference <= SAME);
    let fastest = same.min_by(|a, b| a.1.milliseconds.total_cmp(&b.1.milliseconds)).map(|(index, _)| index);
    let fastest = fastest.with_context(|| format!("no solver answers {work} as we do"))?;
    let plan = Plan::new(quick).brief();
    let times = measure(&mut [ours, &mut peers[fastest]], work, plan);
    let [Some(first), Some(second)] = &times[..] else { anyhow::bail!("{work} cannot be timed") };
    Ok(Fit { told, trials, medians: [first.median(), second.median()], rounds: first.count() })
}

/// Share by which `theirs` differs from `ours`.
fn difference(ours: &[f32], theirs: &[f32]) -> f64 {
    let apart: f64 = ours.iter().zip(theirs).map(|(a, b)| f64::from((a - b).abs())).sum();
    apart / ours.iter().map(|a| f64::from(a.abs())).sum::<f64>().max(f64::MIN_POSITIVE)
}

/// Mean absolute errors in months on the test films, ours and scikit-learn's, by the number of coordinates.
fn errors(
    ours: &mut Contestant,
    liblinear: &mut Contestant,
    folder: &Folder,
    rows: usize,
) -> Result<Vec<(usize, [f64; 2])>> {
    let truth = std::fs::read(folder.join("hands").join("test-ages.f32"))?;
    let (quads, _) = truth.as_chunks::<4>();
    let mut errors = Vec::new();
    for components in [10, 50] {
        eprintln!("error with {components} coordinates");
        let work = format!("months {} {rows} {components}", folder.join("hands").display());
        let error = |contestant: &mut Contestant| -> Result<f64> {
            let predicted = contestant.result(&work, &folder.join("result"))?;
            let pairs =
                predicted.iter().zip(quads).map(|(p, &t)| f64::from((p - f32::from_le_bytes(t)).abs()));
            Ok(pairs.sum::<f64>() / predicted.len().max(1) as f64)
        };
        errors.push((components, [error(ours)?, error(liblinear)?]));
    }
    Ok(errors)
}

fn report(
    common: &Common,
    versions: &[String; 2],
    [rows, trained]: [usize; 2],
    tested: &str,
    fits: &[Fit],
    errors: Vec<(usize, [f64; 2])>,
) -> Result<()> {
    let mut report = Report::new("The paper's regressions, against scikit-learn");
    report.paragraph(&format!(
        "{}, {} threads each. Films of boys as the paper's regressions read them: the masked hand at 128 x 128 pixels, \
         f32; {rows} films are fitted to, and {tested} others tell whether a solver gives our answer. Every solver of \
         scikit-learn is tried once; the fastest whose answer is ours to {} % is then timed with us in turn, \
         medians. All logistic regressions keep the intercept small with the weights, and stop at a tolerance of 1e-4.",
        versions.join(" against "),
        common.threads,
        SAME * 100.0
    ));
    let ratio = |fit: &Fit| fit.medians[1] / fit.medians[0];
    let mut bars: Vec<Bar> =
        fits.iter().map(|fit| Bar::faster(fit.told.clone(), ratio(fit), FASTER)).collect();
    for (components, [ours, theirs]) in &errors {
        let what = format!("MAE beside liblinear's, {components} coordinates");
        bars.push(Bar::limit(what, (ours - theirs).abs(), MONTHS, "months"));
    }
    report.bars(&bars);
    report.heading("Milliseconds a fit");
    let line = |fit: &Fit| {
        let fastest = fit.trials.iter().filter(|trial| trial.difference <= SAME);
        let fastest = fastest.min_by(|a, b| a.milliseconds.total_cmp(&b.milliseconds));
        let name = fastest.map_or_else(String::new, |trial| trial.name.clone());
        let [ours, theirs] = fit.medians.map(number);
        vec![fit.told.clone(), ours, theirs, name, number(ratio(fit)), fit.rounds.to_string()]
    };
    let lines: Vec<Vec<String>> = fits.iter().map(line).collect();
    report.table(&["fit", "ours", "scikit-learn", "its solver", "ratio", "rounds"], &lines);
    report.heading("Every solver once");
    for fit in fits {
        report.paragraph(&format!("{}:", fit.told));
        let line = |trial: &Trial| {
            let difference = format!("{:.3} %", trial.difference * 100.0);
            vec![trial.name.clone(), number(trial.milliseconds), difference]
        };
        let lines: Vec<Vec<String>> = fit.trials.iter().map(line).collect();
        report.table(&["solver", "milliseconds", "its answer beside ours"], &lines);
    }
    report.heading("Error on the test films");
    report.paragraph(&format!(
        "One-against-the-rest logistic regression fitted to all {trained} training films: mean absolute error in months on \
         the {tested} test films; scikit-learn's is `OneVsRestClassifier(LogisticRegression(solver=\"liblinear\"))`."
    ));
    let line = |(components, [ours, theirs]): &(usize, [f64; 2])| {
        vec![components.to_string(), format!("{ours:.3}"), format!("{theirs:.3}")]
    };
    let lines: Vec<Vec<String>> = errors.iter().map(line).collect();
    report.table(&["coordinates", "ours", "scikit-learn"], &lines);
    report.write(&common.report("classical"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_share_of_what_is_there() {
        assert_eq!(difference(&[1.0, -3.0], &[1.0, -2.0]), 0.25);
        assert_eq!(difference(&[2.0], &[2.0]), 0.0);
    }
}
