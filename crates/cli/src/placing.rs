//! Options by which a person lays a film down where the automatic way was wrong.

use boneage_vision::{Placing, Region};

/// `--turn`, `--mirror`, `--crop`.
#[derive(Debug, clap::Args)]
pub(crate) struct PlacingArgs {
    /// Lay the film down by hand: turn it clockwise by so many degrees, and set nothing upright besides
    #[arg(long, value_name = "DEGREES", allow_negative_numbers = true)]
    turn: Option<f32>,
    /// Lay the film down by hand: exchange left and right, after the turn
    #[arg(long)]
    mirror: bool,
    /// Lay the film down by hand: read this part of it after the turn; left, top, width, height as shares from 0 to 1
    #[arg(long, value_name = "X,Y,W,H", value_parser = region)]
    crop: Option<Region>,
}

impl PlacingArgs {
    /// How the film is laid down; `None`: the automatic way.
    pub(crate) fn placing(&self) -> anyhow::Result<Option<Placing>> {
        if self.turn.is_none() && !self.mirror && self.crop.is_none() {
            return Ok(None);
        }
        Ok(Some(Placing::new(self.turn.unwrap_or(0.0), self.mirror, self.crop)?))
    }
}

fn region(word: &str) -> Result<Region, String> {
    let shares: Result<Vec<f32>, _> = word.split(',').map(|share| share.trim().parse()).collect();
    match shares.as_deref() {
        Ok(&[left, top, width, height]) => Ok(Region { left, top, width, height }),
        _ => Err("hint: four shares from 0 to 1 with commas between them, as 0.1,0.2,0.5,0.6".to_owned()),
    }
}
