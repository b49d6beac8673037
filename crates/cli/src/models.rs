//! The models inside the binary, and the way from a name or a file to a predictor.

use crate::exit::OurFault;
use anyhow::{Context, anyhow, bail};
use boneage_assess::{Arithmetic, Bundle, Manifest, Predictor, WeightsFile};
use boneage_core::Digest;
use std::fs;
use std::path::Path;

/// Name, bytes and SHA-256 of each file that `models/embedded.txt` names, in its order: backbones and bundles.
static FILES: &[(&str, &[u8], &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Name and manifest of each embedded model, the default first.
pub(crate) fn embedded() -> impl Iterator<Item = (&'static str, Manifest)> {
    // A backbone is no bundle: it has no manifest and drops out here.
    FILES.iter().filter_map(|(name, bytes, _)| Some((*name, Bundle::read_manifest(bytes).ok()?)))
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
    /// Read every image a second time in a mirror and tell the mean: somewhat truer, twice the time
    #[arg(long)]
    pub(crate) tta: bool,
}

/// How much a predictor will be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Images {
    /// One alone: what would pay only with the next ones is left out.
    One,
    /// Several.
    Many,
}

/// The predictor that was asked for: an embedded model by its name, else a file; without a name the default.
pub(crate) fn predictor(args: &ModelArgs, images: Images) -> anyhow::Result<Predictor> {
    let predictor = read_once(args, images)?;
    Ok(if args.tta { predictor.with_tta() } else { predictor })
}

fn read_once(args: &ModelArgs, images: Images) -> anyhow::Result<Predictor> {
    let arithmetic = match (args.exact, images) {
        (true, _) => Arithmetic::Direct,
        (false, Images::One) => Arithmetic::Streamed,
        (false, Images::Many) => Arithmetic::Winograd,
    };
    let names: Vec<&str> = embedded().map(|(name, _)| name).collect();
    match args.model.as_deref() {
        None => match names.first() {
            Some(default) => from_embedded(default, arithmetic),
            None => bail!("no model is inside this binary; hint: give one with --model FILE"),
        },
        Some(name) if names.contains(&name) => from_embedded(name, arithmetic),
        Some(file) if Path::new(file).is_file() => from_file(Path::new(file), arithmetic),
        Some(unknown) => {
            let known = if names.is_empty() { "no model".to_owned() } else { names.join(", ") };
            bail!(
                "model {unknown:?} is neither inside this binary ({known}) nor a file; hint: run boneage models"
            )
        }
    }
}

/// Everything about a model file but its numbers.
pub(crate) fn read_manifest(path: &Path) -> anyhow::Result<Manifest> {
    let read = || anyhow::Ok(Bundle::read_manifest(&fs::read(path)?)?);
    read().with_context(|| format!("model {}", path.display()))
}

/// The bundle that was asked for, to be changed and written elsewhere.
pub(crate) fn bundle(args: &ModelArgs) -> anyhow::Result<Bundle> {
    let default = embedded().next().map(|(name, _)| name);
    let name =
        args.model.as_deref().or(default).context("no model is inside this binary; hint: --model FILE")?;
    let embedded = embedded().find(|(known, _)| *known == name).and_then(|(name, _)| file_named(name));
    let file = match embedded {
        Some(embedded) => embedded,
        None => WeightsFile::new(fs::read(name).with_context(|| format!("model {name}"))?),
    };
    Bundle::read(file.bytes()).with_context(|| format!("model {name}"))
}

fn from_embedded(name: &str, arithmetic: Arithmetic) -> anyhow::Result<Predictor> {
    let bundle = file_named(name).ok_or_else(|| anyhow!("{name} is listed and gone"));
    let predictor = bundle.and_then(|bundle| {
        let manifest = Bundle::read_manifest(bundle.bytes())?;
        let backbone = manifest.backbone().map(|backbone| {
            let missing = || anyhow!("the backbone {} is not inside this binary", backbone.name);
            file_named(&backbone.name).ok_or_else(missing)
        });
        Ok(Predictor::open(&bundle, backbone.transpose()?.as_ref(), arithmetic)?)
    });
    predictor.context(OurFault("read the embedded model"))
}

/// A bundle from a file; the backbone of a network is the embedded one, else the file of its name beside the bundle.
fn from_file(path: &Path, arithmetic: Arithmetic) -> anyhow::Result<Predictor> {
    let shown = path.display();
    let bundle = fs::read(path).with_context(|| format!("model {shown}"))?;
    let manifest = Bundle::read_manifest(&bundle).with_context(|| format!("model {shown}"))?;
    let backbone = manifest.backbone().map(|backbone| backbone_named(&backbone.name, path)).transpose()?;
    Predictor::open(&WeightsFile::new(bundle), backbone.as_ref(), arithmetic)
        .with_context(|| format!("model {shown}"))
}

/// The backbone `name` of the bundle in the file `bundle`.
fn backbone_named(name: &str, bundle: &Path) -> anyhow::Result<WeightsFile> {
    if let Some(embedded) = file_named(name) {
        return Ok(embedded);
    }
    let beside = bundle.with_file_name(format!("{name}.safetensors"));
    let bytes = fs::read(&beside).with_context(|| {
        format!("model {} needs the backbone {name}, looked for {}", bundle.display(), beside.display())
    })?;
    Ok(WeightsFile::new(bytes))
}

/// A file of the binary; whoever changes its bytes can change its digest as well.
fn file_named(name: &str) -> Option<WeightsFile> {
    let (_, bytes, digest) = FILES.iter().find(|(known, ..)| *known == name)?;
    Some(WeightsFile::vouched(bytes, Digest((*digest).to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> ModelArgs {
        ModelArgs { model: Some(name.to_owned()), ..ModelArgs::default() }
    }

    #[test]
    fn what_is_inside_is_whole_and_known_by_its_own_name() {
        assert!(file_named("vgg16-imagenet").is_some(), "the backbone of every model");
        for (name, bytes, digest) in FILES {
            assert_eq!(Digest::of(bytes).0, *digest, "{name}");
        }
        for (name, manifest) in embedded() {
            assert_eq!(name, manifest.name, "models/{name}.safetensors");
            assert_eq!(predictor(&named(name), Images::One).unwrap().name().name, name);
            Bundle::read(file_named(name).unwrap().bytes()).unwrap();
        }
    }

    #[test]
    fn a_backbone_is_no_model() {
        let message = predictor(&named("vgg16-imagenet"), Images::Many).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("neither inside this binary"), "{message}");
    }
}
