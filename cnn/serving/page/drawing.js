/** The drawing as one of the pictures that are read. */

import { byId } from "./dom.js";
import { DrawingPad } from "./draw.js";
import { describeRow } from "./words.js";

/** Reads the drawing after each stroke. It is one item until the next one is begun. */
export class Drawing {
  /** @type {import("./items.js").Item | null} */
  #item = null;
  #count = 0;
  #pad = new DrawingPad();

  /**
   * @param {import("./items.js").ItemList} items
   * @param {import("./reading.js").Reader} reader
   */
  constructor(items, reader) {
    this.items = items;
    this.reader = reader;
    this.#pad.addEventListener("draw", (/** @type {CustomEvent} */ { detail: png }) =>
      this.#take(png),
    );
    this.#pad.addEventListener("next", () => this.#begin());
    items.addEventListener("change", () => this.#showAnswer());
  }

  /** Takes back all strokes. */
  clear() {
    this.#pad.clear();
  }

  /** @param {Blob | null} png */
  #take(png) {
    if (png) this.#read(png);
    else if (this.#item) this.#remove();
  }

  #read(file) {
    if (this.items.all.includes(this.#item)) {
      this.#item.file = file;
      this.#item.corrections.clear();
    } else {
      this.#count += 1;
      [this.#item] = this.items.add([{ file, name: `drawing ${this.#count}.png` }]);
    }
    this.reader.read([this.#item]);
  }

  #remove() {
    const item = this.#item;
    this.#begin();
    this.reader.forget(item);
    this.items.remove(item);
  }

  #begin() {
    this.#item = null;
    this.#showAnswer();
  }

  /** Says beside the drawing what it was read as. */
  #showAnswer() {
    const { state, rows = [], error } = this.#item ?? {};
    // The last answer stays until the next one is there.
    const text = error || rows.map(describeRow).join("; ");
    byId("readout").textContent = text || (state ? "Reading …" : "");
  }
}
