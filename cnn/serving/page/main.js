/** Connects the parts of the page. Start reading here. */

import { RequestError, fetchModel } from "./api.js";
import { listenToCamera } from "./camera.js";
import { Corrections } from "./corrections.js";
import { byId, element } from "./dom.js";
import { listenForDownload } from "./download.js";
import { Drawing } from "./drawing.js";
import { listenForFiles } from "./files.js";
import { ItemList } from "./items.js";
import { Options } from "./options.js";
import { Reader } from "./reading.js";
import { Results } from "./results.js";
import { describeItems, statusMeanings } from "./words.js";

async function start() {
  const modelRequest = fetchModel();
  const items = new ItemList();
  const options = new Options();
  const reader = new Reader(items, options, modelRequest);
  const drawing = new Drawing(items, reader);
  connectInputs(items, reader, options);
  listenForDownload(items, options);
  // What is drawn or dropped meanwhile waits for the model, too.
  const model = await modelRequest;
  describeModel(model);
  connectResults(items, reader, model, drawing);
  announceResults(reader);
}

/** Reads what is chosen, dropped, pasted or photographed, and again with new options. */
function connectInputs(items, reader, options) {
  const take = (files) => reader.read(items.add(files));
  listenForFiles(take);
  listenToCamera(take);
  options.addEventListener("change", () => reader.read([...items.all]));
}

function connectResults(items, reader, model, drawing) {
  const remove = (item) => {
    reader.forget(item);
    items.remove(item);
    byId("results").focus({ preventScroll: true });
  };
  const readAgain = (item) => reader.read([item]);
  const showAgain = (item) => items.report(item);
  const corrections = new Corrections(items, model);
  const actions = { corrections, model, readAgain, remove, showAgain };
  new Results(items, actions, (item) => reader.fetchPreviews(item));
  byId("remove-all").addEventListener("click", () => {
    drawing.clear();
    for (const item of [...items.all]) remove(item);
  });
}

/** Tells people who do not see the results what was read. */
function announceResults(reader) {
  reader.addEventListener("idle", ({ detail: finished }) => {
    byId("live").textContent = describeItems(finished);
  });
}

/** Says which model reads, and what becomes of the pictures. */
function describeModel(model) {
  const kept = model.corrections
    ? "Pictures that you correct are kept for training, others are not."
    : "Pictures are read and forgotten.";
  byId("about").textContent = `Model ${model.name}, ${model.classes.length} classes. ${kept}`;
  const meanings = statusMeanings(model).flatMap(([status, sentence]) => [
    element("dt", {}, element("span", { class: `badge is-${status}` }, status)),
    element("dd", {}, sentence),
  ]);
  byId("meanings").append(...meanings);
}

start().catch((error) => {
  byId("about").textContent =
    error instanceof RequestError
      ? `${error.message} Start bin/serve, and load this page again.`
      : `This page does not work in this browser: ${error.message}`;
});
