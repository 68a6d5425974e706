extension ExplanationPage {
  /// The script of the page. It draws maps from their values, as the controls specify.
  static let script = #"""
    "use strict";
    const page = id => document.getElementById(id);
    const data = JSON.parse(page("data").textContent);
    const positions = data.width * data.height;
    document.documentElement.classList.add("scripted");

    // Numbers

    const bytes = base64 => Uint8Array.from(atob(base64), character => character.charCodeAt(0));

    function text(number) {
      const isTiny = number !== 0 && Math.abs(number) < 1e-4;
      return (isTiny ? number.toExponential(2) : String(Number(Number(number).toPrecision(3)))).replaceAll("-", "−");
    }

    function halves(base64, largest) {
      const view = new DataView(bytes(base64).buffer);
      return Float32Array.from({ length: view.byteLength / 2 }, (_, i) => {
        const bits = view.getUint16(2 * i, true), exponent = bits >> 10 & 31, fraction = bits & 1023;
        const size = exponent === 31 ? NaN
          : exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
        return (bits & 0x8000 ? -size : size) * (largest || 1);
      });
    }

    /// The 99.9th percentile of the magnitudes, or the largest magnitude if the percentile is 0.
    function percentile(values) {
      const sizes = values.filter(Number.isFinite).map(Math.abs).sort();
      if (!sizes.length) return 0;
      return sizes[Math.max(1, Math.ceil(sizes.length * 0.999)) - 1] || sizes[sizes.length - 1];
    }

    const maps = data.maps.map(map => ({ ...map, values: halves(map.values, map.largest) }));
    const ramps = Object.fromEntries(Object.entries(data.ramps).map(([name, table]) => [name, bytes(table)]));
    const gray = data.image && bytes(data.image);

    // Colors

    const view = { scale: data.scale, fixed: data.fixed, isOverlay: false, opacity: data.opacity };

    const rampOf = map => map.isSigned ? "diverging" : "sequential";
    const limitOf = map => view.scale === "fixed" ? view.fixed : view.scale === "common" ? map.common : map.own;

    function put(pixels, at, ramp, strength, lift) {
      const table = ramps[ramp];
      // NaN and infinite values are gray.
      if (!Number.isFinite(strength)) { pixels.fill(128, at, at + 3); return 1; }
      const share = Math.max(-1, Math.min(1, strength));
      const vivid = lift ? (share + (share < 0 ? -1 : 1)) / 2 : share;
      const color = (Math.sign(vivid) * Math.round(Math.abs(vivid) * data.steps) + data.steps) * 3;
      for (let i = 0; i < 3; i++) pixels[at + i] = table[color + i];
      return Math.sqrt(Math.abs(share));
    }

    function draw(canvas, values, limit, ramp, overlay) {
      const context = canvas.getContext("2d");
      const image = context.createImageData(data.width, data.height);
      for (let i = 0; i < positions; i++) {
        const strength = Number.isFinite(values[i]) && !(limit > 0) ? 0 : values[i] / limit;
        const opacity = put(image.data, 4 * i, ramp, strength, overlay) * view.opacity;
        if (overlay) for (let c = 4 * i; c < 4 * i + 3; c++)
          image.data[c] = Math.floor(gray[i] * (1 - opacity) + image.data[c] * opacity + 0.5);
        image.data[4 * i + 3] = 255;
      }
      context.putImageData(image, 0, 0);
    }

    /// Draws a bar of all colors, as in maps, or as in overlays on white.
    function drawBar(bar, limit, ramp, overlay) {
      const canvas = bar.querySelector("canvas"), context = canvas.getContext("2d");
      const image = context.createImageData(canvas.width, 1), isSigned = ramp === "diverging";
      for (let x = 0; x < canvas.width; x++) {
        const share = x / (canvas.width - 1);
        const opacity = put(image.data, 4 * x, ramp, isSigned ? 2 * share - 1 : share, overlay) * view.opacity;
        if (overlay) for (let c = 4 * x; c < 4 * x + 3; c++)
          image.data[c] = Math.round(255 * (1 - opacity) + image.data[c] * opacity);
        image.data[4 * x + 3] = 255;
      }
      for (let y = 0; y < canvas.height; y++) context.putImageData(image, 0, y);
      const ticks = isSigned ? [-limit, 0, limit] : [0, limit];
      bar.querySelector("div").replaceChildren(...ticks.map(tick => element("span", text(tick))));
    }

    function words(values, limit, unit, how) {
      // Values are rounded; do not count those that are equal to the limit.
      const clipped = values.reduce((count, value) => count + (Math.abs(value) > limit * 1.0005), 0) / positions;
      return `Full color at |r| = ${text(limit)} (${unit}): ${how}. `
        + `${(clipped * 100).toFixed(2)} % of the pixels exceed it and are clipped.`;
    }

    function howScaled(map) {
      if (view.scale === "fixed") return "as given";
      return "the 99.9th percentile of " + (view.scale === "own" ? "this map's |r|"
        : `|r| over all maps in the unit “${map.unit}”`);
    }

    // The page's parts

    function element(name, content, attributes = {}) {
      const made = document.createElement(name);
      if (content !== undefined) made.textContent = content;
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    }

    function show(figure, values, limit, ramp, unit, how, canOverlay) {
      const overlay = canOverlay && view.isOverlay && gray !== null;
      draw(figure.querySelector(".view.scripted-only"), values, limit, ramp, overlay);
      drawBar(figure.querySelector(".bar"), limit, ramp, overlay);
      figure.querySelector(".words").textContent = words(values, limit, unit, how);
    }

    function showMaps() {
      maps.forEach((map, i) =>
        show(page(`map-${i}`), map.values, limitOf(map), rampOf(map), map.unit, howScaled(map), true));
    }

    const compared = { a: null, b: null, difference: null };

    function showComparison() {
      const [a, b] = [maps[page("first").value], maps[page("second").value]];
      const isSameUnit = a.unit === b.unit;
      // Draw both in the same colors, so that they are comparable.
      const ramp = a.isSigned || b.isSigned ? "diverging" : "sequential";
      const [la, lb] = isSameUnit ? [1, 1] : [limitOf(a) || 1, limitOf(b) || 1];
      const difference = a.values.map((value, i) => value / la - b.values[i] / lb);
      compared.a = a.values; compared.b = b.values; compared.difference = difference;
      for (const [name, map] of [["a", a], ["b", b]]) {
        page(`compare-${name}`).querySelector("h4").textContent = `${map.target}, ${map.method}`;
        show(page(`compare-${name}`), map.values, limitOf(map), ramp, map.unit, howScaled(map), true);
      }
      const unit = isSameUnit ? a.unit : "each map as a share of its full color, since their units differ";
      show(page("compare-difference"), difference, percentile(difference), "diverging", unit,
        "the 99.9th percentile of the difference", false);
      let dot = 0, aa = 0, bb = 0;
      for (let i = 0; i < positions; i++) {
        dot += a.values[i] * b.values[i]; aa += a.values[i] ** 2; bb += b.values[i] ** 2;
      }
      page("similarity").textContent = aa > 0 && bb > 0
        ? `Cosine similarity of the two maps: ${(dot / Math.sqrt(aa * bb)).toFixed(3).replace("-", "−")}.` : "";
      probe();
    }

    const at = { x: Math.floor(data.width / 2), y: Math.floor(data.height / 2) };

    function probe() {
      const i = at.y * data.width + at.x;
      page("probe").textContent = `Column ${at.x}, row ${at.y}: first ${text(compared.a[i])}, `
        + `second ${text(compared.b[i])}, difference ${text(compared.difference[i])}`;
    }

    function showLedger() {
      const rows = maps[page("ledger-of").value].ledger, onlyLosses = page("only-losses").checked;
      const parts = row => [(row.magnitude + row.arrives) / 2, (row.magnitude - row.arrives) / 2];
      const largest = Math.max(...rows.map(row => row.magnitude), 0) || 1;
      // Hide values in the order of rounding errors.
      const shown = sum => Math.abs(sum) > 1e-6 * largest;
      const amount = sum => shown(sum) ? text(sum) : "0";
      const spans = rows.map(row => {
        const losses = data.causes.map(([cause]) => row.losses[cause] || 0).filter(shown);
        const plus = losses.filter(loss => loss > 0).reduce((a, b) => a + b, 0);
        const minus = losses.filter(loss => loss < 0).reduce((a, b) => a - b, 0);
        return [Math.max(parts(row)[0], plus), Math.max(parts(row)[1], minus)];
      });
      const right = Math.max(...spans.map(span => span[0]), largest * 1e-3);
      const left = Math.max(...spans.map(span => span[1]), 0);
      const width = share => `${100 * share / (left + right)}%`;
      const bar = (from, to, color) => {
        const piece = element("i");
        piece.style.left = width(left + Math.min(from, to));
        piece.style.width = width(Math.abs(to - from));
        piece.style.background = `var(--${color})`;
        return piece;
      };
      const axis = () => {
        const line = element("i", undefined, { class: "axis" });
        line.style.left = width(left);
        return line;
      };
      const used = new Set();
      page("ledger-rows").replaceChildren(...rows.flatMap(row => {
        const losses = data.causes.filter(([cause]) => shown(row.losses[cause] || 0));
        if (onlyLosses && !losses.length) return [];
        const arriving = element("div", undefined, { class: "track" });
        const [plus, minus] = parts(row);
        arriving.append(bar(0, plus, "arrives"), bar(-minus, 0, "arrives"), axis());
        const kept = element("div", undefined, { class: "track losses" });
        let ends = [0, 0];
        for (const [cause] of losses) {
          const loss = row.losses[cause], side = loss < 0 ? 0 : 1;
          kept.append(bar(ends[side], ends[side] + loss, cause));
          ends[side] += loss;
          used.add(cause);
        }
        const flow = element("td", undefined, { class: "flow" });
        flow.append(arriving, kept);
        const causes = losses.map(([cause, name]) => `${name} ${text(row.losses[cause])}`).join(", ");
        const line = element("tr");
        line.append(element("th", row.node, { scope: "row" }), element("td", row.rule), flow,
          element("td", amount(row.arrives), { class: "number" }),
          element("td", amount(row.leaves), { class: "number" }),
          element("td", causes || "–"));
        return [line];
      }));
      const legend = (name, color) => {
        const item = element("li"), patch = element("i");
        patch.style.background = `var(--${color})`;
        item.append(patch, name);
        return item;
      };
      page("ledger-legend").replaceChildren(legend("arrives", "arrives"),
        ...data.causes.filter(([cause]) => used.has(cause))
          .map(([cause, name]) => legend(`absorbed: ${name}`, cause)));
      const total = data.causes.map(([cause, name]) =>
        [name, rows.reduce((sum, row) => sum + (row.losses[cause] || 0), 0)]).filter(([, sum]) => shown(sum));
      page("ledger-total").textContent = `Of ${amount(rows[0].arrives)} at the target, ${amount(rows[rows.length - 1].leaves)} reaches `
        + (total.length ? `the input. Absorbed: ${total.map(([name, sum]) => `${name} ${text(sum)}`).join(", ")}.`
          : "the input. No layer absorbs relevance, except for rounding.");
    }

    function filterPlan() {
      const wanted = page("plan-filter").value.toLowerCase().split(/\s+/).filter(Boolean);
      const rows = [...page("plan-rows").rows];
      for (const row of rows) row.hidden = !wanted.every(word => row.textContent.toLowerCase().includes(word));
      page("plan-count").textContent = `${rows.filter(row => !row.hidden).length} of ${rows.length} nodes`;
    }

    // Controls

    function listen(id, event, action) { if (page(id)) page(id).addEventListener(event, action); }

    function showAll() { showMaps(); showComparison(); }

    for (const choice of document.getElementsByName("scale")) {
      choice.checked = choice.value === view.scale;
      choice.addEventListener("change", () => {
        view.scale = choice.value;
        if (view.scale === "fixed") setFixed();
        showAll();
      });
    }
    function setFixed() {
      const value = Number(page("fixed").value);
      if (value > 0 && Number.isFinite(value)) view.fixed = value;
    }
    page("fixed").value = view.fixed || Number(maps[0].common.toPrecision(2)) || 1;
    view.fixed = Number(page("fixed").value);
    listen("fixed", "input", () => {
      setFixed();
      view.scale = "fixed";
      for (const choice of document.getElementsByName("scale")) choice.checked = choice.value === "fixed";
      showAll();
    });
    function setOverlay(isOverlay) {
      view.isOverlay = isOverlay;
      for (const choice of document.getElementsByName("view"))
        choice.checked = (choice.value === "overlay") === isOverlay;
    }
    for (const choice of document.getElementsByName("view"))
      choice.addEventListener("change", () => { setOverlay(choice.value === "overlay"); showAll(); });
    listen("opacity", "input", () => {
      view.opacity = page("opacity").value / 100;
      page("opacity-value").textContent = `${page("opacity").value} %`;
      setOverlay(true);
      showAll();
    });
    for (const id of ["first", "second"]) listen(id, "change", showComparison);
    listen("ledger-of", "change", showLedger);
    listen("only-losses", "change", showLedger);
    listen("plan-filter", "input", filterPlan);
    for (const canvas of document.querySelectorAll("#compare .view")) {
      canvas.addEventListener("pointermove", event => {
        const box = canvas.getBoundingClientRect();
        const place = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
        at.x = place((event.clientX - box.left) / box.width, data.width);
        at.y = place((event.clientY - box.top) / box.height, data.height);
        probe();
      });
      canvas.addEventListener("keydown", event => {
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!step) return;
        event.preventDefault();
        const length = event.shiftKey ? 10 : 1;
        at.x = Math.max(0, Math.min(data.width - 1, at.x + step[0] * length));
        at.y = Math.max(0, Math.min(data.height - 1, at.y + step[1] * length));
        probe();
      });
    }
    // Browsers may restore earlier choices.
    page("first").value = 0;
    page("second").value = page("second").querySelector("[selected]").value;
    setOverlay(false);
    showAll();
    if (page("ledger-of")) showLedger();
    filterPlan();
    """#
}
