//! What stands in place of a part that is hidden.

/// Some rows and columns of a picture; bottom and right are excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patch {
    pub(super) top: usize,
    pub(super) bottom: usize,
    pub(super) left: usize,
    pub(super) right: usize,
}

impl Patch {
    /// The indices of its pixels in a picture `width` wide, row by row.
    pub(super) fn pixels(self, width: usize) -> impl Iterator<Item = usize> {
        (self.top..self.bottom)
            .flat_map(move |row| (self.left..self.right).map(move |column| row * width + column))
    }
}

/// Replaces what lies under `patch` by what lies around it: each pixel becomes the mean of the four
/// that stand outside the patch in its row and its column, those nearer weighing more, as the inverse
/// of the distance. Nothing of what was there is left, and the patch has no edge that could itself be
/// taken for a feature of the face. Sides of the patch at the edge of the picture give nothing; a
/// patch over the whole picture becomes its mean.
///
/// `picture` is one channel, row by row.
pub(super) fn hide(picture: &mut [f32], [height, width]: [usize; 2], patch: Patch) {
    let Patch {
        top,
        bottom,
        left,
        right,
    } = patch;
    if [top, left] == [0, 0] && [bottom, right] == [height, width] {
        let mean = picture.iter().sum::<f32>() / picture.len() as f32;
        picture.fill(mean);
        return;
    }
    for row in top..bottom {
        for column in left..right {
            let (mut sum, mut weights) = (0.0, 0.0);
            let mut add = |index: usize, distance: usize| {
                let weight = 1.0 / distance as f32;
                sum += weight * picture[index];
                weights += weight;
            };
            if left > 0 {
                add(row * width + left - 1, column - left + 1);
            }
            if right < width {
                add(row * width + right, right - column);
            }
            if top > 0 {
                add((top - 1) * width + column, row - top + 1);
            }
            if bottom < height {
                add(bottom * width + column, bottom - row);
            }
            picture[row * width + column] = sum / weights;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_goes_on_under_the_patch() {
        let slope: Vec<f32> = (0..64).map(|place| (place % 8) as f32).collect();
        let mut hidden = slope.clone();
        let patch = Patch {
            top: 2,
            bottom: 5,
            left: 2,
            right: 5,
        };
        for pixel in patch.pixels(8) {
            hidden[pixel] = 99.0;
        }
        hide(&mut hidden, [8, 8], patch);
        // Beside the four from above and below, which are exact, those from the sides pull evenly.
        for (one, other) in hidden.iter().zip(&slope) {
            assert!((one - other).abs() < 0.51, "{one} {other}");
        }
        assert_eq!(hidden[3 * 8 + 3], 3.0);
    }

    #[test]
    fn nothing_of_what_was_there_is_left() {
        let mut picture = vec![0.5; 48];
        let patch = Patch {
            top: 0,
            bottom: 3,
            left: 4,
            right: 8,
        };
        for pixel in patch.pixels(8) {
            picture[pixel] = 1e9;
        }
        hide(&mut picture, [6, 8], patch);
        assert!(picture.iter().all(|value| (value - 0.5).abs() < 1e-6));
    }

    #[test]
    fn a_whole_picture_becomes_its_mean() {
        let mut picture = vec![0.0, 1.0, 2.0, 5.0];
        let patch = Patch {
            top: 0,
            bottom: 2,
            left: 0,
            right: 2,
        };
        hide(&mut picture, [2, 2], patch);
        assert_eq!(picture, [2.0; 4]);
    }
}
