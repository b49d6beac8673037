//! In the making.

mod components;
mod ground;
mod hand;
mod labels;
mod morphology;
mod sobel;
mod watershed;

pub use components::{Bounds, Component, components, fill_holes};
pub use hand::{HandExtraction, HandRecipe, extract_hand};
pub use labels::Labels;
pub use sobel::sobel;
pub use watershed::watershed;
