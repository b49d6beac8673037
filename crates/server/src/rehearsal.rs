use crate::pictures;
use crate::reading::Reading;
use boneage_assess::{Film, FilmError, Pictures, Predictor};
use boneage_core::{DecodeLimits, SexGiven, SexSource};
use boneage_report::Reference;

/// How far a rehearsal goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rehearsal {
    /// To the picture for the page and the square that the model would see.
    ToTheModel,
    /// To the reading as it is stored, with its maps.
    Whole,
}

/// Does with the bytes of an upload what the worker does with them between the disk and the database: for tests of
/// what foreign files do to it.
///
/// # Errors
/// What the film would fail with.
pub fn rehearse(
    bytes: &[u8],
    predictor: &Predictor,
    max_pixels: u64,
    rehearsal: Rehearsal,
) -> Result<(), FilmError> {
    let film = Film::decode(bytes, &DecodeLimits::pixels(max_pixels))?;
    // Writing to memory fails of nothing that a file could do.
    pictures::image(&film.plane).expect("a picture of a plane");
    match rehearsal {
        Rehearsal::ToTheModel => {
            predictor.manifest().preprocess.frame(&film.plane).image();
        }
        Rehearsal::Whole => {
            let sex = SexGiven { value: None, source: SexSource::Unknown };
            let assessment = film.assess(predictor, sex, None, Pictures::Wanted);
            for plane in [&assessment.attention, &assessment.hand].into_iter().flatten() {
                pictures::map(plane).expect("a picture of a plane");
            }
            let reading = Reading::of(&assessment, &film, &Reference::brush_foundation(), 0);
            serde_json::to_string(&reading).expect("a reading is plain JSON");
        }
    }
    Ok(())
}
