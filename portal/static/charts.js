// Draws every element with data-chart from the Vega-Lite specification in the script it names.
// Expressions are interpreted, so the page needs no 'unsafe-eval'. Without this script the tables
// beside the charts say the same.
"use strict";

(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function theme() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const text = { labelColor: colour("--ink-2"), titleColor: colour("--ink"), labelFontSize: 12, titleFontSize: 12 };
    const mark = { color: colour("--accent") };
    return {
      background: null,
      font: style.getPropertyValue("font-family") || "sans-serif",
      axis: { ...text, gridColor: colour("--line"), domainColor: colour("--line"), tickColor: colour("--line") },
      view: { stroke: null },
      bar: mark, line: mark, point: { ...mark, filled: true }, rule: { color: colour("--bad") },
    };
  }

  async function draw(target) {
    const spec = JSON.parse(document.getElementById(target.dataset.chart).textContent);
    if (target.view) target.view.finalize();
    const compiled = vegaLite.compile(spec, { config: theme() }).spec;
    const runtime = vega.parse(compiled, null, { ast: true });
    target.view = new vega.View(runtime, {
      expr: vegaInterpreter.expression ?? vegaInterpreter.expressionInterpreter,
      renderer: "canvas", container: target, hover: false, logLevel: vega.Warn,
    });
    await target.view.runAsync();
    target.dataset.drawn = "yes";
  }

  const drawAll = () => Promise.all([...document.querySelectorAll("[data-chart]")].map(draw));
  dark.addEventListener("change", drawAll);
  drawAll();
})();
