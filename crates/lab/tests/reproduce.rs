//! The whole reproduction on drawings of hands: every step of it, in the quick way.

#![allow(clippy::unwrap_used)] // also in the functions that the tests share

use boneage_core::stream;
use boneage_lab::Reproduction;
use std::path::Path;

/// Drawings enough for eight of each sex to train on.
const DRAWINGS: usize = 64;

/// Hands on a grey plate, the longer the older.
fn draw_data(folder: &Path) {
    std::fs::create_dir_all(folder.join("images")).unwrap();
    let mut table = String::from("id,boneage,male\n");
    for i in 0..DRAWINGS {
        let id = (1377 + i).to_string();
        let mut random = stream(11, &["hand", &id]);
        let months = random.uniform(12.0, 216.0);
        let size = 0.6 + months / 540.0;
        let lift = random.uniform(-3.0, 3.0);
        let image = image::GrayImage::from_fn(150, 150, |x, y| {
            let (u, v) = ((f64::from(x) - 75.0) / 150.0 / size, (f64::from(y) - 80.0 + lift) / 150.0 / size);
            let palm = (u / 0.2).powi(2) + ((v - 0.12) / 0.18).powi(2) < 1.0;
            let wrist = v > 0.15 && u.abs() < 0.1;
            let fingers = (0..5).any(|k| {
                let k = f64::from(k);
                (u + 0.18 - 0.09 * k).abs() < 0.03 && v > -0.36 + 0.04 * (k - 2.0).powi(2) && v < 0.12
            });
            let bone = if palm || wrist || fingers { 110.0 + 40.0 * (v * 60.0).sin().abs() } else { 0.0 };
            image::Luma([(40.0 + random.uniform(0.0, 6.0) + bone) as u8])
        });
        image.save(folder.join(format!("images/{id}.png"))).unwrap();
        table.push_str(&format!("{id},{months:.0},{}\n", if i % 2 == 0 { "True" } else { "False" }));
    }
    std::fs::write(folder.join("boneage-training-dataset.csv"), table).unwrap();
}

/// Keypoints and boxes of every fourth drawing, about where its hand is: that they are read is what matters here.
fn annotate(folder: &Path) {
    let boxes = folder.join("annotations/ossification_roi/train");
    std::fs::create_dir_all(&boxes).unwrap();
    let ids: Vec<String> = (0..DRAWINGS).step_by(4).map(|i| (1377 + i).to_string()).collect();
    // The wrist, then four joints of each of five fingers, base to tip.
    let fingers = (0..5).flat_map(|k| (0..4).map(move |joint| (57 + 9 * k, 92 - 8 * joint)));
    let points: Vec<i32> = std::iter::once((75, 104)).chain(fingers).flat_map(|(x, y)| [x, y, 2]).collect();
    let images: Vec<_> =
        ids.iter().map(|id| serde_json::json!({ "id": id, "width": 150, "height": 150 })).collect();
    let hands: Vec<_> = ids
        .iter()
        .map(|id| {
            serde_json::json!({ "image_id": id, "lefthand_valid": true, "lefthand_box": [45, 40, 60, 80],
                "lefthand_kpts": points })
        })
        .collect();
    let json = serde_json::json!({ "images": images, "annotations": hands });
    std::fs::write(folder.join("annotations/hand21keypoints_568.json"), json.to_string()).unwrap();
    let object = |name: &str, [left, top, right, bottom]: [u32; 4]| {
        format!(
            "<object><name>{name}</name><bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax>\
             <ymax>{bottom}</ymax></bndbox></object>"
        )
    };
    let objects = [object("Wrist", [60, 90, 90, 110]), object("MCP", [66, 70, 84, 82])].concat();
    let xml =
        format!("<annotation><size><width>150</width><height>150</height></size>{objects}</annotation>");
    ids.iter().for_each(|id| std::fs::write(boxes.join(format!("{id}.xml")), &xml).unwrap());
}

fn run(reproduction: &Reproduction, only: &[&str]) -> Vec<String> {
    let only: Vec<String> = only.iter().map(|&name| name.to_owned()).collect();
    let mut told = Vec::new();
    reproduction.run(&only, &mut |line| told.push(line.to_owned())).unwrap();
    told
}

#[test]
fn every_step_runs_once_and_leaves_a_report() {
    let dir = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    draw_data(&dir.path().join("data"));
    annotate(&dir.path().join("data"));
    let reproduction = Reproduction {
        data: dir.path().join("data"),
        out: dir.path().join("out"),
        cache: dir.path().join("cache"),
        backbone: root.join("models/vgg16-imagenet.safetensors"),
        recipes: root.join("recipes/paper"),
        pictures: None,
        quick: true,
    };
    let first = run(&reproduction, &[]);
    assert!(!first.iter().any(|line| line.contains("done before")), "{first:#?}");

    let report = std::fs::read_to_string(reproduction.out.join("REPRODUCTION.md")).unwrap();
    assert!(report.contains("| VGG16 and attention | male | 9.82 |") && !report.contains('{'), "{report}");
    assert!(report.contains("quick run on a few radiographs"));
    for row in ["| carpals |", "| Wrist |", "| words of |", "| SIFT |", "within 3 px of the hand's contour |"]
    {
        assert!(report.contains(row), "{row} in {report}");
    }
    let table = std::fs::read_to_string(reproduction.out.join("table1.csv")).unwrap();
    assert!(table.contains("\"VGG16 and fully connected\",both,"), "{table}");
    assert!(table.contains("\"linear regression\",male,") && table.contains(",30,"), "{table}");
    let holdout = table.lines().filter(|line| line.contains("regression, on the networks' holdout"));
    assert_eq!(holdout.count(), 6, "{table}");
    assert!(report.contains("| logistic | both | the networks' holdout |"), "{report}");
    assert!(report.contains("| softmax over all months |"), "{report}");
    for figure in ["regressions", "regression-errors"] {
        assert!(reproduction.out.join(format!("figures/{figure}.svg")).exists());
    }

    let again = run(&reproduction, &[]);
    assert!(again.iter().all(|line| line.contains("done before")), "{again:#?}");

    // A lost result is made again, and what only reads it is not.
    std::fs::remove_file(reproduction.out.join("runs/paper-fc-male/predictions.csv")).unwrap();
    let repaired = run(&reproduction, &["paper-fc-male"]);
    let made: Vec<&String> = repaired.iter().filter(|line| line.contains(": done in ")).collect();
    assert!(made.len() == 1 && made[0].contains("paper-fc-male"), "{repaired:#?}");

    let unknown = reproduction.run(&["paper-fc-child".into()], &mut |_| ()).unwrap_err().to_string();
    assert!(unknown.contains("paper-fc-child") && unknown.contains("--list"), "{unknown}");
}
