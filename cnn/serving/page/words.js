/** Plain words for numbers and answers. */

/** All that a row can be. */
export const STATUSES = ["ok", "unsure", "blank", "unreadable"];

/**
 * @param {number | null} share in [0, 1].
 * @returns {string} as "99.9 %". Only what is certain is 100 %.
 */
export function percent(share) {
  if (share === null) return "";
  const rounded = Math.floor(share * 1000) / 10;
  return `${rounded.toFixed(1)}\u00a0%`;
}

/**
 * Says what each status means.
 *
 * @param {import("./api.js").Model} model
 * @returns {[string, string][]} statuses and sentences.
 */
export function statusMeanings(model) {
  const one = percent(model.unsure_below);
  const several = percent(model.string_unsure_below);
  return [
    [
      "ok",
      `The confidence is ${one} or more, and ${several} or more for a number. Of the ` +
        "answers given with 90 %, about 90 in 100 are right.",
    ],
    [
      "unsure",
      `The most likely answer, but its confidence is below ${one}, or ${several} for a ` +
        "number. It may also be a letter, a blot or two characters: look yourself.",
    ],
    ["blank", "No ink was found that could be read."],
    ["unreadable", "The file is damaged, or no picture at all."],
  ];
}

/**
 * Says what is to be thought of a row, with the reader's own words about it.
 *
 * @param {import("./api.js").Row} row
 */
export function explainStatus(row) {
  const sentences = {
    ok: "Sure enough",
    unsure: "Unsure, look at it yourself",
    blank: "Nothing to read was found",
    unreadable: "Not a picture that can be opened",
  };
  return `${sentences[row.status]}${row.detail ? `: ${row.detail}` : ""}.`;
}

/** Says the answer for one picture. */
function describeItem(item) {
  if (item.state === "failed") return `${item.name}: ${item.error}`;
  return `${item.name}: ${item.rows.map(describeRow).join("; ")}`;
}

/**
 * Says what was read.
 *
 * @param {import("./api.js").Row} row
 */
export function describeRow(row) {
  if (!row.prediction) return row.status;
  return `read as ${row.prediction}, ${percent(row.confidence)}, ${row.status}`;
}

/**
 * Says the answer for a picture, or counts those of several.
 *
 * @param {import("./items.js").Item[]} items
 */
export function describeItems(items) {
  if (items.length === 1) return describeItem(items[0]);
  const rows = items.flatMap((item) => item.rows);
  const counts = STATUSES.map((status) => {
    const count = rows.filter((row) => row.status === status).length;
    return count ? `${count} ${status}` : "";
  });
  const failed = items.filter((item) => item.state === "failed").length;
  const parts = [...counts, failed ? `${failed} not read` : ""].filter(Boolean);
  return `${items.length} files: ${parts.join(", ") || "nothing"}`;
}

/**
 * Says what is the matter with an item without answers.
 *
 * @param {import("./items.js").Item} item
 */
export function waitingSentence(item) {
  return item.state === "read" ? "Nothing was read." : "Reading …";
}
