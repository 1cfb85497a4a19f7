//! Where a network looks in a picture.
//!
//! ```
//! use fer_model::explain::OcclusionSettings;
//! use fer_model::{Classifier, Device, pictures_to_tensor};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # if false { // reads a picture
//! let classifier = Classifier::builtin()?;
//! let face = classifier.open_picture("face.png")?;
//! let class = classifier.predict(&face)?.class();
//! let pictures = pictures_to_tensor(&[face], &Device::Cpu)?;
//! let explainer = classifier.explainer()?;
//! let occlusion = explainer.occlusion(&pictures, &[class], &OcclusionSettings::default())?;
//! let grad_cam = explainer.grad_cam(&pictures, &[class])?;
//! assert_eq!((occlusion.dims(), grad_cam.dims()), (&[1, 48, 48][..], &[1, 48, 48][..]));
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! [Occlusion](Explainer::occlusion) hides one place after the other and sees what the network then
//! says; [Grad-CAM](Explainer::grad_cam) asks the network's last maps and the gradient through them.
//! [Deletion and insertion](Explainer::curves) tell which of two maps knows better what the prediction
//! rests on. A map is worth something beside the map of the same network with random weights alone
//! (Adebayo et al. 2018).

mod blur;
mod curves;
mod fill;
mod grad_cam;
mod occlusion;
mod score;
mod spread;

use candle_core::{Result, Tensor, bail};

use crate::arch::{Network, Sequential};
use crate::ops::Mode;
use crate::plan::Plan;

pub use curves::{CELL, PictureCurves, cell_order, cells};
pub use occlusion::OcclusionSettings;

/// Pictures that go through the network together.
const BATCH: usize = 256;

/// Asks one network where it looks.
pub struct Explainer<'a> {
    network: &'a Sequential,
    plan: Option<Plan>,
}

impl<'a> Explainer<'a> {
    /// An explainer of a network with its weights as they are now.
    ///
    /// # Errors
    /// Weights that cannot be read.
    pub fn new(network: &'a Sequential) -> Result<Self> {
        Ok(Explainer {
            plan: Plan::new(network)?,
            network,
        })
    }

    /// Logits, picture by picture, of pictures laid out (pictures, channels, rows, columns).
    fn logits(&self, pictures: Vec<f32>) -> Result<Vec<f32>> {
        if let Some(plan) = &self.plan {
            return plan.run(&pictures);
        }
        let [channels, height, width] = self.network.input;
        let count = pictures.len() / (channels * height * width);
        let device = self.network.device();
        let pictures = Tensor::from_vec(pictures, (count, channels, height, width), &device)?;
        let logits = self.network.forward(&pictures, Mode::Predict)?;
        logits.flatten_all()?.to_vec1()
    }

    /// As [`logits`](Self::logits), [`BATCH`] pictures at a time, each made by `make` from its number
    /// and handed with its logits to `take` in order.
    fn ask(
        &self,
        count: usize,
        make: impl Fn(usize, &mut [f32]) + Sync,
        mut take: impl FnMut(usize, &[f32]),
    ) -> Result<()> {
        use rayon::prelude::*;
        let size: usize = self.network.input.iter().product();
        for first in (0..count).step_by(BATCH) {
            let now = BATCH.min(count - first);
            let mut pictures = vec![0.0; now * size];
            let made = pictures.par_chunks_exact_mut(size).enumerate();
            made.for_each(|(place, picture)| make(first + place, picture));
            let logits = self.logits(pictures)?;
            let classes = logits.len() / now;
            for (place, row) in logits.chunks_exact(classes).enumerate() {
                take(first + place, row);
            }
        }
        Ok(())
    }

    /// The values of pictures, laid out (pictures, channels, rows, columns), where there is one class
    /// for each.
    fn values(&self, pictures: &Tensor, classes: &[usize]) -> Result<Vec<f32>> {
        let (count, channels, height, width) = pictures.dims4()?;
        if [channels, height, width] != self.network.input {
            bail!(
                "the network takes pictures of {:?} (channels, rows, columns), got {:?}",
                self.network.input,
                [channels, height, width]
            );
        }
        if classes.len() != count {
            bail!(
                "one class a picture is explained, got {} for {count}",
                classes.len()
            );
        }
        let outputs = self.network.outputs();
        if let Some(class) = classes.iter().find(|&&class| class >= outputs) {
            bail!("class {class} of a network with {outputs} classes");
        }
        pictures.flatten_all()?.to_vec1()
    }
}
