//! The network, asked by one thread for all who wait: pictures of several requests go through it together.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use fer_model::{Classifier, Picture, Prediction};
use tokio::sync::oneshot;

use crate::serve::refusal::Refusal;

/// Pictures that go through the network together, at most; those of one request are not parted.
const TOGETHER: usize = 32;

struct Question {
    pictures: Vec<Picture>,
    answer: oneshot::Sender<Result<Vec<Prediction>, Refusal>>,
}

/// Where pictures are left to be predicted. The thread behind it ends with the last copy.
#[derive(Clone)]
pub(super) struct Network {
    questions: Sender<Question>,
}

impl Network {
    pub(super) fn start(classifier: Arc<Classifier>) -> std::io::Result<Self> {
        let (questions, asked) = channel();
        let name = "predictions".to_string();
        let spawned = thread::Builder::new().name(name);
        spawned.spawn(move || answer_all(&classifier, &asked))?;
        Ok(Network { questions })
    }

    /// Predicts pictures, in their order.
    pub(super) async fn predict(&self, pictures: Vec<Picture>) -> Result<Vec<Prediction>, Refusal> {
        let (answer, answered) = oneshot::channel();
        let gone = || Refusal::mistake("the network does not answer any more: restart the server");
        let question = Question { pictures, answer };
        self.questions.send(question).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

fn answer_all(classifier: &Classifier, asked: &Receiver<Question>) {
    while let Ok(first) = asked.recv() {
        let mut count = first.pictures.len();
        let mut questions = vec![first];
        while count < TOGETHER {
            let Ok(next) = asked.try_recv() else { break };
            count += next.pictures.len();
            questions.push(next);
        }
        // Who went away does not wait for an answer.
        questions.retain(|question| !question.answer.is_closed());
        answer(classifier, questions);
    }
}

fn answer(classifier: &Classifier, questions: Vec<Question>) {
    let pictures: Vec<Picture> = questions
        .iter()
        .flat_map(|question| question.pictures.iter().cloned())
        .collect();
    match classifier.predict_many(&pictures) {
        Ok(predictions) => {
            let mut predictions = predictions.into_iter();
            for question in questions {
                let own = predictions.by_ref().take(question.pictures.len()).collect();
                // Who went away meanwhile misses nothing.
                let _ = question.answer.send(Ok(own));
            }
        }
        Err(error) => {
            let reason = error.to_string();
            for question in questions {
                let _ = question.answer.send(Err(Refusal::mistake(reason.clone())));
            }
        }
    }
}
