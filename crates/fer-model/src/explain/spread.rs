//! From the positions of maps back to the pixels of the picture.

use crate::arch::Block;

/// Where the positions of maps stand in the picture: the pixel at the middle of what position 0 sees,
/// and how many pixels lie between two positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) start: f32,
    pub(super) step: f32,
}

impl Field {
    /// That of the picture itself.
    pub(super) const PICTURE: Field = Field {
        start: 0.0,
        step: 1.0,
    };

    /// That of the maps which `block` makes of maps with this one.
    pub(super) fn after(self, block: &Block) -> Field {
        match block {
            Block::Convolution(block) => {
                let settings = block.settings();
                let moved = self.convolved(settings.kernel, settings.stride, settings.padding);
                if settings.pool {
                    moved.convolved(2, 2, 0)
                } else {
                    moved
                }
            }
            Block::Depthwise(block) => {
                let settings = block.settings();
                self.convolved(3, settings.stride, settings.padding)
            }
            Block::Residual(residual) => {
                let body = residual.body.iter().fold(self, Field::after);
                body.after(&Block::Convolution(residual.last.clone()))
            }
            Block::GlobalMean | Block::Flatten | Block::Dense(_) | Block::Dropout { .. } => self,
        }
    }

    fn convolved(self, window: usize, stride: usize, padding: usize) -> Field {
        let middle = (window - 1) as f32 / 2.0 - padding as f32;
        Field {
            start: self.start + self.step * middle,
            step: self.step * stride as f32,
        }
    }

    /// A map, row by row, spread over a picture of `size` (rows, columns): linear between the pixels
    /// where its positions stand, and beyond the outermost as there.
    pub(super) fn spread(
        self,
        map: &[f32],
        [rows, columns]: [usize; 2],
        size: [usize; 2],
    ) -> Vec<f32> {
        let [height, width] = size;
        let across: Vec<Between> = (0..width).map(|at| self.between(at, columns)).collect();
        let mut picture = Vec::with_capacity(height * width);
        for at in 0..height {
            let down = self.between(at, rows);
            let [upper, lower] =
                [down.first, down.second].map(|row| &map[row * columns..][..columns]);
            picture.extend(across.iter().map(|along| {
                let [above, below] =
                    [upper, lower].map(|line| along.mix(line[along.first], line[along.second]));
                down.mix(above, below)
            }));
        }
        picture
    }

    fn between(self, pixel: usize, count: usize) -> Between {
        let place = ((pixel as f32 - self.start) / self.step).clamp(0.0, (count - 1) as f32);
        let first = place.floor() as usize;
        Between {
            first,
            second: (first + 1).min(count - 1),
            share: place - first as f32,
        }
    }
}

/// A place between two positions.
struct Between {
    first: usize,
    second: usize,
    /// How much the second has.
    share: f32,
}

impl Between {
    fn mix(&self, first: f32, second: f32) -> f32 {
        first + self.share * (second - first)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::arch::Architecture;
    use crate::ops::Engine;
    use crate::parameters::Shapes;

    fn field(name: &str, blocks: usize) -> Field {
        let shapes = Shapes::default();
        let architecture = Architecture::named(name).unwrap();
        let network = architecture.build(8, Engine::Portable, shapes.builder());
        let network = network.unwrap();
        network.blocks[..blocks]
            .iter()
            .fold(Field::PICTURE, Field::after)
    }

    #[test]
    fn positions_stand_at_the_middle_of_what_they_see() {
        // Two windows of 3 without padding, each with a pool: position 0 sees pixels 0 to 9.
        assert_eq!(
            field("cnn", 2),
            Field {
                start: 4.5,
                step: 4.0
            }
        );
        // Padding keeps the middle; three pools of 2.
        assert_eq!(
            field("vgg", 7),
            Field {
                start: 3.5,
                step: 8.0
            }
        );
        assert_eq!(
            field("resvgg", 4),
            Field {
                start: 1.5,
                step: 4.0
            }
        );
        assert_eq!(
            field("resvgg", 7),
            Field {
                start: 3.5,
                step: 8.0
            }
        );
    }

    #[test]
    fn a_slope_is_a_slope_between_the_outermost_positions() {
        let field = Field {
            start: 1.5,
            step: 4.0,
        };
        let map: Vec<f32> = (0..9)
            .map(|place| (place / 3 * 10 + place % 3) as f32)
            .collect();
        let picture = field.spread(&map, [3, 3], [12, 12]);
        for row in 0..12 {
            for column in 0..12 {
                let place = |at: usize| ((at as f32 - 1.5) / 4.0).clamp(0.0, 2.0);
                let expected = 10.0 * place(row) + place(column);
                assert!((picture[row * 12 + column] - expected).abs() < 1e-5);
            }
        }
        assert_eq!(field.spread(&[7.0], [1, 1], [2, 3]), [7.0; 6]);
    }
}
