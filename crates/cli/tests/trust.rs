//! What is said about a model: `compare`, `stress`, `calibrate`, `report-model`.

#[allow(dead_code)] // what only the tests of predict use
mod bench;

use bench::{Bench, run};
use std::fs;

#[test]
fn two_tables_are_compared_and_drawn() {
    let bench = Bench::new();
    let boneage = |args: &[&str]| run(bench.dir.path(), args);
    bench.write(
        "ours.csv",
        b"id,sex,truth,predicted,accepted\n1,male,100,104,true\n2,female,60,61,true\n3,male,9,9,true\n",
    );
    bench.write("theirs.csv", b"File,BoneAge\nfilms/1.png,90\nfilms/2.png,80\n");
    let compare = ["compare", "ours.csv", "theirs.csv", "--column", "BoneAge", "--figure", "figures"];
    let compared = boneage(&compare);
    assert_eq!(compared.code, 0, "{}", compared.stderr);
    assert!(
        compared.stdout.contains("2 radiographs in both, 1 in a alone, 0 in b alone"),
        "{}",
        compared.stdout
    );
    // Errors of 4 and 1 against 10 and 20.
    assert!(compared.stdout.contains("-12.50 ("), "{}", compared.stdout);
    let svg = fs::read_to_string(bench.path("figures/bland-altman.svg")).expect("a figure");
    assert!(svg.contains("mean of ours and theirs") && bench.path("figures/bland-altman.png").exists());
    let kept = boneage(&compare);
    assert!(kept.code == 2 && kept.stderr.contains("hint: --force"), "{}", kept.stderr);

    bench.write("ages.csv", b"id,boneage,male\n1,90,True\n2,80,False\n");
    let labelled = [
        "compare",
        "ours.csv",
        "theirs.csv",
        "--column",
        "BoneAge",
        "--labels",
        "ages.csv",
        "--format",
        "json",
    ];
    let labelled = boneage(&labelled);
    let json: serde_json::Value = serde_json::from_str(&labelled.stdout).expect("JSON");
    assert_eq!(json["against_labels"]["b"]["mae"]["value"].as_f64(), Some(0.0), "{json}");

    let unnamed = boneage(&["compare", "ours.csv", "theirs.csv"]);
    assert!(unnamed.code == 2 && unnamed.stderr.contains("file, boneage; hint"), "{}", unnamed.stderr);
}

#[test]
fn a_film_is_put_under_stress() {
    let bench = Bench::new();
    fs::create_dir(bench.path("films")).expect("a writable folder");
    bench.film("films/1.png", 200, 260);
    bench.write("ages.csv", b"id,boneage,male\n1,120,True\n");
    let own = ["stress", "--images", "films", "--labels", "ages.csv", "--model", "model.safetensors"];
    let stressed = run(
        bench.dir.path(),
        &[&own[..], &["--only", "turned +30", "--only", "inverted", "--out", "stress"]].concat(),
    );
    assert_eq!(stressed.code, 0, "{}", stressed.stderr);
    let rows: Vec<&str> = stressed.stdout.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows.len(), 2, "{}", stressed.stdout);
    assert!(rows[1].starts_with("| inverted | 0.0") && rows[1].contains("polarity_inverted 1"), "{rows:?}");
    assert_eq!(fs::read_to_string(bench.path("stress/stress.md")).expect("the table"), stressed.stdout);
    let unknown = run(bench.dir.path(), &[&own[..], &["--only", "boiled"]].concat());
    assert!(unknown.code == 2 && unknown.stderr.contains("mirrored, turned -30"), "{}", unknown.stderr);
}

#[test]
fn a_model_is_fitted_to_a_site_once() {
    let bench = Bench::new();
    fs::create_dir(bench.path("films")).expect("a writable folder");
    let mut table = String::from("id,boneage,male\n");
    // The model reads all as 122.4 months, the site's readers boys as 134 and girls as 121.
    for id in 1..=24 {
        bench.film(&format!("films/{id}.png"), 70 + id, 90);
        table.push_str(&format!("{id},{}\n", if id % 2 == 0 { "134,True" } else { "121,False" }));
    }
    bench.write("ages.csv", table.as_bytes());
    let own = ["calibrate", "--images", "films", "--labels", "ages.csv", "--out", "site.safetensors"];
    let calibrate = |more: &[&str]| run(bench.dir.path(), &[&own[..], more].concat());
    let fitted = calibrate(&["--model", "model.safetensors"]);
    assert_eq!(fitted.code, 0, "{}", fitted.stderr);
    assert!(fitted.stderr.contains("24 cases are few"), "{}", fitted.stderr);
    let before = fitted.stdout.lines().find(|line| line.starts_with("bias before  male"));
    assert!(before.is_some_and(|line| line.contains("12  -11.59 (")), "{}", fitted.stdout);

    let read = |sex| {
        let args = ["hand.png", "--sex", sex, "--format", "json", "--model", "site.safetensors"];
        let json: serde_json::Value = serde_json::from_str(&bench.predict(&args).stdout).expect("JSON");
        json[0]["months"].as_f64().expect("an age")
    };
    // Twelve cases are believed to seven eighths.
    assert!((131.5..134.0).contains(&read("male")), "{}", read("male"));
    assert!((121.0..122.0).contains(&read("female")), "{}", read("female"));

    let twice = calibrate(&["--model", "site.safetensors", "--force"]);
    assert!(twice.code == 2 && twice.stderr.contains("fitted to a site already"), "{}", twice.stderr);
}

#[test]
fn a_report_and_a_card_are_written() {
    let bench = Bench::new();
    let mut table = String::from("id,part,sex,truth,predicted\n");
    for id in 1..=80 {
        let sex = if id % 2 == 0 { "male" } else { "female" };
        table.push_str(&format!("{id},holdout,{sex},{},{}\n", 10 + id * 2, 15 + id * 2 + id % 7));
    }
    table.push_str("99,inner,male,100,300\n");
    bench.write("predictions.csv", table.as_bytes());
    fs::create_dir(bench.path("share")).expect("a writable folder");
    bench.film("share/a.png", 200, 260);
    let report = ["report-model", "--model", "model.safetensors", "--predictions", "predictions.csv"];
    let args = [&report[..], &["--films", "share", "--out", "results/tiny", "--card", "CARD.md"]].concat();
    let written = run(bench.dir.path(), &args);
    assert_eq!(written.code, 0, "{}", written.stderr);
    let text = fs::read_to_string(bench.path("results/tiny/model-report.md")).expect("a report");
    assert!(text.contains("On 80 held-out") && text.contains("figures/attention-maps.png"), "{text}");
    assert!(bench.path("results/tiny/figures/errors-by-age.svg").exists());
    let card = fs::read_to_string(bench.path("CARD.md")).expect("a card");
    assert!(card.contains("# Model card: tiny") && card.contains("It has no intervals."), "{card}");
    assert!(card.contains(&args.join(" ").replace("report-model", "boneage report-model")), "{card}");
}
