use std::path::Path;

use fer_data::face::{Bounds, FaceFinder, Photograph};
use fer_data::{DataError, Picture, Resize};

/// A face as the network takes it.
pub(crate) struct Seen {
    /// Where it is; nothing if it is the whole picture.
    pub(crate) bounds: Option<Bounds>,
    pub(crate) picture: Picture,
}

/// Reads pictures and cuts their faces out.
pub(crate) struct Reader {
    finder: Option<FaceFinder>,
    resize: Resize,
}

impl Reader {
    /// A reader that looks for faces with `finder`, or takes every picture for a face where there is none,
    /// and resizes as the network's training pictures were.
    pub(crate) fn new(finder: Option<FaceFinder>, resize: Resize) -> Self {
        Reader { finder, resize }
    }

    /// The faces in a file, the largest first; or what is wrong with it.
    pub(crate) fn look(&self, file: &Path) -> Result<Vec<Seen>, String> {
        let faces = Photograph::open(file).and_then(|photograph| self.faces(&photograph));
        faces.map_err(|error| error.to_string())
    }

    /// The faces in a photograph, the largest first; one of 64×64 or less is a face already.
    pub(crate) fn faces(&self, photograph: &Photograph) -> Result<Vec<Seen>, DataError> {
        let Some(finder) = self
            .finder
            .as_ref()
            .filter(|_| !photograph.is_face_already())
        else {
            let whole = Seen {
                bounds: None,
                picture: photograph.picture(self.resize),
            };
            return Ok(vec![whole]);
        };
        let faces = finder.find(photograph)?;
        let seen = faces.iter().map(|face| Seen {
            bounds: Some(face.bounds()),
            picture: photograph.crop(face, self.resize),
        });
        Ok(seen.collect())
    }
}
