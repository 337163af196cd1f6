/** Buttons that show one part of a long list after the other. */

import { element } from "./dom.js";

export class Pager {
  #page = 0;
  #numPages = 1;
  #text = element("span", { role: "status" });
  #previous = element("button", { type: "button", click: () => this.#turn(-1) }, "Previous");
  #next = element("button", { type: "button", click: () => this.#turn(1) }, "Next");

  /**
   * @param {HTMLElement} place
   * @param {() => void} changed
   * @param {string} [noun] what a part is called.
   */
  constructor(place, changed, noun = "Page") {
    this.noun = noun;
    this.place = place;
    this.changed = changed;
    place.append(this.#previous, this.#text, this.#next);
  }

  /** Goes back to the first page. */
  reset() {
    this.#page = 0;
  }

  /**
   * Returns the part of a list that is on the page.
   *
   * @template T
   * @param {T[]} list
   * @param {number} size of a page.
   * @returns {T[]}
   */
  cut(list, size) {
    this.#numPages = Math.max(1, Math.ceil(list.length / size));
    this.#page = Math.min(this.#page, this.#numPages - 1);
    this.#show();
    return list.slice(this.#page * size, (this.#page + 1) * size);
  }

  #turn(step) {
    this.#page += step;
    this.changed();
  }

  #show() {
    const text = `${this.noun} ${this.#page + 1} of ${this.#numPages}`;
    if (this.#text.textContent !== text) this.#text.textContent = text;
    // A disabled button would lose the focus.
    this.#previous.setAttribute("aria-disabled", String(this.#page === 0));
    this.#next.setAttribute("aria-disabled", String(this.#page === this.#numPages - 1));
    this.place.hidden = this.#numPages === 1;
  }
}
