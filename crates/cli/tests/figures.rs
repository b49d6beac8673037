//! `boneage figures`: what can be drawn is drawn, and what cannot is named with what it lacks.

#[allow(dead_code)] // what only other tests use
mod bench;

use bench::{Bench, run};
use std::fs;

const PREDICTIONS: &str = "id,part,sex,truth,predicted\n\
    1,inner,male,100,104\n2,holdout,male,120,118.5\n3,holdout,female,24,30\n4,holdout,female,60,52\n";
const EPOCH: &str = r#"{"epoch":1,"loss":0.4,"inner_loss":0.5,"inner_mae":18.0,"inner_rmse":24.0,"learning_rate":0.001,"best":true,"seconds":2.0}"#;

/// Two films with labels, and a finished run.
fn bench() -> Bench {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("films")).expect("a writable folder");
    bench.film("films/1.png", 120, 160);
    bench.film("films/2.png", 140, 160);
    bench.write("films/labels.csv", b"id,boneage,male\n1,120,False\n2,156,True\n");
    fs::create_dir_all(bench.path("run")).expect("a writable folder");
    let recipe = "name = \"drawings\"\n[head]\nkind = \"attention\"\n[training]\nepochs = 1\nbatch = 8\n";
    bench.write("run/recipe.toml", recipe.as_bytes());
    bench.write("run/predictions.csv", PREDICTIONS.as_bytes());
    bench.write("run/metrics.jsonl", EPOCH.as_bytes());
    bench
}

#[test]
fn every_figure_that_the_inputs_allow_is_written_twice() {
    let bench = bench();
    let args =
        ["figures", "--films", "films", "--run", "run", "--model", "model.safetensors", "--out", "out"];
    let drawn = run(bench.dir.path(), &args);
    assert_eq!(drawn.code, 0, "{}", drawn.stderr);
    let files: Vec<&str> = drawn.stdout.lines().collect();
    assert_eq!(files.len(), 2 * 13, "{}", drawn.stdout);
    for name in ["vgg16", "transfer", "model1", "model2", "samples", "attention-maps", "agreement"] {
        let svg = fs::read_to_string(bench.path(&format!("out/{name}.svg"))).expect("a drawing");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{name}");
        image::open(bench.path(&format!("out/{name}.png"))).expect("a picture");
    }
    let model = fs::read_to_string(bench.path("out/model2.svg")).expect("a drawing");
    assert!(model.contains("565,058 parameters trained"));
    let kept = run(bench.dir.path(), &args);
    assert!(kept.code == 2 && kept.stderr.contains("exists already; hint: --force"), "{}", kept.stderr);
    let again = run(bench.dir.path(), &[&args[..], &["--force", "--only", "agreement"]].concat());
    assert_eq!((again.code, again.stdout.lines().count()), (0, 2), "{}", again.stderr);
}

#[test]
fn what_is_missing_is_named() {
    let bench = bench();
    let figures = |more: &[&str]| run(bench.dir.path(), &[&["figures", "--out", "out"], more].concat());
    for (more, hint) in [
        (vec!["--only", "age-distribution"], "hint: --data DIR"),
        (vec!["--only", "residuals"], "hint: --run DIR"),
        (vec!["--only", "comparison"], "hint: --table CSV"),
        (vec!["--run", "films"], "holds no recipe.toml"),
        (vec!["--run", "run", "--only", "samples"], "--films DIR or --data DIR"),
    ] {
        let refused = figures(&more);
        assert!(refused.code == 2 && refused.stderr.contains(hint), "{more:?}: {}", refused.stderr);
    }
    bench.write("run/predictions.csv", b"id,part,sex,truth,predicted\n1,inner,male,100,104\n");
    let empty = figures(&["--run", "run", "--only", "agreement"]);
    assert!(empty.code == 2 && empty.stderr.contains("nothing to show: no predictions"), "{}", empty.stderr);
}
