extension ExplanationPage {
  /// The style sheet of the page.
  static let style = #"""
    :root {
      color-scheme: light dark;
      --paper: #fdfdfc; --card: #fff; --ink: #1d2125; --quiet: #596069; --line: #d5d9de;
      --accent: #0b5cad; --band: #f1f3f5;
      --arrives: #8f99a5; --bias: #e69f00; --stabilizer: #56b4e9; --zeroDenominator: #d55e00; --decision: #8f6f4f; --rule: #cc79a7;
      --condition: #332288; --clipped: #009e73; --rounding: #7a7a7a;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #15181b; --card: #1d2125; --ink: #e9ecef; --quiet: #a5adb6; --line: #3a4149; --accent: #7db8f5;
        --band: #262b31; --arrives: #76818d;
      }
    }
    * { box-sizing: border-box; }
    body { margin: 0 auto; max-width: 80rem; padding: 1.5rem clamp(.75rem, 3vw, 2rem) 4rem; background: var(--paper);
      color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
    h1 { font-size: clamp(1.4rem, 4vw, 1.9rem); line-height: 1.2; margin: 0 0 .25rem; }
    h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
    h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
    p { margin: .5rem 0; max-width: 70ch; }
    nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; list-style: none; margin: .75rem 0 0; padding: 0; }
    a { color: var(--accent); }
    .quiet, figcaption p { color: var(--quiet); font-size: .875rem; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
    html:not(.scripted) .scripted-only, .scripted .static-only, [hidden] { display: none !important; }

    .decision { display: grid; grid-template-columns: minmax(0, 20rem) minmax(0, 1fr); gap: 1.5rem; align-items: start; }
    .decision figure { margin: 0; }
    .decision img { display: block; width: 100%; height: auto; border: 1px solid var(--line); }
    .warnings { border-left: .3rem solid #e69f00; background: var(--band); margin: 1rem 0;
      padding: .5rem .5rem .5rem 2rem; }
    table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
    caption { text-align: left; color: var(--quiet); font-size: .875rem; padding-bottom: .25rem; }
    th { text-align: left; font-weight: 600; }
    .decision th[scope=row], figcaption, h1, h3, h4 { overflow-wrap: anywhere; }
    th, td { padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
    .number { text-align: right; white-space: nowrap; }
    .share { width: 35%; vertical-align: middle; }
    .share span { display: block; height: .7rem; background: var(--accent); border-radius: 2px; min-width: 1px; }

    .controls { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .5rem 1.5rem;
      padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--card); }
    fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem .9rem; align-items: center;
      min-width: 0; }
    legend { float: left; font-weight: 600; margin-right: .9rem; padding: 0; }
    label { display: inline-flex; align-items: center; gap: .35rem; }
    input, select { font: inherit; color: inherit; accent-color: var(--accent); }
    select, input[type=search], input[type=number] { background: var(--card); border: 1px solid var(--quiet);
      border-radius: .3rem; padding: .2rem .4rem; max-width: 100%; }
    input[type=number] { width: 7rem; }
    input[type=range] { width: 9rem; }

    .maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1rem; }
    .map { margin: 0; padding: .75rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--card);
      max-width: 28rem; min-width: 0; }
    .map h4 { margin: 0 0 .4rem; font-size: .95rem; font-weight: 600; }
    .view { display: block; width: 100%; height: auto; image-rendering: pixelated;
      border: 1px solid var(--line); background: #fff; }
    .bar { margin-top: .5rem; }
    .bar canvas { display: block; width: 100%; height: .8rem; border: 1px solid var(--line); }
    .bar div { display: flex; justify-content: space-between; font-size: .8rem; font-variant-numeric: tabular-nums; }
    figcaption p { margin: .25rem 0 0; }
    .choose { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin: .5rem 0 1rem; align-items: center; }
    .choose label { max-width: 100%; min-width: 0; }
    .choose select { min-width: 0; flex: 1 1 auto; text-overflow: ellipsis; }
    output { font-variant-numeric: tabular-nums; }

    .scroll { overflow: auto; max-height: 32rem; border: 1px solid var(--line); border-radius: .4rem;
      background: var(--card); }
    .scroll table { min-width: 34rem; }
    .scroll th, .scroll td { padding: .2rem .6rem; }
    .scroll thead th { position: sticky; top: 0; background: var(--band); z-index: 1; }
    .scroll thead th { white-space: nowrap; }
    .scroll th[scope=row] { font-weight: 400; }
    .flow { width: 40%; min-width: 9rem; }
    .track { position: relative; height: .55rem; margin: .25rem 0 .1rem; }
    .track.losses { height: .4rem; margin: 0 0 .25rem; }
    .track i { position: absolute; top: 0; bottom: 0; min-width: 1px; }
    .track .axis { background: var(--ink); width: 1px; top: -.2rem; bottom: -.2rem; }
    .legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; list-style: none; padding: 0; margin: .5rem 0;
      font-size: .875rem; }
    .legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; border-radius: 2px;
      vertical-align: -.05rem; }
    pre { overflow: auto; padding: .6rem .75rem; background: var(--band); border-radius: .4rem; font-size: .85rem;
      white-space: pre-wrap; overflow-wrap: anywhere; }
    dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1rem; margin: .5rem 0; }
    dt { font-weight: 600; }
    dd { margin: 0; overflow-wrap: anywhere; }
    @media (max-width: 45rem) {
      .decision { grid-template-columns: minmax(0, 1fr); }
      .controls { position: static; }
      .share { width: 20%; }
      .ledger table { min-width: 30rem; }
      .ledger :is(th, td):nth-child(2) { display: none; }
    }
    @media print { .controls, .choose, nav { display: none; } .scroll { max-height: none; overflow: visible; } }
    """#
}
