use boneage_core::{Affine, Flag, FlagCode, Plane};
use boneage_vision::{Placing, Preprocess, Turned, turned};

/// A radiograph laid down as those of the training: the fingers upward, the thumb to the right.
pub struct Upright {
    degrees: f32,
    mirrored: bool,
    laid: Turned,
    /// Width and height of the radiograph as given.
    source: (usize, usize),
    /// How a person wanted it, if one did.
    by_hand: Option<Placing>,
}

impl Upright {
    /// Of a plane whose hand is turned clockwise by so many degrees; `nearly` a quarter turn, in degrees, is taken
    /// for one. At any other turn the plane comes on a frame that holds all of it, and is cut to the hand that
    /// `recipe` finds.
    pub(crate) fn new(plane: &Plane, degrees: f32, nearly: f32, recipe: &Preprocess) -> Self {
        // Close to a quarter turn the file was stored so; a whole one loses nothing.
        let quarter = (degrees / 90.0).round() * 90.0;
        let stored = (degrees - quarter).abs() <= nearly;
        let degrees = if stored { quarter } else { degrees };
        let mut laid = turned(plane, f64::from(-degrees));
        if !stored && let Some(edges) = recipe.frame(&laid.plane).hand().and_then(usual_frame) {
            laid = laid.cut(edges);
        }
        Upright { degrees, mirrored: false, laid, source: (plane.width(), plane.height()), by_hand: None }
    }

    /// As a person lays it down.
    pub(crate) fn by_hand(plane: &Plane, placing: &Placing) -> Self {
        Upright {
            degrees: -placing.degrees(),
            mirrored: placing.is_mirrored(),
            laid: placing.lay(plane),
            source: (plane.width(), plane.height()),
            by_hand: Some(*placing),
        }
    }

    /// The same seen in a mirror.
    pub(crate) fn mirrored(&self) -> Self {
        Upright { mirrored: !self.mirrored, laid: self.laid.mirrored(), ..*self }
    }

    /// By how many degrees the hand was turned clockwise.
    pub fn degrees(&self) -> f32 {
        // Two turns that add up may go once round.
        (self.degrees + 180.0).rem_euclid(360.0) - 180.0
    }

    /// Whether left and right were exchanged.
    pub fn is_mirrored(&self) -> bool {
        self.mirrored
    }

    /// Whether a person laid it down so.
    pub fn is_by_hand(&self) -> bool {
        self.by_hand.is_some()
    }

    /// The upright radiograph.
    pub fn plane(&self) -> &Plane {
        &self.laid.plane
    }

    /// From a pixel of the upright radiograph to that of the one given.
    pub fn to_source(&self) -> Affine {
        self.laid.to_source
    }

    /// A mask over the upright radiograph in the pixels of the one given; 0 where the upright one does not reach.
    pub(crate) fn in_source(&self, mask: &Plane) -> Plane {
        let back = self.laid.to_source.inverse().expect("a turn has a way back");
        let (width, height) = (mask.width() as f64, mask.height() as f64);
        Plane::from_fn(self.source.0, self.source.1, |x, y| {
            let (u, v) = back.apply(x as f64, y as f64);
            let (u, v) = (u.round(), v.round());
            let inside = u >= 0.0 && v >= 0.0 && u < width && v < height;
            if inside { mask.at(u as usize, v as usize) } else { 0.0 }
        })
    }

    /// What is told about it: what a person did; else a turn beyond `most_degrees`, and a mirror.
    pub(crate) fn flags(&self, most_degrees: f32) -> Vec<Flag> {
        if let Some(placing) = &self.by_hand {
            return vec![Flag::new(FlagCode::ByHand, placing.words())];
        }
        let mut flags = Vec::new();
        let degrees = self.degrees();
        if degrees.abs() > most_degrees {
            let way = if degrees < 0.0 { "anticlockwise" } else { "clockwise" };
            let message =
                format!("the hand lay turned {way} by {:.0} degrees; it was set upright", degrees.abs());
            flags.push(Flag::new(FlagCode::Turned, message));
        }
        if self.mirrored {
            let message =
                "the thumb is where a right hand's or a mirrored film's is; it was read as a left hand";
            flags.push(Flag::new(FlagCode::RightHand, message));
        }
        flags
    }
}

/// What lies beside and above the hand on films as they are taken, as shares of its width and height: the medians of
/// 80 training films, 0.18 and 0.10 to the left and the right. The wrist goes down to the lower edge.
const USUAL_MARGINS: [f64; 2] = [0.14, 0.11];

/// Edges `[left, top, right, bottom]` of a frame around a hand as wide as films usually are. `None` for no hand.
fn usual_frame(hand: &Plane) -> Option<[usize; 4]> {
    let (width, height) = (hand.width(), hand.height());
    let within = |row: &usize| hand.row(*row).iter().any(|&inside| inside > 0.5);
    let (top, bottom) = ((0..height).find(within)?, (0..height).rev().find(within)? + 1);
    let along = |column: &usize| (top..bottom).any(|row| hand.at(*column, row) > 0.5);
    let (left, right) = ((0..width).find(along)?, (0..width).rev().find(along)? + 1);
    let [beside, above] = USUAL_MARGINS;
    let beside = (beside * (right - left) as f64).round() as usize;
    let above = (above * (bottom - top) as f64).round() as usize;
    Some([left.saturating_sub(beside), top.saturating_sub(above), right + beside, bottom])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upright(film: &Plane, degrees: f32) -> Upright {
        Upright::new(film, degrees, 6.0, &Preprocess::default())
    }

    #[test]
    fn a_mask_leads_back_to_where_it_was_taken_and_the_turn_is_told() {
        let film = Plane::from_fn(40, 30, |x, y| if x < 10 && y < 8 { 1.0 } else { 0.0 });
        let quarter = upright(&film, 93.0);
        assert_eq!((quarter.degrees(), quarter.plane().width()), (90.0, 30));
        assert_eq!(quarter.in_source(quarter.plane()), film);
        let mirrored = quarter.mirrored();
        assert_eq!(mirrored.in_source(mirrored.plane()), film);
        let told = |upright: &Upright| -> Vec<Flag> { upright.flags(20.0) };
        assert!(told(&quarter)[0].message.contains("clockwise by 90 degrees"));
        assert_eq!(
            told(&mirrored).iter().map(|flag| flag.code).collect::<Vec<_>>(),
            [FlagCode::Turned, FlagCode::RightHand]
        );
        let slanted = upright(&film, -150.0);
        assert_eq!(slanted.degrees(), -150.0);
        assert!(told(&slanted)[0].message.contains("anticlockwise by 150"));
        assert_eq!((upright(&film, 12.0).degrees(), upright(&film, 190.0).degrees()), (12.0, -170.0));
        assert_eq!(told(&upright(&film, 12.0)), []);
        assert_eq!(upright(&film, 184.0).degrees(), -180.0);
    }

    #[test]
    fn a_frame_has_room_beside_and_above_the_hand_and_none_below() {
        let hand = Plane::from_fn(200, 300, |x, y| {
            if (60..160).contains(&x) && (100..300).contains(&y) { 1.0 } else { 0.0 }
        });
        assert_eq!(usual_frame(&hand), Some([46, 78, 174, 300]));
        assert_eq!(usual_frame(&Plane::filled(5, 5, 0.0)), None);
    }
}
