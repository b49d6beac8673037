//! The predictor on the shipped backbone with a small untrained head: what matters here is the way of an
//! image, not the age.

use boneage_assess::{
    AssessError, BackboneName, Bundle, Film, Guard, GuardWeights, Manifest, ModelShape, ModelWeights,
    NetworkShape, NetworkWeights, Pictures, Predictor, Radiograph, Training, Traits, Upright,
};
use boneage_core::{Assessment, Decision, Digest, FlagCode, Months, Plane, Sex, SexGiven, SexSource};
use boneage_dicom::Header;
use boneage_nets::{Arithmetic, Head, HeadConfig, HeadKind, WeightsFile};
use boneage_vision::{Placing, Preprocess, Region, polarity_score, turned};
use std::sync::LazyLock;

static BACKBONE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/vgg16-imagenet.safetensors");
    std::fs::read(path).expect("the backbone is part of the repository")
});

static PREDICTOR: LazyLock<Predictor> =
    LazyLock::new(|| Predictor::new(&bundle(|_| ()), &BACKBONE).expect("a sound model"));

fn bundle(change: impl FnOnce(&mut Manifest)) -> Vec<u8> {
    let mut head = HeadConfig::new(HeadKind::Attention, 2, 2);
    (head.hidden, head.sex_units) = (8, Some(4));
    let preprocess = Preprocess { size: 64, ..Preprocess::default() };
    let digest = Digest::of(b"none");
    let mut manifest = Manifest {
        format: Manifest::FORMAT,
        name: "tiny".into(),
        version: "1".into(),
        model: ModelShape::Network(NetworkShape {
            head: head.clone(),
            age_mean: 100.0,
            age_sd: 10.0,
            backbone: BackboneName {
                name: "vgg16-imagenet".into(),
                digest: Digest::of(&BACKBONE),
                frozen: 13,
            },
        }),
        preprocess,
        trained_ages: [Months(-1000.0), Months(1000.0)],
        training: Training {
            recipe: serde_json::Value::Null,
            recipe_digest: digest.clone(),
            data_digest: digest,
            split: "none".into(),
        },
        metrics: Vec::new(),
        licence: "none".into(),
        attribution: "nobody".into(),
        interval: None,
        recalibration: None,
        guard: None,
        weights: None,
    };
    change(&mut manifest);
    let weights = Box::new(NetworkWeights { head: Head::new(head, 11), tuned: Vec::new() });
    Bundle { manifest, weights: ModelWeights::Network(weights) }.to_bytes().expect("a sound bundle")
}

fn network(manifest: &mut Manifest) -> &mut NetworkShape {
    match &mut manifest.model {
        ModelShape::Network(shape) => shape,
        ModelShape::Regression(_) => panic!("a network"),
    }
}

fn film() -> Plane {
    Plane::from_fn(400, 500, |x, y| ((x * 7 + y * 3) % 256) as f32 / 255.0)
}

fn given(sex: Option<Sex>) -> SexGiven {
    let source = if sex.is_some() { SexSource::Given } else { SexSource::Unknown };
    SexGiven { value: sex, source }
}

fn radiograph(plane: &Plane, sex: Option<Sex>) -> Radiograph<'_> {
    Radiograph { plane, flags: &[], sex: given(sex), input: None, placing: None }
}

#[test]
fn an_unknown_sex_gives_the_mean_of_both_and_says_so() {
    let film = film();
    let months = |sex| PREDICTOR.read(&film, sex).months.0;
    let (girl, boy, unknown) = (months(Some(Sex::Female)), months(Some(Sex::Male)), months(None));
    assert_ne!(girl, boy);
    assert!((unknown - (girl + boy) / 2.0).abs() < 1e-3, "{girl} {boy} {unknown}");
    let assessment = PREDICTOR.assess(&radiograph(&film, None));
    assert_eq!(assessment.decision, Decision::Flagged);
    assert!(assessment.flags.iter().any(|flag| flag.code == FlagCode::SexUnknown));
    assert_eq!(PREDICTOR.assess(&radiograph(&film, Some(Sex::Male))).flags, []);
}

#[test]
fn a_model_of_one_sex_says_so_of_the_other() {
    let girls = bundle(|manifest| manifest.training.recipe = serde_json::json!({ "cohort": "female" }));
    let predictor = Predictor::new(&girls, &BACKBONE).expect("a sound model");
    let film = film();
    let flagged = |sex| {
        let assessment = predictor.assess(&radiograph(&film, sex));
        assessment.flags.iter().any(|flag| flag.code == FlagCode::OtherSex)
    };
    assert!(flagged(Some(Sex::Male)) && flagged(None) && !flagged(Some(Sex::Female)));
}

#[test]
fn maps_come_in_the_pixels_of_the_image_as_given() {
    let film = film();
    let assessment = PREDICTOR.assess(&radiograph(&film, Some(Sex::Female)));
    let attention = assessment.attention.expect("an attention head has a map");
    assert_eq!((attention.width(), attention.height()), (400, 500));
    assert!(attention.pixels().iter().all(|a| (0.0..=1.0).contains(a)));
}

#[test]
fn what_a_person_lays_down_is_read_so_and_told() {
    let film = film();
    let part = Region { left: 0.0, top: 0.5, width: 1.0, height: 0.5 };
    let placing = Placing::new(90.0, true, Some(part)).expect("within the film");
    let by_hand =
        PREDICTOR.assess(&Radiograph { placing: Some(&placing), ..radiograph(&film, Some(Sex::Male)) });
    let same = PREDICTOR.assess(&radiograph(&placing.lay(&film).plane, Some(Sex::Male)));
    assert_eq!(by_hand.months, same.months);
    assert_ne!(by_hand.months, PREDICTOR.assess(&radiograph(&film, Some(Sex::Male))).months);
    // Its low resolution is that of the part, and told.
    let told = |read: &Assessment, code| {
        read.flags.iter().find(|flag| flag.code == code).map(|flag| flag.message.clone())
    };
    assert!(told(&by_hand, FlagCode::LowResolution).is_some());
    let words = "turned by hand by 90 degrees clockwise, mirrored by hand, cropped by hand";
    assert_eq!(told(&by_hand, FlagCode::ByHand).as_deref(), Some(words));
    let attention = by_hand.attention.expect("an attention head has a map");
    assert_eq!((attention.width(), attention.height()), (400, 500));
    // Clockwise and then in a mirror, the right half of the film is the lower one; in the left nothing was looked at.
    assert!((0..500).all(|y| attention.at(10, y) == 0.0));
    assert!((0..500).any(|y| attention.at(390, y) > 0.0));
    let turned = Placing::new(-15.0, false, None).expect("a turn");
    let by_hand =
        PREDICTOR.assess(&Radiograph { placing: Some(&turned), ..radiograph(&film, Some(Sex::Male)) });
    let words = "turned by hand by 15 degrees anticlockwise";
    assert_eq!(told(&by_hand, FlagCode::ByHand).as_deref(), Some(words));
    assert_eq!(told(&by_hand, FlagCode::LowResolution), None);
    let nothing = Region { left: 0.0, top: 0.0, width: 0.1, height: 0.1 };
    let nothing = Placing::new(0.0, false, Some(nothing)).expect("within the film");
    let by_hand =
        PREDICTOR.assess(&Radiograph { placing: Some(&nothing), ..radiograph(&film, Some(Sex::Male)) });
    assert_eq!(by_hand.decision, Decision::Refused);
}

#[test]
fn a_blank_image_is_refused_without_an_age() {
    let assessment = PREDICTOR.assess(&radiograph(&Plane::filled(400, 400, 0.4), Some(Sex::Male)));
    assert_eq!((assessment.months, assessment.decision), (None, Decision::Refused));
    assert_eq!(assessment.flags[0].code, FlagCode::LowContrast);
}

#[test]
fn an_age_is_never_negative_and_leaves_its_range_with_a_flag() {
    let low = bundle(|manifest| {
        network(manifest).age_mean = -500.0;
        manifest.trained_ages = [Months(12.0), Months(216.0)];
    });
    let predictor = Predictor::new(&low, &BACKBONE).expect("a sound model");
    let film = film();
    let assessment = predictor.assess(&radiograph(&film, Some(Sex::Male)));
    assert_eq!(assessment.months, Some(Months(0.0)));
    assert_eq!(assessment.flags[0].code, FlagCode::OutsideTrainingRange);
}

#[test]
fn what_does_not_belong_together_is_named() {
    let error = |bundle: &[u8]| Predictor::new(bundle, &BACKBONE).map(|_| ()).expect_err("refused");
    let other = bundle(|manifest| network(manifest).backbone.digest = Digest::of(b"another"));
    assert!(matches!(error(&other), AssessError::Backbone { .. }));
    let mut damaged = bundle(|_| ());
    *damaged.last_mut().unwrap() ^= 1;
    assert!(matches!(error(&damaged), AssessError::Weights { .. }));
    let larger = bundle(|manifest| manifest.preprocess.size = 256);
    let message = error(&larger).to_string();
    assert!(
        message.contains("256 x 256 pixels gives a map of [8, 8, 512], the head reads [2, 2, 512]"),
        "{message}"
    );
}

#[test]
fn the_exact_way_reads_the_same_age() {
    let [file, backbone] = [bundle(|_| ()), BACKBONE.clone()].map(WeightsFile::new);
    let exact = Predictor::open(&file, Some(&backbone), Arithmetic::Direct).expect("a sound model");
    let plane = Plane::from_fn(80, 90, |x, y| ((x * 7 + y * 13 + x * y) % 97) as f32 / 97.0);
    let (fast, slow) = (PREDICTOR.read(&plane, None).months.0, exact.read(&plane, None).months.0);
    assert!(fast != 0.0 && (fast - slow).abs() < 1e-3, "{fast} by Winograd, {slow} exactly");
}

/// A guard whose hands are bright at the bottom, and which finds everything like a hand.
fn guard() -> Guard {
    let n = Traits::CHANNELS;
    let places = |across: f32, down: f32| -> Vec<f32> {
        (0..2 * n).map(|i| if i % 2 == 0 { across } else { down }).chain([0.0]).collect()
    };
    let weights = GuardWeights {
        mean: vec![0.0; 3 * n],
        scale: vec![1.0; 3 * n],
        likeness: [vec![0.0; n], vec![1.0]].concat(),
        axes: vec![0.0; n],
        variances: vec![1.0, 1e9],
        turn: [places(0.0, 1.0), places(-1.0, 0.0)].concat(),
        tilt: vec![0.0; 2 * n + 1],
        mirrored: vec![0.0; 2 * n + 1],
    };
    Guard {
        hands: 0,
        others: 0,
        least_likeness: 0.5,
        most_strangeness: 5.0,
        doubtful_strangeness: 3.0,
        least_degrees: 8.0,
        most_degrees: 20.0,
        least_mirrored: 0.5,
        components: 1,
        weights,
    }
}

fn guarded(change: impl FnOnce(&mut Guard)) -> Predictor {
    let mut guard = guard();
    change(&mut guard);
    Predictor::new(&bundle(|manifest| manifest.guard = Some(guard)), &BACKBONE).expect("a sound model")
}

/// Texture in the lower half alone.
fn bottom_heavy() -> Plane {
    Plane::from_fn(400, 500, |x, y| if y < 250 { 0.05 } else { ((x * 7 + y * 3) % 256) as f32 / 255.0 })
}

fn codes(predictor: &Predictor, plane: &Plane) -> Vec<FlagCode> {
    predictor.assess(&radiograph(plane, Some(Sex::Male))).flags.iter().map(|flag| flag.code).collect()
}

#[test]
fn what_the_guard_rejects_gets_no_age_and_what_it_doubts_a_flag() {
    let film = bottom_heavy();
    assert_eq!(codes(&guarded(|_| ()), &film), []);
    for strange in
        [guarded(|guard| guard.least_likeness = 1.5), guarded(|guard| guard.most_strangeness = -1.0)]
    {
        let assessment = strange.assess(&radiograph(&film, Some(Sex::Male)));
        assert_eq!((assessment.months, assessment.decision), (None, Decision::Refused));
        assert_eq!(assessment.flags[0].code, FlagCode::NotAHand);
    }
    assert_eq!(codes(&guarded(|guard| guard.doubtful_strangeness = -1.0), &film), [FlagCode::UnusualImage]);
}

#[test]
fn a_turned_hand_is_read_upright_unless_that_is_no_hand() {
    let n = Traits::CHANNELS;
    let (standing, lying) = (bottom_heavy(), turned(&bottom_heavy(), 90.0).plane);
    let upright = PREDICTOR.read(&standing, Some(Sex::Male));
    let as_it_lies = PREDICTOR.read(&lying, Some(Sex::Male));
    // Two guards, one of which knows the one film for a hand and one the other.
    let read = [1e-3, -1e-3].map(|weight| {
        let mut knows = guard();
        knows.weights.likeness[..n].fill(weight);
        let [a, b] = [&upright, &as_it_lies].map(|reading| knows.likeness(&reading.traits));
        knows.least_likeness = (a + b) / 2.0;
        let knows_upright = a > b;
        let reading = guarded(|guard| *guard = knows).read(&lying, Some(Sex::Male));
        assert_eq!(reading.upright.is_some(), knows_upright);
        reading
    });
    let [Some(set_upright), Some(left)] =
        [true, false].map(|is| read.iter().find(|r| r.upright.is_some() == is))
    else {
        panic!("one of two is set upright")
    };
    assert!((set_upright.months.0 - upright.months.0).abs() < 1e-3);
    assert!((left.months.0 - as_it_lies.months.0).abs() < 1e-3);
    assert_eq!(set_upright.upright.as_ref().map(Upright::degrees), Some(90.0));
    // The bottom of what the network saw is the left edge of the film.
    let (x, y) = set_upright.to_source().apply(32.0, 63.0);
    assert!(x.abs() < 8.0 && (y - 200.0).abs() < 8.0, "{x} {y}");
}

#[test]
fn a_right_hand_is_read_in_a_mirror_and_told() {
    let film = bottom_heavy();
    let mirror = film.mirrored();
    let predictor = guarded(|guard| guard.least_mirrored = -1.0);
    let reading = predictor.read(&film, Some(Sex::Male));
    assert!(reading.upright.as_ref().is_some_and(Upright::is_mirrored));
    assert_eq!(reading.months, PREDICTOR.read(&mirror, Some(Sex::Male)).months);
    // The left of what the network saw is the right of the film.
    assert!(reading.to_source().apply(0.0, 0.0).0 > 380.0);
    assert_eq!(codes(&predictor, &film), [FlagCode::RightHand]);
}

#[test]
fn test_time_augmentation_tells_the_mean_of_both_sides_and_its_name() {
    let film = bottom_heavy();
    let twice = Predictor::new(&bundle(|_| ()), &BACKBONE).unwrap().with_tta();
    let [months, once, mirrored] = [(&twice, &film), (&PREDICTOR, &film), (&PREDICTOR, &film.mirrored())]
        .map(|(predictor, film)| predictor.read(film, Some(Sex::Male)).months.0);
    // The mirrored film is squashed on its own, which rounds a little differently.
    let (off, apart) = ((months - (once + mirrored) / 2.0).abs(), (once - mirrored).abs());
    assert!(off < 0.05 * apart && apart > 1.0, "{months}: {once} {mirrored}");
    assert_eq!(twice.name().name, format!("{}+tta", PREDICTOR.name().name));
}

#[test]
fn a_polarity_that_the_file_states_is_not_guessed_again() {
    let guessing = &*PREDICTOR;
    let trusting = guessing.trusting_polarity();
    // A bright palm with striped fingers, and the same as a print.
    let film = Plane::from_fn(320, 400, |x, y| {
        let (dx, dy) = ((x as f32 - 160.0) / 95.0, (y as f32 - 200.0) / 145.0);
        let stripes = if x / 6 % 2 == 0 { 0.15 } else { 0.0 };
        if dx * dx + dy * dy < 1.0 { 0.5 + stripes } else { 0.1 + 0.0002 * y as f32 }
    });
    let print = film.map(|grey| 1.0 - grey);
    assert!(polarity_score(&print) < -0.5, "{}", polarity_score(&print));
    let polarity = |predictor: &Predictor, plane: &Plane| {
        let mut codes = codes(predictor, plane);
        codes.retain(|code| code.as_str().starts_with("polarity"));
        codes
    };
    assert_eq!(polarity(guessing, &film), []);
    assert_eq!(polarity(&trusting, &film), []);
    assert_eq!(polarity(guessing, &print), [FlagCode::PolarityInverted]);
    assert_eq!(polarity(&trusting, &print), [FlagCode::PolarityContradiction]);
    let seen = |predictor: &Predictor| predictor.read(&print, Some(Sex::Male)).frame.image().at(32, 32);
    assert!(seen(&trusting) < 128.0 && seen(guessing) > 128.0);
    let sex = SexGiven { value: Some(Sex::Male), source: SexSource::Given };
    let film = Film {
        plane: print,
        flags: Vec::new(),
        header: Some(Header::default()),
        source: None,
        digest: Digest::of(b"film"),
    };
    let told = film.assess(guessing, sex, None, Pictures::Unwanted);
    assert!(told.flags.iter().any(|flag| flag.code == FlagCode::PolarityContradiction), "{:?}", told.flags);
}
