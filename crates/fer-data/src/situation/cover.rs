use crate::picture::{Picture, SIDE};

/// This share of each box in the picture's mean grey: a box of its shape about its centre, of whole
/// pixels. Boxes are left, top, right and bottom edge, right and bottom excluded.
pub(super) fn covered(picture: &Picture, boxes: &[[usize; 4]], share: f32) -> Picture {
    let grey = picture.mean().round() as u8;
    let mut pixels = *picture.pixels();
    for &[left, top, right, bottom] in boxes {
        let (columns, rows) = (within(left, right, share), within(top, bottom, share));
        for row in rows {
            pixels[row * SIDE..][columns.clone()].fill(grey);
        }
    }
    Picture::from_array(&pixels)
}

/// The middle part from `start` to `end` of the length that a share of the area has.
fn within(start: usize, end: usize, share: f32) -> std::ops::Range<usize> {
    let whole = end - start;
    let length = (whole as f32 * share.sqrt()).round() as usize;
    let first = start + (whole - length) / 2;
    first..first + length
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::drawn::DrawnFaces;
    use crate::expression::Region;
    use crate::picture::PIXELS;

    #[test]
    fn a_whole_box_is_one_grey_and_nothing_else_changes() {
        let face = Picture::from_pixels(&DrawnFaces::new(3).draw(5).pixels, "a face").unwrap();
        for region in [Region::Eyes, Region::Mouth] {
            let covered = covered(&face, region.boxes(), 1.0);
            let inside = |at: usize| {
                let (x, y) = (at % SIDE, at / SIDE);
                let mut boxes = region.boxes().iter();
                boxes.any(|&[left, top, right, bottom]| {
                    (left..right).contains(&x) && (top..bottom).contains(&y)
                })
            };
            for at in 0..PIXELS {
                let expected = match inside(at) {
                    true => face.mean().round() as u8,
                    false => face.pixels()[at],
                };
                assert_eq!(covered.pixels()[at], expected, "{region:?} {at}");
            }
        }
    }

    #[test]
    fn a_part_covers_its_share_in_the_middle_and_a_greater_part_covers_it_too() {
        let mut pixels = [0; PIXELS];
        pixels[0] = 1;
        pixels[PIXELS - SIDE..].fill(255);
        let stripe = Picture::from_pixels(&pixels, "a stripe").unwrap();
        for region in [Region::Eyes, Region::Mouth] {
            let area: usize = region
                .boxes()
                .iter()
                .map(|&[l, t, r, b]| (r - l) * (b - t))
                .sum();
            let mut before = Vec::new();
            for share in [0.2, 0.4, 0.6, 0.8, 1.0] {
                let covered = covered(&stripe, region.boxes(), share);
                let places = (0..PIXELS).filter(|&at| covered.pixels()[at] != pixels[at]);
                let places: Vec<usize> = places.collect();
                let found = places.len() as f32 / area as f32;
                assert!((found - share).abs() < 0.05, "{share}: {found}");
                assert!(before.iter().all(|at| places.contains(at)), "{share}");
                before = places;
            }
        }
    }
}
