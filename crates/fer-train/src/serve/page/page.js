// What happens when: pictures, the webcam, the face that is looked at.

import { blank, first, heat, named, show } from "/answers.js";
import { Camera } from "/camera.js";
import { facts, trust } from "/model.js";
import { listen } from "/photograph.js";
import { decoded, explain, greymap, model as askModel, predict } from "/server.js";
import { Stage } from "/stage.js";

const part = (name) => document.getElementById(name);

/** How often the whole frame is searched for faces that have come, in milliseconds. */
const SEARCH_EVERY = 1000;
/** How often it is shown where the network looks in a moving face, in milliseconds. */
const EXPLAIN_EVERY = 1500;
/** How long a moving face must show the same before it is said aloud, in milliseconds. */
const STEADY = 1500;
/** How long to wait when the server has too much to do, in milliseconds. */
const BUSY = 1000;

let model = null;
let faces = [];
let size = null;
let selected = 0;
/** Counts what was asked for: what belongs to an older number comes too late. */
let turn = 0;

const stage = new Stage((place) => {
  selected = place;
  present();
  if (part("overlay").checked) look();
});
const camera = new Camera(part("video"));

function say(words) {
  part("status").textContent = words;
}

function complain(problem) {
  part("problem").textContent = problem ? problem.message : "";
  if (problem && !("status" in problem)) throw problem;
}

/** Shows the faces as they are, and the selected one at large. */
function present() {
  stage.mark(faces, size, selected);
  if (faces.length > 0) show(faces[selected], selected, faces.length, model);
}

/** The faces of an answer; none where it says that there are none. */
const facesOf = (answers) => answers.filter((answer) => !("error" in answer));

function asked(more) {
  const risk = model.unsure.threshold === undefined ? undefined : model.unsure.risk;
  return { pixels: true, risk, ...more };
}

/** Asks where the network looked in the selected face, and shows it. */
async function look() {
  const [mine, answer] = [turn, faces[selected]];
  if (!answer) return;
  const [name] = first(answer);
  try {
    const map = await explain(decoded(answer.pixels), name);
    if (mine === turn && part("overlay").checked && (camera.runs || answer === faces[selected])) heat(map, name);
  } catch (problem) {
    complain(problem);
  }
}

async function take(file) {
  stop();
  const mine = (turn += 1);
  complain(null);
  heat(null);
  faces = [];
  blank("Looking …", "Faces are being looked for.");
  const shown = stage.show(file);
  part("answer").ariaBusy = "true";
  try {
    await ready;
    if (file.size > model.largest_body) {
      const most = Math.floor(model.largest_body / 2 ** 20);
      blank("Too large", `A picture of more than ${most} MB is not taken: scale it down.`);
      return;
    }
    const answers = await predict(file, asked({}));
    const dimensions = await shown;
    if (mine !== turn) return;
    [faces, size, selected] = [facesOf(answers), dimensions, 0];
    if (faces.length === 0) nobody();
    else told();
  } catch (problem) {
    if (mine !== turn) return;
    stage.clear();
    blank("No answer", "The picture could not be used.");
    complain(problem);
  } finally {
    if (mine === turn) part("answer").ariaBusy = "false";
  }
}

function nobody() {
  stage.mark([], null, 0);
  const words = "Faces are found from the front, tilted by up to about 40°, and from about 40 pixels across.";
  blank("No face found", words);
  say("No face found");
}

function told() {
  present();
  const count = faces.length === 1 ? "One face" : `${faces.length} faces`;
  say(`${count}. ${faces.map((face, place) => `Face ${place + 1}: ${named(face)}`).join(". ")}`);
  if (part("overlay").checked) look();
}

function stop() {
  turn += 1;
  if (!camera.runs) return;
  camera.stop();
  stage.clear();
  heat(null);
  part("camera").textContent = "Use the webcam";
  part("rate").hidden = true;
  part("rate").textContent = "";
  faces = [];
  blank("No picture yet", "Choose a picture, drop one, paste one, or use the webcam.");
}

async function start() {
  stop();
  complain(null);
  heat(null);
  part("camera").disabled = true;
  try {
    await ready;
    await camera.start(() => {
      stop();
      complain(Object.assign(new Error("The webcam is gone."), { status: 0 }));
    });
  } catch (problem) {
    complain(problem);
    return;
  } finally {
    part("camera").disabled = false;
  }
  stage.watch();
  [faces, selected] = [[], 0];
  blank("Looking …", "The webcam is on, and its pictures go to this server alone.");
  part("camera").textContent = "Stop the webcam";
  say("The webcam is on");
  follow(turn).catch(complain);
}

/** Asks about one frame after the other, as long as the webcam runs. */
async function follow(mine) {
  const times = [];
  let [searched, explained] = [0, 0];
  let steady = { words: "", since: 0, said: "" };
  while (mine === turn) {
    await camera.next();
    if (mine !== turn) return;
    const frame = camera.frame();
    const now = performance.now();
    const fresh = faces.length === 0 || now - searched > SEARCH_EVERY;
    if (fresh) searched = now;
    const near = fresh ? undefined : faces.map(({ face }) => [face.x, face.y, face.width, face.height].join(","));
    try {
      const picture = greymap(frame.values, frame.width, frame.height);
      const answers = await predict(picture, asked({ quick: true, near: near?.slice(0, 16) }));
      if (mine !== turn) return;
      complain(null);
      [faces, size] = [facesOf(answers), { width: frame.width, height: frame.height }];
    } catch (problem) {
      if (mine !== turn) return;
      complain(problem);
      await new Promise((done) => setTimeout(done, BUSY));
      continue;
    }
    selected = Math.min(selected, Math.max(0, faces.length - 1));
    if (faces.length === 0) {
      stage.mark([], null, 0);
      heat(null);
      blank("No face found", "The webcam sees no face from the front.");
    } else {
      present();
      if (part("overlay").checked && now - explained > EXPLAIN_EVERY) {
        explained = now;
        await look();
      }
    }
    steady = announce(steady, faces.length === 0 ? "No face" : faces.map((face) => face.expression ?? "unsure").join(", "));
    rate(times);
  }
}

/** Says aloud what a moving face shows once it has shown it for a while, and not each frame. */
function announce(steady, words) {
  const now = performance.now();
  if (words !== steady.words) return { ...steady, words, since: now };
  if (words !== steady.said && now - steady.since > STEADY) {
    say(words);
    return { ...steady, said: words };
  }
  return steady;
}

function rate(times) {
  const now = performance.now();
  times.push(now);
  while (now - times[0] > 2000) times.shift();
  if (times.length < 3) return;
  const each = (1000 * (times.length - 1)) / (now - times[0]);
  part("rate").hidden = false;
  part("rate").textContent = `${Math.round(each)} frames a second`;
}

function introduce() {
  for (const [name, words] of facts(model)) {
    const [term, description] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    description.textContent = words;
    part("facts").append(term, description);
  }
  part("calibrated").textContent = trust(model);
}

function reassure() {
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  part("private").textContent = here
    ? "Nothing leaves this computer: pictures and the webcam are looked at here, and nothing is stored."
    : `Pictures and the webcam go to ${location.host}, are looked at there, and nothing is stored.`;
}

reassure();
const ready = askModel().then((answer) => {
  model = answer;
  introduce();
});
ready.catch(complain);
listen(part("file"), part("stage"), take);
part("camera").addEventListener("click", () => (camera.runs ? stop() : start()));
part("overlay").addEventListener("change", () => (part("overlay").checked ? look() : heat(null)));
window.addEventListener("pagehide", stop);
