//! The steps of the hand extraction, one by one and together, over the phantoms of a folder.

use crate::Work;
use anyhow::{Context, Result};
use boneage_core::Plane;
use boneage_vision::{
    DecodeLimits, HandRecipe, Labels, components, decode, extract_hand, fill_holes, sobel, watershed,
};
use rayon::prelude::*;
use std::hint::black_box;
use std::path::Path;

/// An image, whole greys 0..255, and the thresholds of its markers.
struct Phantom {
    image: Plane,
    thresholds: [f32; 2],
}

/// The images of a folder in the order of their names, `NAME-LOW-HIGH.png`.
fn read(folder: &Path) -> Result<Vec<Phantom>> {
    let mut files = std::fs::read_dir(folder)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
        })
        .with_context(|| folder.display().to_string())?;
    files.sort();
    let phantom = |file: &std::path::PathBuf| -> Result<Phantom> {
        let name = file.file_stem().and_then(|stem| stem.to_str()).context("a name in UTF-8")?;
        let mut words = name.rsplit('-').map(str::parse);
        let (Some(Ok(high)), Some(Ok(low))) = (words.next(), words.next()) else {
            anyhow::bail!("{name} does not end in two thresholds")
        };
        let image =
            decode(&std::fs::read(file)?, &DecodeLimits::default())?.plane.map(|g| (g * 255.0).round());
        Ok(Phantom { image, thresholds: [low, high] })
    };
    files.iter().map(phantom).collect()
}

impl Phantom {
    /// 1 below the lower threshold, 2 above the upper one, 0 between them.
    fn markers(&self) -> Labels {
        let [low, high] = self.thresholds;
        let marker = |&grey: &f32| u32::from(grey < low) + 2 * u32::from(grey > high);
        let values = self.image.pixels().iter().map(marker).collect();
        Labels::new(self.image.width(), self.image.height(), values)
    }

    /// The paper's steps once through: the largest object of the filled second basin.
    fn largest_object(&self) -> Vec<bool> {
        let (width, height) = (self.image.width(), self.image.height());
        let mut mask = watershed(&sobel(&self.image), &self.markers()).is(2);
        fill_holes(&mut mask, width, height);
        let (labels, found) = components(&mask, width, height);
        match found.iter().max_by_key(|object| (object.area, std::cmp::Reverse(object.label))) {
            Some(object) => labels.is(object.label),
            None => vec![false; mask.len()],
        }
    }

    /// The extraction as the program uses it, with its search for field and thresholds.
    fn hand(&self) -> Plane {
        extract_hand(&self.image.map(|grey| grey / 255.0), &HandRecipe::default()).mask
    }
}

fn numbers(values: impl IntoIterator<Item = bool>) -> impl Iterator<Item = f32> {
    values.into_iter().map(|value| f32::from(u8::from(value)))
}

/// The gradient of every phantom.
pub(crate) struct Sobel(Vec<Phantom>);

impl Sobel {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        read(folder).map(Self)
    }
}

impl Work for Sobel {
    fn run(&mut self) -> Result<()> {
        for phantom in &self.0 {
            black_box(sobel(&phantom.image));
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        Ok(self.0.iter().flat_map(|phantom| sobel(&phantom.image).pixels().to_vec()).collect())
    }
}

/// The flooding of every phantom; gradient and markers are there already.
pub(crate) struct Watershed(Vec<(Plane, Labels)>);

impl Watershed {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let phantoms = read(folder)?;
        Ok(Self(phantoms.iter().map(|phantom| (sobel(&phantom.image), phantom.markers())).collect()))
    }
}

impl Work for Watershed {
    fn run(&mut self) -> Result<()> {
        for (gradient, markers) in &self.0 {
            black_box(watershed(gradient, markers));
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        let flood = |(gradient, markers): &(Plane, Labels)| watershed(gradient, markers).values().to_vec();
        Ok(self.0.iter().flat_map(flood).map(|label| label as f32).collect())
    }
}

/// All steps over every phantom, one after the other on one core, or on all cores.
pub(crate) struct Steps(Vec<Phantom>);

impl Steps {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        read(folder).map(Self)
    }
}

impl Work for Steps {
    fn run(&mut self) -> Result<()> {
        for phantom in &self.0 {
            black_box(phantom.largest_object());
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        Ok(self.0.iter().flat_map(|phantom| numbers(phantom.largest_object())).collect())
    }
}

/// As [`Steps`], images side by side on all cores.
pub(crate) struct Batch(Vec<Phantom>);

impl Batch {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        read(folder).map(Self)
    }
}

impl Work for Batch {
    fn run(&mut self) -> Result<()> {
        self.0.par_iter().for_each(|phantom| {
            black_box(phantom.largest_object());
        });
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        let masks: Vec<Vec<bool>> = self.0.par_iter().map(Phantom::largest_object).collect();
        Ok(numbers(masks.into_iter().flatten()).collect())
    }
}

/// `extract_hand` over every phantom, one after the other.
pub(crate) struct Extract(Vec<Phantom>);

impl Extract {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        read(folder).map(Self)
    }
}

impl Work for Extract {
    fn run(&mut self) -> Result<()> {
        for phantom in &self.0 {
            black_box(phantom.hand());
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        Ok(self.0.iter().flat_map(|phantom| phantom.hand().pixels().to_vec()).collect())
    }
}

/// `extract_hand`, images side by side on all cores.
pub(crate) struct ExtractBatch(Vec<Phantom>);

impl ExtractBatch {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        read(folder).map(Self)
    }
}

impl Work for ExtractBatch {
    fn run(&mut self) -> Result<()> {
        self.0.par_iter().for_each(|phantom| {
            black_box(phantom.hand());
        });
        Ok(())
    }

    fn result(&mut self) -> Result<Vec<f32>> {
        let masks: Vec<Plane> = self.0.par_iter().map(Phantom::hand).collect();
        Ok(masks.iter().flat_map(|mask| mask.pixels().to_vec()).collect())
    }
}
