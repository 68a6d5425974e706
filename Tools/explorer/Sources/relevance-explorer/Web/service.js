// Requests to the service that serves this page.

import { state } from "/state.js";

/** Identifies this page: requests of different pages take turns. */
const client = Math.random().toString(36).slice(2);

export class Problem extends Error {
  constructor(message, line, column) {
    super(message);
    [this.line, this.column] = [line, column];
  }
}

async function checked(response) {
  if (response.ok) return response;
  let error = { message: `${response.status} ${response.statusText}` };
  try { error = (await response.json()).error; } catch { /* no JSON */ }
  throw new Problem(error.message, error.line, error.column);
}

let pending = 0;
/** Marks the page as busy while requests are pending, for the style sheet, screen readers and tests. */
function count(change) {
  pending += change;
  document.querySelector("main").setAttribute("aria-busy", pending > 0);
}

async function send(path, options) {
  count(1);
  try { return await checked(await fetch(path, options)); } catch (error) {
    if (error.name === "AbortError" || error instanceof Problem) throw error;
    throw new Problem("The explorer does not respond. If it has stopped, start it again and open the address that it prints.");
  } finally { count(-1); }
}

export const overview = async () => (await send("/api/overview")).json();
export const labels = async model => (await send(`/api/models/${encodeURIComponent(model)}/labels`)).json();

export async function upload(file, name) {
  return (await send(`/api/images?name=${encodeURIComponent(name)}`, {
    method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" },
  })).json();
}

/** The fields of every request about the shown image. */
export function subject({ edited = true } = {}) {
  const question = { client, model: state.model, image: state.image, fit: state.fit };
  if (state.rules) question.rules = state.rules;
  else if (state.table) question.table = state.table;
  if (edited && state.strokes.length) question.edits = { fill: state.fill, strokes: state.strokes };
  return question;
}

/** The method with its parameters. */
export function fullMethod(name) {
  const parameters = [];
  if (name === "clrp1" && state.against.startsWith("class:")) parameters.push(`against=${state.against.slice(6)}`);
  if (["clrp1", "clrp2"].includes(name) && state.strength !== 1) parameters.push(`strength=${state.strength}`);
  return parameters.length ? `${name}:${parameters.join(",")}` : name;
}

export const explained = (method, more = {}) => ({ ...subject(more), target: state.target, method: fullMethod(method) });

const post = (path, question, signal, accept = "application/json") => send(path, {
  method: "POST", body: JSON.stringify(question), signal, headers: { "Content-Type": "application/json", Accept: accept },
});

export const ask = async (name, question, signal) => (await post(`/api/${name}`, question, signal)).json();
export const askForBytes = async (name, question, accept, signal) => (await post(`/api/${name}`, question, signal, accept)).blob();

/** Starts a long task, and calls `line` with each object that the service streams. */
export async function follow(name, question, signal, line) {
  const response = await post(`/api/${name}`, question, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const each of lines) if (each) line(JSON.parse(each));
  }
}

/** The latest request of a kind. A new request aborts the one before it. */
export class Latest {
  #controller = null;

  signal() {
    this.#controller?.abort();
    this.#controller = new AbortController();
    return this.#controller.signal;
  }

  stop() { this.#controller?.abort(); }
}
