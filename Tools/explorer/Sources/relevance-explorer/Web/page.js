// Helpers for elements of the page.

export const $ = id => document.getElementById(id);

/** Creates an element: `make("p", { className: "hint" }, "text", otherElement)`. Text is never parsed as HTML. */
export function make(name, properties = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("aria-") || key === "role" || key === "for") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...content.filter(each => each !== null && each !== undefined));
  return made;
}

/** Replaces the children of an element. The focus stays on the child with the same `data-key`. */
export function replace(host, ...content) {
  const key = host.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  host.replaceChildren(...content);
  if (key !== undefined) host.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

/** A number with four significant digits and a typographic minus sign. */
export function text(value) {
  if (typeof value !== "number") return String(value);
  if (!Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(4));
  return String(Math.abs(rounded) < 1e-4 && rounded !== 0 ? rounded.toExponential(2) : rounded).replace("-", "−");
}

export const sentence = words => words && words[0].toUpperCase() + words.slice(1) + (/[.!?]$/.test(words) ? "" : ".");

export const percent = share => `${(100 * share).toFixed(share >= 0.9995 || Math.abs(share) < 0.1 ? 2 : 1)} %`.replace("-", "−");

/** The first name of a class, without its synonyms and its index. */
export const shortTitle = title => title.replace(/ \(class \d+\)/, "").split(",")[0];

export function download(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** Debounces a function: calls it when `wait` milliseconds have passed without another call. */
export function calm(wait, action) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), wait);
  };
}

/** Tabs that work with the mouse and with the arrow keys, as the ARIA Authoring Practices Guide describes. */
export function tabs(list, onShow) {
  const all = [...list.querySelectorAll("[role=tab]")];
  function show(tab, focus) {
    for (const each of all) {
      const isShown = each === tab;
      each.setAttribute("aria-selected", isShown);
      each.tabIndex = isShown ? 0 : -1;
      $(each.getAttribute("aria-controls")).hidden = !isShown;
    }
    if (focus) tab.focus();
    onShow(tab.id);
  }
  for (const tab of all) {
    tab.addEventListener("click", () => show(tab, false));
    tab.addEventListener("keydown", event => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) show(all[(all.indexOf(tab) + step + all.length) % all.length], true);
    });
  }
  return id => show($(id), false);
}
