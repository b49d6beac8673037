//! The predictor on the shipped backbone with a small untrained head: what matters here is the way of an
//! image, not the age.

use boneage_assess::{
    AssessError, BackboneName, Bundle, Manifest, ModelShape, ModelWeights, NetworkShape, NetworkWeights,
    Predictor, Radiograph, Training,
};
use boneage_core::{Decision, Digest, FlagCode, Months, Plane, Sex, SexGiven, SexSource};
use boneage_nets::{Arithmetic, Head, HeadConfig, HeadKind, WeightsFile};
use boneage_vision::Preprocess;
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
            age_mean: 127.3,
            age_sd: 41.2,
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
    Radiograph { plane, flags: &[], sex: given(sex), input: None }
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
