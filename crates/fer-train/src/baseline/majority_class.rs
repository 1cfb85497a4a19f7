//! The class that most training pictures have.

/// The logarithm of each class's share of the training labels, one more of each counted, so that no
/// share is 0: the probabilities of a method that sees nothing, whose most probable class is the most
/// frequent one.
///
/// - `counts`: (classes), how many training pictures have each class.
pub fn majority_class(counts: &[usize]) -> Vec<f32> {
    let total = counts.iter().sum::<usize>() + counts.len();
    let share = |&count: &usize| (count + 1) as f64 / total as f64;
    counts
        .iter()
        .map(|count| share(count).ln() as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use fer_model::most_probable;

    use super::*;

    #[test]
    fn the_most_frequent_class_is_the_most_probable_and_none_is_impossible() {
        let shares = majority_class(&[3, 0, 9, 4]);
        assert_eq!(most_probable(&shares), 2);
        let sum: f32 = shares.iter().map(|share| share.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        assert!((shares[1].exp() - 1.0 / 20.0).abs() < 1e-6);
    }
}
