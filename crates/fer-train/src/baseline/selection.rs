//! How strongly a linear method is regularised.

use anyhow::Result;

use super::{LinearModel, Regularisation, Trial};

/// The C that are tried, in this order, until one does no better than the one before.
const GRID: [f64; 6] = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];

/// The C where no picture can choose one.
const FIXED: f64 = 1e-3;

/// A linear method, fitted.
pub struct Fitted {
    /// What it learned.
    pub model: LinearModel,
    /// Whether the solver reached its tolerance before its greatest number of passes.
    pub converged: bool,
}

/// Fits at each C of the grid and keeps the one with the highest `accuracy`, the first of equals.
pub(super) fn choose(
    mut fit: impl FnMut(f64) -> Result<Fitted>,
    accuracy: impl Fn(&LinearModel) -> f64,
) -> Result<(LinearModel, Regularisation)> {
    let mut tried: Vec<Trial> = Vec::new();
    let mut best = None;
    for c in GRID {
        let Fitted { model, converged } = fit(c)?;
        let accuracy = accuracy(&model);
        let is_better = tried.last().is_none_or(|last| last.accuracy < accuracy);
        tried.push(Trial { c, accuracy });
        if !is_better {
            break;
        }
        best = Some((model, c, converged));
    }
    let (model, c, converged) = best.ok_or_else(|| anyhow::anyhow!("no C was tried"))?;
    let regularisation = Regularisation {
        c,
        tried,
        converged,
    };
    Ok((model, regularisation))
}

/// Fits at the C that is taken where no picture can choose one.
pub(super) fn fixed(
    fit: impl FnOnce(f64) -> Result<Fitted>,
) -> Result<(LinearModel, Regularisation)> {
    let Fitted { model, converged } = fit(FIXED)?;
    let regularisation = Regularisation {
        c: FIXED,
        tried: Vec::new(),
        converged,
    };
    Ok((model, regularisation))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn fitted(c: f64) -> Result<Fitted> {
        let model = LinearModel {
            weights: Vec::new(),
            intercepts: vec![c],
        };
        Ok(Fitted {
            model,
            converged: c < 0.005,
        })
    }

    /// The C that is chosen, and those tried, where accuracies come in this order.
    fn chosen(accuracies: [f64; 6]) -> (LinearModel, Regularisation) {
        let accuracy = |model: &LinearModel| {
            let place = GRID.iter().position(|&c| c == model.intercepts[0]);
            accuracies[place.unwrap()]
        };
        choose(fitted, accuracy).unwrap()
    }

    #[test]
    fn the_grid_is_climbed_until_it_no_longer_rises() {
        let (model, regularisation) = chosen([0.1, 0.3, 0.5, 0.4, 0.9, 0.9]);
        assert_eq!((model.intercepts[0], regularisation.c), (1e-3, 1e-3));
        assert_eq!(regularisation.tried.len(), 4);
        assert!(regularisation.converged);
        let (_, regularisation) = chosen([0.5; 6]);
        assert_eq!((regularisation.c, regularisation.tried.len()), (1e-5, 2));
        let (model, regularisation) = chosen([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
        assert_eq!((model.intercepts[0], regularisation.tried.len()), (1.0, 6));
        assert!(!regularisation.converged);
    }

    #[test]
    fn without_pictures_that_choose_it_is_fixed_and_nothing_was_tried() {
        let (model, regularisation) = fixed(fitted).unwrap();
        assert_eq!((model.intercepts[0], regularisation.c), (FIXED, FIXED));
        assert!(regularisation.tried.is_empty());
    }
}
