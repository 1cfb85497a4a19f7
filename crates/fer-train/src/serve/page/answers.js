// What the network says of one face.

import { decoded } from "/server.js";

const part = (name) => document.getElementById(name);

/** A share as people read it; neither nothing nor all is claimed where it is only nearly so. */
export function percent(share) {
  const rounded = Math.round(100 * share);
  if (rounded === 0 && share > 0) return "<\u00a01\u00a0%";
  if (rounded === 100 && share < 1) return ">\u00a099\u00a0%";
  return `${rounded}\u00a0%`;
}

/** The most likely class and its probability. */
export function first(answer) {
  return Object.entries(answer.probabilities).reduce((best, one) => (one[1] > best[1] ? one : best));
}

/** What a face shows, in two words. */
export function named(answer) {
  return answer.expression === null ? "unsure" : `${answer.expression} ${percent(first(answer)[1])}`;
}

/** Shows what is said where there is no face: a heading, and what to do. */
export function blank(heading, words) {
  part("verdict").textContent = heading;
  part("note").textContent = words;
  part("which").textContent = "Apparent expression";
  part("details").hidden = true;
}

/** Shows what is said of the face at `place` of `count`. */
export function show(answer, place, count, model) {
  const [name, probability] = first(answer);
  const unsure = answer.expression === null;
  write("which", count > 1 ? `Apparent expression · face ${place + 1} of ${count}` : "Apparent expression");
  write("verdict", unsure ? "Unsure" : `${name[0].toUpperCase()}${name.slice(1)}`);
  write("note", unsure ? hesitation(name, probability, model) : `The network gives it ${percent(probability)}.`);
  bars(answer, unsure ? null : name);
  draw(decoded(answer.pixels));
  part("details").hidden = false;
}

function hesitation(name, probability, model) {
  const { threshold } = model.unsure;
  return `Its best guess, ${name}, has ${percent(probability)}, and below ${percent(threshold)} it abstains.`;
}

function write(name, words) {
  if (part(name).textContent !== words) part(name).textContent = words;
}

function bars(answer, top) {
  const rows = part("bars").tBodies[0];
  const probabilities = Object.entries(answer.probabilities);
  while (rows.rows.length > probabilities.length) rows.deleteRow(-1);
  while (rows.rows.length < probabilities.length) rows.append(row());
  probabilities.forEach(([name, probability], place) => {
    const [head, cell] = rows.rows[place].cells;
    const [fill, number] = cell.children;
    if (head.textContent !== name) head.textContent = name;
    fill.style.setProperty("--share", probability.toFixed(4));
    const words = percent(probability);
    if (number.textContent !== words) number.textContent = words;
    rows.rows[place].classList.toggle("top", name === top);
  });
}

function row() {
  const line = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  const cell = document.createElement("td");
  const fill = document.createElement("span");
  fill.className = "bar";
  cell.append(fill, document.createElement("span"));
  line.append(head, cell);
  return line;
}

function draw(pixels) {
  const picture = new ImageData(48, 48);
  pixels.forEach((value, place) => picture.data.set([value, value, value, 255], 4 * place));
  part("crop").getContext("2d").putImageData(picture, 0, 0);
}

// Viridis at even steps: its lightness rises evenly, and colour-blind readers see it as others do.
const VIRIDIS = [
  [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142],
  [31, 158, 137], [53, 183, 121], [109, 205, 89], [180, 222, 44], [253, 231, 37],
];

function colour(value) {
  const at = value * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(at), VIRIDIS.length - 2);
  return VIRIDIS[low].map((start, place) => start + (at - low) * (VIRIDIS[low + 1][place] - start));
}

/** Lays the map of where the network looked over the face, or takes it away where there is none. */
export function heat(map, name) {
  part("heat").hidden = map === null;
  part("legend").hidden = map === null;
  if (map === null) return;
  const largest = Math.max(...map, Number.MIN_VALUE);
  const picture = new ImageData(48, 48);
  map.forEach((value, place) => {
    const share = Math.max(0, value / largest);
    picture.data.set([...colour(share), 255 * (0.25 + 0.5 * share)], 4 * place);
  });
  part("heat").getContext("2d").putImageData(picture, 0, 0);
  const words = `The brighter a place, the less the network says “${name}” when it is hidden.`;
  write("legend", words);
  part("heat").ariaLabel = `Where the network looked. ${words}`;
}
