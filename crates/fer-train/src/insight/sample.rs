use fer_data::random::stream;
use rand::seq::SliceRandom;

/// At most `most` of the pictures `indices`, drawn by `seed` so that the classes have as many pictures
/// as each other, as far as each has them; in ascending order. `label` is the class of a picture.
pub fn stratified_sample(
    indices: &[usize],
    label: impl Fn(usize) -> usize,
    most: usize,
    seed: u64,
) -> Vec<usize> {
    if indices.len() <= most {
        return indices.to_vec();
    }
    let classes = indices
        .iter()
        .map(|&index| label(index) + 1)
        .max()
        .unwrap_or(0);
    let mut by_class = vec![Vec::new(); classes];
    for &index in indices {
        by_class[label(index)].push(index);
    }
    for (class, pictures) in by_class.iter_mut().enumerate() {
        pictures.shuffle(&mut stream(seed, "explained pictures", class as u64));
    }
    let longest = by_class.iter().map(Vec::len).max().unwrap_or(0);
    let turns = (0..longest).flat_map(|turn| {
        by_class
            .iter()
            .filter_map(move |pictures| pictures.get(turn))
    });
    let mut sample: Vec<usize> = turns.copied().take(most).collect();
    sample.sort_unstable();
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_share_the_places_evenly() {
        // 80 of class 0, 15 of class 1, 5 of class 2.
        let label = |index: usize| usize::from(index >= 80) + usize::from(index >= 95);
        let indices: Vec<usize> = (0..100).collect();
        let sample = stratified_sample(&indices, label, 30, 7);
        let count = |class| {
            sample
                .iter()
                .filter(|&&index| label(index) == class)
                .count()
        };
        assert_eq!([count(0), count(1), count(2)], [13, 12, 5]);
        assert!(sample.is_sorted());
        assert_ne!(sample, stratified_sample(&indices, label, 30, 8));
        assert_eq!(stratified_sample(&indices, label, 100, 7), indices);
        assert!(stratified_sample(&[], label, 5, 7).is_empty());
    }
}
