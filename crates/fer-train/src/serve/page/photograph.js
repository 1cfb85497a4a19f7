// Pictures that a person chooses, drops or pastes.

/** Calls `take` with each picture file that comes in one of these ways. */
export function listen(input, stage, take) {
  input.addEventListener("change", () => {
    const [file] = input.files;
    // The same file may be chosen again.
    if (file) take(file);
    input.value = "";
  });
  document.addEventListener("paste", (event) => {
    const [file] = event.clipboardData?.files ?? [];
    if (file) take(file);
  });
  let depth = 0;
  const over = (change) => {
    depth = Math.max(0, depth + change);
    stage.classList.toggle("over", depth > 0);
  };
  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => carriesFile(event) && over(1));
  document.addEventListener("dragleave", (event) => carriesFile(event) && over(-1));
  document.addEventListener("dragover", (event) => carriesFile(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    over(-depth);
    const [file] = event.dataTransfer.files;
    if (file) take(file);
  });
}
