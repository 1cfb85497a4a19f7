// The webcam: frames in grey, one at a time.

import { Problem } from "/server.js";

/** The longest side of a frame, in pixels. */
const SIDE = 640;

const REASONS = {
  NotAllowedError: "The browser was not allowed to use the webcam. Allow it for this page, then try again.",
  NotFoundError: "There is no webcam.",
  NotReadableError: "The webcam cannot be read: another program may be using it.",
};

export class Camera {
  #video;
  #stream = null;
  #canvas = document.createElement("canvas");
  #pen = this.#canvas.getContext("2d", { willReadFrequently: true });
  /** Whether a frame has come that was not taken yet, and who waits for one. */
  #fresh = false;
  #awaited = null;
  /** The number under which the browser will tell of the next frame. */
  #next = 0;

  constructor(video) {
    this.#video = video;
  }

  get runs() {
    return this.#stream !== null;
  }

  /** Asks the person for the webcam and shows it. `ended` is called when it goes away by itself. */
  async start(ended) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Problem("A browser gives a page the webcam only on the same computer or over HTTPS.");
    }
    const wanted = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" };
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    } catch (error) {
      throw new Problem(REASONS[error.name] ?? `The webcam does not start: ${error.message}.`);
    }
    for (const track of this.#stream.getTracks()) track.addEventListener("ended", ended);
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    this.#watch();
  }

  /** Notes each frame that comes. */
  #watch() {
    const note = () => {
      if (!this.runs) return;
      this.#fresh = true;
      this.#awaited?.();
      this.#watch();
    };
    if (this.#video.requestVideoFrameCallback) this.#next = this.#video.requestVideoFrameCallback(note);
    else requestAnimationFrame(note);
  }

  /** Lets go of the webcam. */
  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#fresh = false;
    this.#video.cancelVideoFrameCallback?.(this.#next);
    this.#video.srcObject = null;
  }

  /** Waits for a frame that was not taken yet; one that came meanwhile will do. */
  async next() {
    if (!this.#fresh) await new Promise((resolve) => (this.#awaited = resolve));
    this.#fresh = false;
    this.#awaited = null;
  }

  /** The frame that is shown: grey values row by row, weighted as those of the training pictures. */
  frame() {
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(1, SIDE / Math.max(videoWidth, videoHeight));
    const width = Math.max(1, Math.round(videoWidth * scale));
    const height = Math.max(1, Math.round(videoHeight * scale));
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      Object.assign(this.#canvas, { width, height });
    }
    this.#pen.drawImage(this.#video, 0, 0, width, height);
    const colours = this.#pen.getImageData(0, 0, width, height).data;
    const values = new Uint8Array(width * height);
    for (let place = 0, at = 0; place < values.length; place += 1, at += 4) {
      values[place] = (4899 * colours[at] + 9617 * colours[at + 1] + 1868 * colours[at + 2] + 8192) >> 14;
    }
    return { values, width, height };
  }
}
