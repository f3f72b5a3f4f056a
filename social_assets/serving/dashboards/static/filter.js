// A filter of the page: a list of members with a search field, loaded when it is opened.
import { make } from "./tile.js";

export class Filter {
  constructor(element, { options, onChange }) {
    this.element = element;
    this.dimension = element.dataset.dimension;
    this.isSingle = element.dataset.kind === "single";
    this.values = [];
    this.options = options;
    this.onChange = onChange;
    this.list = element.querySelector(".list");
    this.find = element.querySelector("input[type=search]");
    element.addEventListener("toggle", () => element.open && this.open());
    this.find.addEventListener("input", () => this.narrow());
    element.querySelector(".clear").hidden = this.isSingle;
    element.querySelector(".clear").addEventListener("click", () => this.onChange(this.dimension, []));
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      element.open = false;
      element.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => {
      if (element.open && !element.contains(event.target)) element.open = false;
    });
  }

  set(values) {
    this.values = values;
    const chosen = this.element.querySelector(".chosen");
    const all = this.isSingle ? "choose" : "all";
    chosen.textContent = values.length > 2 ? `${values.length} chosen` : values.join(", ") || all;
    for (const box of this.list.querySelectorAll("input")) box.checked = values.includes(box.value);
  }

  async chooseFirst(choose, otherwise) {
    try {
      const [first] = await this.options(this.dimension);
      if (first) choose(first.value);
      else otherwise();
    } catch (error) {
      otherwise();
    }
  }

  async open() {
    for (const other of document.querySelectorAll("details.filter[open]")) {
      if (other !== this.element) other.open = false;
    }
    try {
      const options = await this.options(this.dimension);
      const known = new Set(options.map((option) => option.value));
      for (const value of this.values) if (!known.has(value)) options.unshift({ value, text: value });
      this.list.replaceChildren(...options.map((option) => this.choice(option)));
      this.find.closest("label").hidden = options.length <= 10;
      if (!options.length) this.list.replaceChildren("No members in this range. Choose a longer one.");
      this.narrow();
    } catch (error) {
      this.list.replaceChildren(error.message);
    }
  }

  choice({ value, text }) {
    const box = make("input", {
      type: this.isSingle ? "radio" : "checkbox",
      name: `choice-${this.dimension}`,
      value,
      checked: this.values.includes(value),
    });
    box.addEventListener("change", () => {
      const chosen = [...this.list.querySelectorAll("input:checked")].map((each) => each.value);
      this.onChange(this.dimension, chosen);
    });
    return make("label", {}, box, ` ${text}`);
  }

  narrow() {
    const wanted = this.find.value.trim().toLowerCase();
    for (const label of this.list.querySelectorAll("label")) {
      label.hidden = wanted !== "" && !label.textContent.toLowerCase().includes(wanted);
    }
  }
}
