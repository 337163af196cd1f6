/** The results as a table. */

import { statusBadge } from "./answer.js";
import { correctionForm } from "./correction_form.js";
import { element, setChildren } from "./dom.js";
import { correctionOf } from "./items.js";
import { percent, waitingSentence } from "./words.js";

/**
 * @typedef {import("./ordering.js").Entry} Entry
 * @typedef {import("./card.js").Actions} Actions
 */

/** Headers, and the orders between which a click on them changes. */
const COLUMNS = [
  { title: "File", orders: ["name", "name-descending"] },
  { title: "Place", orders: null },
  { title: "Read as", orders: null },
  { title: "Confidence", orders: ["least-confident", "most-confident"] },
  { title: "Status", orders: null },
  { title: "Label", orders: null },
  { title: "Detail", orders: null },
];

export class ResultTable {
  #body = element("tbody");
  /** @type {Map<object, {element: HTMLElement, refresh: () => void}>} by row or item. */
  #lines = new Map();
  #buttons = [];

  /**
   * @param {HTMLElement} frame
   * @param {Actions} actions
   * @param {(order: string) => void} sort
   */
  constructor(frame, actions, sort) {
    this.actions = actions;
    const headers = COLUMNS.map((column) => this.#header(column, sort));
    this.table = element("table", {},
      element("caption", { class: "for-screen-readers" }, "Results, one row for each answer"),
      element("thead", {}, element("tr", {}, ...headers)),
      this.#body);
    frame.append(this.table);
  }

  /**
   * Shows entries. Those that were shown before keep their elements.
   *
   * @param {Entry[]} entries
   * @param {string} order
   */
  show(entries, order) {
    const lines = new Map();
    for (const entry of entries) {
      const key = entry.row ?? entry.item;
      lines.set(key, this.#lines.get(key) ?? tableLine(entry, this.actions));
    }
    this.#lines = lines;
    for (const line of lines.values()) line.refresh();
    const hasPlaces = entries.some(({ row }) => row && placeOf(row));
    this.table.classList.toggle("without-places", !hasPlaces);
    setChildren(this.#body, [...lines.values()].map((line) => line.element));
    for (const { header, orders } of this.#buttons) showOrder(header, orders, order);
  }

  #header({ title, orders }, sort) {
    if (!orders) return element("th", { scope: "col" }, title);
    const header = element("th", { scope: "col", "aria-sort": "none" });
    const isRising = () => header.getAttribute("aria-sort") === "ascending";
    const click = () => sort(isRising() ? orders[1] : orders[0]);
    header.append(element("button", { type: "button", click }, title));
    this.#buttons.push({ header, orders });
    return header;
  }
}

function showOrder(header, [ascending, descending], order) {
  const sorted = { [ascending]: "ascending", [descending]: "descending" };
  header.setAttribute("aria-sort", sorted[order] ?? "none");
}

/** Makes the line of an entry, and the function that shows its correction. */
function tableLine(entry, actions) {
  return entry.row ? rowLine(entry.item, entry.row, actions) : itemLine(entry.item, actions);
}

function rowLine(item, row, actions) {
  const label = element("strong", { class: "label" });
  const remark = element("small", { role: "status" });
  const correction = element("div", {}, label, labelForm(item, row, actions), remark);
  const line = element("tr", {},
    element("th", { scope: "row" }, item.name),
    ...cellsOf(row, correction).map((cell) => element("td", {}, cell)));
  const refresh = () => {
    const correction = correctionOf(item, row);
    label.textContent = correction?.text ?? "";
    const sentence = correction?.remark ?? "";
    if (remark.textContent !== sentence) remark.textContent = sentence;
  };
  return { element: line, refresh };
}

/** Returns what is in the columns after the first one. */
function cellsOf(row, correction) {
  return [
    placeOf(row),
    row.prediction ?? "",
    percent(row.confidence),
    statusBadge(row),
    correction,
    row.detail ?? "",
  ];
}

function labelForm(item, row, { corrections, model }) {
  if (row.status === "unreadable") return "";
  const classes = item.layout === "character" ? model.classes : null;
  const save = (text) => corrections.correctRow(item, row, text);
  return correctionForm({ label: "", context: `Right answer for ${row.path}`, classes, save });
}

/** Shows an item without answers. */
function itemLine(item, actions) {
  const sentence = element("span");
  const readAgain = () => actions.readAgain(item);
  const again = element("button", { type: "button", click: readAgain }, "Try again");
  const line = element("tr", {},
    element("th", { scope: "row" }, item.name),
    element("td", { colspan: COLUMNS.length - 1 }, sentence, " ", again));
  const refresh = () => {
    again.hidden = item.state !== "failed";
    sentence.textContent = item.error || waitingSentence(item);
  };
  return { element: line, refresh };
}

/** Says where on its file a row is. */
function placeOf(row) {
  const parts = [row.page && `page ${row.page}`, row.region, row.line && `line ${row.line}`];
  return parts.filter(Boolean).join(", ");
}
