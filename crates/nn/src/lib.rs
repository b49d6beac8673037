//! In the making.
mod blocked;
mod buffer;
mod conv3x3;
mod error;
mod simd;

pub use blocked::Blocked;
pub use buffer::release_scratch;
pub use conv3x3::{Conv3x3, DirectConv3x3, Finish};
pub use error::NnError;
pub use simd::Isa;
