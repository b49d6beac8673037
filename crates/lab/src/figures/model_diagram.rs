use super::boxes::{FROZEN, PLAIN, TRAINED, arrow, layer_box, legend, parameters, shape_text, style_of};
use super::theme::{LABEL, MARGIN, PAPER, WIDTH, sheet, thousands};
use crate::LabError;
use boneage_draw::{Anchor, Drawing, Frame, Style, Words};
use boneage_nets::{
    Branch, Head, HeadConfig, HeadKind, Layer, LayerKind, Network, VGG16_CONVOLUTIONS, Vgg16,
};

const BOX: f64 = 48.0;
const STEP: f64 = 68.0;
/// Width of a box, and of the sheet where no branch stands beside the trunk.
const COLUMN: f64 = 414.0;
const ALONE: f64 = 660.0;
/// Width of the table of parameters.
const SUMMARY: f64 = 270.0;

/// The paper's figure 7: Model 1, VGG16 and fully connected layers, for images of `side` x `side` pixels, which
/// are 32 at least; the paper's are 256.
///
/// # Errors
/// When the images are smaller.
pub fn model_1_diagram(side: usize) -> Result<Drawing, LabError> {
    let network = paper_network(HeadKind::FullyConnected, side)?;
    model_diagram("Model 1: VGG16 and fully connected layers", &network, side)
}

/// The paper's figure 8: Model 2, VGG16 and attention mapping; the paper's images are 500 pixels.
///
/// # Errors
/// As [`model_1_diagram`].
pub fn model_2_diagram(side: usize) -> Result<Drawing, LabError> {
    let network = paper_network(HeadKind::Attention, side)?;
    model_diagram("Model 2: VGG16 and attention mapping", &network, side)
}

/// A network of the paper for images of `side` pixels; its weights do not matter here.
pub(super) fn paper_network(kind: HeadKind, side: usize) -> Result<Network, LabError> {
    let [height, width, _] = Vgg16::map_after(VGG16_CONVOLUTIONS, side);
    let config = HeadConfig::new(kind, height, width);
    config.check()?;
    Ok(Network::new(None, Head::new(config, 0)))
}

/// A network from the image to the age, for images of `side` x `side` pixels, drawn
/// from its own list of layers. Blocks of VGG16 are one box each; layers that lead to the attention map, and
/// those that bring the sex in, stand beside the trunk.
///
/// # Errors
/// When the head's feature map is not that of such images.
pub fn model_diagram(title: &str, network: &Network, side: usize) -> Result<Drawing, LabError> {
    let layers = network.layers(side);
    let config = network.head().config();
    let features = layers.iter().rfind(|layer| layer.kind == LayerKind::Maximum).map(|layer| &layer.shape);
    let expected = vec![config.height, config.width, config.channels];
    if features != Some(&expected) {
        let found = features.map(|shape| shape_text(shape)).unwrap_or_default();
        return Err(LabError::Data(format!(
            "the head reads maps of {}, but images of {side} pixels give {found}; hint: give the size that it was made for",
            shape_text(&expected)
        )));
    }
    let (trunk, beside) = placed(&layers);
    let rows = trunk.last().map_or(0, |(row, _)| row + 1);
    let trained = parameters(&layers, |layer| layer.trainable);
    let frozen = parameters(&layers, |layer| !layer.trainable);
    let subtitle = format!(
        "{} parameters trained, {} frozen; in each box name and kind, shape of the output and parameters",
        thousands(trained),
        thousands(frozen)
    );
    let body = 34.0 + STEP * rows as f64 - (STEP - BOX);
    // Alone, the trunk has the sheet to itself.
    let (width, column) = if beside.is_empty() { (ALONE, ALONE - 2.0 * MARGIN) } else { (WIDTH, COLUMN) };
    let (mut drawing, top) = sheet(PAPER, width, body, title, &subtitle);
    legend(&mut drawing, (MARGIN, top), &[FROZEN, TRAINED, PLAIN]);
    let place = |row: usize| Frame::new(MARGIN, top + 34.0 + STEP * row as f64, column, BOX);
    let aside = |row: usize| Frame { x: WIDTH - MARGIN - COLUMN, ..place(row) };
    let middle = |frame: Frame| (frame.x + column / 2.0, frame.y + BOX / 2.0);
    let down = |drawing: &mut Drawing, from: Frame, to: Frame| {
        arrow(drawing, &[(middle(from).0, from.bottom()), (middle(to).0, to.y - 1.0)]);
    };
    for (i, (row, item)) in trunk.iter().enumerate() {
        if i > 0 {
            down(&mut drawing, place(trunk[i - 1].0), place(*row));
        }
        item.draw(&mut drawing, place(*row));
    }
    for (i, (row, layer)) in beside.iter().enumerate() {
        layer_box(&mut drawing, aside(*row), layer);
        let level = middle(aside(*row)).1;
        match i.checked_sub(1).map(|before| beside[before]) {
            Some((above, before)) if before.branch == layer.branch => {
                down(&mut drawing, aside(above), aside(*row));
            }
            // The map is drawn from what stands level with the branch's first box.
            _ if layer.branch == Branch::Attention => {
                arrow(&mut drawing, &[(place(*row).right(), level), (aside(*row).x - 1.0, level)]);
            }
            _ => {}
        }
        if beside.get(i + 1).is_none_or(|(_, next)| next.branch != layer.branch) {
            arrow(&mut drawing, &[(aside(*row).x, level), (place(*row).right() + 1.0, level)]);
        }
    }
    if !beside.is_empty() {
        summary(&mut drawing, &layers, Frame { y: top + 34.0, ..aside(0) });
    }
    Ok(drawing)
}

/// Parameters by part, in the free space beside the first blocks.
fn summary(drawing: &mut Drawing, layers: &[Layer], place: Frame) {
    let is_backbone = |layer: &Layer| layer.name.starts_with("block");
    let of = |name: &str, kept: &dyn Fn(&Layer) -> bool| (name.to_owned(), parameters(layers, kept));
    let parts = [
        of("VGG16", &is_backbone),
        of("batch normalisation", &|layer| layer.kind == LayerKind::BatchNorm),
        of("attention", &|layer| layer.branch == Branch::Attention),
        of("sex", &|layer| layer.branch == Branch::Sex),
        of("dense layers", &|layer| {
            matches!(layer.kind, LayerKind::Dense(_)) && layer.branch == Branch::Trunk
        }),
        of("all", &|_| true),
    ];
    drawing.words((place.x, place.y + 14.0), PAPER.name(), "Parameters");
    let mut y = place.y + 42.0;
    for (name, count) in parts.iter().filter(|(_, count)| *count > 0) {
        if name == "all" {
            drawing.path(&[(place.x, y - 17.0), (place.x + SUMMARY, y - 17.0)], Style::line(PAPER.soft, 1.0));
        }
        drawing.words((place.x, y), PAPER.label(), name);
        let end = Words::regular(LABEL, PAPER.ink).anchored(Anchor::End);
        drawing.words((place.x + SUMMARY, y), end, &thousands(*count));
        y += 24.0;
    }
}

/// One box of the trunk.
enum Item<'a> {
    Block(Vec<&'a Layer>),
    One(&'a Layer),
}

impl Item<'_> {
    fn draw(&self, drawing: &mut Drawing, frame: Frame) {
        match self {
            Item::One(layer) => layer_box(drawing, frame, layer),
            Item::Block(layers) => block_box(drawing, frame, layers),
        }
    }
}

/// A block of VGG16, whole: its convolutions counted, its channels, the shape after its maximum.
fn block_box(drawing: &mut Drawing, frame: Frame, layers: &[&Layer]) {
    let owned: Vec<Layer> = layers.iter().map(|layer| (*layer).clone()).collect();
    let trainable = layers.iter().any(|layer| layer.trainable);
    drawing.rectangle(frame, 5.0, style_of(if trainable { TRAINED } else { FROZEN }));
    let (left, right) = (frame.x + 12.0, frame.right() - 12.0);
    let name = layers[0].name.split('_').next().unwrap_or_default();
    drawing.words((left, frame.y + 19.0), Words::bold(LABEL, PAPER.ink), name);
    let kind = match layers.iter().filter(|layer| layer.kind == LayerKind::Convolution3x3).count() {
        2 => "two 3\u{d7}3 convolutions, ReLU; 2\u{d7}2 maximum".to_owned(),
        3 => "three 3\u{d7}3 convolutions, ReLU; 2\u{d7}2 maximum".to_owned(),
        n => format!("{n} 3\u{d7}3 convolutions, ReLU; 2\u{d7}2 maximum"),
    };
    drawing.words((left, frame.y + 37.0), Words::regular(13.0, PAPER.soft), &kind);
    let shape = layers.last().map(|layer| shape_text(&layer.shape)).unwrap_or_default();
    drawing.words((right, frame.y + 19.0), Words::regular(LABEL, PAPER.ink).anchored(Anchor::End), &shape);
    let count = thousands(parameters(&owned, |_| true));
    drawing.words((right, frame.y + 37.0), Words::regular(13.0, PAPER.soft).anchored(Anchor::End), &count);
}

/// Boxes of the trunk and layers beside it, with their rows.
type Placed<'a> = (Vec<(usize, Item<'a>)>, Vec<(usize, &'a Layer)>);

/// The trunk's boxes and those beside it, each with its row. The attention branch begins level with the layer
/// that it leaves, and the trunk waits for its end; the sex's ends level with the layer that it joins.
fn placed(layers: &[Layer]) -> Placed<'_> {
    let mut trunk: Vec<(usize, Item<'_>)> = Vec::new();
    let mut beside: Vec<(usize, &Layer)> = Vec::new();
    let mut row = 0;
    for layer in layers {
        match (layer.branch, trunk.last_mut()) {
            (Branch::Trunk, Some((_, Item::Block(block)))) if is_same_block(block[0], layer) => {
                block.push(layer)
            }
            (Branch::Trunk, _) => {
                let item = match layer.name.starts_with("block") {
                    true => Item::Block(vec![layer]),
                    false => Item::One(layer),
                };
                row = row.max(trunk.last().map_or(0, |(last, _)| last + 1));
                trunk.push((row, item));
            }
            (Branch::Attention, last) => {
                let left = last.map_or(0, |(last, _)| *last);
                row = beside.last().map_or(left, |(last, _)| last + 1);
                beside.push((row, layer));
            }
            (Branch::Sex, _) => {}
        }
    }
    let sex: Vec<&Layer> = layers.iter().filter(|layer| layer.branch == Branch::Sex).collect();
    let joined =
        trunk.iter().find(|(_, item)| matches!(item, Item::One(l) if matches!(l.kind, LayerKind::Dense(_))));
    let joined = joined.map_or(0, |(row, _)| *row);
    beside.extend((joined + 1 - sex.len().min(joined + 1)..).zip(sex));
    (trunk, beside)
}

fn is_same_block(a: &Layer, b: &Layer) -> bool {
    a.name.split('_').next() == b.name.split('_').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(kind: HeadKind, side: usize, sex: Option<usize>) -> Network {
        let config = HeadConfig { sex_units: sex, ..HeadConfig::new(kind, side, side) };
        Network::new(None, Head::new(config, 0))
    }

    #[test]
    fn every_layer_of_a_head_is_named_and_the_sum_stands_above() {
        for (kind, map, side, sum) in
            [(HeadKind::FullyConnected, 8, 256, "1,576,961"), (HeadKind::Attention, 15, 500, "565,058")]
        {
            let network = network(kind, map, None);
            let svg = model_diagram("m", &network, side).unwrap().to_svg();
            assert!(svg.contains(&format!("{sum} parameters trained, 14,714,688 frozen")), "{sum}");
            for layer in network.head().layers() {
                assert!(svg.contains(&format!(">{}</text>", layer.name)), "{}", layer.name);
            }
            assert!(model_diagram("m", &network, side + 32).is_err());
            assert!(model_1_diagram(31).is_err() && model_2_diagram(500).is_ok());
        }
    }

    #[test]
    fn the_map_stands_level_with_its_use_and_no_two_boxes_share_a_place() {
        let layers = network(HeadKind::Attention, 11, Some(32)).layers(352);
        let (trunk, beside) = placed(&layers);
        let row = |name: &str| {
            let named = |item: &Item<'_>| matches!(item, Item::One(layer) if layer.name == name);
            trunk.iter().find(|(_, item)| named(item)).map(|(row, _)| *row)
        };
        let aside = |name: &str| beside.iter().find(|(_, layer)| layer.name == name).map(|(row, _)| *row);
        assert_eq!(row("multiply"), aside("attention_map"));
        assert_eq!(row("batch_norm"), aside("attention_1"));
        assert_eq!(row("dense_1"), beside.last().map(|(row, _)| *row));
        for rows in [trunk.iter().map(|t| t.0).collect::<Vec<_>>(), beside.iter().map(|b| b.0).collect()] {
            assert!(rows.windows(2).all(|pair| pair[0] < pair[1]), "{rows:?}");
        }
    }
}
