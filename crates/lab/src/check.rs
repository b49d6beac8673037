use crate::analysis::AgeGroup;
use crate::{Dataset, Fingerprint, LabError, NearDuplicate, Part, Progress, Radiograph, RejectedRow};
use crate::{near_duplicates, part_of};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

/// What a look at every file of a data set found.
#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    /// Radiographs with a label and a file.
    pub radiographs: usize,
    /// Of boys.
    pub male: usize,
    /// Of girls.
    pub female: usize,
    /// Mean label in months.
    pub mean_months: f64,
    /// Standard deviation of the labels in months.
    pub sd_months: f64,
    /// Lowest and highest label in months.
    pub range_months: [f32; 2],
    /// Radiographs a part of the 20 % holdout protocol.
    pub parts: BTreeMap<&'static str, usize>,
    /// Ids of the table without a file.
    pub missing: Vec<String>,
    /// Rows of the table that could not be used.
    pub rejected: Vec<RejectedRow>,
    /// Files that could not be decoded, each with the reason.
    pub unreadable: Vec<String>,
    /// Files that the table does not name.
    pub unlabelled: Vec<PathBuf>,
    /// Groups of ids whose files are the same to the byte.
    pub same_file: Vec<Vec<String>>,
    /// Pairs of images that look the same; includes those of `same_file`.
    pub near_duplicates: Vec<NearDuplicate>,
}

impl Findings {
    /// Looks at every file of `dataset`.
    ///
    /// # Errors
    /// When a file that is there cannot be read from the disk.
    pub fn of(dataset: &Dataset) -> Result<Self, LabError> {
        let all = &dataset.radiographs;
        let mut by_digest: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for (r, digest) in all.iter().zip(dataset.file_digests()?) {
            by_digest.entry(digest).or_default().push(r.id.clone());
        }
        let prints = fingerprints(dataset);
        let unreadable = prints.iter().filter_map(|print| print.as_ref().err().cloned()).collect();
        let mut parts = BTreeMap::new();
        for part in [Part::Holdout, Part::Calibration, Part::Inner, Part::Training] {
            parts.insert(part.as_str(), all.iter().filter(|r| part_of(&r.id) == part).count());
        }
        let [male, female, both] = AgeGroup::of_dataset(dataset);
        Ok(Findings {
            radiographs: all.len(),
            male: male.radiographs,
            female: female.radiographs,
            mean_months: both.mean,
            sd_months: both.sd,
            range_months: both.range.map(|months| months as f32),
            parts,
            missing: dataset.missing.clone(),
            rejected: dataset.rejected.clone(),
            unreadable,
            unlabelled: dataset.unlabelled.clone(),
            same_file: by_digest.into_values().filter(|ids| ids.len() > 1).collect(),
            near_duplicates: pairs(dataset, prints),
        })
    }

    /// How many things somebody must put right before training. Unlabelled files and duplicates are
    /// told but are no fault: the former are not read, the latter stay on one side of every split.
    pub fn problems(&self) -> usize {
        let empty = usize::from(self.radiographs == 0);
        empty + self.missing.len() + self.rejected.len() + self.unreadable.len()
    }

    /// The findings for people; of long lists the first ten.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{} radiographs: {} male, {} female\nbone age {:.1} +- {:.1} months, {} to {}\n",
            self.radiographs,
            self.male,
            self.female,
            self.mean_months,
            self.sd_months,
            self.range_months[0],
            self.range_months[1]
        );
        let parts: Vec<String> = self.parts.iter().map(|(part, count)| format!("{part} {count}")).collect();
        text.push_str(&format!("split by hash: {}\n", parts.join(", ")));
        let mut list = |what: &str, items: Vec<String>| {
            text.push_str(&format!("{what}: {}\n", items.len()));
            items.iter().take(10).for_each(|item| text.push_str(&format!("  {item}\n")));
            if items.len() > 10 {
                text.push_str(&format!("  and {} more; --format json lists all\n", items.len() - 10));
            }
        };
        list("ids without an image", self.missing.clone());
        list(
            "rows that cannot be used",
            self.rejected.iter().map(|r| format!("line {}: {}", r.line, r.reason)).collect(),
        );
        list("images that cannot be read", self.unreadable.clone());
        list("images without a row", self.unlabelled.iter().map(|path| path.display().to_string()).collect());
        list("the same file twice", self.same_file.iter().map(|ids| ids.join(", ")).collect());
        let pair = |d: &NearDuplicate| format!("{} and {} (correlation {:.3})", d.a, d.b, d.correlation);
        list("images that look the same", self.near_duplicates.iter().map(pair).collect());
        text
    }
}

/// Looks at every image for near-duplicates; unreadable ones are passed over.
pub fn find_duplicates(dataset: &Dataset) -> Vec<NearDuplicate> {
    pairs(dataset, fingerprints(dataset))
}

fn pairs(dataset: &Dataset, prints: Vec<Result<Fingerprint, String>>) -> Vec<NearDuplicate> {
    let named = dataset.radiographs.iter().zip(prints);
    let images: Vec<(&str, Fingerprint)> =
        named.filter_map(|(r, print)| Some((r.id.as_str(), print.ok()?))).collect();
    near_duplicates(&images)
}

/// Each image's fingerprint, or `file: reason`.
fn fingerprints(dataset: &Dataset) -> Vec<Result<Fingerprint, String>> {
    let progress = Mutex::new(Progress::new("looking at every image", dataset.radiographs.len()));
    let look = |r: &Radiograph| {
        let decoded = r.decoded().map_err(|reason| format!("{}: {reason}", r.path.display()));
        progress.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).advance(1);
        Ok(Fingerprint::new(&decoded?.plane))
    };
    dataset.radiographs.par_iter().map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_finding_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let images = dir.path().join("images");
        std::fs::create_dir(&images).unwrap();
        let draw = |name: &str, bend: f32| {
            let wave = |x: u32, y: u32| ((x as f32 * 0.2).sin() + (y as f32 * bend).cos() + 2.0) * 60.0;
            let image = image::GrayImage::from_fn(64, 80, |x, y| image::Luma([wave(x, y) as u8]));
            image.save(images.join(name)).unwrap();
        };
        draw("1.png", 0.1);
        draw("2.png", 0.1);
        draw("3.png", 0.33);
        draw("9.png", 0.7);
        std::fs::write(images.join("4.jpg"), b"\xff\xd8 cut short").unwrap();
        let table = "id,boneage,male\n1,100,True\n2,120,False\n3,140,False\n4,10,True\n5,11,True\n6,x,True\n";
        std::fs::write(dir.path().join("boneage-training-dataset.csv"), table).unwrap();
        let findings = Findings::of(&Dataset::read(dir.path()).unwrap()).unwrap();
        assert_eq!((findings.radiographs, findings.male, findings.female), (4, 2, 2));
        assert_eq!(findings.range_months, [10.0, 140.0]);
        assert_eq!((findings.missing.as_slice(), findings.rejected.len()), (["5".to_owned()].as_slice(), 1));
        assert!(findings.unreadable.len() == 1 && findings.unreadable[0].contains("4.jpg"));
        assert_eq!(findings.same_file, [["1", "2"]]);
        assert_eq!(findings.near_duplicates.len(), 1);
        assert_eq!((findings.unlabelled.len(), findings.problems()), (1, 3));
        assert!(findings.to_text().contains("1 and 2 (correlation 1.000)"));
    }
}
