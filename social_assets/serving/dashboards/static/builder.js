// Composes a dashboard of metrics, with a live preview of each tile, and saves it.
import { Tile, fetchJson, make } from "./tile.js";

const form = document.getElementById("builder");
const list = document.getElementById("builder-tiles");
const message = document.getElementById("builder-message");
const charts = [
  ["line", "Line over time"], ["bars", "Bars"], ["number", "Single number"], ["table", "Table"],
  ["stack", "Stacked over time"], ["columns", "Columns"], ["heat_map", "Heat map"],
];
const groups = { number: 0, line: 1, stack: 1, bars: 1, columns: 1, heat_map: 2, table: 3 };
const least = { stack: 1, bars: 1, columns: 1, heat_map: 2 };
let metrics = [];
let number = 0;
const parts = [];

class Part {
  constructor(given) {
    this.id = ++number;
    this.element = make("fieldset", { className: "part" });
    this.element.append(make("legend", {}, `Tile ${this.id}`));
    const field = (label, control) => {
      control.id = `${label.toLowerCase().replaceAll(" ", "-")}-${this.id}`;
      const tag = make("label", {}, label);
      tag.htmlFor = control.id;
      return make("p", { className: "field" }, tag, control);
    };
    this.title = make("input", { maxLength: 200, value: given.title ?? "", autocomplete: "off" });
    this.metrics = make("select", { multiple: true, size: 6 });
    for (const subject of new Set(metrics.map((metric) => metric.subject))) {
      const group = make("optgroup", { label: subject });
      for (const metric of metrics.filter((each) => each.subject === subject)) {
        const option = new Option(`${metric.title} (${metric.unit})`, metric.name);
        option.selected = given.metrics?.includes(metric.name) ?? false;
        option.title = metric.description;
        group.append(option);
      }
      this.metrics.append(group);
    }
    this.chart = make("select");
    for (const [value, text] of charts) this.chart.append(new Option(text, value));
    this.chart.value = given.chart ?? "line";
    this.by = [0, 1, 2].map(() => make("select"));
    this.by.forEach((select, n) => { select.wanted = given.by?.[n] ?? ""; });
    this.compare = make("input", { type: "checkbox", checked: given.compare ?? false });
    this.width = make("select");
    for (const [value, text] of [[4, "A third"], [6, "Half"], [8, "Two thirds"], [12, "Whole"]]) {
      this.width.append(new Option(text, String(value)));
    }
    this.width.value = String(given.width ?? 6);
    const remove = make("button", { type: "button", className: "button" }, "Remove this tile");
    remove.addEventListener("click", () => {
      parts.splice(parts.indexOf(this), 1);
      this.element.remove();
      document.getElementById("add").focus();
    });
    const controls = make("div", { className: "part-controls" },
      field("Metrics", this.metrics), field("Chart", this.chart),
      ...this.by.map((select, n) => field(n ? `And by ${n + 1}` : "Divided by", select)),
      field("Title", this.title), field("Width", this.width),
      field("Compare with the period before", this.compare), remove);
    const preview = make("article", { className: "tile preview" });
    preview.setAttribute("aria-label", `Preview of tile ${this.id}`);
    preview.append(make("div", { className: "body" }), make("p", { className: "problem" }));
    this.element.append(controls, preview);
    this.tile = new Tile(preview, { parameters: () => this.query(), onDrill: null });
    preview.dataset.url = "/api/v1/dashboards/composed?";
    for (const control of [this.metrics, this.chart, ...this.by, this.compare, this.title]) {
      control.addEventListener("change", () => this.update());
    }
    list.append(this.element);
    this.update();
  }

  update() {
    const chosen = this.chosen();
    const known = chosen.map((name) => metrics.find((metric) => metric.name === name)?.dimensions ?? []);
    const shared = (known[0] ?? []).filter((name) => known.every((each) => each.includes(name)));
    this.by.forEach((select, n) => {
      const before = select.value || select.wanted;
      select.replaceChildren(new Option("nothing", ""));
      for (const name of shared) select.append(new Option(name.replaceAll("_", " "), name));
      select.value = shared.includes(before) ? before : "";
      select.wanted = "";
      select.closest(".field").hidden = n >= groups[this.chart.value];
    });
    this.compare.closest(".field").hidden = !["number", "line", "bars", "table"].includes(this.chart.value);
    if (!chosen.length) {
      this.tile.shown = null;
      this.tile.body.replaceChildren(make("p", { className: "empty" }, "Choose a metric to see the tile."));
      return;
    }
    const missing = (least[this.chart.value] ?? 0) - this.value().by.length;
    if (missing > 0) {
      this.tile.shown = null;
      const text = `Choose what the chart is divided by: ${missing} more.`;
      this.tile.body.replaceChildren(make("p", { className: "empty" }, text));
      return;
    }
    this.tile.load();
  }

  chosen() {
    return [...this.metrics.selectedOptions].map((option) => option.value);
  }

  value() {
    const by = this.by.filter((_, n) => n < groups[this.chart.value]).map((select) => select.value);
    const isCompared = !this.compare.closest(".field").hidden && this.compare.checked;
    return {
      title: this.title.value, metrics: this.chosen(), chart: this.chart.value,
      by: by.filter(Boolean), compare: isCompared, width: Number(this.width.value),
    };
  }

  query() {
    const { title, metrics: names, chart, by, compare } = this.value();
    const query = new URLSearchParams({ chart });
    if (title) query.set("title", title);
    for (const name of names) query.append("m", name);
    for (const name of by) query.append("by", name);
    if (compare) query.set("compared", "1");
    return query;
  }
}

async function save(isNew) {
  const name = document.getElementById("name");
  if (!name.value.trim()) {
    message.textContent = "Give the dashboard a name.";
    name.focus();
    return;
  }
  const id = isNew ? "" : form.dataset.id;
  const body = JSON.stringify({ title: name.value, dashboard: { tiles: parts.map((part) => part.value()) } });
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  if (id) headers["If-Match"] = `"${form.dataset.version}"`;
  try {
    const url = `/dashboards/saved${id ? `/${id}` : ""}`;
    const saved = await fetchJson(url, { method: id ? "PUT" : "POST", headers, body });
    location.assign(`/dashboards/saved/${saved.id}`);
  } catch (error) {
    message.textContent = `Not saved: ${error.message}`;
    document.getElementById("save-as").hidden = error.status !== 412;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  save(false);
});
document.getElementById("save-as").addEventListener("click", () => save(true));
document.getElementById("add").addEventListener("click", () => {
  const part = new Part({});
  parts.push(part);
  part.metrics.focus();
});
document.getElementById("delete").addEventListener("click", async () => {
  if (!confirm("Delete this dashboard for everybody?")) return;
  try {
    await fetchJson(`/dashboards/saved/${form.dataset.id}`, { method: "DELETE" });
    location.assign("/");
  } catch (error) {
    message.textContent = `Not deleted: ${error.message}`;
  }
});

try {
  metrics = await fetchJson("/api/v1/dashboards/metrics");
  const given = form.dataset.dashboard ? JSON.parse(form.dataset.dashboard).tiles : [{}];
  for (const each of given) parts.push(new Part(each));
} catch (error) {
  message.textContent = error.message;
}
