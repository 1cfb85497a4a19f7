use candle_core::{Device, Result, Tensor, Var};

use super::Explainer;
use super::spread::Field;
use crate::ops::Mode;

/// Pictures whose maps and gradients are held at once.
const AT_ONCE: usize = 64;

impl Explainer<'_> {
    /// Grad-CAM (Selvaraju et al. 2017): ReLU(Σ_k α_k A_k), where A_k are maps inside the network and
    /// α_k is the mean over their positions of the gradient of the class's logit by them.
    ///
    /// The maps are those of the last block that gives any, 6×6 in most networks of this crate, as the
    /// method has it: those of an earlier block are finer, but the mean of the gradient over their
    /// positions says little of any one. A network without maps has its picture in their place. What
    /// they amount to is spread over the picture: linearly between the pixels at the middle of what
    /// each position sees.
    ///
    /// `pictures` and `classes` are those of [`occlusion`](Self::occlusion); the maps are f32 of shape
    /// (pictures, rows, columns) on the CPU, at least 0, in units of the logit.
    ///
    /// # Errors
    /// Pictures of another shape, another number of classes than pictures, a class out of range, or a
    /// device that fails.
    pub fn grad_cam(&self, pictures: &Tensor, classes: &[usize]) -> Result<Tensor> {
        let values = self.values(pictures, classes)?;
        let [channels, height, width] = self.network.input;
        let mut maps = Vec::with_capacity(classes.len() * height * width);
        let device = self.network.device();
        let batches = values.chunks(AT_ONCE * channels * height * width);
        for (values, classes) in batches.zip(classes.chunks(AT_ONCE)) {
            let shape = (classes.len(), channels, height, width);
            let pictures = Tensor::from_slice(values, shape, &device)?;
            self.grad_cam_batch(&pictures, classes, &mut maps)?;
        }
        Tensor::from_vec(maps, (classes.len(), height, width), &Device::Cpu)
    }

    /// Rows and columns of the maps that [`grad_cam`](Self::grad_cam) weighs.
    ///
    /// # Errors
    /// A device that fails.
    pub fn grad_cam_maps(&self) -> Result<[usize; 2]> {
        let [channels, height, width] = self.network.input;
        let shape = (1, channels, height, width);
        let picture = Tensor::zeros(shape, candle_core::DType::F32, &self.network.device())?;
        let (_, maps) = self.maps(&picture)?;
        let (_, rows, columns, _) = maps.dims4()?;
        Ok([rows, columns])
    }

    /// The maps of pictures, (pictures, rows, columns, channels), and how many blocks made them.
    fn maps(&self, pictures: &Tensor) -> Result<(usize, Tensor)> {
        let mut maps = self.network.enter(pictures)?;
        for (done, block) in self.network.blocks.iter().enumerate() {
            let output = block.forward(&maps, Mode::Predict, self.network.engine)?;
            if output.rank() != 4 {
                return Ok((done, maps));
            }
            maps = output;
        }
        Ok((self.network.blocks.len(), maps))
    }

    fn grad_cam_batch(
        &self,
        pictures: &Tensor,
        classes: &[usize],
        out: &mut Vec<f32>,
    ) -> Result<()> {
        let (done, maps) = self.maps(pictures)?;
        let maps = Var::from_tensor(&maps.detach())?;
        let mut flow = maps.as_tensor().clone();
        for block in &self.network.blocks[done..] {
            flow = block.forward(&flow, Mode::Predict, self.network.engine)?;
        }
        let chosen: Vec<u32> = classes.iter().map(|&class| class as u32).collect();
        let chosen = Tensor::from_vec(chosen, (classes.len(), 1), flow.device())?;
        // Pictures do not mix in a prediction, so one sum has the gradient of each.
        let gradients = flow.gather(&chosen, 1)?.sum_all()?.backward()?;
        let (count, rows, columns, _) = maps.dims4()?;
        let amounts = match gradients.get(&maps) {
            Some(gradient) => {
                let weights = gradient.mean_keepdim((1, 2))?;
                maps.detach().broadcast_mul(&weights)?.sum(3)?.relu()?
            }
            None => Tensor::zeros((count, rows, columns), maps.dtype(), maps.device())?,
        };
        let blocks = &self.network.blocks[..done];
        let field = blocks.iter().fold(Field::PICTURE, Field::after);
        let [_, height, width] = self.network.input;
        for map in amounts.flatten_from(1)?.to_vec2::<f32>()? {
            out.extend(field.spread(&map, [rows, columns], [height, width]));
        }
        Ok(())
    }
}
