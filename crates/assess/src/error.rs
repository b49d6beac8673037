use boneage_classical::ClassicalError;
use boneage_core::Digest;
use boneage_nets::NetsError;

/// Why a model could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssessError {
    /// The bytes are not a safetensors file.
    #[error("the model is not a whole safetensors file ({reason}); hint: copy or download it again")]
    NotSafetensors {
        /// What the parser says.
        reason: String,
    },
    /// A safetensors file of something else.
    #[error("the model has no {key:?} in its metadata; hint: this safetensors file is not a boneage model")]
    NoManifest {
        /// The metadata key that was looked for.
        key: &'static str,
    },
    /// The manifest is not the JSON that this version knows.
    #[error(
        "the model's manifest cannot be read ({reason}); hint: it may come from another version of boneage"
    )]
    Manifest {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// The manifest of something else, of a backbone.
    #[error(
        "the file's manifest is not that of a model: it has no format; hint: give the model itself, not its backbone"
    )]
    NotAModel,
    /// The manifest's layout is of another version.
    #[error(
        "the model's manifest has format {found}, this program knows {known}; hint: use the boneage that made it"
    )]
    Format {
        /// Format in the file.
        found: u32,
        /// Format of this program.
        known: u32,
    },
    /// A number in the manifest is out of its range.
    #[error(
        "the model's manifest says {field} = {value}, which is not {allowed}; hint: the file was edited or damaged"
    )]
    Value {
        /// The manifest's field.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        allowed: &'static str,
    },
    /// The tensors are not those that the manifest was written for.
    #[error(
        "the model's weights have digest {found}, its manifest says {expected}; hint: the file is damaged, copy or download it again"
    )]
    Weights {
        /// Digest in the manifest.
        expected: Digest,
        /// Digest of the tensors in the file.
        found: Digest,
    },
    /// The architecture needs a tensor that is not there.
    #[error(
        "the model lacks the tensor {name:?} of shape {shape:?}; hint: it was written for another architecture"
    )]
    Missing {
        /// The tensor's name.
        name: String,
        /// The shape that the architecture gives it.
        shape: Vec<usize>,
    },
    /// The file holds a tensor that the architecture does not have.
    #[error(
        "the model holds the tensor {name:?}, which its architecture does not have; hint: it was written for another architecture"
    )]
    Unexpected {
        /// The tensor's name.
        name: String,
    },
    /// A tensor has another shape than the architecture gives it.
    #[error(
        "the tensor {name:?} has shape {found:?}, the architecture needs {expected:?}; hint: it was written for another architecture"
    )]
    Shape {
        /// The tensor's name.
        name: String,
        /// Shape of the architecture.
        expected: Vec<usize>,
        /// Shape in the file.
        found: Vec<usize>,
    },
    /// A tensor of a number type that heads are not stored in.
    #[error("the tensor {name:?} is stored as {found}; hint: F32 and F16 can be read")]
    NumberType {
        /// The tensor's name.
        name: String,
        /// The type in the file.
        found: String,
    },
    /// The backbone at hand is not the one that the head was trained on.
    #[error(
        "the model was trained on the backbone {name} with digest {expected}, the one given has {found}; hint: give the backbone of that digest"
    )]
    Backbone {
        /// The backbone's name in the manifest.
        name: String,
        /// Digest in the manifest.
        expected: Digest,
        /// Digest of the bytes given.
        found: Digest,
    },
    /// A network without the backbone that it stands on.
    #[error("the model stands on the backbone {name} with digest {expected}, and none was given")]
    NoBackbone {
        /// The backbone's name in the manifest.
        name: String,
        /// Digest in the manifest.
        expected: Digest,
    },
    /// The weights of a model are not those of the architecture that its manifest tells of.
    #[error("the model's weights are not those of its architecture on images of {size} x {size} pixels")]
    Architecture {
        /// Side of the model's image, in pixels.
        size: usize,
    },
    /// The preprocessing makes images from which the backbone makes another map than the head reads.
    #[error(
        "an image of {size} x {size} pixels gives a map of {found:?}, the head reads {expected:?} (height, width, channels); hint: size and head in the recipe do not belong together"
    )]
    Map {
        /// Side of the network's image, in pixels.
        size: usize,
        /// What the head reads.
        expected: [usize; 3],
        /// What the backbone makes.
        found: [usize; 3],
    },
    /// A network could not be built from its weights.
    #[error(transparent)]
    Nets(#[from] NetsError),
    /// A regression could not be built from its weights.
    #[error(transparent)]
    Classical(#[from] ClassicalError),
}
