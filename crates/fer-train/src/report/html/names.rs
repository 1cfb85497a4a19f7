//! Names of pictures as a report shows them.

use std::borrow::Cow;

use fer_data::printable;

use crate::predictions::Predictions;

/// The picture's name without the folder that all pictures have in common, which is a matter of the
/// machine.
pub(super) fn shown(predictions: &Predictions) -> Vec<Cow<'_, str>> {
    let names = || predictions.pictures.iter().map(|one| one.picture.as_str());
    let Some(first) = names().next() else {
        return Vec::new();
    };
    let common = names().fold(first.len(), |length, name| {
        let same = first.bytes().zip(name.bytes());
        length.min(same.take_while(|(one, other)| one == other).count())
    });
    let folder = first.as_bytes()[..common]
        .iter()
        .rposition(|&byte| byte == b'/' || byte == b'\\')
        .map_or(0, |place| place + 1);
    names().map(|name| printable(&name[folder..])).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use fer_data::{ClassNames, Split};

    use super::*;
    use crate::predictions::JudgedPicture;

    fn names(pictures: &[&str]) -> Vec<String> {
        let picture = |name: &&str| JudgedPicture {
            picture: name.to_string(),
            split: Split::Test,
            label: 0,
            predicted: 0,
            copy_of_train: false,
            votes_entropy: None,
            probabilities: vec![1.0],
        };
        let predictions = Predictions {
            class_names: ClassNames::new(["happy"]).unwrap(),
            pictures: pictures.iter().map(picture).collect(),
        };
        shown(&predictions)
            .into_iter()
            .map(Cow::into_owned)
            .collect()
    }

    #[test]
    fn only_whole_folders_that_all_share_are_left_out() {
        let shown = names(&["/home/é/faces/happy/1.png", "/home/é/faces/hairy/2.png"]);
        assert_eq!(shown, ["happy/1.png", "hairy/2.png"]);
        assert_eq!(
            names(&["fer2013.csv, row 3", "fer2013.csv, row 4"])[0],
            "fer2013.csv, row 3"
        );
        assert_eq!(names(&["/a/é.png", "/a/è.png"]), ["é.png", "è.png"]);
        assert!(names(&[]).is_empty());
    }
}
