use crate::{Turned, turned};
use boneage_core::Plane;

/// How a person lays a film down where the automatic way was wrong: it is turned, then mirrored, then cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placing {
    degrees: f32,
    mirrored: bool,
    crop: Option<Region>,
}

/// A part of a frame as shares of its width and height, 0 to 1, from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Where it begins, from the left.
    pub left: f32,
    /// Where it begins, from above.
    pub top: f32,
    /// How much of the width it is.
    pub width: f32,
    /// How much of the height it is.
    pub height: f32,
}

/// Why a film cannot be laid down so.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlacingError {
    /// The turn is no number, or more than half a turn.
    #[error("a turn of {0} degrees; hint: -180 to 180, clockwise")]
    Turn(f32),
    /// The part begins beyond the frame, or is next to nothing.
    #[error("a part of {} x {} at {}, {}; hint: shares of the frame, from 0 to 1, with at least {LEAST_SHARE} each way within it", .0.width, .0.height, .0.left, .0.top)]
    Crop(Region),
}

/// Least share of width and height that is cut out: below it there is no hand.
const LEAST_SHARE: f32 = 0.05;

/// Where a part may begin at most: the least share still fits.
const LAST_BEGIN: f32 = 1.0 - LEAST_SHARE;

impl Placing {
    /// Turned clockwise by `degrees`, on a frame that holds all of the film; then with left and right exchanged, if
    /// `mirrored`; then cut to the part `crop` of that frame. What of the part lies beyond the frame does not count.
    ///
    /// # Errors
    /// If the turn is not from -180 to 180, or next to nothing of the part lies within the frame.
    pub fn new(degrees: f32, mirrored: bool, crop: Option<Region>) -> Result<Placing, PlacingError> {
        // A range holds no NaN.
        if !(-180.0..=180.0).contains(&degrees) {
            return Err(PlacingError::Turn(degrees));
        }
        let within = |from: f32, share: f32| {
            (0.0..=LAST_BEGIN).contains(&from) && (LEAST_SHARE..=1.0).contains(&share)
        };
        match crop {
            Some(part) if !(within(part.left, part.width) && within(part.top, part.height)) => {
                Err(PlacingError::Crop(part))
            }
            _ => {
                let crop = crop.map(|part| Region {
                    width: part.width.min(1.0 - part.left),
                    height: part.height.min(1.0 - part.top),
                    ..part
                });
                Ok(Placing { degrees, mirrored, crop })
            }
        }
    }

    /// By how many degrees it is turned clockwise.
    pub fn degrees(&self) -> f32 {
        self.degrees
    }

    /// Whether left and right are exchanged.
    pub fn is_mirrored(&self) -> bool {
        self.mirrored
    }

    /// Which part is cut out.
    pub fn crop(&self) -> Option<Region> {
        self.crop
    }

    /// The film so laid down, with the way back.
    pub fn lay(&self, film: &Plane) -> Turned {
        let mut laid = turned(film, f64::from(self.degrees));
        if self.mirrored {
            laid = laid.mirrored();
        }
        let Some(part) = self.crop else { return laid };
        let (width, height) = (laid.plane.width(), laid.plane.height());
        let edges = |from: f32, share: f32, side: usize| {
            let pixel = |share: f32| (f64::from(share) * side as f64).round() as usize;
            let first = pixel(from).min(side.saturating_sub(1));
            (first, pixel(from + share).clamp(first + 1, side.max(first + 1)))
        };
        let (left, right) = edges(part.left, part.width, width);
        let (top, bottom) = edges(part.top, part.height, height);
        laid.cut([left, top, right, bottom])
    }

    /// What was done, for people: `turned by hand by 15 degrees clockwise, cropped by hand`.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        if self.degrees != 0.0 {
            let way = if self.degrees < 0.0 { "anticlockwise" } else { "clockwise" };
            words.push(format!("turned by hand by {} degrees {way}", self.degrees.abs()));
        }
        if self.mirrored {
            words.push("mirrored by hand".to_owned());
        }
        if self.crop.is_some() {
            words.push("cropped by hand".to_owned());
        }
        if words.is_empty() {
            words.push("read as it lies, by hand".to_owned());
        }
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: Region = Region { left: 0.25, top: 0.5, width: 0.5, height: 0.25 };

    #[test]
    fn a_film_is_turned_then_mirrored_then_cut_and_every_pixel_knows_where_it_was() {
        let film = Plane::from_fn(40, 60, |x, y| (100 * y + x) as f32);
        let laid = Placing::new(90.0, true, Some(PART)).unwrap().lay(&film);
        // On its side the film is 60 wide and 40 high.
        assert_eq!((laid.plane.width(), laid.plane.height()), (30, 10));
        for (x, y) in [(0, 0), (29, 9), (11, 4)] {
            let (sx, sy) = laid.to_source.apply(x as f64, y as f64);
            assert_eq!(laid.plane.at(x, y), film.at(sx as usize, sy as usize));
        }
        // Clockwise, the upper left corner goes to the upper right, and in the mirror back to the upper left.
        let corner = Placing::new(90.0, true, None).unwrap().lay(&film);
        assert_eq!(corner.plane.at(0, 0), film.at(0, 0));
    }

    #[test]
    fn the_smallest_part_of_the_smallest_film_is_a_pixel() {
        let part = Region { left: 0.95, top: 0.95, width: 0.05, height: 0.05 };
        let laid = Placing::new(0.0, false, Some(part)).unwrap().lay(&Plane::filled(3, 3, 0.5));
        assert_eq!((laid.plane.width(), laid.plane.height()), (1, 1));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for degrees in [f32::NAN, 180.5, -181.0, f32::INFINITY] {
            assert!(matches!(Placing::new(degrees, false, None), Err(PlacingError::Turn(_))), "{degrees}");
        }
        for part in [
            Region { left: -0.1, ..PART },
            Region { left: 0.96, ..PART },
            Region { width: 1.1, ..PART },
            Region { width: 0.01, ..PART },
            Region { height: f32::NAN, ..PART },
        ] {
            let refused = Placing::new(0.0, false, Some(part)).unwrap_err();
            assert!(refused.to_string().contains("shares of the frame, from 0 to 1"), "{refused}");
        }
    }

    #[test]
    fn what_lies_beyond_the_frame_does_not_count() {
        let part = Region { left: 0.75, top: 0.9, width: 0.5, height: 1.0 };
        let crop = Placing::new(0.0, false, Some(part)).unwrap().crop().unwrap();
        assert!((crop.width - 0.25).abs() < 1e-6 && (crop.height - 0.1).abs() < 1e-6, "{crop:?}");
    }

    #[test]
    fn what_was_done_is_told() {
        let words = |degrees, mirrored, crop| Placing::new(degrees, mirrored, crop).unwrap().words();
        assert_eq!(
            words(-15.5, false, Some(PART)),
            "turned by hand by 15.5 degrees anticlockwise, cropped by hand"
        );
        assert_eq!(words(0.0, true, None), "mirrored by hand");
        assert_eq!(words(0.0, false, None), "read as it lies, by hand");
    }
}
