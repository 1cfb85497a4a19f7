use candle_core::{Result, bail};
use candle_nn::VarBuilder;

use crate::arch::Sequential;
use crate::arch::block::Block;
use crate::arch::layer::Layers;
use crate::ops::{
    ConvolutionBlock, ConvolutionSettings, Dense, DepthwiseBlock, DepthwiseSettings, Engine,
};

/// Builds a network block by block, and knows the shape after each.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use fer_model::ops::{ConvolutionSettings, Engine, Mode};
/// use fer_model::{Network, Parameters, Stack};
///
/// let parameters = Parameters::new(7, &Device::Cpu);
/// let pooled = ConvolutionSettings { pool: true, ..ConvolutionSettings::normalised(1, 16) };
/// let network = Stack::new([1, 48, 48], Engine::detect(), parameters.builder())
///     .convolution("stem", pooled)?
///     .residual("block", |block| {
///         block
///             .convolution("conv1", ConvolutionSettings { stride: 2, ..ConvolutionSettings::normalised(16, 32) })?
///             .convolution("conv2", ConvolutionSettings::normalised(32, 32))
///     })?
///     .global_mean()?
///     .dropout("dropout", 0.2)?
///     .dense("head", 3, false)?
///     .finish()?;
/// let pictures = Tensor::zeros((2, 1, 48, 48), candle_core::DType::F32, &Device::Cpu)?;
/// assert_eq!(network.forward(&pictures, Mode::Predict)?.dims(), [2, 3]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub struct Stack<'a> {
    pub(super) builder: VarBuilder<'a>,
    pub(super) engine: Engine,
    pub(super) input: [usize; 3],
    pub(super) shape: Shape,
    /// The shape before the pool of the last convolution: where a residual is added.
    pub(super) before_pool: Shape,
    pub(super) blocks: Vec<Block>,
    pub(super) layers: Layers,
}

/// What flows between two blocks, for one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Maps.
    Maps {
        /// Channels.
        channels: usize,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A row of so many values.
    Row(usize),
}

impl<'a> Stack<'a> {
    /// A network without a block, for pictures of `input` channels, rows and columns.
    pub fn new(input: [usize; 3], engine: Engine, builder: VarBuilder<'a>) -> Self {
        let [channels, height, width] = input;
        let shape = Shape::maps(channels, [height, width]);
        Stack {
            builder,
            engine,
            input,
            shape,
            before_pool: shape,
            blocks: Vec::new(),
            layers: Layers::default(),
        }
    }

    /// What comes out of the last block so far.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Adds a convolution whose tensors stand under `name`.
    ///
    /// # Errors
    /// Settings that do not fit what the block before gives; a tensor that is missing or has another
    /// shape.
    pub fn convolution(mut self, name: &str, settings: ConvolutionSettings) -> Result<Self> {
        let [height, width] = self.maps(name, settings.inputs)?;
        let block = ConvolutionBlock::new(settings, self.engine, self.builder.pp(name))?;
        let before_pool = [height, width].map(|side| settings.before_pool(side));
        let sides = [height, width].map(|side| settings.output_side(side));
        self.fits(name, sides)?;
        self.layers.push_convolution(&settings, before_pool);
        self.layers
            .push_finish(settings.norm && settings.relu, settings.pool);
        self.blocks.push(Block::Convolution(block));
        self.before_pool = Shape::maps(settings.outputs, before_pool);
        self.shape = Shape::maps(settings.outputs, sides);
        Ok(self)
    }

    /// Adds a convolution of each channel by itself whose tensors stand under `name`.
    ///
    /// # Errors
    /// As [`convolution`](Self::convolution).
    pub fn depthwise(mut self, name: &str, settings: DepthwiseSettings) -> Result<Self> {
        let [height, width] = self.maps(name, settings.channels)?;
        let block = DepthwiseBlock::new(settings, self.engine, self.builder.pp(name))?;
        let sides = [height, width].map(|side| settings.output_side(side));
        self.fits(name, sides)?;
        self.layers.push_depthwise(&settings, sides);
        self.blocks.push(Block::Depthwise(block));
        self.before_pool = Shape::maps(settings.channels, sides);
        self.shape = self.before_pool;
        Ok(self)
    }

    /// Adds the mean of each channel over all positions.
    ///
    /// # Errors
    /// Rows in place of maps.
    pub fn global_mean(mut self) -> Result<Self> {
        let Shape::Maps { channels, .. } = self.shape else {
            bail!("a global mean takes maps, got {:?}", self.shape);
        };
        self.layers.push_mean(channels);
        self.blocks.push(Block::GlobalMean);
        self.shape = Shape::Row(channels);
        Ok(self)
    }

    /// Makes a row of maps, channels first.
    ///
    /// # Errors
    /// Rows in place of maps.
    pub fn flatten(mut self) -> Result<Self> {
        let Shape::Maps {
            channels,
            height,
            width,
        } = self.shape
        else {
            bail!("flatten takes maps, got {:?}", self.shape);
        };
        let length = channels * height * width;
        self.layers.push(["flatten", "Flatten"], vec![length], 0, 0);
        self.blocks.push(Block::Flatten);
        self.shape = Shape::Row(length);
        Ok(self)
    }

    /// Adds dropout of this rate, 0 to below 1, with masks of its own `name`.
    ///
    /// # Errors
    /// A rate out of range.
    pub fn dropout(mut self, name: &str, rate: f32) -> Result<Self> {
        if !(0.0..1.0).contains(&rate) {
            bail!("{name}: a dropout rate is at least 0 and below 1, got {rate}");
        }
        self.layers
            .push(["dropout", "Dropout"], self.shape.dims(), 0, 0);
        let name = name.to_string();
        self.blocks.push(Block::Dropout { name, rate });
        Ok(self)
    }

    /// Adds a fully connected layer whose tensors stand under `name`.
    ///
    /// # Errors
    /// Maps in place of a row; a tensor that is missing or has another shape.
    pub fn dense(mut self, name: &str, outputs: usize, relu: bool) -> Result<Self> {
        let Shape::Row(inputs) = self.shape else {
            bail!(
                "{name}: a dense layer takes a row, got {:?}; flatten or average first",
                self.shape
            );
        };
        let builder = self.builder.pp(name);
        let dense = Dense::new([inputs, outputs], relu, self.engine, builder)?;
        self.layers.push_dense([inputs, outputs]);
        self.blocks.push(Block::Dense(dense));
        self.shape = Shape::Row(outputs);
        Ok(self)
    }

    /// The network.
    ///
    /// # Errors
    /// A last block that gives maps: a network gives one row of logits a picture.
    pub fn finish(self) -> Result<Sequential> {
        let Shape::Row(outputs) = self.shape else {
            bail!(
                "the last block gives maps ({:?}), a network gives a row",
                self.shape
            );
        };
        Ok(Sequential {
            input: self.input,
            outputs,
            blocks: self.blocks,
            layers: self.layers.into_vec(),
            engine: self.engine,
        })
    }
}

/// Shapes and layer rows.
impl Stack<'_> {
    fn maps(&self, name: &str, inputs: usize) -> Result<[usize; 2]> {
        match self.shape {
            Shape::Maps {
                channels,
                height,
                width,
            } if channels == inputs => Ok([height, width]),
            shape => bail!("{name} takes maps of {inputs} channels, got {shape:?}"),
        }
    }

    fn fits(&self, name: &str, sides: [usize; 2]) -> Result<()> {
        if sides.contains(&0) {
            bail!("{name}: nothing is left of {:?}", self.shape);
        }
        Ok(())
    }
}

impl Shape {
    fn maps(channels: usize, [height, width]: [usize; 2]) -> Self {
        Shape::Maps {
            channels,
            height,
            width,
        }
    }

    /// Rows, columns and channels, or the length.
    pub(super) fn dims(self) -> Vec<usize> {
        match self {
            Shape::Maps {
                channels,
                height,
                width,
            } => vec![height, width, channels],
            Shape::Row(length) => vec![length],
        }
    }
}
