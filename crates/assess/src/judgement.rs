use boneage_core::{Decision, Flag, FlagCode, Months, Plane, Sex};

/// Below this side length, in pixels, a hand cannot be told from a smudge: no age is given. That a larger image
/// is still smaller than those of the training is flagged by its frame.
const UNREADABLE_SIDE: usize = 64;

/// Contrast below which a film is faint; see [`contrast`]. Not in the paper; chosen because the lowest of a
/// sample of 3,000 training images is 0.26.
const LOW_CONTRAST: f32 = 0.2;

/// Contrast at or below which there is nothing on the image; two grey levels of a bright 8-bit one.
const BLANK_CONTRAST: f32 = 2.0 / 255.0;

/// A flag when the plane's [`contrast`] gives reason to doubt.
pub(crate) fn flag_of_contrast(contrast: f32) -> Option<Flag> {
    (contrast < LOW_CONTRAST).then(|| {
        let (share, least) = (contrast * 100.0, LOW_CONTRAST * 100.0);
        let message = format!(
            "the darkest and brightest greys differ by {share:.1} %; at least {least:.0} % are needed"
        );
        Flag::new(FlagCode::LowContrast, message)
    })
}

/// Whether there is anything to read at all on a plane of this [`contrast`].
pub(crate) fn is_readable(plane: &Plane, contrast: f32) -> bool {
    plane.width().min(plane.height()) >= UNREADABLE_SIDE && contrast > BLANK_CONTRAST
}

/// A flag when the age leaves the range that the training images cover.
pub(crate) fn flag_of_age(months: Months, trained: [Months; 2]) -> Option<Flag> {
    let [low, high] = trained;
    if months.0 >= low.0 && months.0 <= high.0 {
        return None;
    }
    let message = format!(
        "{:.1} months lies outside {:.0} to {:.0}, the ages of the training images",
        months.0, low.0, high.0
    );
    Some(Flag::new(FlagCode::OutsideTrainingRange, message))
}

/// Size of the second largest object, as a share of the largest, from which it may be a second hand. Not in the
/// paper.
const SECOND_HAND: f32 = 0.5;

/// A flag when there are two objects of a hand's size.
pub(crate) fn flag_of_rival(rival: f32) -> Option<Flag> {
    (rival >= SECOND_HAND).then(|| {
        let percent = rival * 100.0;
        let message =
            format!("a second object has {percent:.0} % of the hand's size: two hands? The larger was read");
        Flag::new(FlagCode::TwoHands, message)
    })
}

/// Share of the frame's width or height along which a hand that meets an edge is cut by it. A fingertip is
/// 5 % of the frame wide. Not in the paper.
const CUT_SHARE: f32 = 0.04;

/// How far down the frame a hand that meets its left or right edge is cut; below it leaves by the wrist.
const CUT_ABOVE: f32 = 0.6;

/// A flag when the hand, 1 inside and 0 outside, meets an edge of the frame where fingers should end: the upper
/// one, or the upper part of the left or right one.
pub(crate) fn flag_of_cut(hand: &Plane) -> Option<Flag> {
    let (width, height) = (hand.width(), hand.height());
    let upper = ((height as f32 * CUT_ABOVE) as usize).min(height);
    if width == 0 || upper == 0 {
        return None;
    }
    let on_top = hand.row(0).iter().sum::<f32>() / width as f32;
    let beside = |x: usize| (0..upper).map(|y| hand.at(x, y)).sum::<f32>() / height as f32;
    let edges = [("upper", on_top), ("left", beside(0)), ("right", beside(width - 1))];
    let (edge, share) = edges.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    (share >= CUT_SHARE).then(|| {
        let percent = share * 100.0;
        let message = format!(
            "the hand meets the {edge} edge of the image along {percent:.0} % of it: parts may be missing"
        );
        Flag::new(FlagCode::HandCut, message)
    })
}

/// Bone age from which a hand may as well be an adult's: the last plates of the hand close about 16 years in
/// girls and 18 in boys (Greulich and Pyle's last standards), and readings near the end are drawn to the middle.
fn full_grown(sex: Option<Sex>) -> Months {
    match sex {
        Some(Sex::Male) => Months(204.0),
        Some(Sex::Female) | None => Months(186.0),
    }
}

/// A flag when the reading is one that an adult would get too.
pub(crate) fn flag_of_growth(months: Months, sex: Option<Sex>) -> Option<Flag> {
    let limit = full_grown(sex);
    (months.0 >= limit.0).then(|| {
        let message = format!(
            "from {:.0} months on the hand is nearly full-grown: an adult's would be read alike",
            limit.0
        );
        Flag::new(FlagCode::FullGrown, message)
    })
}

/// Below this the bones are surely dark: an inverted radiograph has about -1 (`vision::polarity_score`), and one that is as
/// it should be seldom less than 0. Not in the paper; chosen because what a file states outweighs a doubt.
const SURELY_DARK: f32 = -0.5;

/// A flag where the greys were read as the file states them and look as if it were wrong.
pub(crate) fn flag_of_polarity(score: f32) -> Option<Flag> {
    let message =
        "the bones look dark on a bright ground, and the file says that they are not; it was read as it says";
    (score < SURELY_DARK).then(|| Flag::new(FlagCode::PolarityContradiction, message))
}

/// Most serious first, each code once.
pub(crate) fn by_seriousness(mut flags: Vec<Flag>) -> Vec<Flag> {
    let rank = |flag: &Flag| match flag.code {
        FlagCode::NotAHand | FlagCode::ColourPicture => 0,
        FlagCode::LowContrast => 1,
        FlagCode::LowResolution => 2,
        FlagCode::HandNotFound => 3,
        FlagCode::NotHandByHeader | FlagCode::HandNotNamed => 4,
        FlagCode::UnusualImage => 5,
        FlagCode::SexContradiction => 6,
        FlagCode::OtherSex => 7,
        FlagCode::OutsideTrainingRange => 8,
        FlagCode::TwoHands | FlagCode::HandCut => 9,
        FlagCode::SexUnknown => 10,
        FlagCode::FullGrown => 11,
        FlagCode::Turned => 12,
        FlagCode::PolarityInverted | FlagCode::PolarityContradiction => 13,
        FlagCode::RightHand => 14,
        FlagCode::Colour => 15,
        FlagCode::PixelsNotSquare => 17,
        FlagCode::ExifTurned => 18,
        _ => 16,
    };
    flags.sort_by_key(rank);
    flags.dedup_by_key(|flag| flag.code);
    flags
}

/// Refused when nothing can be read; flagged when a flag is a reason to look twice; accepted otherwise.
///
/// A turned EXIF orientation, oblong pixels and what a person did are told but are no reason: the first two are
/// statements of the file and setting them right is exact, and the person has looked. An inverted polarity and a
/// colour image are reasons: the first is our guess, the second is rarely a radiograph.
pub(crate) fn decide(readable: bool, flags: &[Flag]) -> Decision {
    if !readable {
        Decision::Refused
    } else if flags
        .iter()
        .any(|flag| !matches!(flag.code, FlagCode::ExifTurned | FlagCode::PixelsNotSquare | FlagCode::ByHand))
    {
        Decision::Flagged
    } else {
        Decision::Accepted
    }
}

/// `(p99 - p1) / p99` of the 1st and 99th percentile of grey: relative to the brightest, because a file of
/// 16 bits may use only 10 of them. Percentiles by a histogram of 4096 bins over 0..1.
pub(crate) fn contrast(plane: &Plane) -> f32 {
    const BINS: usize = 4096;
    // Four counts side by side: on an even ground each pixel would else wait for the one before it.
    let mut quarters = vec![[0usize; BINS]; 4];
    let (fours, rest) = plane.pixels().as_chunks::<4>();
    for four in fours.iter().map(|four| &four[..]).chain([rest]) {
        for (&grey, counts) in four.iter().zip(&mut quarters) {
            counts[((grey * BINS as f32) as usize).min(BINS - 1)] += 1;
        }
    }
    let counts: Vec<usize> = (0..BINS).map(|bin| quarters.iter().map(|counts| counts[bin]).sum()).collect();
    let percentile = |share: f64| {
        let rank = (plane.pixels().len().saturating_sub(1) as f64 * share) as usize;
        let mut below = 0;
        let bin = counts.iter().position(|&count| {
            below += count;
            below > rank
        });
        bin.unwrap_or(0) as f32
    };
    let (low, high) = (percentile(0.01), percentile(0.99));
    if high > 0.0 { (high - low) / high } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(flags: &[Flag]) -> Vec<FlagCode> {
        flags.iter().map(|flag| flag.code).collect()
    }

    #[test]
    fn an_icon_is_refused_and_a_thumbnail_read() {
        let film = |width, height| Plane::from_fn(width, height, |x, _| x as f32 / width as f32);
        let readable = |plane: Plane| is_readable(&plane, contrast(&plane));
        assert!(!readable(film(63, 300)));
        assert!(readable(film(64, 300)));
    }

    #[test]
    fn a_faint_image_is_flagged_and_a_blank_one_refused() {
        let faint = Plane::from_fn(300, 300, |x, _| 0.5 + 0.05 * x as f32 / 300.0);
        assert_eq!(flag_of_contrast(contrast(&faint)).map(|flag| flag.code), Some(FlagCode::LowContrast));
        assert!(is_readable(&faint, contrast(&faint)));
        let blank = Plane::filled(300, 300, 1.0);
        assert!(!is_readable(&blank, contrast(&blank)));
        assert!(flag_of_contrast(contrast(&Plane::from_fn(300, 300, |x, _| x as f32 / 300.0))).is_none());
    }

    #[test]
    fn what_the_file_says_and_a_person_did_is_no_reason_to_look_twice() {
        let flag = |code| Flag::new(code, "");
        assert_eq!(decide(true, &[]), Decision::Accepted);
        assert_eq!(decide(true, &[flag(FlagCode::ExifTurned), flag(FlagCode::ByHand)]), Decision::Accepted);
        assert_eq!(decide(true, &[flag(FlagCode::SexUnknown)]), Decision::Flagged);
        assert_eq!(decide(false, &[]), Decision::Refused);
        let sorted = by_seriousness(vec![flag(FlagCode::ExifTurned), flag(FlagCode::HandNotFound)]);
        assert_eq!(codes(&sorted), [FlagCode::HandNotFound, FlagCode::ExifTurned]);
    }

    #[test]
    fn a_hand_may_leave_by_the_wrist_and_by_no_other_edge() {
        // A palm of a third of the frame with a forearm to the bottom, and what else is inside.
        let hand = |more: &dyn Fn(usize, usize) -> bool| {
            Plane::from_fn(100, 100, |x, y| {
                let palm = (30..70).contains(&x) && y >= 30;
                f32::from(u8::from(palm || more(x, y)))
            })
        };
        assert_eq!(flag_of_cut(&hand(&|_, _| false)), None);
        assert_eq!(flag_of_cut(&hand(&|x, y| y >= 80 && x >= 30)), None, "a wrist in the lower corner");
        let finger = flag_of_cut(&hand(&|x, y| y < 30 && (40..48).contains(&x))).unwrap();
        assert!(finger.message.contains("upper edge") && finger.message.contains("8 %"), "{finger:?}");
        let thumb = flag_of_cut(&hand(&|x, y| x >= 70 && (40..46).contains(&y))).unwrap();
        assert!(thumb.message.contains("right edge"), "{thumb:?}");
        assert_eq!(flag_of_cut(&Plane::filled(0, 0, 0.0)), None);
    }

    #[test]
    fn a_girl_is_full_grown_before_a_boy() {
        let flagged = |months, sex| flag_of_growth(Months(months), sex).is_some();
        assert!(
            flagged(190.0, Some(Sex::Female)) && flagged(190.0, None) && !flagged(190.0, Some(Sex::Male))
        );
        assert!(flagged(204.0, Some(Sex::Male)) && !flagged(185.9, Some(Sex::Female)));
    }

    #[test]
    fn ages_at_the_border_pass_and_beyond_are_flagged() {
        let trained = [Months(12.0), Months(216.0)];
        assert!(flag_of_age(Months(12.0), trained).is_none());
        assert_eq!(flag_of_age(Months(216.1), trained).unwrap().code, FlagCode::OutsideTrainingRange);
    }
}
