//! Lists the models that go into the binary, those that `models/embedded.txt` names, with their digests: the
//! binary then need not compute on each start what it carries.

use boneage_core::Digest;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let models = Path::new(&root).join("../../models");
    let list = models.join("embedded.txt");
    println!("cargo::rerun-if-changed={}", list.display());
    let text = fs::read_to_string(&list).unwrap_or_default();
    let names = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));

    let mut code = String::from("&[\n");
    for name in names {
        let file = models.join(format!("{name}.safetensors"));
        let file = file.canonicalize().unwrap_or_else(|error| {
            panic!("models/embedded.txt names {name}, but {}: {error}", file.display());
        });
        println!("cargo::rerun-if-changed={}", file.display());
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (path, digest) = (file.display().to_string(), Digest::of(&bytes).0);
        writeln!(code, "    ({name:?}, include_bytes!({path:?}), {digest:?}),").expect("memory");
    }
    code.push_str("]\n");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("embedded.rs"), code).expect("the build folder can be written");
}
