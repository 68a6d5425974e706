// The rule table as text, and the plan that results from it.

import { $, calm, download, make, replace } from "/page.js";
import { state, change } from "/state.js";
import { Latest, ask } from "/service.js";

let onPlan = () => {}, plan = null;
/** The text of the chosen preset. */
let original = "";
const latest = new Latest();

export function begin(overview, shown) {
  onPlan = shown;
  $("table").replaceChildren(make("option", { value: "" }, "recommended"), ...overview.tables.map(name => make("option", { value: name }, name)));
  $("table").addEventListener("change", () => change({ table: $("table").value, rules: "" }));
  $("reset").addEventListener("click", () => { change({ rules: "" }); showPlan(); });
  $("save-rules").addEventListener("click", () => download(new Blob([$("yaml").value], { type: "text/yaml" }), "rules.yaml"));
  $("yaml").addEventListener("input", calm(250, typed));
  $("plan-find").addEventListener("input", filter);
}

function question(rules) {
  const asked = { model: state.model, fit: state.fit };
  if (rules) asked.rules = rules;
  else if (state.table) asked.table = state.table;
  return asked;
}

async function typed() {
  const text = $("yaml").value;
  if (text === (state.rules || original)) { clear(); return; }
  try {
    const found = await ask("plan", question(text === original ? "" : text), latest.signal());
    clear();
    put(found, false);
    if (!found.objection) change({ rules: text === original ? "" : text });
    $("edited").hidden = !state.rules;
  } catch (error) { if (error.name !== "AbortError") complain(error); }
}

function clear() {
  $("mistake").hidden = true;
  $("yaml").classList.remove("wrong");
}

function complain(error) {
  $("mistake").textContent = error.message.replace(/^rules:(\d+):(\d+): /, "Line $1, column $2: ");
  $("mistake").hidden = false;
  $("yaml").classList.add("wrong");
  $("mistake").dataset.line = error.line ?? "";
  $("mistake").dataset.column = error.column ?? "";
}

/** Requests and shows the plan of the chosen table. */
export async function showPlan() {
  $("table").value = state.table;
  try {
    const found = await ask("plan", question(state.rules), latest.signal());
    clear();
    if (!state.rules) original = found.yaml ?? "";
    put(found, document.activeElement !== $("yaml"));
  } catch (error) {
    if (error.name === "AbortError") return;
    if (state.rules) $("yaml").value = state.rules;
    complain(error);
  }
}

function put(found, writes) {
  plan = found;
  $("edited").hidden = !state.rules;
  if (writes) $("yaml").value = state.rules || found.yaml || "";
  $("objection").textContent = [found.objection, ...found.warnings].filter(Boolean).join(" ");
  const body = $("plan").tBodies[0];
  replace(body, ...found.rows.map(row => make("tr", {},
    make("td", {}, make("button", { type: "button", onclick: () => why(row), title: "Why this rule?", className: "why" }, row.node)), make("td", {}, row.kind), make("td", {}, row.rule ?? "–"),
    make("td", {}, row.rule ? String(row.row ?? "built in") : ""))));
  filter();
  onPlan(found);
}

function why(row) {
  $("reason").textContent = row.reason;
  $("reason").hidden = false;
}

function filter() {
  const words = $("plan-find").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const line of $("plan").tBodies[0].rows) line.hidden = !words.every(word => line.textContent.toLowerCase().includes(word));
}
