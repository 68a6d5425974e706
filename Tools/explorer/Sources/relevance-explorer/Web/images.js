// The image and the class to explain.

import { $, make, percent, replace, shortTitle, text } from "/page.js";
import { state, change } from "/state.js";
import { upload } from "/service.js";
import { mark } from "/maps.js";

let tell = () => {};

/** Lists the images. `problem(message)` shows an error. */
export function begin(overview, problem) {
  tell = problem;
  $("gallery").replaceChildren();
  for (const image of overview.images) add(image, image.replace(/^file:\d+\//, ""));
  const drop = $("drop");
  drop.addEventListener("dragover", event => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", event => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
  drop.addEventListener("keydown", event => { if (event.key === "Enter" || event.key === " ") $("file").click(); });
  $("file").addEventListener("change", () => { take($("file").files[0]); $("file").value = ""; });
  document.addEventListener("paste", event => {
    const file = [...event.clipboardData.files].find(each => each.type.startsWith("image/"));
    if (file) take(file);
  });
}

async function take(file) {
  if (!file) return;
  try {
    const { id } = await upload(file, file.name || "pasted image");
    add(id, file.name || "pasted image", true);
    choose(id);
  } catch (error) { tell(error.message); }
}

function add(id, name, first = false) {
  const button = $("gallery").querySelector(`[data-image="${CSS.escape(id)}"]`) ?? make("button", {
    type: "button", title: name, "aria-pressed": "false", "aria-label": name, onclick: () => choose(id),
  }, make("img", { src: `/api/thumbnail?image=${encodeURIComponent(id)}`, alt: "", loading: "lazy" }));
  button.dataset.image = id;
  $("gallery")[first ? "prepend" : "append"](button);
}

/** Chooses another image, without paint, and by default its top class. */
export function choose(image, target = "") {
  mark(null);
  change({ image, target, against: "", strokes: [], pixel: null, unit: "" });
}

export function markChosen() {
  for (const button of $("gallery").children) button.setAttribute("aria-pressed", button.dataset.image === state.image);
}

/** The class names by index. */
export let names = [];
export function setNames(list) {
  names = list;
  // Browsers handle lists of this length; ImageNet has 1000 classes.
  $("labels").replaceChildren(...list.slice(0, 5000).map((name, index) =>
    make("option", { value: name === null ? String(index) : `${index} ${name}` })));
}

export const titleOf = target => {
  const index = target.startsWith("class:") ? Number(target.slice(6)) : NaN;
  return Number.isInteger(index) ? (names[index] ? shortTitle(names[index]) : `class ${index}`) : target;
};

/** How many classes are listed. */
const SHOWN = 10;

/** Lists the classes. Each row has a button that explains the class and a button that contrasts the chosen class with it. */
export function showScores(scores, before) {
  // The chosen class is listed even if it is not among the top classes.
  const chosen = scores.slice(SHOWN).filter(row => row.target === state.target);
  const rows = [...scores.slice(0, SHOWN), ...chosen].map(row => {
    const main = make("button", {
      type: "button", className: "main", title: row.title, "aria-pressed": String(row.target === state.target),
      onclick: () => change({ target: row.target, against: state.against === row.target ? "" : state.against, unit: "", node: state.node }),
    }, make("span", {}, shortTitle(row.title)));
    const bar = make("i", {});
    bar.style.width = `${100 * (row.probability ?? 0)}%`;
    const was = before?.find(each => each.target === row.target);
    const moved = was && row.probability !== undefined && Math.abs(was.probability - row.probability) >= 5e-4
      ? make("small", {}, `before: ${percent(was.probability)}`) : null;
    main.append(bar, make("span", { className: "number" },
      row.probability === undefined ? text(row.score) : percent(row.probability), moved));
    const versus = make("button", {
      type: "button", title: `Show which pixels support the chosen class more than ${shortTitle(row.title)}`,
      "aria-label": `versus ${shortTitle(row.title)}`, "aria-pressed": String(row.target === state.against),
      disabled: row.target === state.target || !row.target.startsWith("class:") || row.target.includes("@"),
      onclick: () => contrast(row.target),
    }, "vs");
    const line = make("div", { className: "score" }, main, versus);
    main.dataset.key = row.target;
    versus.dataset.key = `vs ${row.target}`;
    return line;
  });
  replace($("scores"), ...rows);
}

/** Contrasts the chosen class with another class, or ends the contrast with it. */
function contrast(target) {
  if (state.against === target) {
    const methods = state.methods.filter(each => each !== "clrp1");
    change({ against: "", methods: methods.length ? methods : ["lrp"] });
  } else {
    change({ against: target, methods: state.methods.includes("clrp1") ? state.methods : [...state.methods, "clrp1"] });
  }
}

export function listenToSearch() {
  const find = $("find");
  const go = () => {
    const wanted = find.value.trim().toLowerCase();
    if (!wanted) return;
    const number = wanted.match(/^\d+/);
    let index = number ? Number(number[0]) : names.findIndex(name => name?.toLowerCase().split(/, */).includes(wanted));
    if (index < 0) index = names.findIndex(name => name?.toLowerCase().includes(wanted));
    if (index < 0) { tell(`No class has the name “${find.value}”.`); return; }
    find.value = "";
    change({ target: `class:${index}`, unit: "" });
  };
  find.addEventListener("change", go);
  find.addEventListener("keydown", event => { if (event.key === "Enter") go(); });
}
