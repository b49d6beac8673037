use crate::LabError;
use boneage_core::{Digest, Months, Sex};
use boneage_vision::{DecodeLimits, Decoded, decode};
use rayon::prelude::*;
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Name of the official table of labels.
const TABLE: &str = "boneage-training-dataset.csv";
/// Folders that may hold the images: the official one, and the one of the 299 px collection.
const FOLDERS: [&str; 2] = ["boneage-training-dataset", "images"];
/// File name endings that count as radiographs, in order of preference.
const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "tif", "tiff", "bmp"];

/// One labelled radiograph.
#[derive(Clone, Debug, PartialEq)]
pub struct Radiograph {
    /// The name that the table knows it by, `1377`.
    pub id: String,
    /// Its image file.
    pub path: PathBuf,
    /// The label.
    pub months: Months,
    /// The sex it was read for.
    pub sex: Sex,
}

impl Radiograph {
    /// Its image; the reason, where there is none, without the file's name.
    pub(crate) fn decoded(&self) -> Result<Decoded, String> {
        decoded(&self.path)
    }
}

/// The image in a file; the reason, where there is none, without the file's name.
pub(crate) fn decoded(path: &Path) -> Result<Decoded, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    decode(&bytes, &DecodeLimits::default()).map_err(|error| error.to_string())
}

/// A row of the table that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    /// Line of the file, the header being line 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// A table of labels joined with a folder of images.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Radiographs with label and file, in order of [`by_id`].
    pub radiographs: Vec<Radiograph>,
    /// Ids of the table that have no image.
    pub missing: Vec<String>,
    /// Images of the folder that the table does not name.
    pub unlabelled: Vec<PathBuf>,
    /// Rows of the table that could not be used.
    pub rejected: Vec<RejectedRow>,
}

impl Dataset {
    /// Reads `data/boneage-training-dataset.csv` and its images, in the official layout
    /// (`boneage-training-dataset/<id>.png`) or as `images/<id>.jpg`.
    ///
    /// # Errors
    /// When the table or the folder is not there, or the table lacks a column.
    pub fn read(data: &Path) -> Result<Self, LabError> {
        let folder = FOLDERS.iter().map(|name| data.join(name)).find(|folder| folder.is_dir());
        let folder = folder.ok_or_else(|| {
            let data = data.display();
            LabError::Data(format!(
                "{data} holds neither {} nor {}; hint: --data is the folder that holds {TABLE} and its images",
                FOLDERS[0], FOLDERS[1]
            ))
        })?;
        Dataset::read_parts(&folder, &data.join(TABLE))
    }

    /// Joins the images of `images` (`<id>.png`, `.jpg`, ...) with a table of labels.
    ///
    /// The columns may be called as in any of the challenge's three tables.
    ///
    /// # Errors
    /// When the table or the folder cannot be read, or the table lacks a column.
    pub fn read_parts(images: &Path, table: &Path) -> Result<Self, LabError> {
        let mut files = files_by_id(images)?;
        let (rows, rejected) = read_table(table)?;
        let (mut radiographs, mut missing) = (Vec::new(), Vec::new());
        for (id, months, sex) in rows {
            match files.remove(&id) {
                Some(path) => radiographs.push(Radiograph { id, path, months, sex }),
                None => missing.push(id),
            }
        }
        radiographs.sort_by(|a, b| by_id(&a.id, &b.id));
        missing.sort_by(|a, b| by_id(a, b));
        let mut unlabelled: Vec<PathBuf> = files.into_values().collect();
        unlabelled.sort();
        Ok(Dataset { radiographs, missing, unlabelled, rejected })
    }

    /// Id, label and sex of every row of a table that can be used.
    ///
    /// # Errors
    /// When the table cannot be read or lacks a column.
    pub(crate) fn labels(table: &Path) -> Result<Vec<Row>, LabError> {
        Ok(read_table(table)?.0)
    }

    /// The set with `count` of its radiographs: those whose digest comes first, so that a smaller set lies
    /// within a larger one.
    pub fn limited(mut self, count: usize) -> Self {
        let chosen = first_by_digest(self.radiographs.iter().map(|r| r.id.as_str()), count);
        let chosen: HashSet<String> = chosen.into_iter().map(str::to_owned).collect();
        self.radiographs.retain(|r| chosen.contains(&r.id));
        self
    }

    /// The image files of a folder, by name, whatever is known about them.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn without_labels(folder: &Path) -> Result<Vec<PathBuf>, LabError> {
        let mut files: Vec<(String, PathBuf)> = files_by_id(folder)?.into_iter().collect();
        files.sort_by(|a, b| by_id(&a.0, &b.0));
        Ok(files.into_iter().map(|(_, path)| path).collect())
    }

    /// SHA-256 of every image file, in the order of `radiographs`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn file_digests(&self) -> Result<Vec<Digest>, LabError> {
        let digest = |r: &Radiograph| Ok(Digest::of(&std::fs::read(&r.path).map_err(LabError::io(&r.path))?));
        self.radiographs.par_iter().map(digest).collect()
    }

    /// What the set is known by: ids, labels, sexes and file digests together.
    pub fn digest(&self, files: &[Digest]) -> Digest {
        let mut text = String::new();
        for (r, file) in self.radiographs.iter().zip(files) {
            text.push_str(&format!("{} {} {} {file}\n", r.id, r.months.0, r.sex));
        }
        Digest::of(text.as_bytes())
    }

    /// What the images are known by, whatever their labels: ids and file digests together.
    pub fn image_digest(&self, files: &[Digest]) -> Digest {
        let mut text = String::new();
        for (r, file) in self.radiographs.iter().zip(files) {
            text.push_str(&format!("{} {file}\n", r.id));
        }
        Digest::of(text.as_bytes())
    }
}

/// The `count` ids whose digest comes first: a choice that depends on nothing but the ids.
pub(crate) fn first_by_digest<'a>(ids: impl Iterator<Item = &'a str>, count: usize) -> Vec<&'a str> {
    let digest = |id: &str| Digest::of(format!("boneage-subset-1:{id}").as_bytes());
    let mut keyed: Vec<(Digest, &str)> = ids.map(|id| (digest(id), id)).collect();
    keyed.sort();
    keyed.into_iter().take(count).map(|(_, id)| id).collect()
}

/// The ids of a file: each line up to the first comma; a header line `id` is passed over.
///
/// # Errors
/// When the file cannot be read.
pub fn read_ids(path: &Path) -> Result<HashSet<String>, LabError> {
    let text = std::fs::read_to_string(path).map_err(LabError::io(path))?;
    let first = |line: &str| line.split(',').next().unwrap_or_default().trim().to_owned();
    Ok(text.lines().map(first).filter(|id| !id.is_empty() && id != "id").collect())
}

/// Ids in order: whole numbers by value, before all other names.
pub fn by_id(a: &str, b: &str) -> Ordering {
    let key = |id: &str| id.parse::<u64>().unwrap_or(u64::MAX);
    key(a).cmp(&key(b)).then_with(|| a.cmp(b))
}

fn files_by_id(folder: &Path) -> Result<HashMap<String, PathBuf>, LabError> {
    let mut files: HashMap<String, PathBuf> = HashMap::new();
    let rank = |path: &Path| {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        ENDINGS.iter().position(|&known| known == ending)
    };
    for entry in std::fs::read_dir(folder).map_err(LabError::io(folder))? {
        let path = entry.map_err(LabError::io(folder))?.path();
        let (Some(id), Some(_)) = (path.file_stem().and_then(|stem| stem.to_str()), rank(&path)) else {
            continue;
        };
        // Two files of one id: the one without JPEG losses, whatever order the folder is read in.
        let held = files.entry(id.to_owned()).or_insert_with(|| path.clone());
        if (rank(&path), &path) < (rank(held), &*held) {
            *held = path;
        }
    }
    Ok(files)
}

/// Id, label and sex.
pub(crate) type Row = (String, Months, Sex);

fn read_table(table: &Path) -> Result<(Vec<Row>, Vec<RejectedRow>), LabError> {
    let unreadable = |e: csv::Error| LabError::Data(format!("table {}: {e}", table.display()));
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_path(table);
    let reader = reader.as_mut().map_err(|e| LabError::Data(format!("table {}: {e}", table.display())))?;
    let header = reader.headers().map_err(unreadable)?.clone();
    let column = |names: &[&str]| {
        let known =
            |name: &str| names.contains(&name.trim_start_matches('\u{feff}').to_ascii_lowercase().as_str());
        header.iter().position(known).ok_or_else(|| {
            let (table, found) = (table.display(), header.iter().collect::<Vec<_>>().join(", "));
            LabError::Data(format!(
                "table {table} has columns {found}; hint: one must be called {:?}",
                names[0]
            ))
        })
    };
    let id = column(&["id", "image id", "case id"])?;
    let months = column(&["boneage", "bone age (months)", "ground truth bone age (months)", "months"])?;
    let sex = column(&["male", "sex"])?;

    let (mut rows, mut rejected, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |column: usize| record.get(column).unwrap_or_default();
        match parse_row(field(id), field(months), field(sex)) {
            Ok(row) if seen.insert(row.0.clone()) => rows.push(row),
            Ok(row) => rejected.push(RejectedRow { line, reason: format!("id {} appears twice", row.0) }),
            Err(reason) => rejected.push(RejectedRow { line, reason }),
        }
    }
    Ok((rows, rejected))
}

fn parse_row(id: &str, months: &str, sex: &str) -> Result<Row, String> {
    if id.is_empty() {
        return Err("the id is empty".to_owned());
    }
    let age: f32 = months.parse().map_err(|_| format!("bone age {months:?} of id {id} is no number"))?;
    // The oldest plate of the atlas is 19 years; 25 years leaves room for other readings.
    if !(0.0..=300.0).contains(&age) {
        return Err(format!("bone age {months} of id {id} is outside 0..300 months"));
    }
    let sex = sex.parse().map_err(|e| format!("id {id}: {e}"))?;
    Ok((id.to_owned(), Months(age), sex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_table_and_folder_and_names_what_is_left_over() {
        let dir = tempfile::tempdir().unwrap();
        let images = dir.path().join("images");
        std::fs::create_dir(&images).unwrap();
        for name in ["10.jpg", "9.jpg", "9.png", "77.jpg", "notes.txt"] {
            std::fs::write(images.join(name), name).unwrap();
        }
        let table =
            "id,boneage,male\n10,120,True\n9,24,False\n8,12,True\n10,60,True\n11,old,False\n12,30,x\n";
        std::fs::write(dir.path().join(TABLE), table).unwrap();
        let data = Dataset::read(dir.path()).unwrap();
        let ids: Vec<&str> = data.radiographs.iter().map(|r| r.id.as_str()).collect();
        assert_eq!(ids, ["9", "10"]);
        assert!(data.radiographs[0].path.ends_with("9.png"), "the lossless file is preferred");
        assert_eq!((data.radiographs[1].months, data.radiographs[1].sex), (Months(120.0), Sex::Male));
        assert_eq!(data.missing, ["8"]);
        assert!(data.unlabelled[0].ends_with("77.jpg"));
        let lines: Vec<u64> = data.rejected.iter().map(|row| row.line).collect();
        assert_eq!(lines, [5, 6, 7]);
        let files = data.file_digests().unwrap();
        assert_eq!(files[0], Digest::of(b"9.png"));
        assert_ne!(data.digest(&files), data.image_digest(&files));
        let one = data.clone().limited(1);
        assert_eq!((one.radiographs.len(), data.limited(9).radiographs.len()), (1, 2));
    }

    #[test]
    fn a_table_without_a_column_is_named_with_its_columns() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("images")).unwrap();
        std::fs::write(dir.path().join(TABLE), "id,age\n1,2\n").unwrap();
        let message = Dataset::read(dir.path()).unwrap_err().to_string();
        assert!(message.contains("id, age") && message.contains("\"boneage\""), "{message}");
    }
}
