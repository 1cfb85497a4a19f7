// The picture and the boxes around its faces.

import { named } from "/answers.js";

const part = (name) => document.getElementById(name);

export class Stage {
  #select;
  #boxes = [];
  #address = null;
  #mirrored = false;

  /** `select` is called with the place of the face whose box a person takes. */
  constructor(select) {
    this.#select = select;
  }

  /** Shows a picture file; resolves with its size as it is shown, or with nothing if the browser cannot show it. */
  async show(file) {
    this.#open(part("photograph"));
    this.#mirrored = false;
    this.#address = URL.createObjectURL(file);
    const image = part("photograph");
    image.src = this.#address;
    try {
      await image.decode();
      return { width: image.naturalWidth, height: image.naturalHeight };
    } catch {
      this.#open(part("unseen"));
      return null;
    }
  }

  /** Shows the webcam, mirrored as people know themselves. */
  watch() {
    this.#open(part("video"));
    this.#mirrored = true;
  }

  /** Shows nothing. */
  clear() {
    this.#open(null);
  }

  #open(shown) {
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = null;
    part("photograph").removeAttribute("src");
    for (const name of ["photograph", "video", "unseen"]) part(name).hidden = part(name) !== shown;
    part("frame").hidden = shown === null;
    part("hint").hidden = shown !== null;
    this.mark([], null, 0);
  }

  /** Puts a box around each face, in a picture of this size. */
  mark(answers, size, selected) {
    const faces = size ? answers : [];
    while (this.#boxes.length > faces.length) this.#boxes.pop().remove();
    while (this.#boxes.length < faces.length) this.#boxes.push(this.#box(this.#boxes.length));
    faces.forEach((answer, place) => this.#place(this.#boxes[place], answer, place, size, selected));
  }

  #box(place) {
    const box = document.createElement("button");
    box.type = "button";
    box.className = "box";
    box.append(document.createElement("span"));
    box.addEventListener("click", () => this.#select(place));
    part("boxes").append(box);
    return box;
  }

  #place(box, answer, place, size, selected) {
    const face = answer.face ?? { x: 0, y: 0, width: size.width, height: size.height };
    const left = this.#mirrored ? size.width - face.x - face.width : face.x;
    const share = (length, whole) => `${(100 * length) / whole}%`;
    box.style.left = share(left, size.width);
    box.style.top = share(face.y, size.height);
    box.style.width = share(face.width, size.width);
    box.style.height = share(face.height, size.height);
    box.classList.toggle("low", face.y < size.height * 0.08);
    box.classList.toggle("narrow", face.width < size.width * 0.11);
    const words = named(answer);
    if (box.firstChild.textContent !== words) box.firstChild.textContent = words;
    const label = `Face ${place + 1}: ${words}`;
    if (box.ariaLabel !== label) box.ariaLabel = label;
    const pressed = String(place === selected);
    if (box.ariaPressed !== pressed) box.ariaPressed = pressed;
  }
}
