/** A picture, with what was found on it. */

import { element, svgElement } from "./dom.js";

/**
 * Shows a page with the ink and the boxes that were found.
 *
 * @param {import("./api.js").Preview} preview
 * @param {string} alt
 * @param {(place: number, index: number) => void} select called for a click on a box,
 *   with the place of the number among those of the page, and of its character.
 * @returns {{element: HTMLElement, mark: (place: number, index: number) => void}} `mark`
 *   emphasizes the box of a character.
 */
export function pictureView(preview, alt, select) {
  const boxes = preview.characters.map((characters, place) =>
    characters.map(({ box }, index) => box && boxShape(box, () => select(place, index))),
  );
  const mark = (place, index) => {
    for (const box of boxes.flat()) box?.classList.remove("is-selected");
    boxes[place]?.[index]?.classList.add("is-selected");
  };
  const shown = element("div", { class: "picture" },
    element("img", { src: preview.picture, alt }),
    preview.mask ? maskView(preview.mask) : null,
    boxLayer(preview.picture_box, boxes.flat().filter(Boolean)));
  return { element: shown, mark };
}

/** Shows the ink that was found as a colored layer. */
function maskView(mask) {
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

function boxShape([left, top, right, bottom], click) {
  const [width, height] = [right - left, bottom - top];
  return svgElement("rect", { x: left, y: top, width, height, click });
}
