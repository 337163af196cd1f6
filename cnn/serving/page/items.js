/** The pictures that were given, and what is known of each. */

/**
 * @typedef {import("./api.js").Row} Row
 * @typedef {import("./api.js").Preview} Preview
 *
 * @typedef {object} Item a picture file.
 * @property {Blob} file
 * @property {string} name
 * @property {"waiting" | "reading" | "read" | "failed"} state
 * @property {string} layout of `rows`.
 * @property {Row[]} rows of the last answer, none before it.
 * @property {Preview[] | null} previews of `rows`. Kept only while they are shown.
 * @property {boolean} isShown whether its previews are wanted.
 * @property {number[]} shownPages the pages of which, or none for a file without pages.
 * @property {string} error why it could not be read, or empty.
 * @property {Map<string, Correction>} corrections by place of the row.
 *
 * @typedef {object} Correction what people say of a row.
 * @property {string} text the right answer.
 * @property {Map<number, string>} characters those of a number, by index.
 * @property {string} remark what became of it.
 */

/**
 * A list of items, newest first.
 *
 * Event: `change`, with the item as `detail`, or null for several.
 */
export class ItemList extends EventTarget {
  /** @type {Item[]} */
  all = [];

  /**
   * Puts pictures in front of the list.
   *
   * @param {{file: Blob, name: string}[]} files
   * @returns {Item[]}
   */
  add(files) {
    const taken = new Set(this.all.map((item) => item.name));
    const added = files.map(({ file, name }) => makeItem(file, freeName(name, taken)));
    this.all = [...added, ...this.all];
    this.report();
    return added;
  }

  /** @param {Item} item */
  remove(item) {
    this.all = this.all.filter((other) => other !== item);
    this.report();
  }

  clear() {
    this.all = [];
    this.report();
  }

  /**
   * Changes fields of an item.
   *
   * @param {Item} item
   * @param {Partial<Item>} changes
   */
  update(item, changes) {
    Object.assign(item, changes);
    this.report(item);
  }

  /** @param {Item | null} item */
  report(item = null) {
    this.dispatchEvent(new CustomEvent("change", { detail: item }));
  }
}

/** @returns {Item} */
function makeItem(file, name) {
  return {
    file,
    name,
    state: "waiting",
    layout: "",
    rows: [],
    previews: null,
    isShown: false,
    shownPages: [],
    error: "",
    corrections: new Map(),
  };
}

/** Returns a name that is not taken, as "a (2).png", and takes it. */
function freeName(name, taken) {
  const [, stem, ending] = name.match(/^(.*?)(\.[^./]*)?$/s);
  let free = name;
  for (let i = 2; taken.has(free); i++) free = `${stem} (${i})${ending ?? ""}`;
  taken.add(free);
  return free;
}

/**
 * Returns the correction of a row, or undefined. It outlives another reading of the
 * same picture in the same layout.
 *
 * @param {Item} item
 * @param {Row} row
 * @returns {Correction | undefined}
 */
export function correctionOf(item, row) {
  return item.corrections.get(placeOf(item, row));
}

/**
 * @param {Item} item
 * @param {Row} row
 * @param {Correction} correction
 */
export function setCorrection(item, row, correction) {
  item.corrections.set(placeOf(item, row), correction);
}

function placeOf(item, row) {
  const { page, region, line, left, top } = row;
  return JSON.stringify([item.layout, page, region, line, left, top]);
}

/**
 * Lists the pages of a file, or nothing for a file without.
 *
 * @param {Item} item
 * @returns {number[]}
 */
export function pagesOf(item) {
  const pages = item.rows.map((row) => row.page).filter((page) => page !== undefined);
  return [...new Set(pages)];
}

/**
 * Returns the rows of an item as they go into the CSV, with labels.
 *
 * @param {Item} item
 */
export function labeledRows(item) {
  return item.rows.map((row) => {
    const correction = correctionOf(item, row);
    return correction ? { ...row, label: correction.text } : row;
  });
}
