/** Shows all results, as cards with pictures or as a table. */

import { Card } from "./card.js";
import { byId, element, setChildren } from "./dom.js";
import { FILTERS, arrange, entriesOf, statusOf } from "./ordering.js";
import { Pager } from "./pager.js";
import { ResultTable } from "./table.js";

/** Cards and rows on a page. More would slow the page down. */
const PAGE_SIZES = { pictures: 12, table: 100 };

/** @typedef {import("./items.js").Item} Item */

export class Results {
  /** @type {Map<Item, Card>} the cards that are shown. */
  #cards = new Map();
  #isScheduled = false;
  #pager = new Pager(byId("pager"), () => this.#turnPage());

  /**
   * @param {import("./items.js").ItemList} items
   * @param {import("./card.js").Actions} actions
   * @param {(item: Item) => void} fetchPreviews
   */
  constructor(items, actions, fetchPreviews) {
    this.items = items;
    this.actions = actions;
    this.fetchPreviews = fetchPreviews;
    this.table = new ResultTable(byId("table"), actions, (order) => this.#sort(order));
    byId("filter").append(...FILTERS.map((value) => element("option", { value }, value)));
    byId("controls").addEventListener("change", () => this.#rearrange());
    items.addEventListener("change", () => this.#schedule());
    this.#schedule();
  }

  get #view() {
    return byId("controls").querySelector("[name=view]:checked").value;
  }

  #sort(order) {
    byId("order").value = order;
    this.#rearrange();
  }

  #rearrange() {
    this.#pager.reset();
    this.#show();
  }

  #turnPage() {
    this.#show();
    byId("results").scrollIntoView();
  }

  /** Shows the results with the next frame, however many changes there are until then. */
  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => this.#show());
  }

  #show() {
    this.#isScheduled = false;
    const view = this.#view;
    const entries = entriesOf(this.items.all);
    const arranged = arrange(entries, byId("filter").value, byId("order").value);
    const listed = view === "table" ? arranged : itemsOf(arranged);
    const shown = this.#pager.cut(listed, PAGE_SIZES[view]);
    this.#showCards(view === "pictures" ? shown : []);
    this.table.show(view === "table" ? shown : [], byId("order").value);
    this.#showFrame(view, entries);
  }

  /** @param {Item[]} items */
  #showCards(items) {
    const kept = new Map();
    for (const item of items) {
      const card = this.#cards.get(item) ?? new Card(item, this.actions);
      this.#cards.delete(item);
      kept.set(item, card);
      item.isShown = true;
      card.update();
      if (item.state === "read" && !item.previews) this.fetchPreviews(item);
    }
    for (const item of this.#cards.keys()) dropPreviews(item);
    this.#cards = kept;
    setChildren(byId("cards"), [...kept.values()].map((card) => card.element));
  }

  #showFrame(view, entries) {
    const isEmpty = !this.items.all.length;
    byId("controls").hidden = byId("actions").hidden = isEmpty;
    byId("empty").hidden = !isEmpty;
    byId("cards").hidden = view !== "pictures";
    byId("table").hidden = isEmpty || view !== "table";
    for (const option of byId("filter").options) countEntries(option, entries);
    showProgress(this.items.all);
  }
}

/** Returns the items of entries, each once, in order. */
function itemsOf(entries) {
  return [...new Set(entries.map((entry) => entry.item))];
}

/** Forgets pictures that are not shown. A thousand of them would fill the memory. */
function dropPreviews(item) {
  item.isShown = false;
  item.previews = null;
}

function countEntries(option, entries) {
  const isCounted = (entry) => option.value === "all" || statusOf(entry) === option.value;
  option.textContent = `${option.value} (${entries.filter(isCounted).length})`;
}

/** @param {Item[]} items */
function showProgress(items) {
  const isDone = ({ state }) => state === "read" || state === "failed";
  const numDone = items.filter(isDone).length;
  const progress = byId("progress");
  progress.max = items.length || 1;
  progress.value = numDone;
  progress.hidden = numDone === items.length;
  const files = items.length === 1 ? "1 file" : `${items.length} files`;
  byId("summary").textContent = items.length ? `${numDone} of ${files} read` : "";
}
