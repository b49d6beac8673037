use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::process::Command;

/// The rooms from the ground up, and which rooms each may import. What is not listed is refused.
const ROOMS: [(&str, &[&str]); 14] = [
    ("boneage-core", &[]),
    ("boneage-draw", &["boneage-core"]),
    ("boneage-nn", &[]),
    ("boneage-vision", &["boneage-core"]),
    ("boneage-nets", &["boneage-core", "boneage-nn", "boneage-vision"]),
    ("boneage-classical", &["boneage-core"]),
    ("boneage-dicom", &["boneage-core"]),
    (
        "boneage-assess",
        &[
            "boneage-core",
            "boneage-nn",
            "boneage-vision",
            "boneage-nets",
            "boneage-classical",
            "boneage-dicom",
        ],
    ),
    (
        "boneage-lab",
        &[
            "boneage-core",
            "boneage-draw",
            "boneage-nn",
            "boneage-vision",
            "boneage-nets",
            "boneage-classical",
            "boneage-assess",
        ],
    ),
    ("boneage-report", &["boneage-core", "boneage-draw", "boneage-dicom"]),
    (
        "boneage-server",
        &["boneage-core", "boneage-vision", "boneage-assess", "boneage-dicom", "boneage-report"],
    ),
    (
        "boneage",
        &[
            "boneage-core",
            "boneage-draw",
            "boneage-vision",
            "boneage-assess",
            "boneage-lab",
            "boneage-dicom",
            "boneage-report",
            "boneage-server",
        ],
    ),
    ("xtask", &[]),
    (
        "boneage-bench",
        &[
            "boneage-core",
            "boneage-nn",
            "boneage-vision",
            "boneage-nets",
            "boneage-classical",
            "boneage-dicom",
            "boneage-assess",
            "boneage-lab",
            "boneage-server",
        ],
    ),
];

/// Reads `cargo metadata` and fails on an import that [`ROOMS`] does not allow.
pub(crate) fn run() -> Result<()> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cargo metadata could not be started")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata gave no JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let faults = faults(packages);
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(())
}

fn faults(packages: &[Value]) -> Vec<String> {
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut faults = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ROOMS.iter().find(|(room, _)| *room == name) else {
            faults.push(format!("{name} has no place in the house; hint: add it to ROOMS in layers.rs"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let target = dependency["name"].as_str().unwrap_or_default();
            if names.contains(&target) && !allowed.contains(&target) && dependency["kind"] != "dev" {
                faults.push(format!("{name} imports {target}, which is not below it"));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_upward_arrow_and_an_unknown_room_are_named() {
        let house = [
            json!({"name": "boneage-core", "dependencies": [{"name": "boneage-lab", "kind": null}]}),
            json!({"name": "boneage-lab", "dependencies": [{"name": "boneage-core", "kind": null}]}),
            json!({"name": "attic", "dependencies": []}),
        ];
        let faults = faults(&house);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("boneage-core imports boneage-lab"));
        assert!(faults[1].contains("attic"));
    }
}
