use anyhow::Result;
use fer_model::file::WeightFormat;
use fer_model::{Views, thousands};

use super::ModelCard;
use crate::report::markdown::escaped;

impl ModelCard<'_> {
    /// What the network is.
    pub(super) fn model(&self) -> Result<String> {
        let description = self.description;
        let (architecture, classes) = (&description.architecture, &description.classes);
        let layers = architecture.layers(classes.len())?;
        let parameters = layers
            .iter()
            .map(|layer| layer.parameters - layer.statistics);
        let products = layers.iter().map(|layer| layer.multiply_adds).sum();
        let weights = match self.config.output.weights {
            WeightFormat::F32 => "32 bits".to_string(),
            WeightFormat::F16 => format!("16 bits{}", self.agreement()),
        };
        let names: Vec<String> = classes.iter().map(escaped).collect();
        Ok(format!(
            "# Model card: `{}` on {}\n\n\
             A network that is shown a grey picture of 48×48 pixels, cropped to one face, and gives a \
             probability for each of {} apparent expressions: {}.\n\n\
             - Network: `{}`, {} parameters, {} multiply-adds a picture\n\
             - File: `model.safetensors`, weights in {weights}\n{}\
             - Written by {}\n",
            architecture.name(),
            escaped(&description.training.data),
            classes.len(),
            names.join(", "),
            architecture.name(),
            thousands(parameters.sum()),
            thousands(products),
            match description.preprocessing.views {
                Views::One => "",
                Views::Flips =>
                    "- Answers: the mean of the logits for a picture and for its mirror image, so twice the multiply-adds\n",
                Views::Ten =>
                    "- Answers: the mean of the logits for a picture as it is, 8 % larger, smaller, and turned by 5° both ways, and for the same of its mirror image, so ten times the multiply-adds\n",
            },
            description.library,
        ))
    }

    fn agreement(&self) -> String {
        let Some(agreement) = self.agreement else {
            return String::new();
        };
        format!(
            "; they name the class that the trained 32-bit weights do for {} of {} pictures, and \
             probabilities differ by {:.5} at most",
            thousands(agreement.equal),
            thousands(agreement.pictures),
            agreement.largest_difference
        )
    }
}
