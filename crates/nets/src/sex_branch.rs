use crate::layer::{Branch, Layer, LayerKind};
use boneage_nn::{Activation, Dense};

/// The branch that lets a head know the sex: `s -> 2 (s - 0.5) -> dense with ReLU`, for `s` = 1 male,
/// 0 female; 0.5 gives an input of 0, between the two.
///
/// Sex `[batch]`, output `[batch, units]`. The paper's networks are not told the sex; a public copy
/// of its attention network gained 4 months of mean absolute error by it.
#[derive(Clone)]
pub(crate) struct SexBranch {
    pub(crate) dense: Dense,
}

/// What the backward pass needs from the forward pass.
pub(crate) struct SexTrace {
    centred: Vec<f32>,
    /// `[batch, units]`.
    pub(crate) output: Vec<f32>,
}

impl SexBranch {
    pub(crate) fn layers(&self) -> [Layer; 2] {
        let kind = LayerKind::Dense("ReLU");
        [
            Layer::fixed("sex", LayerKind::Sex, Branch::Sex, vec![self.dense.inputs()]),
            Layer::trained(&self.dense.params(), kind, Branch::Sex, vec![self.dense.outputs()]),
        ]
    }

    pub(crate) fn forward(&self, sex: &[f32]) -> SexTrace {
        let centred: Vec<f32> = sex.iter().map(|s| 2.0 * (s - 0.5)).collect();
        let mut output = vec![0.0; sex.len() * self.dense.outputs()];
        self.dense.forward(&centred, &mut output);
        Activation::Relu.forward(&mut output);
        SexTrace { centred, output }
    }

    /// Sets the gradients of the dense layer; `grad` `[batch, units]` is used up.
    pub(crate) fn backward(&mut self, trace: &SexTrace, mut grad: Vec<f32>) {
        Activation::Relu.backward(&trace.output, &mut grad);
        self.dense.backward_parameters(&trace.centred, &grad);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn male_female_and_unknown_are_1_minus_1_and_0() {
        let mut branch = SexBranch { dense: Dense::new("head.sex", 1, 2, &mut || 0.5) };
        branch.dense.weights.value = vec![3.0, -2.0];
        branch.dense.bias.value = vec![0.5, 0.25];
        let trace = branch.forward(&[1.0, 0.0, 0.5]);
        assert_eq!(trace.output, [3.5, 0.0, 0.0, 2.25, 0.5, 0.25]);
        branch.backward(&trace, vec![1.0; 6]);
        assert_eq!(branch.dense.weights.grad, [1.0, -1.0]);
        assert_eq!(branch.dense.bias.grad, [2.0, 2.0]);
    }
}
