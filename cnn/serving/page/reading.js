/** Has pictures read by the server, a few at a time. */

import { RequestError, readPicture } from "./api.js";

/** Requests at once. */
const MAX_REQUESTS = 4;
/** Time in ms before the first request: what is shown is then known. */
const DELAY = 30;
const MEGABYTE = 1_000_000;
/** Names of files that often have many pages. Pictures of these are fetched by pages. */
const MAY_HAVE_PAGES = /\.(pdf|tiff?|gif|apng)$/i;

/**
 * @typedef {import("./items.js").Item} Item
 *
 * Reads items, in the order in which they were given.
 *
 * Event: `idle` when nothing is left to read, with the items that were as `detail`.
 */
export class Reader extends EventTarget {
  /** @type {Set<Item>} */
  #queue = new Set();
  /** @type {Map<Item, AbortController>} */
  #requests = new Map();
  /** @type {Set<Item>} */
  #finished = new Set();

  /**
   * @param {import("./items.js").ItemList} items
   * @param {import("./options.js").Options} options
   * @param {Promise<import("./api.js").Model>} modelRequest
   */
  constructor(items, options, modelRequest) {
    super();
    this.items = items;
    this.options = options;
    this.modelRequest = modelRequest;
  }

  /**
   * Reads items, again if they were read before.
   *
   * @param {Item[]} items
   */
  read(items) {
    for (const item of items) {
      this.forget(item);
      this.#queue.add(item);
      item.state = "waiting";
      item.error = "";
    }
    this.items.report(items.length === 1 ? items[0] : null);
    setTimeout(() => this.#startRequests(), DELAY);
  }

  /**
   * Fetches the pictures of an item that was read without them.
   *
   * @param {Item} item
   */
  fetchPreviews(item) {
    if (this.#queue.has(item) || this.#requests.has(item)) return;
    this.#queue.add(item);
    setTimeout(() => this.#startRequests());
  }

  /**
   * Gives up what was to be read of an item.
   *
   * @param {Item} item
   */
  forget(item) {
    this.#queue.delete(item);
    this.#requests.get(item)?.abort();
    this.#requests.delete(item);
    this.#finished.delete(item);
  }

  #startRequests() {
    while (this.#requests.size < MAX_REQUESTS && this.#queue.size) {
      const item = this.#nextItem();
      this.#queue.delete(item);
      this.#request(item);
    }
  }

  /** Returns the item to read next: what is shown comes first. */
  #nextItem() {
    const [first] = this.#queue;
    for (const item of this.#queue) if (item.isShown) return item;
    return first;
  }

  async #request(item) {
    const controller = new AbortController();
    this.#requests.set(item, controller);
    const isNew = item.state !== "read";
    if (isNew) this.items.update(item, { state: "reading" });
    const ask = isNew ? this.#askForRows : this.#askForPreviews;
    const changes = await this.#tryTo(ask, item, controller.signal);
    // Otherwise it was given up, and may be in the queue again.
    if (this.#requests.get(item) === controller) {
      this.#requests.delete(item);
      if (isNew) this.#finished.add(item);
      this.items.update(item, changes);
    }
    this.#startRequests();
    this.#reportIdle();
  }

  /** @returns {Promise<Partial<Item>>} */
  async #tryTo(ask, item, signal) {
    try {
      checkSize(item.file, await this.modelRequest);
      return await ask.call(this, item, signal);
    } catch (error) {
      if (!(error instanceof RequestError) && error.name !== "AbortError") throw error;
      return { state: "failed", error: error.message };
    }
  }

  async #askForRows(item, signal) {
    const query = this.options.query();
    const layout = query.get("layout");
    const hasPreviews = item.isShown && !MAY_HAVE_PAGES.test(item.name);
    const { rows, previews } = await this.#ask(item, query, hasPreviews, signal);
    const kept = item.isShown ? previews : null;
    return { rows, previews: kept, layout, state: "read", error: "" };
  }

  /** Asks for the previews of the pages that are shown. */
  async #askForPreviews(item, signal) {
    const pages = item.shownPages;
    const query = this.options.query();
    if (pages.length) query.set("pages", pages.join());
    const { previews } = await this.#ask(item, query, true, signal);
    // Otherwise they have been turned meanwhile.
    if (!item.isShown || pages !== item.shownPages) return { previews: null };
    const firstRow = pages.length ? item.rows.findIndex((row) => row.page === pages[0]) : 0;
    const moved = previews.map((preview) => ({
      ...preview,
      rows: preview.rows.map((index) => index + firstRow),
    }));
    return { previews: moved };
  }

  async #ask(item, query, hasPreviews, signal) {
    query.set("name", item.name);
    query.set("preview", String(hasPreviews));
    const { rows, previews = null } = await readPicture(item.file, query, signal);
    return { rows, previews };
  }

  #reportIdle() {
    if (this.#requests.size || this.#queue.size || !this.#finished.size) return;
    const finished = [...this.#finished];
    this.#finished.clear();
    this.dispatchEvent(new CustomEvent("idle", { detail: finished }));
  }
}

/** Refuses a file before it is sent that the server would not take. */
function checkSize({ size }, { max_bytes: limit }) {
  if (size <= limit) return;
  throw new RequestError(
    `The file has ${Math.ceil(size / MEGABYTE)} MB. ` +
      `The server takes ${Math.floor(limit / MEGABYTE)} MB at most.`,
  );
}
