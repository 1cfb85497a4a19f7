use std::collections::HashMap;

/// Words by numbers, each kept once.
#[derive(Clone, Default)]
pub(crate) struct Words(HashMap<String, u32>);

impl Words {
    /// The number of `word`, which is a new one where it was not known.
    pub(crate) fn number(&mut self, word: &str) -> u32 {
        match self.0.get(word) {
            Some(&number) => number,
            None => {
                let number = self.0.len() as u32;
                self.0.insert(word.to_string(), number);
                number
            }
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The words in the order of their numbers.
    pub(crate) fn into_list(self) -> Vec<String> {
        let mut words: Vec<(String, u32)> = self.0.into_iter().collect();
        words.sort_unstable_by_key(|&(_, number)| number);
        words.into_iter().map(|(word, _)| word).collect()
    }
}
