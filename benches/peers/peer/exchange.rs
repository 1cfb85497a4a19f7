use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor, safetensors};
use fer_data::drawn::DrawnFaces;
use fer_data::{Expression, Picture, SIDE};
use fer_model::pictures_to_tensor;
use serde::Deserialize;
use serde_json::{Value, json};

/// The folder that the peers share.
#[derive(Clone)]
pub(crate) struct Exchange {
    folder: PathBuf,
}

/// One block of a network, as `../networks.py` describes it.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Block {
    Convolution {
        name: String,
        outputs: usize,
        window: usize,
        stride: usize,
        padding: usize,
        norm: bool,
        relu: bool,
        pool: bool,
    },
    Residual {
        name: String,
        outputs: usize,
        stride: usize,
    },
    Depthwise {
        name: String,
        stride: usize,
    },
    Mean,
    Flatten,
    Dense {
        name: String,
        outputs: usize,
        relu: bool,
    },
    Dropout {
        share: f32,
    },
}

impl Exchange {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Exchange { folder }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The blocks of a network.
    pub(crate) fn blocks(&self, network: &str) -> Result<Vec<Block>> {
        let path = self.path("networks.json");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let mut networks: HashMap<String, Vec<Block>> = serde_json::from_str(&text)?;
        networks
            .remove(network)
            .with_context(|| format!("{} has no {network}", path.display()))
    }

    /// A network's tensors by name, in PyTorch's layout.
    pub(crate) fn weights(&self, network: &str) -> Result<BTreeMap<String, Tensor>> {
        let path = self.path(&format!("{network}.safetensors"));
        let tensors =
            safetensors::load(&path, &Device::Cpu).with_context(|| path.display().to_string())?;
        Ok(tensors.into_iter().collect())
    }

    /// Pictures (batch, 1, 48, 48), f32, and labels (batch), u32, of every whole batch.
    pub(crate) fn batches(&self, size: usize) -> Result<Vec<(Tensor, Tensor)>> {
        let path = self.path("faces.safetensors");
        let faces =
            safetensors::load(&path, &Device::Cpu).with_context(|| path.display().to_string())?;
        let (pictures, labels) = (&faces["pictures"], &faces["labels"]);
        (0..pictures.dim(0)? / size)
            .map(|number| {
                let pictures = pictures.narrow(0, number * size, size)?.copy()?;
                let labels = labels
                    .narrow(0, number * size, size)?
                    .to_dtype(DType::U32)?;
                Ok((pictures, labels))
            })
            .collect()
    }

    /// Draws faces and writes them as tensors, and the first as a picture.
    pub(crate) fn write_faces(&self, count: usize) -> Result<Value> {
        let faces = DrawnFaces::new(1);
        let drawn: Vec<_> = (0..count).map(|index| faces.draw(index)).collect();
        let pictures = drawn
            .iter()
            .map(|face| Picture::from_pixels(&face.pixels, "drawn"))
            .collect::<Result<Vec<_>, _>>()?;
        let labels: Vec<i64> = drawn
            .iter()
            .map(|face| Expression::class_names().index_of(face.expression))
            .map(|class| Ok(class.context("an expression without a class")? as i64))
            .collect::<Result<_>>()?;
        let tensors = HashMap::from([
            ("pictures", pictures_to_tensor(&pictures, &Device::Cpu)?),
            ("labels", Tensor::from_vec(labels, count, &Device::Cpu)?),
        ]);
        fs::create_dir_all(&self.folder)?;
        safetensors::save(&tensors, self.path("faces.safetensors"))?;
        let side = SIDE as u32;
        let first = drawn.first().context("no face is asked for")?;
        image::save_buffer(
            self.path("face.png"),
            &first.pixels,
            side,
            side,
            image::ExtendedColorType::L8,
        )?;
        Ok(json!({ "faces": count }))
    }
}
