//! The paper's regressions on the masked hands of the data set, 128 x 128 pixels.

use crate::Work;
use anyhow::{Context, Result, bail};
use boneage_assess::greys;
use boneage_classical::{LinearRegression, LogisticOptions, LogisticRegression, Pca, PcaOptions, Samples};
use boneage_core::Sex;
use boneage_lab::{Dataset, Part, Radiograph, SplitName};
use boneage_vision::{DecodeLimits, Preprocess, decode};
use rayon::prelude::*;
use std::hint::black_box;
use std::path::{Path, PathBuf};

/// The paper's side of an image.
const SIDE: usize = 128;
/// Coordinates that are kept for the logistic regressions.
const SCORES: usize = 50;

/// Writes what every side reads, into `folder`: greys, ages and coordinates of the boys' films of the paper's two
/// thirds (`train`) and of the rest (`test`). Answers how many films there are of each.
pub(crate) fn write(data: &Path, folder: &Path) -> Result<String> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let dataset = Dataset::read(data)?;
    let preprocess = Preprocess { size: SIDE, mask: true, ..Preprocess::default() };
    let mut sets = Vec::new();
    for (name, part) in [("train", Part::Training), ("test", Part::Holdout)] {
        let films: Vec<&Radiograph> = dataset
            .radiographs
            .iter()
            .filter(|r| r.sex == Sex::Male && SplitName::Thirds.part(&r.id) == part)
            .collect();
        let read = |film: &&Radiograph| -> Result<Vec<f32>> {
            let image = decode(&std::fs::read(&film.path)?, &DecodeLimits::default())?;
            Ok(greys(&preprocess.frame(&image.plane).image()))
        };
        let images = films.par_iter().map(read).collect::<Result<Vec<_>>>()?;
        let samples = Samples::new(images.concat(), SIDE * SIDE)?;
        write_numbers(folder, name, samples.values())?;
        let ages: Vec<f32> = films.iter().map(|film| film.months.0).collect();
        write_numbers(folder, &format!("{name}-ages"), &ages)?;
        sets.push(samples);
    }
    let [train, test] = &sets[..] else { bail!("two parts") };
    let pca = Pca::fit(train, PcaOptions::new(SCORES))?;
    write_numbers(folder, "train-scores", pca.transform(train)?.values())?;
    write_numbers(folder, "test-scores", pca.transform(test)?.values())?;
    std::fs::write(folder.join("scores-width"), SCORES.to_string())?;
    Ok(format!("{} {}", train.len(), test.len()))
}

fn write_numbers(folder: &Path, name: &str, values: &[f32]) -> Result<()> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let file = folder.join(format!("{name}.f32"));
    std::fs::write(&file, bytes).with_context(|| file.display().to_string())
}

fn read_numbers(folder: &Path, name: &str) -> Result<Vec<f32>> {
    let file = folder.join(format!("{name}.f32"));
    let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|&quad| f32::from_le_bytes(quad)).collect())
}

/// The arrays `name` of train and test, the first `rows` of train alone, and the ages of those.
fn read(folder: &Path, ends: &str, width: usize, rows: usize) -> Result<(Samples, Samples, Vec<f32>)> {
    let mut train = read_numbers(folder, &format!("train{ends}"))?;
    train.truncate(rows * width);
    let test = read_numbers(folder, &format!("test{ends}"))?;
    let mut ages = read_numbers(folder, "train-ages")?;
    ages.truncate(rows);
    Ok((Samples::new(train, width)?, Samples::new(test, width)?, ages))
}

/// Principal components of the greys, and least squares on the coordinates along them.
pub(crate) struct Linear {
    train: Samples,
    test: Samples,
    ages: Vec<f32>,
    components: usize,
}

impl Linear {
    pub(crate) fn new(folder: &Path, rows: usize, components: usize) -> Result<Self> {
        let (train, test, ages) = read(folder, "", SIDE * SIDE, rows)?;
        Ok(Linear { train, test, ages, components })
    }

    fn fit(&self) -> Result<(Pca, LinearRegression)> {
        let pca = Pca::fit(&self.train, PcaOptions::new(self.components))?;
        let line = LinearRegression::fit(&pca.transform(&self.train)?, &self.ages)?;
        Ok((pca, line))
    }
}

impl Work for Linear {
    fn run(&mut self) -> Result<()> {
        black_box(self.fit()?);
        Ok(())
    }

    /// Months for the test films.
    fn result(&mut self) -> Result<Vec<f32>> {
        let (pca, line) = self.fit()?;
        Ok(pca.transform(&self.test)?.rows().map(|row| line.predict(row) as f32).collect())
    }
}

/// One-against-the-rest logistic regression on coordinates, a class for every month that occurs.
pub(crate) struct Logistic {
    train: Samples,
    test: Samples,
    labels: Vec<usize>,
    /// Of every class.
    months: Vec<f32>,
    /// Whether the result is the likeliest months, not the scores.
    answers: bool,
}

impl Logistic {
    pub(crate) fn new(folder: &Path, rows: usize, components: usize, answers: bool) -> Result<Self> {
        let width: PathBuf = folder.join("scores-width");
        let width = std::fs::read_to_string(&width).with_context(|| width.display().to_string())?.parse()?;
        let (train, test, ages) = read(folder, "-scores", width, rows)?;
        let mut months = ages.clone();
        months.sort_by(f32::total_cmp);
        months.dedup();
        let labels = ages.iter().map(|age| months.partition_point(|month| month < age)).collect();
        let (train, test) = (train.first_columns(components), test.first_columns(components));
        Ok(Logistic { train, test, labels, months, answers })
    }

    fn fit(&self) -> Result<LogisticRegression> {
        let options = LogisticOptions::default();
        Ok(LogisticRegression::fit(&self.train, &self.labels, self.months.len(), options)?)
    }
}

impl Work for Logistic {
    fn run(&mut self) -> Result<()> {
        black_box(self.fit()?);
        Ok(())
    }

    /// Scores of every class for the test films, or their likeliest months.
    fn result(&mut self) -> Result<Vec<f32>> {
        let fit = self.fit()?;
        if self.answers {
            return Ok(self.test.rows().map(|row| self.months[fit.most_likely(row)]).collect());
        }
        Ok(self.test.rows().flat_map(|row| fit.scores(row)).map(|score| score as f32).collect())
    }
}
