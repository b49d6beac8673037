//! The pages under `docs/` name what the program has: no flag, option, field or key is missing, no link broken.

#[allow(dead_code)] // what only other tests use
mod bench;

use bench::{Bench, run};
use boneage_lab::AnyRecipe;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A file of the repository.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn help(command: &[&str]) -> String {
    run(Path::new("."), &[command, &["--help"]].concat()).stdout
}

/// Names of the commands below `Commands:` in a help text.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Every `--option` that a help text mentions.
fn options(help: &str) -> BTreeSet<String> {
    let words = help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

#[test]
fn every_command_and_option_is_in_the_reference() {
    let page = read("docs/reference/command-line.md");
    let top = commands(&help(&[]));
    assert!(top.contains(&"predict".to_owned()) && top.len() >= 6, "{top:?}");
    let mut seen = 0;
    for command in &top {
        let below = commands(&help(&[command]));
        let whole: Vec<Vec<&str>> = match below.is_empty() {
            true => vec![vec![command]],
            false => below.iter().map(|sub| vec![command.as_str(), sub]).collect(),
        };
        for words in whole {
            let title = format!("## boneage {}", words.join(" "));
            let at = page.find(&title).unwrap_or_else(|| panic!("no section {title:?}"));
            let section = &page[at + 2..];
            let section = &section[..section.find("\n## ").unwrap_or(section.len())];
            for option in options(&help(&words)) {
                let general = ["--quiet", "--help"].contains(&option.as_str());
                assert!(general || section.contains(&option), "{title} does not name {option}");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen} options were found in the help");
}

#[test]
fn every_flag_is_in_the_reference() {
    // The compiler sees to it that this function names every code.
    let source = read("crates/core/src/assessment.rs");
    let arms = source.lines().filter_map(|line| line.trim().strip_prefix("FlagCode::")?.split_once(" => "));
    let codes: Vec<&str> = arms.map(|(_, code)| code.trim_matches(['"', ','])).collect();
    assert!(codes.len() >= 9 && codes.contains(&"sex_unknown"), "{codes:?}");
    let page = read("docs/reference/flags.md");
    for code in codes {
        assert!(page.contains(&format!("| `{code}` |")), "{code} is not in docs/reference/flags.md");
    }
}

#[test]
fn every_field_and_column_is_in_the_reference() {
    let bench = Bench::new();
    let page = read("docs/reference/results.md");
    let json = bench.predict(&["hand.png", "--format", "json"]).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let mut fields = BTreeSet::new();
    keys(&json, &mut fields);
    assert!(fields.len() >= 14, "{fields:?}");
    for field in fields {
        assert!(page.contains(&format!("`{field}`")), "{field} is not in docs/reference/results.md");
    }
    let csv = bench.predict(&["hand.png", "--format", "csv"]).stdout;
    assert!(page.contains(csv.lines().next().expect("a header")), "{csv}");
}

#[test]
fn every_key_of_a_recipe_is_in_the_reference() {
    let page = read("docs/reference/recipes.md");
    let regressions =
        ["linear-both", "logistic-both", "sift-both"].map(|name| path(&format!("recipes/paper/{name}.toml")));
    let recipes = fs::read_dir(path("recipes")).expect("a folder");
    for recipe in recipes.map(|recipe| recipe.expect("an entry").path()).chain(regressions) {
        if recipe.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let mut names = BTreeSet::new();
        let json = match AnyRecipe::read(&recipe).expect("a sound recipe") {
            AnyRecipe::Network(recipe) => recipe.to_json(),
            AnyRecipe::Regression(recipe) => recipe.to_json(),
        };
        keys(&json, &mut names);
        for name in names {
            let named = page.contains(&format!("`{name}`")) || page.contains(&format!("{name} = "));
            let titled = page.contains(&format!("## [{name}]"));
            assert!(named || titled, "{name} of {} is not in docs/reference/recipes.md", recipe.display());
        }
    }
}

fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            into.insert(key.clone());
            keys(value, into);
        }),
        Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
        _ => {}
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages = vec![path("README.md"), path("docs/README.md")];
    for folder in ["docs/tutorial", "docs/how-to", "docs/reference", "docs/explanation"] {
        let found = fs::read_dir(path(folder)).expect(folder).map(|entry| entry.expect("an entry").path());
        pages.extend(found.filter(|page| page.extension().is_some_and(|ending| ending == "md")));
    }
    let index = read("docs/README.md");
    for page in &pages {
        let text = fs::read_to_string(page).expect("a page");
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let file = target.split('#').next().unwrap_or(target);
            assert!(page.with_file_name(file).exists(), "{} links to {target}", page.display());
        }
        let name = page.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        assert!(name == "README.md" || index.contains(name), "docs/README.md does not name {name}");
    }
}
