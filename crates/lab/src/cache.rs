use crate::{AugmentRanges, LabError};
use boneage_core::Digest;
use half::f16;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};
use memmap2::Mmap;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Raised whenever the layout of the files or the meaning of the key changes.
const FORMAT: u32 = 1;

/// Everything that the features of a clean view depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CacheKey {
    /// Ids and files, [`Dataset::image_digest`](crate::Dataset::image_digest).
    pub images: Digest,
    /// The preprocessing recipe.
    pub preprocess: Digest,
    /// What the recipe makes of a fixed drawing: another code for the same recipe is another key.
    pub probe: Digest,
    /// The backbone's weights.
    pub backbone: Digest,
    /// `[height, width, channels]` of the features of one image.
    pub map: [usize; 3],
}

/// One view of every image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View {
    /// As in prediction.
    Clean,
    /// View `index` (from 1) of the augmentation drawn from `seed`.
    Augmented {
        /// What is drawn.
        ranges: AugmentRanges,
        /// Seed of the draws.
        seed: u64,
        /// Counts from 1.
        index: u32,
    },
}

impl View {
    /// Name of the view's files: `view-0`, or `view-3-` with a digest of seed and ranges.
    fn name(&self) -> String {
        match self {
            View::Clean => "view-0".to_owned(),
            View::Augmented { ranges, seed, index } => {
                let ranges = serde_json::to_string(ranges).expect("numbers and truth values");
                let digest = Digest::of_parts([seed.to_le_bytes().as_slice(), ranges.as_bytes()]);
                format!("view-{index}-{}", digest.short())
            }
        }
    }
}

/// A folder of features that were computed before: one file a view, one record an image.
///
/// Records are f16 `[height, width, channels]` at `index * length`; what has not been written yet is a
/// hole in the file. Beside each file lies one of the ending `done` with a byte a record, set only
/// after the record has reached the disk: whatever moment the filling is killed at, no half-written
/// record is ever taken for a whole one. Two processes may fill the same cache, as both write the same.
#[derive(Clone, Debug)]
pub struct FeatureCache {
    folder: PathBuf,
    records: usize,
    map: [usize; 3],
}

impl FeatureCache {
    /// The cache for `key` under `root`, with room for `records` images; created where it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(root: &Path, key: &CacheKey, records: usize) -> Result<Self, LabError> {
        let text = serde_json::to_string_pretty(key).expect("digests and numbers");
        let digest = Digest::of(format!("{FORMAT} {text}").as_bytes());
        let folder = root.join("features").join(digest.short());
        std::fs::create_dir_all(&folder).map_err(LabError::io(&folder))?;
        // For people: what this folder holds.
        let key_file = folder.join("key.json");
        std::fs::write(&key_file, text).map_err(LabError::io(&key_file))?;
        Ok(FeatureCache { folder, records, map: key.map })
    }

    /// Where the files lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `[height, width, channels]` of a record.
    pub fn map(&self) -> [usize; 3] {
        self.map
    }

    /// Numbers in a record.
    pub fn record_len(&self) -> usize {
        self.map.iter().product()
    }

    /// Opens a view's files for writing; created, as holes, where they are not there.
    ///
    /// # Errors
    /// When a file cannot be made or read.
    pub fn writer(&self, view: View) -> Result<ViewWriter, LabError> {
        let open = |ending: &str, length: usize| -> Result<(File, PathBuf), LabError> {
            let path = self.folder.join(view.name()).with_extension(ending);
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            let file = file.map_err(LabError::io(&path))?;
            file.set_len(length as u64).map_err(LabError::io(&path))?;
            Ok((file, path))
        };
        let (values, path) = open("f16", self.records * self.record_len() * 2)?;
        let (done, done_path) = open("done", self.records)?;
        let is_done = read_done(&done_path)?;
        Ok(ViewWriter { values, path, done, is_done, pending: Vec::new(), record_len: self.record_len() })
    }

    /// Opens a view for reading.
    ///
    /// # Errors
    /// When the view has never been begun, or its files have another length than they must.
    pub fn reader(&self, view: View) -> Result<ViewReader, LabError> {
        let path = self.folder.join(view.name()).with_extension("f16");
        let file = File::open(&path).map_err(LabError::io(&path))?;
        // SAFETY: the mapping is read-only. Another process may write records that are not marked as
        // done yet, which are never read; records that are marked are only ever rewritten with the
        // same bytes, and no code shortens the file.
        let values = unsafe { Mmap::map(&file) }.map_err(LabError::io(&path))?;
        let is_done = read_done(&path.with_extension("done"))?;
        let (found, wanted) = (values.len(), self.records * self.record_len() * 2);
        if found != wanted || is_done.len() != self.records {
            let path = path.display();
            return Err(LabError::Cache(format!(
                "file {path} has {found} bytes where {wanted} belong; hint: delete the file and run again"
            )));
        }
        Ok(ViewReader { values, is_done, record_len: self.record_len() })
    }
}

fn read_done(path: &Path) -> Result<Vec<bool>, LabError> {
    let bytes = std::fs::read(path).map_err(LabError::io(path))?;
    Ok(bytes.iter().map(|&byte| byte == 1).collect())
}

/// Writes the records of one view.
pub struct ViewWriter {
    values: File,
    path: PathBuf,
    done: File,
    is_done: Vec<bool>,
    /// Written and not marked yet.
    pending: Vec<usize>,
    record_len: usize,
}

impl ViewWriter {
    /// Whether record `index` is there.
    pub fn is_done(&self, index: usize) -> bool {
        self.is_done[index]
    }

    /// Writes records, each with its index. They count only after the next [`flush`](Self::flush).
    ///
    /// # Errors
    /// When the disk is full or fails.
    ///
    /// # Panics
    /// If a record has another length than the cache's map.
    pub fn store(&mut self, records: &[(usize, &[f32])]) -> Result<(), LabError> {
        let mut halves = vec![f16::ZERO; self.record_len];
        let mut bytes = Vec::with_capacity(self.record_len * 2);
        for (index, record) in records {
            assert_eq!(record.len(), self.record_len, "length of a record");
            halves.convert_from_f32_slice(record);
            bytes.clear();
            bytes.extend(halves.iter().flat_map(|value| value.to_le_bytes()));
            let written = write_at(&mut self.values, (index * bytes.len()) as u64, &bytes);
            written.map_err(LabError::io(&self.path))?;
            self.pending.push(*index);
        }
        Ok(())
    }

    /// Waits until all stored records are on the disk and marks them.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn flush(&mut self) -> Result<(), LabError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.values.sync_data().map_err(LabError::io(&self.path))?;
        for index in self.pending.drain(..) {
            write_at(&mut self.done, index as u64, &[1]).map_err(LabError::io(&self.path))?;
            self.is_done[index] = true;
        }
        Ok(())
    }
}

fn write_at(file: &mut File, offset: u64, bytes: &[u8]) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

/// Reads the records of one view.
pub struct ViewReader {
    values: Mmap,
    is_done: Vec<bool>,
    record_len: usize,
}

impl ViewReader {
    /// Whether record `index` is there.
    pub fn is_done(&self, index: usize) -> bool {
        self.is_done[index]
    }

    /// Copies record `index` into `out`, `[height, width, channels]`, as f32.
    ///
    /// # Errors
    /// When the record is not there.
    ///
    /// # Panics
    /// If `out` has another length than a record.
    pub fn read(&self, index: usize, out: &mut [f32]) -> Result<(), LabError> {
        assert_eq!(out.len(), self.record_len, "length of a record");
        if !self.is_done[index] {
            return Err(LabError::Cache(format!("lacks record {index}; hint: fill it with --cache-only")));
        }
        let bytes = &self.values[index * self.record_len * 2..][..self.record_len * 2];
        // SAFETY: every bit pattern is a u16.
        let (before, words, after) = unsafe { bytes.align_to::<u16>() };
        if cfg!(target_endian = "little") && before.is_empty() && after.is_empty() {
            words.reinterpret_cast::<f16>().convert_to_f32_slice(out);
        } else {
            for (value, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
                *value = f16::from_le_bytes([pair[0], pair[1]]).to_f32();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(map: [usize; 3]) -> CacheKey {
        let digest = |text: &str| Digest::of(text.as_bytes());
        CacheKey {
            images: digest("i"),
            preprocess: digest("p"),
            probe: digest("d"),
            backbone: digest("b"),
            map,
        }
    }

    fn record(index: usize) -> Vec<f32> {
        (0..12).map(|i| (index * 12 + i) as f32 * 0.25).collect()
    }

    #[test]
    fn records_come_back_and_survive_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let cache = FeatureCache::open(dir.path(), &key([2, 3, 2]), 5).unwrap();
        let (third, first) = (record(3), record(1));
        let mut writer = cache.writer(View::Clean).unwrap();
        writer.store(&[(3, &third), (1, &first)]).unwrap();
        assert!(!cache.reader(View::Clean).unwrap().is_done(3), "not before it is flushed");
        writer.flush().unwrap();
        let cache = FeatureCache::open(dir.path(), &key([2, 3, 2]), 5).unwrap();
        let writer = cache.writer(View::Clean).unwrap();
        let done: Vec<bool> = (0..5).map(|i| writer.is_done(i)).collect();
        assert_eq!(done, [false, true, false, true, false]);
        let reader = cache.reader(View::Clean).unwrap();
        let mut out = vec![0.0; 12];
        reader.read(3, &mut out).unwrap();
        assert_eq!(out, third);
        assert!(reader.read(2, &mut out).unwrap_err().to_string().contains("record 2"));
    }

    #[test]
    fn a_record_without_its_mark_counts_as_missing() {
        // Killed between data and mark: the values are there, the mark is not.
        let dir = tempfile::tempdir().unwrap();
        let cache = FeatureCache::open(dir.path(), &key([2, 3, 2]), 2).unwrap();
        let mut writer = cache.writer(View::Clean).unwrap();
        writer.store(&[(0, &record(0))]).unwrap();
        writer.flush().unwrap();
        let done = cache.folder().join("view-0.done");
        std::fs::write(&done, [0, 0]).unwrap();
        assert!(!cache.reader(View::Clean).unwrap().is_done(0));
        // A file cut short is refused, not read beyond its end.
        let values = OpenOptions::new().write(true).open(cache.folder().join("view-0.f16")).unwrap();
        values.set_len(7).unwrap();
        assert!(cache.reader(View::Clean).is_err());
    }

    #[test]
    fn other_keys_and_views_have_other_files() {
        let dir = tempfile::tempdir().unwrap();
        let a = FeatureCache::open(dir.path(), &key([2, 3, 2]), 2).unwrap();
        let b = FeatureCache::open(dir.path(), &key([1, 3, 4]), 2).unwrap();
        assert_ne!(a.folder(), b.folder());
        let view = |seed, index, ranges| View::Augmented { ranges, seed, index }.name();
        let names = [
            View::Clean.name(),
            view(1, 1, AugmentRanges::default()),
            view(1, 2, AugmentRanges::default()),
            view(2, 1, AugmentRanges::default()),
            view(1, 1, AugmentRanges::NONE),
        ];
        let distinct: std::collections::HashSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }
}
