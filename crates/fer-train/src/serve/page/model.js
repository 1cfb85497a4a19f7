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
  list.push(["Probabilities", calibration(model)], ["Unsure", abstention(model)]);
  return list;
}

/** Whether the bars can be taken at their word, in one sentence. */
export function calibration({ calibration: fitted }) {
  if (!fitted) return "As the network gives them: this model was not calibrated.";
  return "Calibrated: of the answers given with 80 %, about 80 % were right on pictures like those it learned from.";
}

function abstention({ unsure }) {
  if (unsure.threshold === undefined) {
    return "Never: this model was not measured for abstention, so it always answers, however unsure it is.";
  }
  const [answered, wrong] = [percent(unsure.coverage), percent(unsure.risk)];
  if (unsure.threshold === 0) {
    return `Never: even when it answered every validation picture, no more than ${wrong} of its answers were wrong.`;
  }
  return `Below ${percent(unsure.threshold)}. So it answered ${answered} of its validation pictures, and at most ${wrong} of those wrongly.`;
}
