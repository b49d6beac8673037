//! Synthetic radiographs at any size: the phantoms of `fixtures/segmentation`, enlarged and made grainy.

use crate::forward::workspace_file;
use anyhow::{Context, Result};
use boneage_core::{Affine, Plane, stream};
use boneage_vision::{DecodeLimits, decode, warp};
use image::GrayImage;
use std::path::Path;

/// Name, the two thresholds of its markers as in `fixtures/segmentation/make.py`, and the spread of the
/// grain in greys, half of what the phantom was made with: without any, an enlarged phantom would be
/// smoother than a film.
const PHANTOMS: [(&str, [u8; 2], f64); 4] = [
    ("plain", [35, 75], 1.5),
    ("white_border", [45, 100], 1.5),
    ("dark", [6, 11], 0.35),
    ("turned_plate", [60, 160], 1.0),
];

/// From this side on, each phantom comes once.
const BATCH_SIDE: usize = 1024;

/// Writes phantoms as 8-bit PNG of `side` x `side` pixels, their thresholds in their names, which is the one
/// place where both sides read them. Small ones come several times, each time with other grain, so that a
/// batch of them is work enough for a pool to be worth its while. Tells how many there are.
pub(crate) fn write(side: usize, folder: &Path) -> Result<String> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let copies = (BATCH_SIDE / side).max(1);
    for (name, [low, high], grain) in PHANTOMS {
        for copy in 0..copies {
            let file = folder.join(format!("{name}-{copy}-{low}-{high}.png"));
            save(&enlarged(name, copy, side, side, grain)?, &file)?;
        }
    }
    Ok((copies * PHANTOMS.len()).to_string())
}

/// Writes one phantom of this size, as a film straight from the scanner.
pub(crate) fn write_film(width: usize, height: usize, file: &Path) -> Result<()> {
    save(&enlarged("plain", 0, width, height, 1.5)?, file)
}

fn enlarged(name: &str, copy: usize, width: usize, height: usize, grain: f64) -> Result<Plane> {
    let file = workspace_file(&format!("fixtures/segmentation/{name}.png"));
    let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
    let phantom = decode(&bytes, &DecodeLimits::default())?.plane;
    let map = Affine::grid((width, height), (phantom.width(), phantom.height()));
    let mut random = stream(1, &["grain", name, &copy.to_string()]);
    let mut film = warp(&phantom, &map, width, height);
    for grey in film.pixels_mut() {
        *grey = *grey * 255.0 + (grain * random.normal()) as f32;
    }
    Ok(film)
}

fn save(plane: &Plane, file: &Path) -> Result<()> {
    let greys = plane.pixels().iter().map(|grey| grey.round().clamp(0.0, 255.0) as u8).collect();
    let image = GrayImage::from_raw(plane.width() as u32, plane.height() as u32, greys);
    image.context("a plane is whole")?.save(file).with_context(|| file.display().to_string())
}
