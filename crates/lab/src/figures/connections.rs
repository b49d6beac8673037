use super::boxes::{FROZEN, TRAINED, style_of};
use super::model_diagram::paper_network;
use super::theme::{LABEL, MARGIN, PAPER, WIDTH, sheet, thousands};
use crate::LabError;
use boneage_draw::{Colour, Drawing, Point, Style, Words};
use boneage_nets::{HeadKind, Layer, LayerKind};

/// Height of one of the two panels, and of the space for a layer's neurons in it.
const PANEL: f64 = 250.0;
const COLUMN: f64 = 200.0;
/// Where the words of a panel begin.
const WORDS: f64 = 590.0;
/// Neurons of a layer that are drawn, of many more.
const DRAWN: usize = 11;
/// A 3x3 convolution, seen along one axis, reads so many to each side.
const REACH: usize = 1;

/// The paper's figure 5: what a neuron of a convolution reads, above, and one of a dense layer, below. With the
/// numbers of the first convolution and the first dense layer of Model 1 for images of `side` x `side` pixels.
///
/// # Errors
/// When the images are smaller than 32 pixels.
pub fn connections_diagram(side: usize) -> Result<Drawing, LabError> {
    let layers = paper_network(HeadKind::FullyConnected, side)?.layers(side);
    let missing = || LabError::Data("the network has no convolution or no dense layer".to_owned());
    let find = |wanted: &dyn Fn(&LayerKind) -> bool| layers.iter().find(|layer| wanted(&layer.kind));
    let convolution = find(&|kind| matches!(kind, LayerKind::Convolution3x3)).ok_or_else(missing)?;
    let dense = find(&|kind| matches!(kind, LayerKind::Dense(_))).ok_or_else(missing)?;
    let subtitle = "Every dot a neuron, every line a weight, in a section along one axis of the image; dark what \
                    the last neuron in the middle depends on.";
    let (mut drawing, top) =
        sheet(PAPER, WIDTH, 2.0 * PANEL - 20.0, "A convolutional network and a dense one", subtitle);
    let near = |from: usize, to: usize| from.abs_diff(to) <= REACH;
    panel(&mut drawing, top, FROZEN, &near);
    words(&mut drawing, top, "convolutional", &of_convolution(convolution));
    panel(&mut drawing, top + PANEL, TRAINED, &|_, _| true);
    words(&mut drawing, top + PANEL, "dense", &of_dense(dense));
    Ok(drawing)
}

fn of_convolution(layer: &Layer) -> [String; 4] {
    let [height, width, channels] = [0, 1, 2].map(|axis| layer.shape.get(axis).copied().unwrap_or(1));
    let places = thousands(height * width);
    [
        "a neuron reads its neighbourhood of 3 \u{d7} 3".to_owned(),
        format!("one set of weights for all {places} places"),
        format!("{}: {channels} sets,", layer.name),
        format!(
            "{} parameters for {} neurons",
            thousands(layer.parameters),
            thousands(height * width * channels)
        ),
    ]
}

fn of_dense(layer: &Layer) -> [String; 4] {
    let units = layer.shape.iter().product::<usize>();
    let read = (layer.parameters / units.max(1)).saturating_sub(1);
    [
        format!("a neuron reads all {read} of the layer below"),
        "every line has a weight of its own".to_owned(),
        format!("{}: {} weights a neuron and a bias,", layer.name, thousands(read)),
        format!("{} parameters for {} neurons", thousands(layer.parameters), thousands(units)),
    ]
}

/// Three layers of neurons from left to right; `joined` says which of one layer the next reads.
fn panel(drawing: &mut Drawing, top: f64, ground: Colour, joined: &dyn Fn(usize, usize) -> bool) {
    let place = |layer: usize, neuron: usize| -> Point {
        let step = COLUMN / (DRAWN - 1) as f64;
        (MARGIN + 24.0 + 220.0 * layer as f64, top + 10.0 + step * neuron as f64)
    };
    // What the neuron in the middle of the last layer depends on, layer by layer from the last.
    let mut depends = [[false; DRAWN]; 3];
    depends[2][DRAWN / 2] = true;
    for layer in [1, 0] {
        for from in 0..DRAWN {
            depends[layer][from] = (0..DRAWN).any(|to| depends[layer + 1][to] && joined(from, to));
        }
    }
    for dark in [false, true] {
        let style = if dark { Style::line(PAPER.soft, 1.0) } else { Style::line([214, 218, 224], 0.8) };
        for layer in 0..2 {
            for (from, to) in (0..DRAWN * DRAWN).map(|pair| (pair / DRAWN, pair % DRAWN)) {
                if joined(from, to) && depends[layer + 1][to] == dark {
                    drawing.path(&[place(layer, from), place(layer + 1, to)], style);
                }
            }
        }
    }
    for (layer, depends) in depends.iter().enumerate() {
        for (neuron, &dark) in depends.iter().enumerate() {
            let style =
                if dark { style_of(ground) } else { Style::fill([255; 3]).outlined([190, 196, 204], 1.0) };
            drawing.dots(&[place(layer, neuron)], 7.0, style);
        }
    }
}

fn words(drawing: &mut Drawing, top: f64, name: &str, lines: &[String]) {
    drawing.words((WORDS, top + 62.0), PAPER.name(), name);
    for (line, i) in lines.iter().zip(1..) {
        let baseline = top + 66.0 + 23.0 * f64::from(i);
        drawing.words((WORDS, baseline), Words::regular(LABEL, PAPER.ink), line);
    }
}
