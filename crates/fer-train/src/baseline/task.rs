//! Every method on the same pictures.

use anyhow::{Result, ensure};
use fer_data::{Dataset, Split};

use super::{
    Baseline, Baselines, FeatureMatrix, Features, Fitted, Hog, LinearModel, LinearSvm,
    LogisticRegression, LogisticSettings, Method, Regularisation, Standardisation, SvmSettings,
    majority_class, selection,
};
use crate::calibration::{LEAST_PICTURES, rescale};
use crate::evaluation::Evaluation;

/// The pictures that train every method, choose its C and judge it.
pub struct Task<'a> {
    dataset: &'a Dataset,
    split: Split,
    seed: u64,
    train: Part,
    choosing: Part,
    judged: Part,
}

/// Pictures of one split.
struct Part {
    indices: Vec<usize>,
    labels: Vec<usize>,
}

impl Part {
    fn of(dataset: &Dataset, split: Split) -> Self {
        let indices = dataset.indices(split);
        let labels = indices.iter().map(|&index| dataset.entry(index).label);
        Part {
            labels: labels.collect(),
            indices,
        }
    }
}

/// The pictures of a task as numbers.
struct Described {
    features: Features,
    train: FeatureMatrix,
    choosing: FeatureMatrix,
    judged: FeatureMatrix,
}

impl<'a> Task<'a> {
    /// Train trains, validation chooses, `split` judges. `seed` orders the pictures in the solver of
    /// the support vector machine.
    ///
    /// # Errors
    /// No picture that trains or none that judges.
    pub fn new(dataset: &'a Dataset, split: Split, seed: u64) -> Result<Self> {
        let task = Task {
            dataset,
            split,
            seed,
            train: Part::of(dataset, Split::Train),
            choosing: Part::of(dataset, Split::Validation),
            judged: Part::of(dataset, split),
        };
        for (part, split) in [(&task.train, Split::Train), (&task.judged, split)] {
            ensure!(
                !part.indices.is_empty(),
                "{} has no {} pictures",
                dataset.name(),
                split.name()
            );
        }
        Ok(task)
    }

    /// Trains and judges the majority class, logistic regression on pixels and on HOG features, and a
    /// linear support vector machine on HOG features, and hands each over once it is judged.
    ///
    /// # Errors
    /// A picture that cannot be read, or a loss that is not finite; whatever `judged` answers.
    pub fn run(&self, mut judged: impl FnMut(&Baseline) -> Result<()>) -> Result<Baselines> {
        let mut methods = Vec::new();
        let mut add = |baseline: Baseline| {
            judged(&baseline)?;
            methods.push(baseline);
            Ok::<(), anyhow::Error>(())
        };
        add(self.majority_class()?)?;
        let pixels = self.describe(Features::pixels())?;
        add(self.logistic_regression(&pixels)?)?;
        drop(pixels);
        let hog = self.describe(Features::hog(Hog::default()))?;
        add(self.logistic_regression(&hog)?)?;
        add(self.linear_svm(&hog)?)?;
        Ok(self.baselines(methods))
    }

    /// What a person would call each picture that judges, and its label.
    pub(super) fn truth(&self) -> impl Iterator<Item = (String, usize)> {
        let judged = self.judged.indices.iter().zip(&self.judged.labels);
        judged.map(|(&index, &label)| (self.dataset.origin(index), label))
    }

    fn baselines(&self, methods: Vec<Baseline>) -> Baselines {
        Baselines {
            data: self.dataset.name().to_string(),
            data_hash: self.dataset.hash().to_string(),
            division_hash: self.dataset.division_hash(),
            split: self.split.name().to_string(),
            n: self.judged.indices.len() as u64,
            trained_on: self.train.indices.len() as u64,
            chosen_on: self.chooses().then(|| Split::Validation.name().to_string()),
            class_names: self.dataset.class_names().clone(),
            methods,
            against_network: None,
        }
    }

    /// Whether there are pictures that choose C.
    fn chooses(&self) -> bool {
        !self.choosing.indices.is_empty()
    }

    /// Describes all pictures, standardised by those that train.
    fn describe(&self, features: Features) -> Result<Described> {
        let describe = |part: &Part| features.describe(self.dataset, &part.indices);
        let mut described = Described {
            features,
            train: describe(&self.train)?,
            choosing: describe(&self.choosing)?,
            judged: describe(&self.judged)?,
        };
        let standardisation = Standardisation::fit(&described.train);
        for matrix in [
            &mut described.train,
            &mut described.choosing,
            &mut described.judged,
        ] {
            standardisation.apply(matrix);
        }
        Ok(described)
    }

    fn majority_class(&self) -> Result<Baseline> {
        let shares = majority_class(&self.dataset.counts(Split::Train));
        let rows = shares.repeat(self.judged.indices.len());
        let indices = self.judged.indices.clone();
        let evaluation = Evaluation::of_scores(self.dataset, indices, &rows)?;
        Ok(Baseline {
            method: Method::MajorityClass,
            name: Method::MajorityClass.name().to_string(),
            features: None,
            regularisation: None,
            report: evaluation.report(self.dataset, Some(self.split), None, false)?,
            predicted: evaluation.predicted,
        })
    }

    fn logistic_regression(&self, described: &Described) -> Result<Baseline> {
        let classes = self.dataset.class_names().len();
        let mut regression = LogisticRegression::new(
            &described.train,
            &self.train.labels,
            classes,
            LogisticSettings::default(),
        );
        let chosen = self.choose(described, |c| regression.fit(c))?;
        self.judge(Method::LogisticRegression, described, chosen)
    }

    fn linear_svm(&self, described: &Described) -> Result<Baseline> {
        let classes = self.dataset.class_names().len();
        let settings = SvmSettings {
            seed: self.seed,
            ..SvmSettings::default()
        };
        let mut svm = LinearSvm::new(&described.train, &self.train.labels, classes, settings);
        let chosen = self.choose(described, |c| Ok(svm.fit(c)))?;
        self.judge(Method::LinearSvm, described, chosen)
    }

    fn choose(
        &self,
        described: &Described,
        fit: impl FnMut(f64) -> Result<Fitted>,
    ) -> Result<(LinearModel, Regularisation)> {
        if !self.chooses() {
            return selection::fixed(fit);
        }
        selection::choose(fit, |model| {
            let predicted = model.predict(&described.choosing);
            let answers = predicted.iter().zip(&self.choosing.labels);
            let right = answers.filter(|(predicted, label)| predicted == label);
            right.count() as f64 / self.choosing.labels.len() as f64
        })
    }

    fn judge(
        &self,
        method: Method,
        described: &Described,
        (model, regularisation): (LinearModel, Regularisation),
    ) -> Result<Baseline> {
        let evaluate = |part: &Part, matrix: &FeatureMatrix| {
            let rows = rescale(&model.scores(matrix), self.dataset.class_names().len(), 1.0);
            Evaluation::of_scores(self.dataset, part.indices.clone(), &rows)
        };
        let temperature = match self.choosing.indices.len() >= LEAST_PICTURES {
            true => evaluate(&self.choosing, &described.choosing)?.fit_temperature(),
            false => None,
        };
        let evaluation = evaluate(&self.judged, &described.judged)?;
        let chosen_on_this_split = self.chooses() && self.split == Split::Validation;
        let split = Some(self.split);
        Ok(Baseline {
            method,
            name: format!("{} on {}", method.name(), described.features.name()),
            features: Some(described.features),
            regularisation: Some(regularisation),
            report: evaluation.report(self.dataset, split, temperature, chosen_on_this_split)?,
            predicted: evaluation.predicted,
        })
    }
}
