/** Pictures of the camera. */

import { byId, showSentence } from "./dom.js";
import { listenToInput } from "./files.js";

/** Share of the quality of JPEG that a picture is kept with. */
const QUALITY = 0.95;

/**
 * Calls a function with each picture that is taken.
 *
 * A page that was not loaded over HTTPS, or from this machine, cannot use the camera.
 * The button then opens the camera of a telephone by an input of files.
 *
 * @param {import("./files.js").TakeFiles} take
 */
export function listenToCamera(take) {
  const camera = new Camera(take);
  byId("use-camera").addEventListener("click", () => {
    if (navigator.mediaDevices?.getUserMedia) camera.open();
    else byId("camera-input").click();
  });
  listenToInput("camera-input", take);
}

class Camera {
  /** @type {MediaStream | null} */
  #stream = null;
  #dialog = byId("camera");
  #video = byId("camera-video");
  #pictures = 0;

  constructor(take) {
    byId("camera-take").addEventListener("click", () => this.#takePicture(take));
    byId("camera-close").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#stop());
  }

  async open() {
    showSentence(byId("camera-problem"), "");
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: 1920 } },
      });
    } catch (error) {
      showSentence(byId("camera-problem"), explain(error));
      return;
    }
    this.#video.srcObject = this.#stream;
    this.#dialog.showModal();
    await this.#video.play();
  }

  async #takePicture(take) {
    const canvas = document.createElement("canvas");
    canvas.width = this.#video.videoWidth;
    canvas.height = this.#video.videoHeight;
    // The camera needs a moment before its first picture.
    if (!canvas.width) return;
    canvas.getContext("2d").drawImage(this.#video, 0, 0);
    const file = await new Promise((resolve) =>
      canvas.toBlob(resolve, "image/jpeg", QUALITY),
    );
    this.#pictures += 1;
    this.#dialog.close();
    take([{ file, name: `camera ${this.#pictures}.jpg` }]);
  }

  #stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = this.#video.srcObject = null;
  }
}

function explain(error) {
  if (error.name === "NotAllowedError") {
    return "The browser does not allow this page to use the camera.";
  }
  if (error.name === "NotFoundError") return "No camera was found.";
  return `The camera cannot be used: ${error.message}`;
}
