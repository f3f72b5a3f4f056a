// One tile: asks for its data, and shows chart, number, table, or what is wrong and what to do.
import { draw, dark } from "./draw.js";

export class Tile {
  constructor(element, { parameters, onDrill }) {
    this.element = element;
    this.body = element.querySelector(".body");
    this.problem = element.querySelector(".problem");
    this.parameters = parameters;
    this.onDrill = onDrill;
    this.isTable = false;
    this.generation = 0;
    const toTable = element.querySelector(".to-table");
    toTable?.addEventListener("click", () => {
      this.isTable = !this.isTable;
      toTable.setAttribute("aria-pressed", String(this.isTable));
      this.show();
    });
    let width = 0;
    new ResizeObserver(([entry]) => {
      const now = Math.round(entry.contentRect.width);
      if (width && now !== width) {
        clearTimeout(this.resizing);
        this.resizing = setTimeout(() => this.show(), 150);
      }
      width = now;
    }).observe(this.body);
    dark.addEventListener("change", () => this.show());
  }

  url(more = {}) {
    const parameters = new URLSearchParams(this.parameters());
    for (const [name, value] of Object.entries(more)) parameters.set(name, value);
    return `${this.element.dataset.url}&${parameters}`.replace("?&", "?");
  }

  async load() {
    const generation = ++this.generation;
    this.element.setAttribute("aria-busy", "true");
    this.element.querySelector("a.csv")?.setAttribute("href", this.url({ format: "csv" }));
    this.aborted?.abort();
    this.aborted = new AbortController();
    try {
      const document_ = await fetchJson(this.url(), { signal: this.aborted.signal });
      if (generation !== this.generation) return;
      this.problem.replaceChildren();
      const isSame = this.shown && figures(document_) === figures(this.shown);
      this.shown = document_;
      this.about();
      if (!isSame) await this.show();
    } catch (error) {
      if (error.name === "AbortError" || generation !== this.generation) return;
      this.fail(error);
    } finally {
      if (generation === this.generation) this.element.setAttribute("aria-busy", "false");
    }
  }

  fail(error) {
    const retry = make("button", { type: "button", className: "button" }, "Try again");
    retry.addEventListener("click", () => this.load());
    const old = this.shown ? " The figures shown are older." : "";
    if (!this.shown) this.body.replaceChildren();
    this.problem.replaceChildren(`${error.message}${old} `, retry);
  }

  async show() {
    const shown = this.shown;
    if (!shown) return;
    try {
      if (shown.is_empty) {
        this.body.replaceChildren(make("p", { className: "empty" }, shown.empty));
      } else if (shown.chart === "number") {
        await this.showNumber(shown);
      } else if (shown.chart === "table" || this.isTable || !shown.spec) {
        this.body.replaceChildren(this.table(shown));
      } else {
        await this.draw(this.body, shown.spec);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  async draw(host, spec) {
    const width = Math.max(140, Math.floor(this.body.clientWidth));
    const drill = this.element.dataset.drill && this.onDrill;
    const onClick = drill ? (datum) => this.drill(datum) : null;
    const before = this.chart;
    const grows = ["line", "stack", "columns", "heat_map"].includes(this.shown.chart);
    const height = grows ? Math.max(spec.height, Math.floor(this.body.clientHeight)) : spec.height;
    this.height = grows ? height : Infinity;
    this.chart = await draw(host, { ...spec, height }, width, onClick);
    before?.finalize();
    const svg = host.querySelector("svg");
    // One image with one sentence; the table has every number.
    svg?.setAttribute("role", "img");
    svg?.setAttribute("aria-label", spec.description);
    for (const part of svg?.querySelectorAll("[role][aria-label], [aria-roledescription]") ?? []) {
      for (const name of ["role", "aria-label", "aria-roledescription"]) part.removeAttribute(name);
    }
    for (const part of host.querySelectorAll('[role="graphics-document"]')) {
      part.removeAttribute("role");
      part.removeAttribute("aria-roledescription");
      part.removeAttribute("aria-label");
    }
  }

  // Fill the room that a taller tile beside this one has made.
  fill() {
    if (this.shown?.spec && !this.isTable && this.body.clientHeight > this.height + 12) this.show();
  }

  async showNumber(shown) {
    const number = shown.number;
    const parts = [make("p", { className: "value", title: number.full }, number.text)];
    if (number.change || number.before) {
      const line = make("p", { className: "against" });
      if (number.change) {
        const arrow = { up: "▲ ", down: "▼ " }[number.arrow] ?? "";
        line.append(make("span", { className: `change ${number.mood}` }, arrow + number.change), " ");
      }
      line.append(make("span", {}, number.before));
      parts.push(line);
    }
    const spark = make("div", { className: "spark" });
    if (shown.spec) await this.draw(spark, shown.spec);
    this.body.replaceChildren(...parts, spark);
  }

  table(shown) {
    const table = make("table");
    table.append(make("caption", { className: "unseen" }, shown.title));
    const head = table.createTHead().insertRow();
    for (const column of shown.table.columns) {
      const cell = make("th", { scope: "col", className: column.is_number ? "n" : "" }, column.title);
      head.append(cell);
    }
    const canDrill = this.onDrill && this.element.dataset.drill && shown.drill_by.length > 0;
    if (canDrill) head.append(make("th", { scope: "col" }, make("span", { className: "unseen" }, "Details")));
    const rows = table.createTBody();
    shown.table.rows.forEach((texts, place) => {
      const row = rows.insertRow();
      texts.forEach((text, n) => {
        const isNumber = shown.table.columns[n].is_number;
        const isLong = !isNumber && text.length > 60;
        row.append(make("td", { className: isNumber ? "n" : isLong ? "long" : "" }, text));
      });
      if (!canDrill) return;
      const names = shown.table.groups[place];
      const what = this.element.dataset.drill.replace("_", " ");
      const label = `List each ${what} of ${names.join(", ")}`;
      const button = make("button", { type: "button", className: "icon" }, `${what}s`.replace("ys", "ies"));
      button.setAttribute("aria-label", label);
      button.addEventListener("click", () => this.drill({ group: names[0], group_2: names[1] }));
      row.append(make("td", { className: "n" }, button));
    });
    const scroll = make("div", { className: "scroll", tabIndex: 0 }, table);
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", `${shown.title}, table`);
    return scroll;
  }

  drill(datum) {
    const [first, second] = this.shown.drill_by;
    const chosen = [];
    for (const [dimension, group] of [[first, datum.group], [second, datum.group_2]]) {
      if (dimension && group !== undefined && group !== "others") chosen.push([dimension, String(group)]);
    }
    if (chosen.length) this.onDrill(this, chosen);
  }

  about() {
    const about = this.shown.about;
    const box = this.element.querySelector(".about-text");
    if (!box) return;
    const list = make("dl");
    const say = (name, text) => {
      if (text) list.append(make("dt", {}, name), make("dd", {}, text));
    };
    for (const metric of about.metrics) {
      say(metric.title, metric.description);
      say("Formula", metric.formula);
      say("Denominator", metric.denominator);
      say("Source", metric.source);
      say("Sums", metric.additivity);
    }
    say("Note", about.note);
    for (const note of about.notes ?? []) say("Note", note);
    say("Range", about.range);
    say("Time zone", about.zone);
    say("Tables", about.tables.join(", "));
    say("Rows read", about.rows_read && `${about.rows_read} in ${about.seconds} s`);
    say("Newest event", about.newest);
    say("Complete until", about.complete_until);
    say("Invariants", about.invariants?.text);
    say("Read at", about.read_at);
    box.replaceChildren(list);
    this.mark(about.invariants);
  }

  // Whether nothing was lost or doubled on the days shown; tiles of the platform itself have no mark.
  mark(invariants) {
    const mark = this.element.querySelector(".mark");
    mark.hidden = !invariants;
    if (!invariants) return;
    const signs = { hold: "✓", broken: "⚠ broken days", not_checked: "?" };
    const sentence = `Invariants: ${invariants.text}`;
    mark.className = `mark ${invariants.state}`;
    mark.textContent = signs[invariants.state];
    mark.title = sentence;
    mark.setAttribute("aria-label", sentence);
  }
}

// What is shown; the moment of reading is not part of it.
function figures(shown) {
  return JSON.stringify([shown.table, shown.number, shown.spec, shown.empty]);
}

export async function fetchJson(url, options = {}) {
  let answer;
  try {
    answer = await fetch(url, { headers: { Accept: "application/json" }, ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer. Start it with `social-assets serve`.");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  if (answer.status === 401) {
    throw new Error("Your session has ended. Open the address that `social-assets serve --print-url` prints.");
  }
  const problem = await answer.json().catch(() => ({}));
  const detail = problem.detail ?? `The server answers ${answer.status}.`;
  const error = new Error(`${detail}${/[.!?]$/.test(detail) ? "" : "."} ${problem.remedy ?? ""}`.trim());
  error.status = answer.status;
  throw error;
}

export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  Object.assign(element, properties);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
