//! Boxes and arrows: what the diagrams of networks are made of.

use super::theme::{LABEL, PAPER, thousands};
use boneage_draw::{Anchor, Colour, Drawing, Frame, Point, Style, Words};
use boneage_nets::Layer;

/// Layers whose weights stay as they were pretrained.
pub(super) const FROZEN: Colour = [205, 220, 236];
/// Layers that are trained.
pub(super) const TRAINED: Colour = [252, 214, 160];
/// Layers without weights.
pub(super) const PLAIN: Colour = [244, 245, 247];
/// The rim of each.
const RIMS: [(Colour, Colour); 3] =
    [(FROZEN, [38, 103, 166]), (TRAINED, [204, 112, 20]), (PLAIN, [150, 156, 166])];

/// The colour of a layer.
pub(super) fn ground_of(layer: &Layer) -> Colour {
    match (layer.parameters, layer.trainable) {
        (0, _) => PLAIN,
        (_, true) => TRAINED,
        (_, false) => FROZEN,
    }
}

/// A ground with its rim.
pub(super) fn style_of(ground: Colour) -> Style {
    let rim = RIMS.iter().find(|(known, _)| *known == ground).map_or(PAPER.soft, |(_, rim)| *rim);
    Style::fill(ground).outlined(rim, 1.2)
}

/// `15 x 15 x 512`, with true crosses.
pub(super) fn shape_text(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" \u{d7} ")
}

/// One layer: name and kind on the left, shape and parameters on the right.
pub(super) fn layer_box(drawing: &mut Drawing, frame: Frame, layer: &Layer) {
    drawing.rectangle(frame, 5.0, style_of(ground_of(layer)));
    let (left, right) = (frame.x + 12.0, frame.right() - 12.0);
    drawing.words((left, frame.y + 19.0), Words::bold(LABEL, PAPER.ink), &layer.name);
    drawing.words((left, frame.y + 37.0), Words::regular(13.0, PAPER.soft), &cross(&layer.kind.to_string()));
    let shape = Words::regular(LABEL, PAPER.ink).anchored(Anchor::End);
    drawing.words((right, frame.y + 19.0), shape, &shape_text(&layer.shape));
    if layer.parameters > 0 {
        let count = Words::regular(13.0, PAPER.soft).anchored(Anchor::End);
        drawing.words((right, frame.y + 37.0), count, &thousands(layer.parameters));
    }
}

/// `3x3` and `features x map` with true crosses.
pub(super) fn cross(text: &str) -> String {
    ["1", "2", "3"].iter().fold(text.replace(" x ", " \u{d7} ").replace(" -", " \u{2212}"), |text, n| {
        text.replace(&format!("{n}x{n}"), &format!("{n}\u{d7}{n}"))
    })
}

/// An arrow along points, its head at the last.
pub(super) fn arrow(drawing: &mut Drawing, points: &[Point]) {
    drawing.path(points, Style::line(PAPER.soft, 1.6));
    let [.., (from_x, from_y), (x, y)] = *points else { return };
    let length = (x - from_x).hypot(y - from_y).max(1e-9);
    let (dx, dy) = ((x - from_x) / length, (y - from_y) / length);
    let back = |side: f64| (x - 8.0 * dx - side * 4.5 * dy, y - 8.0 * dy + side * 4.5 * dx);
    drawing.path(&[(x, y), back(1.0), back(-1.0)], Style::fill(PAPER.soft));
}

/// Some of the three colours and what they mean, in a row from a point on.
pub(super) fn legend(drawing: &mut Drawing, (mut x, y): Point, grounds: &[Colour]) {
    let all = [(FROZEN, "frozen"), (TRAINED, "trained"), (PLAIN, "without weights")];
    for (ground, meaning) in all.into_iter().filter(|(ground, _)| grounds.contains(ground)) {
        drawing.rectangle(Frame::new(x, y, 22.0, 15.0), 3.0, style_of(ground));
        drawing.words((x + 30.0, y + 12.5), PAPER.label(), meaning);
        x += 30.0 + PAPER.label().width(meaning) + 26.0;
    }
}

/// Parameters of the layers that `kept` holds.
pub(super) fn parameters(layers: &[Layer], kept: impl Fn(&Layer) -> bool) -> usize {
    layers.iter().filter(|layer| kept(layer)).map(|layer| layer.parameters).sum()
}
