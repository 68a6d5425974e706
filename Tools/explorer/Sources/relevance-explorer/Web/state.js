// The state of the page. It determines everything that the page shows, and is stored in the fragment of the address.

const initial = {
  model: "", image: "", fit: "crop", target: "", against: "", methods: ["lrp"], strength: 1, opacity: 90, view: "overlay", scale: "own",
  table: "", rules: "", fill: "mean", strokes: [], node: "", channel: null, pixel: null, unit: "", tab: "tab-layers",
};

export const state = structuredClone(initial);

/** Sets defaults for fields that the address does not contain. */
export function setInitial(fields) { Object.assign(initial, fields); }

const listeners = [];

/** Calls `listener(changed)` with the names of the changed fields after each change. */
export function onChange(listener) { listeners.push(listener); }

const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/**
 * Changes fields, updates the address, and calls the listeners. `small` changes, such as those of a slider, add no entry to the history;
 * `silent` changes call no listener.
 */
export function change(fields, { small = false, silent = false } = {}) {
  const changed = new Set();
  for (const [key, value] of Object.entries(fields)) {
    if (equal(state[key], value)) continue;
    state[key] = value;
    changed.add(key);
  }
  if (!changed.size) return;
  const address = "#" + write();
  if (address !== location.hash) history[small || silent ? "replaceState" : "pushState"](null, "", address);
  if (silent) return;
  for (const listener of listeners) listener(changed);
}

export function write() {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(state)) {
    if (equal(value, initial[key])) continue;
    parts.set(key, typeof value === "string" ? value : JSON.stringify(value));
  }
  return parts.toString();
}

/** Parses the fragment of an address. Fields that are missing or malformed have their defaults. */
export function read(hash) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const found = structuredClone(initial);
  for (const [key, value] of parts) {
    if (!(key in initial)) continue;
    if (typeof initial[key] === "string") { found[key] = value; continue; }
    try {
      const parsed = JSON.parse(value);
      const isAlike = initial[key] === null || Array.isArray(initial[key]) === Array.isArray(parsed) && typeof initial[key] === typeof parsed;
      if (isAlike) found[key] = parsed;
    } catch { /* the default */ }
  }
  return found;
}

export function restore(hash) {
  const found = read(hash), changed = new Set();
  for (const key of Object.keys(initial)) {
    if (equal(state[key], found[key])) continue;
    state[key] = found[key];
    changed.add(key);
  }
  if (changed.size) for (const listener of listeners) listener(changed);
}
