/** The card of a picture: what was found on it, and what was read. */

import { characterView } from "./character_view.js";
import { element } from "./dom.js";
import { pagesOf } from "./items.js";
import { numbersView } from "./numbers_view.js";
import { Pager } from "./pager.js";
import { waitingSentence } from "./words.js";

/** Pages of a file that a card shows at a time. */
const MAX_PAGES = 8;

/**
 * @typedef {object} Actions what the buttons of a card do.
 * @property {import("./corrections.js").Corrections} corrections
 * @property {import("./api.js").Model} model
 * @property {(item: import("./items.js").Item) => void} readAgain
 * @property {(item: import("./items.js").Item) => void} remove
 * @property {(item: import("./items.js").Item) => void} showAgain after other pages of it
 *   have been chosen.
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
    const attributes = { class: "card", "aria-label": item.name, tabindex: -1 };
    this.element = element("article", attributes);
    const nav = element("nav", { class: "pager", "aria-label": `Pages of ${item.name}` });
    this.pager = new Pager(nav, () => actions.showAgain(item), "Part");
    this.#rebuild();
  }

  /** Shows the item as it is now. Only corrections leave the elements as they are. */
  update() {
    const { item, shown } = this;
    const isBusy = item.state === "waiting" || item.state === "reading";
    this.element.setAttribute("aria-busy", String(isBusy));
    this.#choosePages();
    const isSame = Object.keys(shown).every((field) => item[field] === shown[field]);
    if (!isSame) this.#rebuild();
    for (const refresh of this.#refreshers) refresh();
  }

  /** Chooses the pages to show. The previews of others are forgotten. */
  #choosePages() {
    const pages = this.pager.cut(pagesOf(this.item), MAX_PAGES);
    if (pages.join() === this.item.shownPages.join()) return;
    this.item.shownPages = pages;
    this.item.previews = null;
  }

  #rebuild() {
    const { rows, previews, shownPages, error } = this.item;
    /** What of the item the elements show. */
    this.shown = { rows, previews, shownPages, error };
    this.#refreshers = [];
    const hadFocus = this.element.contains(document.activeElement);
    this.element.replaceChildren(this.#header(), ...this.#content(), this.pager.place);
    if (hadFocus) this.element.focus({ preventScroll: true });
  }

  #header() {
    const { item, actions } = this;
    const remove = { "aria-label": `Remove ${item.name}`, class: "quiet", type: "button" };
    return element("header", {},
      element("h3", {}, item.name),
      element("button", { ...remove, click: () => actions.remove(item) }, "Remove"));
  }

  #content() {
    const { item } = this;
    if (item.error) return [this.#failure()];
    if (!item.rows.length) {
      return [element("p", { class: "hint" }, waitingSentence(item))];
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

/** Returns what stands for the previews of the pages until they are there. */
function withoutPictures({ layout, rows, shownPages }) {
  const isShown = ({ page }) => page === undefined || shownPages.includes(page);
  const indices = [...rows.keys()].filter((i) => isShown(rows[i]));
  const groups = layout === "character" ? indices.map((i) => [i]) : [indices];
  return groups.map(emptyPreview);
}

/** @returns {import("./api.js").Preview} */
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
