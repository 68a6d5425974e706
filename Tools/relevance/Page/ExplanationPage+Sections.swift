import RelevanceKit

/// The sections after the maps: comparison, ledger, rules, and how to reproduce the page.
extension ExplanationPage {
  var comparison: HTML {
    let second = maps.count > 1 ? 1 : 0
    let figures = [("a", "The first map"), ("b", "The second map"), ("difference", "First minus second")].map {
      id, name -> HTML in
      """
      <figure class="map" id="compare-\(id)"><h4>\(name)</h4>
      \(canvas("\(name); arrow keys move the probe", isFocusable: true))
      \(Self.bar)
      <figcaption><p class="words"></p></figcaption></figure>
      """
    }
    return """
      <section aria-labelledby="compare-title" id="compare"><h2 id="compare-title">Two maps and their difference</h2>
      <p class="static-only">The comparison needs the page's script, which does not run here.</p>
      <div class="scripted-only">
      <div class="choose">
      <label>First <select id="first">\(options(selected: 0))</select></label>
      <label>Second <select id="second">\(options(selected: second))</select></label>
      </div>
      <div class="maps">
      \(.joined(figures))
      </div>
      <p id="similarity" aria-live="polite"></p>
      <p><output id="probe"></output></p>
      </div></section>
      """
  }

  private func options(selected: Int, where isOffered: (ShownMap) -> Bool = { _ in true }) -> HTML {
    .joined(
      maps.enumerated().filter { isOffered($0.element) }.map { index, map in
        let choice: HTML = index == selected ? " selected" : ""
        return """
          <option value="\(index)"\(choice)>\(map.explanation.target.title(labels)), \
          \(map.explanation.methodTitle)</option>
          """
      })
  }

  var ledger: HTML {
    guard maps.contains(where: { !$0.explanation.ledger.isEmpty }) else {
      return """
        <section aria-labelledby="ledger"><h2 id="ledger">Ledger</h2>
        <p>None of these methods propagates relevance, so there is no ledger.</p></section>
        """
    }
    return """
      <section aria-labelledby="ledger"><h2 id="ledger">Relevance flow</h2>
      <p>The conservation ledger, from the target to the input. The upper bar is the relevance that arrives at a \
      layer: positive to the right of the line, negative to the left. The lower bar is the relevance that the layer \
      absorbs, by cause. A contrastive method starts with the score of the class and the same score of the alternatives \
      (the dual), with opposite signs, and ends by dropping the negative part.</p>
      <p class="static-only">The chart needs the page's script, which does not run here; report.json has its \
      numbers (--save json).</p>
      <div class="scripted-only">
      <div class="choose">
      <label>Map <select id="ledger-of">\(options(selected: 0) { !$0.explanation.ledger.isEmpty })</select></label>
      <label><input type="checkbox" id="only-losses"> only layers that absorb relevance</label>
      </div>
      <p id="ledger-total" aria-live="polite"></p>
      <ul class="legend" id="ledger-legend" aria-label="Colors"></ul>
      <div class="scroll ledger" tabindex="0" role="region" aria-label="Ledger by layer">
      <table><thead><tr><th scope="col">Layer</th><th scope="col">Rule</th><th scope="col">Relevance</th>\
      <th scope="col" class="number">Arrives</th><th scope="col" class="number">Leaves</th><th \
      scope="col">Absorbed</th>\
      </tr></thead><tbody id="ledger-rows"></tbody></table>
      </div></div></section>
      """
  }

  var planTable: HTML {
    let table = plan.rows(shapes: shapes)
    let heading = table[0].map { "<th scope=\"col\">\($0.capitalized)</th>" as HTML }
    let rows = table.dropFirst().map { row -> HTML in
      let cells = row.dropFirst().map { "<td>\($0)</td>" as HTML }
      return "<tr><th scope=\"row\">\(row[0])</th>\(.joined(cells))</tr>"
    }
    return """
      <section aria-labelledby="plan"><h2 id="plan">Rules by node</h2>
      <p>The first row of the rule table “\(plan.table.name)” that matches a node assigns its rule.</p>
      <div class="choose scripted-only">
      <label>Filter <input type="search" id="plan-filter" placeholder="e.g. conv zplus"></label>
      <output id="plan-count" for="plan-filter"></output>
      </div>
      <div class="scroll" tabindex="0" role="region" aria-label="Rules by node">
      <table><thead><tr>\(.joined(heading))</tr></thead><tbody id="plan-rows">
      \(.joined(rows))
      </tbody></table></div></section>
      """
  }

  var reproduction: HTML {
    let versions = provenance.versions.map { "<dt>\($0.name)</dt><dd>\($0.value)</dd>" as HTML }
    let checksums = (provenance.modelChecksums + [inputChecksum]).joined(separator: "\n")
    return """
      <section aria-labelledby="reproduce"><h2 id="reproduce">How to reproduce this page</h2>
      <p>The command line:</p>
      <pre tabindex="0">\(provenance.command)</pre>
      <dl>
      \(.joined(versions))
      </dl>
      <p>SHA-256 checksums of the model's files and of the input, for <code>sha256sum --check</code>:</p>
      <pre tabindex="0">\(checksums)</pre>
      </section>
      """
  }
}
