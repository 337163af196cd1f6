/** The requests to the server. See `GET /openapi.json` for all that it offers. */

/**
 * @typedef {object} Model
 * @property {string} name
 * @property {string} version of the program.
 * @property {string[]} classes
 * @property {number} unsure_below
 * @property {number} string_unsure_below the same for numbers.
 * @property {boolean} corrections whether the server keeps them.
 * @property {number} max_bytes of a file.
 *
 * @typedef {object} Row a row of the table, as `bin/infer` writes it.
 * @property {string} path
 * @property {number} [page]
 * @property {number} [line]
 * @property {string | null} prediction
 * @property {number | null} confidence
 * @property {"ok" | "unsure" | "blank" | "unreadable"} status
 * @property {string | null} detail
 *
 * @typedef {[number, number, number, number]} Box left, top, right and bottom in pixels
 *   of the upright page.
 *
 * @typedef {object} Character
 * @property {Box | null} box
 * @property {string} prediction
 * @property {number} confidence
 * @property {string} runner_up
 * @property {number[] | null} probabilities
 * @property {string | null} image data URL of what the network saw.
 *
 * @typedef {object} Preview a page or region, and what was found there.
 * @property {number | null} page
 * @property {number[]} rows indices of its rows.
 * @property {string | null} picture data URL.
 * @property {Box} picture_box part of the page that the picture shows.
 * @property {string | null} mask data URL.
 * @property {Character[][]} characters one list for each row.
 * @property {string[]} [classes] of the probabilities, if not all of the model.
 *
 * @typedef {object} Answer
 * @property {Row[]} rows
 * @property {Preview[]} previews
 */

/** Status codes of a server that is busy, and will not be for long. */
const BUSY = [429, 503];
const MAX_ATTEMPTS = 6;
/** Seconds to wait where the server does not say, and at most. */
const DEFAULT_WAIT = 1;
const LONGEST_WAIT = 30;

/** A request that failed, with a sentence for people. */
export class RequestError extends Error {}

/** @returns {Promise<Model>} */
export async function fetchModel() {
  return parseJson(await send("/model", {}));
}

/**
 * Reads a picture.
 *
 * @param {Blob} file
 * @param {URLSearchParams} query layout and other options, and the name.
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>} also for a file that is no picture: its row says so.
 */
export async function readPicture(file, query, signal) {
  const response = await send(`/read?${query}`, { ...upload(file), signal });
  const answer = await parseJson(response);
  if (!answer.rows) throw new RequestError(answer.detail ?? describe(response));
  return answer;
}

/**
 * Gives the server a picture with its true class.
 *
 * @param {Blob} picture
 * @param {URLSearchParams} query class and page.
 * @returns {Promise<string>} the path under which it is kept.
 */
export async function sendCorrection(picture, query) {
  const response = await send(`/corrections?${query}`, upload(picture));
  const answer = await parseJson(response);
  if (!response.ok) throw new RequestError(answer.detail ?? describe(response));
  return answer.path;
}

/**
 * Makes the CSV of rows.
 *
 * @param {Row[]} rows
 * @param {URLSearchParams} query the layout.
 * @returns {Promise<Blob>}
 */
export async function fetchCsv(rows, query) {
  const response = await send(`/table?${query}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ rows }),
  });
  if (response.ok) return response.blob();
  const answer = await parseJson(response);
  throw new RequestError(answer.detail ?? describe(response));
}

function upload(body) {
  const headers = { "Content-Type": "application/octet-stream" };
  return { method: "POST", headers, body };
}

/** Sends a request, and again after a while if the server is busy. */
async function send(url, init) {
  for (let attempt = 1; ; attempt++) {
    const response = await tryToSend(url, init);
    if (!BUSY.includes(response.status) || attempt === MAX_ATTEMPTS) return response;
    await wait(secondsToWait(response), init.signal);
  }
}

async function tryToSend(url, init) {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestError(
      "The server does not answer, or the file has changed since it was chosen.",
    );
  }
}

function secondsToWait(response) {
  const seconds = Number(response.headers.get("Retry-After") ?? DEFAULT_WAIT);
  return Number.isFinite(seconds) ? Math.min(seconds, LONGEST_WAIT) : DEFAULT_WAIT;
}

/** Waits, or throws as `fetch` does if the request is given up meanwhile. */
function wait(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

async function parseJson(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestError(describe(response));
  }
}

function describe(response) {
  return `The server answered with status ${response.status}, and no sentence that says why.`;
}
