// A dashboard: its range and filters are in the URL, its tiles ask again every minute.
import { Tile, fetchJson, make } from "./tile.js";
import { Filter } from "./filter.js";

const form = document.getElementById("controls");
const grid = document.getElementById("tiles");
const interval = Number(document.body.dataset.refresh) * 1000;
const defaults = { range: grid.dataset.range, grain: grid.dataset.grain, zone: "UTC" };

const zones = form.elements.zone;
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (own && own !== "UTC") zones.append(new Option(own, own));

const state = () => new URLSearchParams(location.search);
const tiles = [...grid.querySelectorAll(".tile")].map(
  (element) => new Tile(element, { parameters: () => asked(), onDrill: drill }),
);
const filters = [...form.querySelectorAll(".filter")].map(
  (element) => new Filter(element, {
    options: (dimension) => fetchJson(grid.dataset.options.replace("{dimension}", dimension) + asked([dimension])),
    onChange: (dimension, values) => change((to) => {
      to.delete(`f.${dimension}`);
      for (const value of values) to.append(`f.${dimension}`, value);
    }),
  }),
);

// The parameters of the page, as the data's URL has them; in one order, so that equal pages are one.
function asked(without = []) {
  const from = state();
  const to = new URLSearchParams();
  for (const name of [...new Set(from.keys())].sort()) {
    if (without.some((dimension) => name === `f.${dimension}`)) continue;
    for (const value of from.getAll(name).sort()) to.append(name, value);
  }
  for (const [name, value] of Object.entries(defaults)) {
    if (name === "range" && (to.has("from") || to.has("to"))) continue;
    if (!to.has(name)) to.set(name, value);
  }
  return to;
}

function change(edit) {
  const to = state();
  edit(to);
  history.pushState(null, "", `${location.pathname}${to.size ? `?${to}` : ""}`);
  follow();
}

// Set the controls as the URL says, and load.
function follow() {
  const now = state();
  const isCustom = now.has("from") || now.has("to");
  const range = isCustom ? "custom" : now.get("range") ?? defaults.range;
  choose(form.elements.range, range);
  form.querySelector(".dates").hidden = !isCustom;
  form.elements.from.value = now.get("from") ?? "";
  form.elements.to.value = now.get("to") ?? "";
  if (form.elements.grain) choose(form.elements.grain, now.get("grain") ?? defaults.grain);
  choose(zones, now.get("zone") ?? "UTC");
  let isWaiting = false;
  for (const filter of filters) {
    filter.set(now.getAll(`f.${filter.dimension}`));
    if (filter.isSingle && !filter.values.length) {
      isWaiting = true;
      filter.chooseFirst((value) => {
        const to = state();
        to.set(`f.${filter.dimension}`, value);
        history.replaceState(null, "", `${location.pathname}?${to}`);
        follow();
      }, load);
    }
  }
  if (!isWaiting) load();
}

function choose(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.append(new Option(value, value));
  select.value = value;
}

async function load() {
  await Promise.all(tiles.map((tile) => tile.load()));
  for (const tile of tiles) tile.fill();
  const time = new Date().toLocaleTimeString([], { hour12: false });
  document.getElementById("updated").textContent = `Updated ${time}`;
  document.body.dataset.loads = String(Number(document.body.dataset.loads ?? 0) + 1);
  schedule();
}

let timer;
let isOverdue = false;
function schedule() {
  clearTimeout(timer);
  isOverdue = false;
  // Spread, so that pages that were opened together do not ask together.
  timer = setTimeout(() => {
    if (document.hidden) isOverdue = true;
    else load();
  }, interval * (0.9 + Math.random() * 0.2));
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && isOverdue) load();
});
addEventListener("popstate", follow);
document.getElementById("refresh").addEventListener("click", load);
form.addEventListener("submit", (event) => event.preventDefault());

form.elements.range.addEventListener("change", () => {
  if (form.elements.range.value === "custom") {
    const today = new Date().toISOString().slice(0, 10);
    const dates = form.querySelector(".dates");
    dates.hidden = false;
    form.elements.to.value ||= today;
    form.elements.from.value ||= new Date(Date.now() - 6 * 86400000).toISOString().slice(0, 10);
    form.elements.from.focus();
    setDates();
    return;
  }
  change((to) => {
    to.delete("from");
    to.delete("to");
    to.set("range", form.elements.range.value);
  });
});
for (const name of ["from", "to"]) form.elements[name].addEventListener("change", setDates);
function setDates() {
  const [from, to_] = [form.elements.from.value, form.elements.to.value];
  if (!from || !to_) return;
  change((to) => {
    to.delete("range");
    to.set("from", from);
    to.set("to", to_);
  });
}
for (const name of ["grain", "zone"]) {
  form.elements[name]?.addEventListener("change", () =>
    change((to) => to.set(name, form.elements[name].value)));
}

// The members behind a group of a chart, such as the posts of a platform.
async function drill(tile, chosen) {
  const dialog = document.getElementById("drill");
  const body = document.getElementById("drill-body");
  const what = tile.element.dataset.drill;
  const plural = what === "community" ? "communities" : `${what.replace("_", " ")}s`;
  const where = chosen.map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", ");
  document.getElementById("drill-title").textContent = `${tile.shown.title}: ${plural} of ${where}`;
  body.replaceChildren(make("p", { className: "loading" }, "Loading…"));
  if (!dialog.open) dialog.showModal();
  const more = Object.fromEntries(chosen.map(([name, value]) => [`d.${name}`, value]));
  try {
    const shown = await fetchJson(tile.url(more));
    if (shown.is_empty) {
      body.replaceChildren(make("p", { className: "empty" }, shown.empty));
      return;
    }
    const table = tile.table.call({ element: { dataset: {} } }, shown);
    if (what === "post") link(table);
    body.replaceChildren(table);
  } catch (error) {
    body.replaceChildren(make("p", { className: "problem" }, error.message));
  }
}

function link(table) {
  for (const row of table.querySelectorAll("tbody tr")) {
    const cell = row.cells[0];
    const to = asked();
    for (const name of [...to.keys()]) if (name.startsWith("f.")) to.delete(name);
    to.set("f.post", cell.textContent);
    cell.replaceChildren(make("a", { href: `/dashboards/post_detail?${to}` }, cell.textContent));
  }
}
document.getElementById("drill-close").addEventListener("click", () => document.getElementById("drill").close());

follow();
