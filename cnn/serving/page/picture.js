/** A picture, with what was found on it. */

import { element, svgElement } from "./dom.js";

/**
 * @typedef {import("./api.js").Row} Row
 * @typedef {(place: number, index: number) => void} Select called for a click on a box,
 *   with the place of the number among those of the page, and of its character.
 */

/** A page with the ink and the boxes that were found. */
export class PictureView {
  /** @type {SVGElement[]} the boxes of each number or single character. */
  #groups;

  /**
   * @param {import("./api.js").Preview} preview
   * @param {Row[]} rows of the page.
   * @param {string} alt
   * @param {Select} select
   */
  constructor(preview, rows, alt, select) {
    this.#groups = rows.map((row, place) =>
      boxesOf(row, preview.characters[place], (index) => select(place, index)),
    );
    this.element = element("div", { class: "picture" },
      element("img", { src: preview.picture, alt }),
      preview.mask ? maskLayer(preview.mask) : null,
      boxLayer(preview.picture_box, this.#groups));
  }

  /** Emphasizes the box of a character, and shows those of its number. */
  mark(place, index) {
    for (const group of this.#groups) {
      group.classList.remove("is-current");
      for (const box of group.children) box.classList.remove("is-selected");
    }
    const group = this.#groups[place];
    group.classList.add("is-current");
    group.querySelectorAll(".character-box")[index].classList.add("is-selected");
  }
}

/** Shows the ink that was found as a colored layer. */
function maskLayer(mask) {
  const layer = element("div", { class: "mask" });
  layer.style.maskImage = `url("${mask}")`;
  return layer;
}

/** Lays shapes in pixels of the page over its picture. */
function boxLayer([left, top, right, bottom], shapes) {
  const viewBox = [left, top, right - left, bottom - top].join(" ");
  const attributes = { viewBox, preserveAspectRatio: "none", "aria-hidden": "true" };
  return svgElement("svg", attributes, ...shapes);
}

/** Draws the boxes of characters, and that of their number among many. */
function boxesOf(row, characters, select) {
  const boxes = characters.map(({ box }, index) =>
    boxShape(box ?? [0, 0, 0, 0], "character-box", () => select(index)),
  );
  const { left, top, right, bottom } = row;
  if (typeof left !== "number") return svgElement("g", {}, ...boxes);
  const frame = boxShape([left, top, right, bottom], `number-box is-${row.status}`, () =>
    select(mostDoubtful(characters)),
  );
  return svgElement("g", { class: "is-number" }, frame, ...boxes);
}

function boxShape([left, top, right, bottom], name, click) {
  const [width, height] = [right - left, bottom - top];
  return svgElement("rect", { x: left, y: top, width, height, class: name, click });
}

/**
 * Returns the index of the least confident character.
 *
 * @param {import("./api.js").Character[]} characters at least one.
 */
export function mostDoubtful(characters) {
  const confidences = characters.map((character) => character.confidence);
  return confidences.indexOf(Math.min(...confidences));
}
