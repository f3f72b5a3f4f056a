// Draws a Vega-Lite specification without eval, in the theme of the reader.
// Belongs here: charts and their tooltip. What is drawn comes from the server.
const assets = document.body.dataset.assets;
export const dark = matchMedia("(prefers-color-scheme: dark)");
let themes;

function ready() {
  if (window.vegaEmbed) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const script = document.getElementById("vega");
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => reject(new Error("the charts' script did not load")));
    // It may have loaded between the test above and this line.
    if (window.vegaEmbed) resolve();
  });
}

async function config() {
  themes ??= fetch(`${assets}/themes.json`).then((answer) => answer.json());
  return (await themes)[dark.matches ? "dark" : "light"];
}

// The old chart stays in place until the new one is complete.
export async function draw(host, spec, width, onClick) {
  const [theme] = await Promise.all([config(), ready()]);
  const holder = document.createElement("div");
  const result = await window.vegaEmbed(
    holder,
    { ...spec, width, config: theme },
    { actions: false, ast: true, renderer: "svg", defaultStyle: false, tooltip: showTip },
  );
  if (onClick) {
    result.view.addEventListener("click", (event, item) => {
      if (item?.datum?.group !== undefined) onClick(item.datum);
    });
  }
  host.replaceChildren(holder);
  return result;
}

function showTip(handler, event, item, value) {
  const tip = document.getElementById("tip");
  if (!tip) return;
  tip.hidden = value === null || value === undefined || value === "";
  if (tip.hidden) return;
  tip.textContent = String(value);
  const box = tip.getBoundingClientRect();
  const left = Math.min(event.clientX + 14, innerWidth - box.width - 8);
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${Math.max(8, event.clientY - box.height - 12)}px`;
}
