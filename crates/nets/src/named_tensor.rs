use boneage_nn::Param;

use crate::NetsError;

/// One array of a network's state, as it is saved and loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// Where it sits, for example `head.batch_norm.gamma`.
    pub name: String,
    /// Extents, slowest varying first.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f32>,
}

impl NamedTensor {
    pub(crate) fn of(param: &Param) -> Self {
        Self { name: param.name.clone(), shape: param.shape.clone(), values: param.value.clone() }
    }

    pub(crate) fn vector(name: &str, values: &[f32]) -> Self {
        Self { name: name.to_owned(), shape: vec![values.len()], values: values.to_vec() }
    }
}

/// Name and shape of a tensor.
pub(crate) type NamedShape = (String, Vec<usize>);

/// Those of a parameter.
pub(crate) fn shape_of(param: &Param) -> NamedShape {
    (param.name.clone(), param.shape.clone())
}

/// Checks that `found` holds the tensors of `expected`, each once and in its shape, in any order, and
/// returns them in the order of `expected`.
pub(crate) fn matched<'a>(
    expected: &[NamedShape],
    found: &'a [NamedTensor],
    network: &'static str,
) -> Result<Vec<&'a NamedTensor>, NetsError> {
    let mut seen = std::collections::HashSet::new();
    for tensor in found {
        let known = expected.iter().any(|(name, _)| *name == tensor.name);
        if !known || !seen.insert(&tensor.name) {
            return Err(NetsError::Unknown { name: tensor.name.clone() });
        }
    }
    let find = |(expected, shape): &NamedShape| {
        let name = || expected.clone();
        let tensor = found.iter().find(|t| t.name == *expected);
        let tensor = tensor.ok_or_else(|| NetsError::Missing { name: name(), network })?;
        let shape_error = |found: &[usize]| NetsError::Shape {
            name: name(),
            found: found.to_vec(),
            expected: shape.clone(),
        };
        if tensor.shape != *shape {
            return Err(shape_error(&tensor.shape));
        }
        if tensor.values.len() != shape.iter().product::<usize>() {
            return Err(shape_error(&[tensor.values.len()]));
        }
        Ok(tensor)
    };
    expected.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, shape: &[usize]) -> NamedTensor {
        let values = vec![0.5; shape.iter().product()];
        NamedTensor { name: name.into(), shape: shape.to_vec(), values }
    }

    #[test]
    fn tensors_are_found_in_any_order_and_each_difference_is_named() {
        let expected = [("a".to_owned(), vec![2, 3]), ("b".to_owned(), vec![4])];
        let say = |found: &[NamedTensor]| matched(&expected, found, "a test").unwrap_err().to_string();
        let found = [tensor("b", &[4]), tensor("a", &[2, 3])];
        let order: Vec<&str> =
            matched(&expected, &found, "a test").unwrap().iter().map(|t| t.name.as_str()).collect();
        assert_eq!(order, ["a", "b"]);
        assert!(say(&found[..1]).starts_with("tensor a is missing"));
        assert!(say(&[tensor("a", &[3, 2]), tensor("b", &[4])]).contains("[3, 2] where [2, 3]"));
        assert!(say(&[tensor("c", &[1])]).starts_with("tensor c is unknown"));
        assert!(say(&[tensor("a", &[2, 3]), tensor("a", &[2, 3])]).starts_with("tensor a is unknown"));
        let short = NamedTensor { values: vec![0.0], ..tensor("b", &[4]) };
        assert!(say(&[tensor("a", &[2, 3]), short]).contains("tensor b"));
    }
}
