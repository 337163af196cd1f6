/** The area to draw on with mouse, finger or pen. */

import { byId } from "./dom.js";
import { PAPER, paintStrokes, renderPng } from "./strokes.js";

/** Time without a new stroke after which the drawing is read, in ms. */
const PAUSE = 250;

/**
 * Holds the strokes of a drawing.
 *
 * Events: `draw` with the PNG as `detail`, or null for empty paper, shortly after each
 * change; `next` when the drawing is finished and another one begins.
 */
export class DrawingPad extends EventTarget {
  /** @type {import("./strokes.js").Stroke[]} */
  #strokes = [];
  /** The pointer that draws now, or null. Others, as the ball of a hand, are ignored. */
  #pointer = null;
  #timer = 0;
  /** Number of reports begun. An older one that ends later is dropped. */
  #reports = 0;
  #canvas = byId("pad");

  constructor() {
    super();
    this.#listenToPointers();
    byId("undo").addEventListener("click", () => this.undo());
    byId("clear").addEventListener("click", () => this.clear());
    byId("next").addEventListener("click", () => this.#finish());
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.#paint());
    new ResizeObserver(() => this.#fitResolution()).observe(this.#canvas);
  }

  /** Takes back the last stroke. */
  undo() {
    if (this.#pointer !== null) return;
    this.#strokes.pop();
    this.#change();
  }

  /** Takes back all strokes. */
  clear() {
    if (this.#pointer !== null) return;
    this.#strokes = [];
    this.#change();
  }

  #listenToPointers() {
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    canvas.addEventListener("pointermove", (event) => this.#extend(event));
    canvas.addEventListener("pointerup", (event) => this.#end(event));
    canvas.addEventListener("pointercancel", (event) => this.#end(event));
  }

  #begin(event) {
    if (this.#pointer !== null || event.button !== 0) return;
    event.preventDefault();
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    clearTimeout(this.#timer);
    this.#strokes.push([this.#pointOf(event)]);
    this.#paint();
  }

  #extend(event) {
    if (event.pointerId !== this.#pointer) return;
    // Positions between two frames of the screen, which make a curve smooth.
    const events = event.getCoalescedEvents?.() ?? [];
    const points = (events.length ? events : [event]).map((e) => this.#pointOf(e));
    this.#strokes.at(-1).push(...points);
    this.#paint();
  }

  #end(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#change();
  }

  /** @returns {import("./strokes.js").Point} */
  #pointOf(event) {
    const box = this.#canvas.getBoundingClientRect();
    const width = Number(byId("pen-width").value);
    // A mouse and most fingers report no pressure of their own.
    const pressure = event.pointerType === "pen" && event.pressure ? event.pressure : 0.5;
    return {
      x: ((event.clientX - box.left) / box.width) * PAPER.width,
      y: ((event.clientY - box.top) / box.height) * PAPER.height,
      width: width * (0.5 + pressure),
    };
  }

  #change() {
    this.#paint();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#report(), this.#strokes.length ? PAUSE : 0);
  }

  async #report() {
    const report = ++this.#reports;
    const png = this.#strokes.length ? await renderPng(this.#strokes) : null;
    if (report !== this.#reports) return;
    this.dispatchEvent(new CustomEvent("draw", { detail: png }));
  }

  async #finish() {
    clearTimeout(this.#timer);
    await this.#report();
    this.#strokes = [];
    this.#paint();
    this.dispatchEvent(new Event("next"));
  }

  #paint() {
    const style = getComputedStyle(this.#canvas);
    const colors = { ink: style.color, paper: style.backgroundColor };
    paintStrokes(this.#canvas, this.#strokes, colors);
    const isEmpty = !this.#strokes.length;
    byId("pad-hint").hidden = !isEmpty;
    for (const id of ["undo", "clear", "next"]) byId(id).disabled = isEmpty;
  }

  /** Gives the canvas as many pixels as the screen has at its place. */
  #fitResolution() {
    const { width, height } = this.#canvas.getBoundingClientRect();
    this.#canvas.width = Math.max(1, Math.round(width * devicePixelRatio));
    this.#canvas.height = Math.max(1, Math.round(height * devicePixelRatio));
    this.#paint();
  }
}
