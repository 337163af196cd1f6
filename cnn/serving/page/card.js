/** The card of a picture: what was found on it, and what was read. */

import { characterView } from "./character_view.js";
import { element } from "./dom.js";
import { numbersView } from "./numbers_view.js";

/**
 * @typedef {object} Actions what the buttons of a card do.
 * @property {import("./corrections.js").Corrections} corrections
 * @property {import("./api.js").Model} model
 * @property {(item: import("./items.js").Item) => void} readAgain
 * @property {(item: import("./items.js").Item) => void} remove
 */

/** A card, and the state of the item that it shows. */
export class Card {
  /** Functions that show changed corrections. */
  #refreshers = [];

  /**
   * @param {import("./items.js").Item} item
   * @param {Actions} actions
   */
  constructor(item, actions) {
    this.item = item;
    this.actions = actions;
    const attributes = { "aria-labelledby": `name-${id(item)}`, tabindex: -1 };
    this.element = element("article", { class: "card", ...attributes });
    this.rebuild();
  }

  /** Shows the item as it is now. Only corrections leave the elements as they are. */
  update() {
    const { rows, previews, error, state } = this.item;
    this.element.setAttribute("aria-busy", String(state === "waiting" || state === "reading"));
    const isSame = rows === this.rows && previews === this.previews && error === this.error;
    if (!isSame) this.rebuild();
    for (const refresh of this.#refreshers) refresh();
  }

  rebuild() {
    const { rows, previews, error } = this.item;
    Object.assign(this, { rows, previews, error });
    this.#refreshers = [];
    const hadFocus = this.element.contains(document.activeElement);
    this.element.replaceChildren(this.#header(), ...this.#content());
    if (hadFocus) this.element.focus({ preventScroll: true });
    for (const refresh of this.#refreshers) refresh();
  }

  #header() {
    const { item, actions } = this;
    const remove = { "aria-label": `Remove ${item.name}`, class: "quiet", type: "button" };
    return element("header", {},
      element("h3", { id: `name-${id(item)}` }, item.name),
      element("button", { ...remove, click: () => actions.remove(item) }, "Remove"));
  }

  #content() {
    const { item } = this;
    if (item.error) return [this.#failure()];
    if (!item.rows.length) {
      const sentence = item.state === "read" ? "Nothing was read." : "Reading …";
      return [element("p", { class: "hint" }, sentence)];
    }
    const previews = item.previews ?? withoutPictures(item);
    const showPreview = item.layout === "character" ? characterView : numbersView;
    const add = (refresh) => this.#refreshers.push(refresh);
    return previews.map((preview) => showPreview(item, preview, this.actions, add));
  }

  #failure() {
    const { item, actions } = this;
    const again = { "aria-label": `Read ${item.name} again`, type: "button" };
    return element("div", { class: "failure" },
      element("p", { class: "problem" }, item.error),
      element("button", { ...again, click: () => actions.readAgain(item) }, "Try again"));
  }
}

let count = 0;
const ids = new WeakMap();

/** Returns a number for an item, for the ids of its elements. */
function id(item) {
  if (!ids.has(item)) ids.set(item, (count += 1));
  return ids.get(item);
}

/** Returns what stands for previews until the pictures are there. */
function withoutPictures({ layout, rows }) {
  const indices = rows.map((_, i) => i);
  const groups = layout === "character" ? indices.map((i) => [i]) : [indices];
  return groups.map(emptyPreview);
}

function emptyPreview(rows) {
  return {
    page: null,
    rows,
    picture: null,
    picture_box: [0, 0, 1, 1],
    mask: null,
    characters: rows.map(() => []),
  };
}
