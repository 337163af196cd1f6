/** The results as the CSV that `bin/infer` writes. The server makes it. */

import { RequestError, fetchCsv } from "./api.js";
import { byId, showSentence } from "./dom.js";
import { labeledRows } from "./items.js";

const FILE_NAME = "predictions.csv";
/** Time in ms that a browser may take to begin with a download. */
const KEEP = 10_000;

/**
 * Downloads all rows, in the order of `bin/infer`, when the button is pressed.
 *
 * @param {import("./items.js").ItemList} items
 * @param {import("./options.js").Options} options
 */
export function listenForDownload(items, options) {
  byId("download").addEventListener("click", () => download(items, options));
}

async function download(items, options) {
  const problem = byId("download-problem");
  showSentence(problem, "");
  const read = items.all.filter((item) => item.state === "read");
  const query = new URLSearchParams({ layout: options.layout, format: "csv" });
  try {
    saveFile(await fetchCsv(read.flatMap(labeledRows), query));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    showSentence(problem, error.message);
    return;
  }
  const numMissing = items.all.length - read.length;
  if (!numMissing) return;
  showSentence(problem, `${numMissing} of the files are not read, and not in the CSV.`);
}

function saveFile(blob) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = FILE_NAME;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEEP);
}
