use fer_data::face::Photograph;
use fer_data::{MOST_MEMORY, Picture, Resize};

use crate::{MEBIBYTE, Target};

/// A small file may be a picture of [`MOST_MEMORY`], which is decoded, turned and made grey.
const PIXELS: usize = 3 * MOST_MEMORY as usize;

/// A picture of a face.
pub const PICTURE: Target = Target {
    name: "picture",
    most_memory: PIXELS,
    seeds: &["tests/fixtures/pictures"],
    accepts: |bytes| {
        let [antialiased, linear] = [Resize::Antialiased, Resize::OpencvLinear]
            .map(|resize| Picture::decode_with_facts(bytes, "a picture", resize));
        assert_eq!(antialiased.is_ok(), linear.is_ok());
        antialiased.is_ok()
    },
};

/// A photograph in which faces are looked for.
pub const PHOTOGRAPH: Target = Target {
    name: "photograph",
    most_memory: PIXELS + 64 * MEBIBYTE,
    seeds: &["tests/fixtures/pictures"],
    accepts: |bytes| {
        let photograph = Photograph::decode(bytes, "a photograph");
        photograph.is_ok_and(|photograph| {
            photograph.picture(Resize::Antialiased);
            photograph.width() > 0 && photograph.height() > 0
        })
    },
};
