use super::boxes::{FROZEN, TRAINED, legend, parameters, style_of};
use super::model_diagram::paper_network;
use super::theme::{LABEL, MARGIN, PAPER, WIDTH, sheet, thousands};
use crate::LabError;
use boneage_draw::{Anchor, Drawing, Frame, Words};
use boneage_nets::{HeadKind, Layer, LayerKind, VGG16_CONVOLUTIONS, vgg16_layers};

const ROW: f64 = 104.0;
/// Convolutions that the second way freezes here: all but the last block.
const FIRST_LAYERS: usize = 10;

/// The three ways of transfer learning of the paper's section IV.B.2, for Model 1 with images of
/// `side` x `side` pixels, 32 at least: a box a convolution, and what is frozen of them and what is trained.
///
/// # Errors
/// When the images are smaller.
pub fn transfer_diagram(side: usize) -> Result<Drawing, LabError> {
    let network = paper_network(HeadKind::FullyConnected, side)?;
    let ways = [
        ("1  the whole network, from pretrained weights", 0),
        ("2  first layers frozen, the others trained", FIRST_LAYERS),
        ("3  all convolutions frozen, a new head", VGG16_CONVOLUTIONS),
    ];
    let subtitle =
        "one box a convolution of VGG16, one for the head; the paper's models are of the third way";
    let body = 34.0 + ROW * ways.len() as f64 - 32.0;
    let (mut drawing, top) = sheet(PAPER, WIDTH, body, "Three ways of transfer learning", subtitle);
    legend(&mut drawing, (MARGIN, top), &[FROZEN, TRAINED]);
    for (row, (name, frozen)) in ways.into_iter().enumerate() {
        let mut layers = vgg16_layers(side, frozen);
        layers.extend(network.head().layers());
        way(&mut drawing, name, &layers, top + 34.0 + ROW * row as f64);
    }
    Ok(drawing)
}

fn way(drawing: &mut Drawing, name: &str, layers: &[Layer], top: f64) {
    drawing.words((MARGIN, top + 20.0), PAPER.name(), name);
    let trained = parameters(layers, |layer| layer.trainable);
    let frozen = parameters(layers, |layer| !layer.trainable);
    let facts = format!("{} trained, {} frozen", thousands(trained), thousands(frozen));
    let end = PAPER.label().anchored(Anchor::End);
    drawing.words((WIDTH - MARGIN, top + 20.0), end, &facts);
    let convolutions: Vec<&Layer> =
        layers.iter().filter(|layer| layer.kind == LayerKind::Convolution3x3).collect();
    let head = 150.0;
    // A little more room between blocks than within.
    let blocks = convolutions.windows(2).filter(|pair| block_of(pair[0]) != block_of(pair[1])).count();
    let room = WIDTH - 2.0 * MARGIN - head - 10.0 * (blocks + 1) as f64;
    let step = room / convolutions.len() as f64;
    let (mut x, mut block) = (MARGIN, block_of(convolutions[0]));
    for layer in convolutions {
        if block_of(layer) != block {
            block = block_of(layer);
            x += 10.0;
        }
        let ground = if layer.trainable { TRAINED } else { FROZEN };
        let frame = Frame::new(x, top + 32.0, step - 4.0, 40.0);
        drawing.rectangle(frame, 4.0, style_of(ground));
        let channels = layer.shape[2].to_string();
        let words = Words::regular(LABEL - 1.0, PAPER.ink).anchored(Anchor::Middle);
        drawing.words((frame.x + frame.width / 2.0, frame.y + 25.0), words, &channels);
        x += step;
    }
    let frame = Frame::new(WIDTH - MARGIN - head, top + 32.0, head, 40.0);
    drawing.rectangle(frame, 4.0, style_of(TRAINED));
    let words = Words::bold(LABEL, PAPER.ink).anchored(Anchor::Middle);
    drawing.words((frame.x + head / 2.0, frame.y + 25.0), words, "head");
}

fn block_of(layer: &Layer) -> &str {
    layer.name.split('_').next().unwrap_or_default()
}
