use anyhow::Result;
use fer_data::SIDE;
use fer_data::random::stream;
use fer_model::explain::{Explainer, PictureCurves, cell_order, cells};
use rand::seq::SliceRandom;

use super::mean_maps::Explained;
use super::{Curve, Curves, OrderCurves};

/// Points of a curve after the first.
const STEPS: usize = 24;

/// Deletion and insertion curves that are added up over pictures.
pub(super) struct CurveSums {
    n: u64,
    seed: u64,
    /// By occlusion, Grad-CAM and a random order.
    orders: [OrderSums; 3],
}

#[derive(Clone)]
struct OrderSums {
    deletion: Vec<f64>,
    insertion: Vec<f64>,
}

impl CurveSums {
    pub(super) fn new(seed: u64) -> Self {
        let empty = OrderSums {
            deletion: vec![0.0; STEPS + 1],
            insertion: vec![0.0; STEPS + 1],
        };
        CurveSums {
            n: 0,
            seed,
            orders: [empty.clone(), empty.clone(), empty],
        }
    }

    pub(super) fn n(&self) -> u64 {
        self.n
    }

    /// Adds the curves of these pictures.
    pub(super) fn add(&mut self, explainer: &Explainer<'_>, explained: &Explained) -> Result<()> {
        let by_map = |maps: &[Vec<f32>]| -> Vec<Vec<usize>> {
            let maps = maps.iter();
            maps.map(|map| cell_order(map, [SIDE, SIDE])).collect()
        };
        let by_chance = |&index: &usize| {
            let mut order: Vec<usize> = (0..cells(SIDE, SIDE)).collect();
            order.shuffle(&mut stream(self.seed, "random cells", index as u64));
            order
        };
        let orders = [
            by_map(&explained.maps.occlusion),
            by_map(&explained.maps.grad_cam),
            explained.indices.iter().map(by_chance).collect(),
        ];
        let (pictures, classes) = (&explained.pictures, &explained.classes);
        for (sums, orders) in self.orders.iter_mut().zip(orders) {
            for curves in explainer.curves(pictures, classes, &orders, STEPS)? {
                sums.add(&curves);
            }
        }
        self.n += explained.indices.len() as u64;
        Ok(())
    }

    /// The mean curves; all 0 of no picture.
    pub(super) fn curves(&self) -> Curves {
        let [occlusion, grad_cam, random] = self.orders.each_ref().map(|sums| OrderCurves {
            deletion: curve(&sums.deletion, self.n),
            insertion: curve(&sums.insertion, self.n),
        });
        Curves {
            share: (0..=STEPS).map(|step| step as f64 / STEPS as f64).collect(),
            occlusion,
            grad_cam,
            random,
        }
    }
}

impl OrderSums {
    fn add(&mut self, curves: &PictureCurves) {
        for (sums, curve) in [
            (&mut self.deletion, &curves.deletion),
            (&mut self.insertion, &curves.insertion),
        ] {
            for (sum, &value) in sums.iter_mut().zip(curve) {
                *sum += f64::from(value);
            }
        }
    }
}

fn curve(sums: &[f64], n: u64) -> Curve {
    let probability: Vec<f64> = sums.iter().map(|sum| sum / n.max(1) as f64).collect();
    let trapezoids = probability.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
    Curve {
        area: trapezoids.sum::<f64>() / (probability.len() - 1) as f64,
        probability,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_by_trapezoids_of_the_mean() {
        let curve = curve(&[2.0, 1.0, 0.0], 2);
        assert_eq!(curve.probability, [1.0, 0.5, 0.0]);
        assert_eq!(curve.area, 0.5);
    }
}
