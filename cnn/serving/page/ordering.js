/** Which results are shown, and in which order. */

import { STATUSES } from "./words.js";

/**
 * @typedef {import("./items.js").Item} Item
 * @typedef {import("./api.js").Row} Row
 *
 * @typedef {{item: Item, row: Row | null}} Entry a row, or an item without any.
 */

const collator = new Intl.Collator("en", { numeric: true });

/** What an entry is sorted and filtered by that was not read. */
export const NOT_READ = "not read";

/** All that a result can be filtered by. */
export const FILTERS = ["all", ...STATUSES, NOT_READ];

/**
 * Lists the rows of all items, and the items without any.
 *
 * @param {Item[]} items
 * @returns {Entry[]}
 */
export function entriesOf(items) {
  return items.flatMap((item) => {
    if (item.state === "failed" || !item.rows.length) return [{ item, row: null }];
    return item.rows.map((row) => ({ item, row }));
  });
}

/** @param {Entry} entry */
export function statusOf({ row }) {
  return row ? row.status : NOT_READ;
}

/**
 * Filters and sorts entries.
 *
 * @param {Entry[]} entries
 * @param {string} filter of `FILTERS`.
 * @param {string} order a key of `COMPARISONS`, or "added".
 * @returns {Entry[]}
 */
export function arrange(entries, filter, order) {
  const matching = entries.filter((entry) => filter === "all" || statusOf(entry) === filter);
  const compare = COMPARISONS[order];
  return compare ? matching.sort(compare) : matching;
}

const COMPARISONS = {
  name: (a, b) => collator.compare(a.item.name, b.item.name),
  "name-descending": (a, b) => collator.compare(b.item.name, a.item.name),
  "least-confident": (a, b) => byConfidence(a, b, 1),
  "most-confident": (a, b) => byConfidence(a, b, -1),
};

/** Compares confidences. What has none comes last in both directions. */
function byConfidence(a, b, sign) {
  const [first, second] = [a.row?.confidence ?? null, b.row?.confidence ?? null];
  if (first === null || second === null) return Number(first === null) - Number(second === null);
  return sign * (first - second);
}
