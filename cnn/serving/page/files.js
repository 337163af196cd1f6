/** Files that are chosen, dropped or pasted. */

import { byId } from "./dom.js";

/**
 * @typedef {{file: File, name: string}} NamedFile name with the folders, and `/`.
 * @typedef {(files: NamedFile[]) => void} TakeFiles
 */

/**
 * Calls a function with all files that are chosen, dropped or pasted.
 *
 * @param {TakeFiles} take
 */
export function listenForFiles(take) {
  listenForChoice("choose-files", "file-input", take);
  listenForChoice("choose-folder", "folder-input", take);
  listenForDrop(take);
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) event.preventDefault();
    giveFiles(files.map(nameFile), take);
  });
}

/**
 * Opens an input of files by a button, and takes its files.
 *
 * @param {string} buttonId
 * @param {string} inputId
 * @param {TakeFiles} take
 */
function listenForChoice(buttonId, inputId, take) {
  byId(buttonId).addEventListener("click", () => byId(inputId).click());
  listenToInput(inputId, take);
}

/**
 * Takes the files of an input.
 *
 * @param {string} inputId
 * @param {TakeFiles} take
 */
export function listenToInput(inputId, take) {
  const input = byId(inputId);
  input.addEventListener("change", () => {
    const files = [...input.files].map(nameFile);
    // The same file can then be chosen again.
    input.value = "";
    giveFiles(files, take);
  });
}

function listenForDrop(take) {
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("is-dragging");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("is-dragging");
  });
  addEventListener("drop", async (event) => {
    event.preventDefault();
    document.body.classList.remove("is-dragging");
    giveFiles(await filesOfDrop(event.dataTransfer), take);
  });
}

/** @returns {Promise<NamedFile[]>} */
async function filesOfDrop(transfer) {
  // Both lists are empty as soon as this function waits.
  const files = [...transfer.files].map(nameFile);
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return files;
  const found = await Promise.all(entries.map(filesOfEntry));
  return found.flat();
}

/** Lists the files of a file or folder that was dropped. */
async function filesOfEntry(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, fail) => entry.file(resolve, fail));
    return [{ file, name: entry.fullPath.slice(1) }];
  }
  const found = await Promise.all((await entriesOf(entry)).map(filesOfEntry));
  return found.flat();
}

async function entriesOf(folder) {
  const reader = folder.createReader();
  const entries = [];
  // Browsers give the entries of a folder in parts, the last of which is empty.
  for (;;) {
    const part = await new Promise((resolve, fail) => reader.readEntries(resolve, fail));
    if (!part.length) return entries;
    entries.push(...part);
  }
}

function nameFile(file) {
  return { file, name: file.webkitRelativePath || file.name };
}

/** Gives files on as `bin/infer` reads a folder: without hidden ones, by name. */
function giveFiles(files, take) {
  const visible = files.filter(({ name }) => !/(^|\/)\./.test(name));
  const named = withoutCommonFolder(visible);
  const collator = new Intl.Collator("en", { numeric: true });
  named.sort((a, b) => collator.compare(a.name, b.name));
  if (named.length) take(named);
}

/** Removes the folder that all files are in from their names. */
function withoutCommonFolder(files) {
  const [first] = files;
  const folder = first?.name.slice(0, first.name.indexOf("/") + 1);
  if (!folder || !files.every(({ name }) => name.startsWith(folder))) return files;
  return files.map(({ file, name }) => ({ file, name: name.slice(folder.length) }));
}
