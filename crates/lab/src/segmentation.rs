use crate::letters::Letters;
use crate::{AnnotatedHand, Dataset, LabError, Progress, Radiograph};
use boneage_core::Plane;
use boneage_vision::{Bounds, HandRecipe, extract_hand};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Mutex;

/// What issue and report ask for: keypoints inside, area over box, box agreement, images without a hand.
const TARGETS: [f64; 4] = [0.97, 0.75, 0.75, 0.03];

/// How well the hand is found on a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmentation {
    /// Images that were read.
    pub images: usize,
    /// `id: reason` of those that could not be.
    pub unreadable: Vec<String>,
    /// Ids for which the whole frame was used, by reason (numbers in it replaced by `#`).
    pub fallbacks: BTreeMap<String, Vec<String>>,
    /// Share of the frame that each found mask covers, rising.
    pub shares: Vec<f64>,
    /// What was measured on the annotated images, by id.
    pub annotated: BTreeMap<String, Agreement>,
}

/// One mask against one annotated hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Share of the 21 keypoints inside the mask, 0..1.
    pub keypoints: f64,
    /// Area of the mask over that of the annotated box. The mask holds the forearm, the box little of it.
    pub cover: f64,
    /// Intersection over union of the mask's box and the annotated one.
    pub box_iou: f64,
}

impl Segmentation {
    /// Extracts the hand of every radiograph below `data` and compares it with the annotations there.
    ///
    /// # Errors
    /// When the data set or its annotations cannot be read.
    pub fn measure(data: &Path, recipe: &HandRecipe) -> Result<Segmentation, LabError> {
        let dataset = Dataset::read(data)?;
        let annotated = AnnotatedHand::read_all(data)?;
        let progress = Mutex::new(Progress::new("extracting hands", dataset.radiographs.len()));
        let look = |radiograph: &Radiograph| {
            let looked = look(radiograph, recipe, annotated.get(&radiograph.id));
            if let Ok(mut progress) = progress.lock() {
                progress.advance(1);
            }
            (radiograph.id.clone(), looked)
        };
        let looked: Vec<_> = dataset.radiographs.par_iter().map(look).collect();
        let mut found = Segmentation {
            images: 0,
            unreadable: Vec::new(),
            fallbacks: BTreeMap::new(),
            shares: Vec::new(),
            annotated: BTreeMap::new(),
        };
        for (id, looked) in looked {
            match looked {
                Ok(look) => found.add(id, look),
                Err(reason) => found.unreadable.push(format!("{id}: {reason}")),
            }
        }
        found.shares.sort_by(f64::total_cmp);
        Ok(found)
    }

    fn add(&mut self, id: String, look: Look) {
        self.images += 1;
        match look.failure {
            Some(reason) => self.fallbacks.entry(without_numbers(&reason)).or_default().push(id.clone()),
            None => self.shares.push(look.share),
        }
        if let Some(agreement) = look.agreement {
            self.annotated.insert(id, agreement);
        }
    }

    /// The report in Markdown: the numbers beside what was asked for. `command` is what makes it,
    /// `checked` a table `id,letter` of letters of lead that a person judged.
    ///
    /// # Errors
    /// When the table cannot be read or judges no image.
    pub fn to_markdown(&self, command: &str, checked: Option<&str>) -> Result<String, LabError> {
        let of = |f: fn(&Agreement) -> f64| Quantiles::of(self.annotated.values().map(f).collect());
        let (keypoints, cover, iou) = (of(|a| a.keypoints), of(|a| a.cover), of(|a| a.box_iou));
        let fallbacks: usize = self.fallbacks.values().map(Vec::len).sum();
        let fallen = fallbacks as f64 / self.images.max(1) as f64;
        let [least_keypoints, most_cover, least_iou, most_fallen] = TARGETS;
        let mut text = String::from(INTRODUCTION);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "Made by `{command}`, on the images as they are in the data folder.\n\n\
             | measure | asked for | found |\n|---|---|---|\n\
             | 21 keypoints inside the mask, mean over {} annotated images | at least {:.0} % | {:.1} % |\n\
             | mask area over area of the annotated box, median | at most {:.0} % | {:.1} % |\n\
             | IoU of the mask's box and the annotated box, median | at least {least_iou} | {:.3} |\n\
             | whole frame used, of {} images | at most {:.0} % | {fallbacks} ({:.2} %) |\n\
             | images that could not be read | 0 | {} |\n",
            self.annotated.len(),
            least_keypoints * 100.0,
            keypoints.mean * 100.0,
            most_cover * 100.0,
            cover.at(0.5) * 100.0,
            iou.at(0.5),
            self.images,
            most_fallen * 100.0,
            fallen * 100.0,
            self.unreadable.len(),
        );
        let letters = checked.map(Letters::read).transpose()?;
        if let Some(letters) = &letters {
            text.push_str(&letters.to_row());
        }
        let _ = write!(
            text,
            "\n## How it spreads\n\n| quantile | keypoints inside | mask over box | box IoU | share of the frame |\n\
             |---|---|---|---|---|\n"
        );
        let shares = Quantiles::of(self.shares.clone());
        for share in [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99] {
            let _ = writeln!(
                text,
                "| {:.0} % | {:.3} | {:.3} | {:.3} | {:.3} |",
                share * 100.0,
                keypoints.at(share),
                cover.at(share),
                iou.at(share),
                shares.at(share),
            );
        }
        text.push_str("\n## Where the whole frame was used\n\n| reason | images | ids |\n|---|---|---|\n");
        for (reason, ids) in &self.fallbacks {
            let _ = writeln!(text, "| {reason} | {} | {} |", ids.len(), ids.join(", "));
        }
        if let Some(letters) = &letters {
            text.push_str(&letters.to_section());
        }
        text.push_str("\n## Annotated images with the fewest keypoints inside\n\n");
        let mut worst: Vec<_> = self.annotated.iter().collect();
        worst.sort_by(|a, b| a.1.keypoints.total_cmp(&b.1.keypoints).then(a.0.cmp(b.0)));
        let worst = worst.iter().take(12).map(|(id, a)| format!("{id} ({:.0} of 21)", a.keypoints * 21.0));
        text.push_str(&worst.collect::<Vec<_>>().join(", "));
        text.push('\n');
        Ok(text)
    }
}

const INTRODUCTION: &str = "# Finding the hand\n\n\
    The extraction of the paper's section III.B, with thresholds searched per image, on every training \
    radiograph. Keypoints and boxes are those of the 568 annotated images, where the left hand is valid. \
    A box ends a little below the wrist; the mask keeps the forearm, so that its area counts against the \
    box and its own box reaches below it.\n\n";

/// What was seen of one radiograph.
struct Look {
    failure: Option<String>,
    share: f64,
    agreement: Option<Agreement>,
}

fn look(
    radiograph: &Radiograph,
    recipe: &HandRecipe,
    annotated: Option<&AnnotatedHand>,
) -> Result<Look, String> {
    let plane = radiograph.decoded()?.plane;
    let found = extract_hand(&plane, recipe);
    let inside = found.mask.pixels().iter().filter(|&&m| m > 0.5).count();
    Ok(Look {
        failure: found.failure.map(|flag| flag.message),
        share: inside as f64 / plane.pixels().len() as f64,
        agreement: annotated.map(|hand| Agreement::of(hand, &found.mask, found.bounds)),
    })
}

impl Agreement {
    fn of(hand: &AnnotatedHand, mask: &Plane, bounds: Bounds) -> Agreement {
        let (width, height) = (mask.width() as f64, mask.height() as f64);
        let pixel = |share: f64, side: usize| ((share * side as f64) as usize).min(side - 1);
        let inside = |&&(x, y): &&(f64, f64)| mask.at(pixel(x, mask.width()), pixel(y, mask.height())) > 0.5;
        let [left, top, right, bottom] = hand.edges;
        let [left, top, right, bottom] = [left * width, top * height, right * width, bottom * height];
        let area = (right - left) * (bottom - top);
        let overlap = |a: (f64, f64), b: (f64, f64)| (a.1.min(b.1) - a.0.max(b.0)).max(0.0);
        let common = overlap((left, right), (bounds.left as f64, bounds.right as f64))
            * overlap((top, bottom), (bounds.top as f64, bounds.bottom as f64));
        Agreement {
            keypoints: hand.keypoints.iter().filter(inside).count() as f64 / hand.keypoints.len() as f64,
            cover: mask.pixels().iter().filter(|&&m| m > 0.5).count() as f64 / area,
            box_iou: common / (area + bounds.area() as f64 - common),
        }
    }
}

/// `covers 87 % of` and `covers 91 % of` are one reason.
fn without_numbers(message: &str) -> String {
    let mut text = String::new();
    for letter in message.chars() {
        match letter {
            '0'..='9' | '.' if text.ends_with('#') => {}
            '0'..='9' => text.push('#'),
            letter => text.push(letter),
        }
    }
    text
}

/// Mean and quantiles of some numbers.
struct Quantiles {
    sorted: Vec<f64>,
    mean: f64,
}

impl Quantiles {
    fn of(mut values: Vec<f64>) -> Quantiles {
        values.sort_by(f64::total_cmp);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Quantiles { sorted: values, mean }
    }

    /// The value that a share of the numbers lies below; not a number where there is none.
    fn at(&self, share: f64) -> f64 {
        let last = self.sorted.len().saturating_sub(1) as f64;
        self.sorted.get((last * share).round() as usize).copied().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::GrayImage;

    const ANNOTATIONS: &str = "annotations/hand21keypoints_568.json";

    fn hand(x: u32, y: u32) -> bool {
        let finger = (20..80).contains(&y) && (35..85).contains(&x) && x % 14 < 9;
        finger || ((80..150).contains(&y) && (35..85).contains(&x))
    }

    /// Two films, one of them empty, and the annotation of the other at twice its size.
    fn data() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["images", "annotations"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let table = "id,boneage,male\n7,100,True\n8,90,False\n";
        std::fs::write(dir.path().join("boneage-training-dataset.csv"), table).unwrap();
        let film = GrayImage::from_fn(120, 150, |x, y| image::Luma([if hand(x, y) { 180 } else { 20 }]));
        film.save(dir.path().join("images/7.png")).unwrap();
        GrayImage::from_pixel(120, 150, image::Luma([20])).save(dir.path().join("images/8.png")).unwrap();
        let points: Vec<f64> =
            [(120.0, 220.0), (100.0, 60.0), (10.0, 10.0)].iter().flat_map(|&(x, y)| [x, y, 2.0]).collect();
        let annotations = serde_json::json!({
            "images": [{ "id": "7", "width": 240, "height": 300 }],
            "annotations": [{ "image_id": "7", "lefthand_valid": true,
                "lefthand_box": [70, 40, 100, 260], "lefthand_kpts": points }],
        });
        std::fs::write(dir.path().join(ANNOTATIONS), annotations.to_string()).unwrap();
        dir
    }

    #[test]
    fn annotations_are_compared_at_the_images_own_size() {
        let dir = data();
        let found = Segmentation::measure(dir.path(), &HandRecipe::default()).unwrap();
        assert_eq!((found.images, found.shares.len(), found.unreadable.len()), (2, 1, 0));
        let agreement = found.annotated["7"];
        assert!((agreement.keypoints - 2.0 / 3.0).abs() < 1e-9, "{agreement:?}");
        assert!(agreement.box_iou > 0.9 && (0.7..0.9).contains(&agreement.cover), "{agreement:?}");
        let report = found.to_markdown("boneage segment --measure", Some("id,letter\n7,outside\n")).unwrap();
        assert!(report.contains("| 1 (50.00 %) |") && report.contains("| 8 |"), "{report}");
        assert!(found.to_markdown("x", Some("id,letter\n7,perhaps\n")).is_err());
    }

    #[test]
    fn a_folder_without_annotations_is_named() {
        let dir = data();
        std::fs::remove_file(dir.path().join(ANNOTATIONS)).unwrap();
        let error = Segmentation::measure(dir.path(), &HandRecipe::default()).unwrap_err();
        assert!(error.to_string().contains("hand21keypoints_568.json"), "{error}");
    }

    #[test]
    fn reasons_are_counted_whatever_their_numbers() {
        assert_eq!(without_numbers("covers 0.3 % of 12"), without_numbers("covers 11.25 % of 7"));
    }
}
