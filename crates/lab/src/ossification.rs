use crate::{FilmPart, LabError};
use boneage_core::Plane;
use std::collections::HashMap;
use std::path::Path;

/// Where the boxes of the collection lie, below the data folder: of two readers of the same films the expert.
const FOLDERS: [&str; 2] = ["annotations/ossification_roi/train", "annotations/ossification_roi/eval/expert"];

/// A place where bone forms from cartilage, and which an atlas compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ossification {
    /// The joints between the last two phalanges of a finger.
    Dip,
    /// The joints between its first two, and the thumb's.
    Pip,
    /// The knuckles.
    Mcp,
    /// The end of the radius.
    Radius,
    /// The end of the ulna.
    Ulna,
    /// The carpal bones.
    Wrist,
}

impl Ossification {
    /// All of them, from the tips down.
    pub const ALL: [Ossification; 6] = [
        Ossification::Dip,
        Ossification::Pip,
        Ossification::Mcp,
        Ossification::Radius,
        Ossification::Ulna,
        Ossification::Wrist,
    ];

    /// As the files call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Ossification::Dip => "DIP",
            Ossification::Pip => "PIP",
            Ossification::Mcp => "MCP",
            Ossification::Radius => "Radius",
            Ossification::Ulna => "Ulna",
            Ossification::Wrist => "Wrist",
        }
    }
}

/// A person's boxes round the places of ossification of one film.
#[derive(Clone, Debug, PartialEq)]
pub struct OssificationBoxes {
    /// What a box is round, and its left, top, right and bottom in shares of the film's width and height, so that
    /// it fits every size of the film.
    pub boxes: Vec<(Ossification, [f64; 4])>,
}

impl OssificationBoxes {
    /// Whether a data folder holds boxes at all: the official one does not.
    pub fn are_in(data: &Path) -> bool {
        FOLDERS.iter().any(|folder| data.join(folder).is_dir())
    }

    /// The boxes of a data folder by image id; films without a box are left out.
    ///
    /// # Errors
    /// When a folder or file cannot be read or a file is no such file.
    pub fn read_all(data: &Path) -> Result<HashMap<String, OssificationBoxes>, LabError> {
        let mut films = HashMap::new();
        for folder in FOLDERS.map(|folder| data.join(folder)).iter().filter(|folder| folder.is_dir()) {
            for entry in std::fs::read_dir(folder).map_err(LabError::io(folder))? {
                let path = entry.map_err(LabError::io(folder))?.path();
                if path.extension().is_none_or(|ending| ending != "xml") {
                    continue;
                }
                let text = std::fs::read_to_string(&path).map_err(LabError::io(&path))?;
                let boxes = parse(&text)
                    .ok_or_else(|| LabError::Data(format!("{} is no Pascal VOC file", path.display())))?;
                let id = path.file_stem().map(|id| id.to_string_lossy().into_owned());
                if let Some(id) = id.filter(|_| !boxes.is_empty()) {
                    films.insert(id, OssificationBoxes { boxes });
                }
            }
        }
        Ok(films)
    }

    /// The pixels in the boxes of a kind that belong to the hand, 1 in `mask`: one piece a box. A pixel of two
    /// boxes belongs to the first.
    pub fn part(&self, kind: Ossification, mask: &Plane) -> FilmPart {
        let boxes: Vec<&[f64; 4]> =
            self.boxes.iter().filter(|(of, _)| *of == kind).map(|(_, edges)| edges).collect();
        let size = (mask.width(), mask.height());
        FilmPart::new(size.0, size.1, boxes.len(), |x, y| {
            let inside = |edges: &&&[f64; 4]| holds(edges, (x, y), size);
            (mask.at(x, y) > 0.5).then(|| boxes.iter().position(|edges| inside(&edges)))?
        })
    }

    /// Whether any box holds the pixel `(x, y)` of a film of `size` pixels.
    pub(crate) fn hold(&self, pixel: (usize, usize), size: (usize, usize)) -> bool {
        self.boxes.iter().any(|(_, edges)| holds(edges, pixel, size))
    }
}

fn holds(edges: &[f64; 4], (x, y): (usize, usize), (width, height): (usize, usize)) -> bool {
    let [left, top, right, bottom] = *edges;
    let (u, v) = ((x as f64 + 0.5) / width as f64, (y as f64 + 0.5) / height as f64);
    (left..right).contains(&u) && (top..bottom).contains(&v)
}

/// The boxes of a Pascal VOC file, whose `size` is that of the film they were drawn on; `None` for another file.
fn parse(text: &str) -> Option<Vec<(Ossification, [f64; 4])>> {
    let number = |text: &str, tag: &str| inner(text, tag)?.trim().parse::<f64>().ok().filter(|n| *n >= 0.0);
    let size = inner(text, "size")?;
    let (width, height) = (number(size, "width")?, number(size, "height")?);
    if width <= 0.0 || height <= 0.0 {
        return None;
    }
    let mut boxes = Vec::new();
    for object in text.split("<object>").skip(1) {
        let (name, edges) = (inner(object, "name")?.trim(), inner(object, "bndbox")?);
        let kind = Ossification::ALL.into_iter().find(|kind| kind.as_str() == name)?;
        let [left, top, right, bottom] = ["xmin", "ymin", "xmax", "ymax"].map(|edge| number(edges, edge));
        boxes.push((kind, [left? / width, top? / height, right? / width, bottom? / height]));
    }
    Some(boxes)
}

/// What stands between the first `<tag>` and its end: all that these files, which nest no tag in itself, need of XML.
fn inner<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("<{tag}>"))?;
    after.split_once(&format!("</{tag}>")).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "<annotation>\n\t<filename>7.png</filename>\n\t<size>\n\t\t<width>200</width>\n\
        \t\t<height>400</height>\n\t\t<depth>1</depth>\n\t</size>\n\t<object>\n\t\t<name>PIP</name>\n\t\t<bndbox>\n\
        <xmin>20</xmin><ymin>40</ymin><xmax>60</xmax><ymax>80</ymax></bndbox></object>\n<object><name>Wrist</name>\
        <bndbox><xmin>50</xmin><ymin>70</ymin><xmax>150</xmax><ymax>300</ymax></bndbox></object></annotation>";

    #[test]
    fn boxes_are_read_in_shares_of_the_film() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!OssificationBoxes::are_in(dir.path()));
        let folder = dir.path().join(FOLDERS[0]);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("7.xml"), FILE).unwrap();
        std::fs::write(folder.join("8.xml"), FILE.split("<object>").next().unwrap()).unwrap();
        let films = OssificationBoxes::read_all(dir.path()).unwrap();
        assert!(OssificationBoxes::are_in(dir.path()) && films.len() == 1);
        let boxes = &films["7"].boxes;
        assert_eq!(boxes[0], (Ossification::Pip, [0.1, 0.1, 0.3, 0.2]));
        assert_eq!(boxes[1], (Ossification::Wrist, [0.25, 0.175, 0.75, 0.75]));

        for broken in [FILE.replace("<width>200", "<width>wide"), FILE.replace("Wrist", "Elbow")] {
            std::fs::write(folder.join("9.xml"), broken).unwrap();
            let message = OssificationBoxes::read_all(dir.path()).unwrap_err().to_string();
            assert!(message.contains("9.xml"), "{message}");
        }
    }

    #[test]
    fn a_part_is_what_a_box_holds_of_the_hand() {
        let boxes = OssificationBoxes { boxes: parse(FILE).unwrap() };
        let mask = Plane::from_fn(20, 40, |x, _| f32::from(u8::from(x >= 4)));
        let even = Plane::filled(20, 40, 1.0);
        // Columns 2 to 5 of rows 4 to 7, of which the hand has 4 and 5.
        assert!((boxes.part(Ossification::Pip, &mask).share(&even) - 8.0 / 800.0).abs() < 1e-12);
        assert_eq!(boxes.part(Ossification::Ulna, &mask).share(&even), 0.0);
        assert!(boxes.hold((2, 4), (20, 40)) && !boxes.hold((1, 4), (20, 40)));
    }
}
