use candle_core::{Device, Result, Tensor, bail};

use super::Explainer;
use super::fill::{Patch, hide};
use super::score::log_probability;

/// The square that is slid over a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OcclusionSettings {
    /// Its side in pixels, at least 1. Default 8.
    pub patch: usize,
    /// From one square to the next, in pixels, 1 to `patch`. Default 4.
    pub stride: usize,
}

impl Default for OcclusionSettings {
    fn default() -> Self {
        OcclusionSettings {
            patch: 8,
            stride: 4,
        }
    }
}

impl OcclusionSettings {
    /// How many squares a picture of so many rows and columns is asked about.
    pub fn positions(&self, height: usize, width: usize) -> usize {
        self.spans(height).len() * self.spans(width).len()
    }

    fn check(&self) -> Result<()> {
        if self.patch == 0 || !(1..=self.patch).contains(&self.stride) {
            bail!(
                "occlusion takes a patch of at least 1 and a stride of 1 to the patch, got {self:?}"
            );
        }
        Ok(())
    }

    /// Where squares begin and end along a side; those that reach over an edge are cut there, so that
    /// pixels at the edge are hidden as often as others.
    fn spans(&self, side: usize) -> Vec<[usize; 2]> {
        let ends = (self.stride..side + self.patch).step_by(self.stride);
        let spans = ends.map(|end| [end.saturating_sub(self.patch), end.min(side)]);
        spans.filter(|[start, end]| start < end).collect()
    }

    fn patches(&self, [height, width]: [usize; 2]) -> Vec<Patch> {
        let columns = self.spans(width);
        let mut patches = Vec::new();
        for [top, bottom] in self.spans(height) {
            patches.extend(columns.iter().map(|&[left, right]| Patch {
                top,
                bottom,
                left,
                right,
            }));
        }
        patches
    }
}

impl Explainer<'_> {
    /// Occlusion sensitivity (Zeiler & Fergus 2014): how much the network speaks less for a class when
    /// a place is hidden.
    ///
    /// A square is slid over each picture and what it covers replaced by what surrounds it, each pixel
    /// by the four outside the square in its row and column, weighed by the inverse of the distance.
    /// The fall of the logarithm of the explained class's probability, averaged over the squares that
    /// cover a pixel, is the map there.
    ///
    /// Of the fills and scores that were tried on faces drawn to differ in one region, these set that
    /// region apart most: the mean grey in place of the surroundings is itself a feature, and log-odds
    /// also count what moves a network that stays sure.
    ///
    /// `pictures` is f32 of shape (pictures, channels, rows, columns) with the network's input,
    /// `classes` names the class to explain for each; the maps are f32 of shape (pictures, rows,
    /// columns) on the CPU, in nats: above 0 where the place speaks for the class, below where against.
    ///
    /// # Errors
    /// Settings out of range, pictures of another shape, another number of classes than pictures, a
    /// class out of range, or a device that fails.
    pub fn occlusion(
        &self,
        pictures: &Tensor,
        classes: &[usize],
        settings: &OcclusionSettings,
    ) -> Result<Tensor> {
        settings.check()?;
        let values = self.values(pictures, classes)?;
        let [_, height, width] = self.network.input;
        let area = height * width;
        let size: usize = self.network.input.iter().product();
        let patches = settings.patches([height, width]);
        let scores = self.scores(&values, classes)?;
        let mut maps = vec![0.0f32; classes.len() * area];
        let make = |number: usize, picture: &mut [f32]| {
            let (whole, patch) = (number / patches.len(), patches[number % patches.len()]);
            picture.copy_from_slice(&values[whole * size..][..size]);
            for channel in picture.chunks_exact_mut(area) {
                hide(channel, [height, width], patch);
            }
        };
        self.ask(classes.len() * patches.len(), make, |number, logits| {
            let (whole, patch) = (number / patches.len(), patches[number % patches.len()]);
            let fall = scores[whole] - log_probability(logits, classes[whole]);
            let map = &mut maps[whole * area..][..area];
            patch.pixels(width).for_each(|pixel| map[pixel] += fall);
        })?;
        let mut cover = vec![0.0f32; area];
        for patch in &patches {
            patch.pixels(width).for_each(|pixel| cover[pixel] += 1.0);
        }
        for map in maps.chunks_exact_mut(area) {
            map.iter_mut().zip(&cover).for_each(|(sum, n)| *sum /= n);
        }
        Tensor::from_vec(maps, (classes.len(), height, width), &Device::Cpu)
    }

    /// The log-probability of each picture's class.
    fn scores(&self, values: &[f32], classes: &[usize]) -> Result<Vec<f32>> {
        let size: usize = self.network.input.iter().product();
        let mut scores = Vec::with_capacity(classes.len());
        let make = |number: usize, picture: &mut [f32]| {
            picture.copy_from_slice(&values[number * size..][..size]);
        };
        self.ask(classes.len(), make, |number, logits| {
            scores.push(log_probability(logits, classes[number]));
        })?;
        Ok(scores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_is_hidden_equally_often_where_the_stride_divides_the_patch() {
        for (patch, stride, side) in [(8, 4, 48), (10, 5, 48), (6, 3, 7), (4, 4, 9), (20, 10, 6)] {
            let spans = OcclusionSettings { patch, stride }.spans(side);
            for pixel in 0..side {
                let covering = spans
                    .iter()
                    .filter(|[start, end]| (start..end).contains(&&pixel));
                assert_eq!(covering.count(), patch / stride, "{patch} {stride} {pixel}");
            }
        }
        let settings = OcclusionSettings {
            patch: 8,
            stride: 4,
        };
        assert_eq!(settings.positions(48, 48), 13 * 13);
    }

    #[test]
    fn every_pixel_is_hidden_whatever_the_stride() {
        for (patch, stride, side) in [(10, 4, 48), (10, 3, 48), (3, 2, 5), (1, 1, 4)] {
            let spans = OcclusionSettings { patch, stride }.spans(side);
            for pixel in 0..side {
                let covering = spans
                    .iter()
                    .filter(|[start, end]| (start..end).contains(&&pixel));
                assert!(covering.count() > 0, "{patch} {stride} {pixel}");
            }
        }
    }
}
