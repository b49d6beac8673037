use crate::{Backbone, CacheKey, Dataset, FeatureCache, LabError, Progress, Radiograph, View, ViewWriter};
use boneage_core::{Digest, Plane};
use boneage_vision::{Frame, Preprocess};
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// Images that go through the backbone at once: enough to keep the cores busy, little enough memory.
const BATCH: usize = 8;

/// How much work a kill may cost.
const FLUSH: Duration = Duration::from_secs(5);

/// Opens the feature cache of `dataset` under `root`.
///
/// # Errors
/// When an image file cannot be read (all are hashed) or the cache folder cannot be made.
pub fn open_cache(
    root: &std::path::Path,
    dataset: &Dataset,
    files: &[Digest],
    preprocess: &Preprocess,
    backbone: &dyn Backbone,
) -> Result<FeatureCache, LabError> {
    let key = CacheKey {
        images: dataset.image_digest(files),
        preprocess: preprocess.digest(),
        probe: probe(preprocess),
        backbone: backbone.digest(),
        map: backbone.map(preprocess.size),
    };
    FeatureCache::open(root, &key, dataset.radiographs.len())
}

/// Computes what is missing of `views` for the radiographs `indices` of `dataset`, in that order.
///
/// An image's views are made together, so that it is decoded and framed once.
/// Returns `id: reason` of the images that could not be read.
///
/// # Errors
/// When the backbone refuses an image or the disk fails.
pub fn fill(
    cache: &FeatureCache,
    dataset: &Dataset,
    indices: &[usize],
    views: &[View],
    preprocess: &Preprocess,
    backbone: &dyn Backbone,
    label: &str,
) -> Result<Vec<String>, LabError> {
    let mut writers = views.iter().map(|&view| cache.writer(view)).collect::<Result<Vec<_>, _>>()?;
    let wanted = indices.iter().flat_map(|&index| (0..views.len()).map(move |view| (index, view)));
    let missing: Vec<(usize, usize)> =
        wanted.filter(|&(index, view)| !writers[view].is_done(index)).collect();
    let mut unreadable = Vec::new();
    if missing.is_empty() {
        return Ok(unreadable);
    }
    let mut progress = Progress::new(label, missing.len());
    let mut flushed = Instant::now();
    for batch in missing.chunks(BATCH) {
        let of_image: Vec<&[(usize, usize)]> = batch.chunk_by(|a, b| a.0 == b.0).collect();
        let drawn: Vec<Result<Vec<Plane>, String>> = of_image
            .par_iter()
            .map(|wanted| {
                let radiograph = &dataset.radiographs[wanted[0].0];
                let frame = read_frame(radiograph, preprocess)?;
                Ok(wanted
                    .iter()
                    .map(|&(_, view)| draw(&frame, radiograph, views[view], preprocess.size))
                    .collect())
            })
            .collect();
        let (mut places, mut images) = (Vec::new(), Vec::new());
        for (wanted, drawn) in of_image.iter().zip(drawn) {
            match drawn {
                Ok(planes) => {
                    places.extend_from_slice(wanted);
                    images.extend(planes);
                }
                Err(reason) => unreadable.push(reason),
            }
        }
        store(cache, &mut writers, &places, &images, backbone)?;
        progress.advance(batch.len());
        if flushed.elapsed() >= FLUSH {
            writers.iter_mut().try_for_each(ViewWriter::flush)?;
            flushed = Instant::now();
        }
    }
    writers.iter_mut().try_for_each(ViewWriter::flush)?;
    unreadable.dedup();
    Ok(unreadable)
}

/// Decodes a radiograph's file and decides everything about it.
pub(crate) fn read_frame(radiograph: &Radiograph, preprocess: &Preprocess) -> Result<Frame, String> {
    let decoded = radiograph.decoded().map_err(|reason| format!("{}: {reason}", radiograph.path.display()));
    Ok(preprocess.frame(&decoded?.plane))
}

/// One view of a framed radiograph.
pub(crate) fn draw(frame: &Frame, radiograph: &Radiograph, view: View, size: usize) -> Plane {
    match view {
        View::Clean => frame.image(),
        View::Augmented { ranges, seed, index } => {
            let mut image = frame.augmented(&ranges.draw(seed, &radiograph.id, index, size));
            ranges.expose(seed, &radiograph.id, index, &mut image);
            image
        }
    }
}

fn store(
    cache: &FeatureCache,
    writers: &mut [ViewWriter],
    places: &[(usize, usize)],
    images: &[Plane],
    backbone: &dyn Backbone,
) -> Result<(), LabError> {
    if images.is_empty() {
        return Ok(());
    }
    let features = backbone.features(&images.iter().collect::<Vec<_>>())?;
    let records: Vec<&[f32]> = features.values.chunks_exact(cache.record_len()).collect();
    for (view, writer) in writers.iter_mut().enumerate() {
        let of_view = places.iter().zip(&records).filter(|(place, _)| place.1 == view);
        let of_view: Vec<(usize, &[f32])> = of_view.map(|(place, record)| (place.0, *record)).collect();
        if !of_view.is_empty() {
            writer.store(&of_view)?;
        }
    }
    Ok(())
}

/// Digest of what `preprocess` makes of a drawing: a bright five-fingered shape on a grey plate.
///
/// The recipe's own digest knows its settings but not its code; features that an older program
/// computed with other code must not be taken for this program's.
pub(crate) fn probe(preprocess: &Preprocess) -> Digest {
    let drawing = Plane::from_fn(420, 560, |x, y| {
        let (x, y) = (x as f32 / 420.0, y as f32 / 560.0);
        let palm = ((x - 0.5) / 0.2).powi(2) + ((y - 0.65) / 0.2).powi(2) < 1.0;
        let wrist = y > 0.7 && (x - 0.5).abs() < 0.12;
        let finger =
            |i: f32| (x - 0.28 - 0.11 * i).abs() < 0.035 && y > 0.2 + 0.04 * (i - 2.0).powi(2) && y < 0.7;
        let hand = palm || wrist || (0..5).any(|i| finger(i as f32));
        let plate = (0.06..0.94).contains(&x) && (0.04..0.98).contains(&y);
        0.05 + if plate { 0.15 + 0.1 * y } else { 0.0 }
            + if hand { 0.4 + 0.2 * (x * 40.0).sin().abs() } else { 0.0 }
    });
    // Whole greys: differences of rounding between builds are not other code.
    let image = preprocess.frame(&drawing).image();
    let greys: Vec<u8> = image.pixels().iter().map(|grey| grey.round() as u8).collect();
    Digest::of(&greys)
}
