//! Colours that every picture shares, and the heat colours.

/// Red, green, blue; 0..255 each.
pub type Colour = [u8; 3];

/// Ground of every picture with a film, nearly black, so that the film is the brightest thing on it.
pub const GROUND: Colour = [14, 15, 18];
/// What is read first.
pub const BRIGHT: Colour = [240, 241, 243];
/// What is read next.
pub const QUIET: Colour = [158, 163, 172];
/// What must not be missed.
pub const WARNING: Colour = [255, 196, 87];

/// A sequential map that rises evenly in lightness, so that it is read right in grey and by the colour-blind:
/// nine samples of matplotlib's inferno (N. Smith and S. van der Walt, CC0), from 0 to 1.
const HEAT: [Colour; 9] = [
    [0, 0, 4],
    [31, 12, 72],
    [85, 15, 109],
    [136, 34, 106],
    [186, 54, 85],
    [227, 89, 51],
    [249, 140, 10],
    [249, 201, 50],
    [252, 255, 164],
];

/// The heat colour of a value; values are clamped to 0..1.
pub fn heat(value: f32) -> Colour {
    let position = value.clamp(0.0, 1.0) * (HEAT.len() - 1) as f32;
    let cell = (position as usize).min(HEAT.len() - 2);
    mix(HEAT[cell], HEAT[cell + 1], position - cell as f32)
}

/// The grey of a value; values are clamped to 0..1.
pub fn grey(value: f32) -> Colour {
    [(value.clamp(0.0, 1.0) * 255.0).round() as u8; 3]
}

/// `below` covered with `above` at an opacity of 0..1.
pub fn mix(below: Colour, above: Colour, opacity: f32) -> Colour {
    std::array::from_fn(|i| {
        let (below, above) = (f32::from(below[i]), f32::from(above[i]));
        (below + (above - below) * opacity.clamp(0.0, 1.0)).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_rises_in_lightness_from_end_to_end() {
        assert_eq!((heat(-1.0), heat(2.0)), (HEAT[0], HEAT[8]));
        let lightness =
            |v| heat(v).iter().zip([0.2126, 0.7152, 0.0722]).map(|(&c, w)| f32::from(c) * w).sum::<f32>();
        let steps: Vec<f32> = (0..=100).map(|i| lightness(i as f32 / 100.0)).collect();
        assert!(steps.windows(2).all(|pair| pair[1] > pair[0] - 0.51), "{steps:?}");
    }
}
