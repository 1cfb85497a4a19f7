use crate::ops::{ConvolutionSettings, DepthwiseSettings};

/// One row of a network's layer table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The layer's name, as Keras counts it.
    pub name: String,
    /// The kind of layer, as Keras names it.
    pub kind: &'static str,
    /// The shape of one output, channels last, without the batch.
    pub output: Vec<usize>,
    /// Parameters, running statistics included, as Keras counts them.
    pub parameters: usize,
    /// How many of the parameters no gradient moves: running statistics.
    pub statistics: usize,
    /// Products summed for one picture.
    pub multiply_adds: usize,
}

/// Layers in the making, numbered by kind as Keras does: `conv2d`, `conv2d_1`, and so on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers(Vec<Layer>);

impl Layers {
    pub(crate) fn push(
        &mut self,
        [name, kind]: [&'static str; 2],
        output: Vec<usize>,
        parameters: usize,
        multiply_adds: usize,
    ) {
        let earlier = self.0.iter().filter(|layer| layer.kind == kind).count();
        let name = match earlier {
            0 => name.to_string(),
            number => format!("{name}_{number}"),
        };
        self.0.push(Layer {
            name,
            kind,
            output,
            parameters,
            statistics: 0,
            multiply_adds,
        });
    }

    /// A convolution whose output has these sides, and its normalisation.
    pub(crate) fn push_convolution(
        &mut self,
        settings: &ConvolutionSettings,
        [height, width]: [usize; 2],
    ) {
        let outputs = settings.outputs;
        let weights = outputs * settings.inputs * settings.kernel * settings.kernel;
        let bias = if settings.norm { 0 } else { outputs };
        self.push(
            ["conv2d", "Conv2D"],
            vec![height, width, outputs],
            weights + bias,
            weights * height * width,
        );
        if settings.norm {
            self.push_norm(vec![height, width, outputs]);
        }
    }

    /// A convolution of each channel by itself whose output has these sides, and what follows it.
    pub(crate) fn push_depthwise(
        &mut self,
        settings: &DepthwiseSettings,
        [height, width]: [usize; 2],
    ) {
        let channels = settings.channels;
        let bias = if settings.norm { 0 } else { channels };
        self.push(
            ["depthwise_conv2d", "DepthwiseConv2D"],
            vec![height, width, channels],
            9 * channels + bias,
            9 * channels * height * width,
        );
        if settings.norm {
            self.push_norm(vec![height, width, channels]);
        }
        self.push_finish(settings.norm && settings.relu, false);
    }

    /// The mean of each of so many channels.
    pub(crate) fn push_mean(&mut self, channels: usize) {
        let name = ["global_average_pooling2d", "GlobalAveragePooling2D"];
        self.push(name, vec![channels], 0, 0);
    }

    /// A dense layer with a bias.
    pub(crate) fn push_dense(&mut self, [inputs, outputs]: [usize; 2]) {
        let weights = inputs * outputs;
        let name = ["dense", "Dense"];
        self.push(name, vec![outputs], weights + outputs, weights);
    }

    /// Maps of these dimensions times a number for each channel.
    pub(crate) fn push_product(&mut self, output: Vec<usize>) {
        self.push(["multiply", "Multiply"], output, 0, 0);
    }

    /// A sum of two maps of these dimensions.
    pub(crate) fn push_sum(&mut self, output: Vec<usize>) {
        self.push(["add", "Add"], output, 0, 0);
    }

    /// A ReLU of its own and a pool, where there are.
    pub(crate) fn push_finish(&mut self, relu: bool, pool: bool) {
        let before = self.0.last().map(|layer| layer.output.clone());
        let mut output = before.unwrap_or_default();
        if relu {
            self.push(["re_lu", "ReLU"], output.clone(), 0, 0);
        }
        if pool {
            output.iter_mut().take(2).for_each(|side| *side /= 2);
            self.push(["max_pooling2d", "MaxPooling2D"], output, 0, 0);
        }
    }

    /// Takes the last ReLU and pool back.
    pub(crate) fn pop_finish(&mut self) {
        while matches!(self.0.last(), Some(layer) if ["ReLU", "MaxPooling2D"].contains(&layer.kind))
        {
            self.0.pop();
        }
    }

    /// A normalisation: two parameters and two statistics a channel.
    fn push_norm(&mut self, output: Vec<usize>) {
        let channels = output.last().copied().unwrap_or(0);
        self.push(
            ["batch_normalization", "BatchNormalization"],
            output,
            4 * channels,
            0,
        );
        if let Some(layer) = self.0.last_mut() {
            layer.statistics = 2 * channels;
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Layer> {
        self.0
    }
}
