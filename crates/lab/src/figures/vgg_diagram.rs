use super::boxes::{FROZEN, PLAIN, ground_of, legend, parameters, shape_text, style_of};
use super::theme::{LABEL, MARGIN, PAPER, sheet, thousands};
use boneage_draw::{Anchor, Drawing, Frame, Style, Words};
use boneage_nets::{Layer, LayerKind, VGG16_BLOCKS, VGG16_CONVOLUTIONS, vgg16_layers};

const WIDTH: f64 = 1120.0;
/// Height of the tallest slab, the image's.
const TALLEST: f64 = 250.0;
const ROW: f64 = 44.0;
const GAP: f64 = 12.0;

/// The paper's figure 6: VGG16 up to its features for images of `side` x `side` pixels, from the network's own
/// list of layers. A slab a layer, as high as its maps and as deep as it has channels, over name, shape of the
/// output and number of parameters.
pub fn vgg16_diagram(side: usize) -> Drawing {
    let layers = vgg16_layers(side, VGG16_CONVOLUTIONS);
    let title = "VGG16 up to its features";
    let subtitle = format!(
        "{} parameters in {VGG16_CONVOLUTIONS} convolutions, for images of {side} \u{d7} {side} pixels; the three fully \
         connected layers that follow in the original are replaced by a head. Slabs: height is the side of \
         the maps, depth the number of channels, both on a root scale.",
        thousands(parameters(&layers, |_| true))
    );
    let most = VGG16_BLOCKS.iter().map(|block| block.len()).max().unwrap_or(0) + 1;
    let body = 30.0 + TALLEST + 54.0 + ROW * most as f64 - 18.0;
    let (mut drawing, top) = sheet(PAPER, WIDTH, body, title, &subtitle);
    legend(&mut drawing, (MARGIN, top), &[FROZEN, PLAIN]);
    let floor = top + 30.0 + TALLEST;
    let column = (WIDTH - 2.0 * MARGIN - GAP * (VGG16_BLOCKS.len() - 1) as f64) / VGG16_BLOCKS.len() as f64;
    for (index, _) in VGG16_BLOCKS.iter().enumerate() {
        let prefix = format!("block{}_", index + 1);
        let of_block: Vec<&Layer> = layers.iter().filter(|layer| layer.name.starts_with(&prefix)).collect();
        let x = MARGIN + index as f64 * (column + GAP);
        slabs(&mut drawing, &of_block, x, column, floor, side);
        let own: Vec<Layer> = of_block.iter().map(|layer| (*layer).clone()).collect();
        drawing.words((x, floor + 30.0), PAPER.name(), &format!("block {}", index + 1));
        let count = thousands(parameters(&own, |_| true));
        let end = PAPER.label().anchored(Anchor::End);
        drawing.words((x + column, floor + 30.0), end, &count);
        for (row, layer) in of_block.iter().enumerate() {
            entry(&mut drawing, layer, Frame::new(x, floor + 42.0 + ROW * row as f64, column, ROW - 6.0));
        }
    }
    drawing
}

/// The block's layers as slabs on the floor, in the middle of its column.
fn slabs(drawing: &mut Drawing, layers: &[&Layer], x: f64, column: f64, floor: f64, side: usize) {
    let depth = |layer: &Layer| match layer.kind {
        LayerKind::Maximum => 7.0,
        _ => 2.0 * (layer.shape[2] as f64).sqrt(),
    };
    let height = |layer: &Layer| (layer.shape[0] as f64 / side as f64).sqrt() * TALLEST;
    let between = 5.0;
    let all: f64 = layers.iter().map(|layer| depth(layer)).sum::<f64>() + between * (layers.len() - 1) as f64;
    let mut left = x + (column - all) / 2.0;
    drawing.path(&[(x, floor + 8.0), (x + column, floor + 8.0)], Style::line(PAPER.soft, 1.0));
    for layer in layers {
        let tall = height(layer);
        drawing.rectangle(
            Frame::new(left, floor - tall, depth(layer), tall),
            3.0,
            style_of(ground_of(layer)),
        );
        left += depth(layer) + between;
    }
}

fn entry(drawing: &mut Drawing, layer: &Layer, frame: Frame) {
    let ground = if layer.parameters > 0 { FROZEN } else { PLAIN };
    drawing.rectangle(frame, 4.0, Style::fill(ground).opacity(0.55));
    let name = layer.name.split_once('_').map_or(layer.name.as_str(), |(_, name)| name);
    drawing.words((frame.x + 9.0, frame.y + 16.0), Words::bold(LABEL - 1.0, PAPER.ink), name);
    let small = Words::regular(LABEL - 1.5, PAPER.soft);
    drawing.words((frame.x + 9.0, frame.y + 32.0), small, &shape_text(&layer.shape));
    let (right, text) = (frame.right() - 9.0, thousands(layer.parameters));
    let text = if layer.parameters > 0 { text } else { "2\u{d7}2 maximum".to_owned() };
    drawing.words((right, frame.y + 16.0), small.anchored(Anchor::End), &text);
}
