// All that the page shows follows from this, and all of it is in the address behind the number sign.

const initial = {
  model: "", image: "", fit: "crop", target: "", against: "", methods: ["lrp"], strength: 1, opacity: 90, view: "overlay", scale: "own",
  table: "", rules: "", fill: "mean", strokes: [], node: "", channel: null, pixel: null, unit: "", tab: "tab-layers",
};

export const state = structuredClone(initial);

/** What holds where the address says nothing. */
export function setInitial(fields) { Object.assign(initial, fields); }

const listeners = [];

/** Calls `listener(changed)` with the names of fields that have changed. */
export function onChange(listener) { listeners.push(listener); }

const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Changes fields, writes the address, and tells the listeners. Small steps, as those of a slider, leave no history; `silent` ones tell nobody. */
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

/** Reads an address; what it does not say is as at the beginning. Whatever cannot be read is left out. */
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
    } catch { /* as at the beginning */ }
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
