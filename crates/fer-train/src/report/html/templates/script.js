"use strict";
(() => {
  const source = document.getElementById("pictures-data");
  if (!source) {
    return;
  }
  const data = JSON.parse(source.textContent);
  const dialog = document.getElementById("pictures");
  const part = (name) => document.getElementById("pictures-" + name);

  const percent = (share) => (100 * share).toFixed(1) + "\u00a0%";
  const element = (name, text, className) => {
    const made = document.createElement(name);
    made.textContent = text || "";
    made.className = className || "";
    return made;
  };

  const face = (picture) => {
    const item = document.createElement("li");
    const shown = element("span", "", "face");
    shown.setAttribute("role", "img");
    shown.setAttribute("aria-label", picture.label + ", named " + picture.predicted);
    shown.style.setProperty("--x", picture.tile % data.columns);
    shown.style.setProperty("--y", Math.floor(picture.tile / data.columns));
    const names = element("span", "", "names");
    const file = element("small", picture.name);
    file.title = picture.name;
    names.append(element("b", percent(picture.probability)), document.createElement("br"), file);
    item.append(shown, names);
    return item;
  };

  const open = (button) => {
    const { cell, count, label, predicted } = button.dataset;
    const pictures = (data.cells[cell] || []).map((place) => data.pictures[place]);
    part("title").textContent = label === predicted
      ? label + ", named rightly"
      : label + ", named " + predicted;
    part("note").textContent = pictures.length + " of " + count
      + " shown, the most confident first, with the probability of what was named.";
    part("list").replaceChildren(...pictures.map(face));
    dialog.showModal();
  };

  part("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) {
      dialog.close();
    }
  });

  const table = document.getElementById("matrix");
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const neighbour = (button, [down, right]) => {
    let row = button.closest("tr").rowIndex;
    let column = button.closest("td").cellIndex;
    for (;;) {
      row += down;
      column += right;
      const cell = table.rows[row] && table.rows[row].cells[column];
      if (!cell) {
        return null;
      }
      const found = cell.querySelector("button");
      if (found) {
        return found;
      }
    }
  };
  for (const button of table.querySelectorAll("button[data-cell]")) {
    button.addEventListener("click", () => open(button));
    button.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      const next = step && neighbour(button, step);
      if (next) {
        event.preventDefault();
        next.focus();
      }
    });
  }
})();
