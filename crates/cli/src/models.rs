//! The models inside the binary, and the way from a name or a file to a predictor.

use crate::exit::OurFault;
use anyhow::{Context, anyhow, bail};
use boneage_assess::{AssessError, Bundle, Manifest, Predictor};
use std::fs;
use std::path::Path;

/// Name and bytes of each file that `models/embedded.txt` names, in its order: backbones and bundles.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Name and manifest of each embedded model, the default first.
pub(crate) fn embedded() -> impl Iterator<Item = (&'static str, Manifest)> {
    // A backbone is no bundle: it has no manifest and drops out here.
    FILES.iter().filter_map(|(name, bytes)| Some((*name, Bundle::read_manifest(bytes).ok()?)))
}

/// Which model reads, and how: the options of every command that reads images.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ModelArgs {
    /// A model of `boneage models`, or a model file [default: the first of `boneage models`]
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) model: Option<String>,
    /// Compute convolutions as they are defined, several times slower, to check the fast way
    #[arg(long)]
    pub(crate) exact: bool,
}

/// From the bytes of a bundle and of its backbone to a predictor.
type Build = fn(&[u8], &[u8]) -> Result<Predictor, AssessError>;

/// The predictor that was asked for: an embedded model by its name, else a file; without a name the default.
pub(crate) fn predictor(args: &ModelArgs) -> anyhow::Result<Predictor> {
    let (model, build): (_, Build) =
        (args.model.as_deref(), if args.exact { Predictor::exact } else { Predictor::new });
    let names: Vec<&str> = embedded().map(|(name, _)| name).collect();
    match model {
        None => match names.first() {
            Some(default) => from_embedded(default, build),
            None => bail!("no model is inside this binary; hint: give one with --model FILE"),
        },
        Some(name) if names.contains(&name) => from_embedded(name, build),
        Some(file) if Path::new(file).is_file() => from_file(Path::new(file), build),
        Some(unknown) => {
            let known = if names.is_empty() { "no model".to_owned() } else { names.join(", ") };
            bail!(
                "model {unknown:?} is neither inside this binary ({known}) nor a file; hint: run boneage models"
            )
        }
    }
}

fn from_embedded(name: &str, build: Build) -> anyhow::Result<Predictor> {
    let bundle = file_named(name).ok_or_else(|| anyhow!("{name} is listed and gone"));
    let predictor = bundle.and_then(|bundle| {
        let manifest = Bundle::read_manifest(bundle)?;
        let backbone = file_named(&manifest.backbone.name)
            .ok_or_else(|| anyhow!("the backbone {} is not inside this binary", manifest.backbone.name))?;
        Ok(build(bundle, backbone)?)
    });
    predictor.context(OurFault("read the embedded model"))
}

/// A bundle from a file; its backbone is the embedded one, else the file of its name beside the bundle.
fn from_file(path: &Path, build: Build) -> anyhow::Result<Predictor> {
    let shown = path.display();
    let bundle = fs::read(path).with_context(|| format!("model {shown}"))?;
    let backbone = Bundle::read_manifest(&bundle).with_context(|| format!("model {shown}"))?.backbone.name;
    let predictor = match file_named(&backbone) {
        Some(bytes) => build(&bundle, bytes),
        None => {
            let beside = path.with_file_name(format!("{backbone}.safetensors"));
            let bytes = fs::read(&beside).with_context(|| {
                format!("model {shown} needs the backbone {backbone}, looked for {}", beside.display())
            })?;
            build(&bundle, &bytes)
        }
    };
    predictor.with_context(|| format!("model {shown}"))
}

fn file_named(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> ModelArgs {
        ModelArgs { model: Some(name.to_owned()), exact: false }
    }

    #[test]
    fn what_is_inside_is_whole_and_known_by_its_own_name() {
        assert!(file_named("vgg16-imagenet").is_some(), "the backbone of every model");
        for (name, manifest) in embedded() {
            assert_eq!(name, manifest.name, "models/{name}.safetensors");
            assert_eq!(predictor(&named(name)).unwrap().name().name, name);
        }
    }

    #[test]
    fn a_backbone_is_no_model() {
        let message = predictor(&named("vgg16-imagenet")).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("neither inside this binary"), "{message}");
    }
}
