// What the model says of itself, for people.

import { percent } from "/answers.js";

const count = (number) => number.toLocaleString("en-GB");

/** The facts about a model, name and words. */
export function facts(model) {
  const { training, judged } = model;
  const trained = (training.counts.train ?? []).reduce((sum, one) => sum + one, 0);
  const which = model.built_in ? "the built-in one" : "a model file";
  const list = [
    ["Network", `${model.network}, ${which}`],
    ["Trained on", `${count(trained)} pictures of ${training.data}`],
    ["Expressions", model.classes.join(", ")],
  ];
  if (judged) {
    const chosen = judged.chosen_on_this_split ? ", which also chose it" : "";
    const pictures = `${count(judged.pictures)} ${judged.split} pictures${chosen}`;
    list.splice(2, 0, ["Right about", `${(100 * judged.accuracy).toFixed(1)} % of ${pictures}`]);
  }
  const fitted = model.calibration;
  const divided = fitted ? `calibrated: logits are divided by ${fitted.temperature}` : "not calibrated";
  list.push(["Probabilities", divided], ["Unsure", abstention(model)]);
  return list;
}

/** Whether the bars can be taken at their word. */
export function trust({ calibration, unsure }) {
  const bars = calibration
    ? "Calibrated: on pictures like those it learned from, about 80 % of the answers given with 80 % are right."
    : "As the network gives them: this model was not calibrated.";
  return unsure.threshold === undefined ? `${bars} It was not measured for abstention, so it always answers.` : bars;
}

function abstention({ unsure }) {
  if (unsure.threshold === undefined) {
    return "never: this model was not measured for abstention, so it always answers, however unsure it is";
  }
  const [answered, wrong] = [percent(unsure.coverage), percent(unsure.risk)];
  if (unsure.threshold === 0) {
    return `never: it answered every validation picture, and no more than ${wrong} of its answers were wrong`;
  }
  return `below ${percent(unsure.threshold)}; so it answered ${answered} of its validation pictures, at most ${wrong} of those wrongly`;
}
