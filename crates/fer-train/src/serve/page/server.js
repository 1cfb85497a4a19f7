// What the page asks its server for, and what it is told.

/** Why there is no answer, in words for people. */
export class Problem extends Error {
  constructor(words, status = 0) {
    super(words);
    this.status = status;
  }
}

async function ask(address, options) {
  let response;
  try {
    response = await fetch(address, { cache: "no-store", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The server does not answer. Is it still running?");
  }
  const said = await response.json().catch(() => ({ error: "the answer cannot be read" }));
  if (!response.ok) throw new Problem(sentence(said.error), response.status);
  return said;
}

function sentence(words) {
  return `${words[0].toUpperCase()}${words.slice(1)}${words.endsWith(".") ? "" : "."}`;
}

function query(asked) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) {
    if (value === undefined) continue;
    for (const one of [value].flat()) words.append(name, one);
  }
  return words;
}

/** What the model says of itself. */
export const model = () => ask("/model");

/** The faces in a picture, with what they show; `asked` is the query. */
export const predict = (picture, asked, signal) =>
  ask(`/predict?${query(asked)}`, { method: "POST", body: picture, signal });

/** Where the network looked in a face of 48×48 pixels for a class. */
export async function explain(pixels, name) {
  const asked = query({ detect: false, class: name });
  const [answer] = await ask(`/explain?${asked}`, { method: "POST", body: greymap(pixels, 48, 48) });
  return answer.occlusion.map;
}

/** Grey values as a picture file, a portable greymap. */
export function greymap(values, width, height) {
  return new Blob([`P5\n${width} ${height}\n255\n`, values], { type: "image/x-portable-graymap" });
}

/** The grey values of a face as the network sees it. */
export function decoded(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
