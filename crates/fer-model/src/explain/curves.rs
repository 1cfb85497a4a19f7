use candle_core::{Result, Tensor, bail};

use super::Explainer;
use super::blur::blurred;
use super::score::probability;

/// Side of the square cells in which pixels go and come, in pixels.
pub const CELL: usize = 4;

/// The probability of one picture's class while its cells go and come.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureCurves {
    /// While more and more cells are blurred, from the whole picture to the blurred one, 0 to 1.
    pub deletion: Vec<f32>,
    /// While more and more cells of the blurred picture are brought back, 0 to 1.
    pub insertion: Vec<f32>,
}

/// How many cells a picture of so many rows and columns has; those at the end of a row or column may
/// be smaller.
pub fn cells(height: usize, width: usize) -> usize {
    height.div_ceil(CELL) * width.div_ceil(CELL)
}

/// The cells of a map (rows · columns values, row by row) by falling mean; of equals the first comes
/// first.
///
/// # Panics
/// When the map has another length.
pub fn cell_order(map: &[f32], [height, width]: [usize; 2]) -> Vec<usize> {
    assert_eq!(map.len(), height * width, "the length of a map");
    let (mut sums, mut counts) = (
        vec![0.0f64; cells(height, width)],
        vec![0.0f64; cells(height, width)],
    );
    for (pixel, &value) in map.iter().enumerate() {
        let cell = cell_of(pixel, width);
        sums[cell] += f64::from(value);
        counts[cell] += 1.0;
    }
    let mut order: Vec<usize> = (0..sums.len()).collect();
    let mean = |cell: usize| sums[cell] / counts[cell];
    order.sort_by(|&one, &other| mean(other).total_cmp(&mean(one)));
    order
}

fn cell_of(pixel: usize, width: usize) -> usize {
    pixel / width / CELL * width.div_ceil(CELL) + pixel % width / CELL
}

impl Explainer<'_> {
    /// Deletion and insertion (Petsiuk et al. 2018) in the order that `orders` gives for each picture:
    /// the probability of its class at `steps` + 1 shares of the cells, 0, 1/steps … 1.
    ///
    /// Cells of 4×4 and not pixels, and a Gaussian blur with a standard deviation of a twelfth of the
    /// width for both curves: single pixels of another grey are a pattern that networks have never
    /// seen, and a random order would win by its noise alone.
    ///
    /// `pictures` and `classes` are those of [`occlusion`](Self::occlusion).
    ///
    /// # Errors
    /// As [`occlusion`](Self::occlusion), and no step, or an order that does not name each of the
    /// [`cells`] once.
    pub fn curves(
        &self,
        pictures: &Tensor,
        classes: &[usize],
        orders: &[Vec<usize>],
        steps: usize,
    ) -> Result<Vec<PictureCurves>> {
        let values = self.values(pictures, classes)?;
        let [_, height, width] = self.network.input;
        let ranks = ranks(orders, classes.len(), cells(height, width))?;
        if steps == 0 {
            bail!("a curve takes at least one step");
        }
        let size: usize = self.network.input.iter().product();
        let area = height * width;
        let channels = values.chunks_exact(area);
        let blurred: Vec<f32> = channels
            .flat_map(|one| blurred(one, [height, width]))
            .collect();
        let (points, count) = (steps + 1, cells(height, width));
        let make = |number: usize, picture: &mut [f32]| {
            let (whole, step) = (number / (2 * points), number % points);
            let [sharp, soft] = [&values, &blurred].map(|from| &from[whole * size..][..size]);
            let inserts = number / points % 2 == 1;
            for (place, value) in picture.iter_mut().enumerate() {
                let cell = cell_of(place % area, width);
                let is_changed = ranks[whole][cell] * steps < step * count;
                *value = if is_changed == inserts {
                    sharp[place]
                } else {
                    soft[place]
                };
            }
        };
        let empty = PictureCurves {
            deletion: Vec::with_capacity(points),
            insertion: Vec::with_capacity(points),
        };
        let mut curves = vec![empty; classes.len()];
        self.ask(classes.len() * 2 * points, make, |number, logits| {
            let whole = number / (2 * points);
            let probability = probability(logits, classes[whole]);
            match number / points % 2 {
                0 => curves[whole].deletion.push(probability),
                _ => curves[whole].insertion.push(probability),
            }
        })?;
        Ok(curves)
    }
}

/// The place of each cell in each order.
fn ranks(orders: &[Vec<usize>], pictures: usize, cells: usize) -> Result<Vec<Vec<usize>>> {
    if orders.len() != pictures {
        bail!(
            "one order a picture is expected, got {} for {pictures}",
            orders.len()
        );
    }
    let rank = |order: &Vec<usize>| -> Result<Vec<usize>> {
        let mut ranks = vec![usize::MAX; cells];
        for (place, &cell) in order.iter().enumerate() {
            match ranks.get_mut(cell) {
                Some(rank) if *rank == usize::MAX => *rank = place,
                _ => bail!("cell {cell} stands twice in an order, or is none of {cells}"),
            }
        }
        if order.len() != cells {
            bail!("an order names each of {cells} cells, got {}", order.len());
        }
        Ok(ranks)
    };
    orders.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_ordered_by_their_mean() {
        let mut map = vec![0.0; 8 * 10];
        map[5 * 10 + 9] = 3.0;
        map[0] = 4.0;
        // The last column of cells is two pixels wide, so its mean is the larger.
        assert_eq!(cells(8, 10), 6);
        assert_eq!(cell_order(&map, [8, 10]), [5, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn an_order_names_each_cell_once() {
        assert!(ranks(&[vec![1, 0, 2]], 1, 3).is_ok());
        assert!(ranks(&[vec![1, 0]], 1, 3).is_err());
        assert!(ranks(&[vec![1, 0, 1]], 1, 3).is_err());
        assert!(ranks(&[vec![1, 0, 3]], 1, 3).is_err());
        assert!(ranks(&[], 1, 3).is_err());
    }
}
