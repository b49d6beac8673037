use boneage_nn::NnError;

/// What loading or running a network refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetsError {
    /// Not a safetensors file.
    #[error("weights cannot be read: {0}; hint: the file may be damaged or no .safetensors file")]
    Format(#[from] safetensors::SafeTensorError),
    /// A tensor that the network needs is not in the file.
    #[error("tensor {name} is missing; hint: is this a file of {network}?")]
    Missing {
        /// The tensor's name.
        name: String,
        /// The network that needs it.
        network: &'static str,
    },
    /// A tensor with another shape than the network's.
    #[error(
        "tensor {name} has shape {found:?} where {expected:?} is needed; hint: the file belongs to another network"
    )]
    Shape {
        /// The tensor's name.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The shape that the network has.
        expected: Vec<usize>,
    },
    /// A tensor in a number format that is not read.
    #[error("tensor {name} holds {found} numbers; hint: convert it to F16 or F32")]
    Numbers {
        /// The tensor's name.
        name: String,
        /// Its format in the file.
        found: String,
    },
    /// A tensor that the network has no place for.
    #[error("tensor {name} is unknown to this network; hint: the file belongs to another network")]
    Unknown {
        /// The tensor's name.
        name: String,
    },
    /// Images of a batch that differ in size, are not square, or are smaller than 32 pixels.
    #[error(
        "image of {width} x {height} pixels in a batch of {side} x {side}; hint: VGG16 takes squares of 32 pixels or more"
    )]
    ImageSize {
        /// Its width.
        width: usize,
        /// Its height.
        height: usize,
        /// The side of the batch's first image.
        side: usize,
    },
    /// Inputs of trained convolutions that are not whole maps.
    #[error("{length} numbers are not whole maps of {map:?}; hint: height, width, channels")]
    Inputs {
        /// How many numbers came.
        length: usize,
        /// Height, width and channels of one map.
        map: [usize; 3],
    },
    /// A head that cannot be built.
    #[error("head with {what} = {found}; hint: {hint}")]
    HeadConfig {
        /// The setting.
        what: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        hint: &'static str,
    },
    /// A layer refused its input.
    #[error(transparent)]
    Layer(#[from] NnError),
}
