// Search: what is asked is in the URL; texts become markup here, by the marks of each snippet.
import { fetchJson, make } from "./tile.js";

const form = document.getElementById("search");
const list = document.getElementById("results");
const count = document.getElementById("count");
const problem = document.getElementById("search-problem");
const more = document.getElementById("more");
const names = ["q", "kind", "platform", "account", "sentiment", "range", "sort"];
const nothing = "Type what you look for, and press Enter.";
const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
let generation = 0;
let next = null;
let running = null;

const state = () => new URLSearchParams(location.search);

function fill() {
  const now = state();
  for (const name of names) {
    const control = form.elements[name];
    control.value = now.get(name) ?? "";
    if (control.options && control.selectedIndex < 0) control.selectedIndex = 0;
  }
}

function asked() {
  const query = new URLSearchParams();
  for (const name of names) {
    const value = form.elements[name].value.trim();
    if (value && !(name === "sort" && value === "relevance")) query.set(name, value);
  }
  return query;
}

// The URL of what the form says; equal questions have one entry in the history.
function go() {
  const query = asked().toString();
  if (query !== state().toString()) history.pushState(null, "", query ? `?${query}` : location.pathname);
  load();
}

async function load(cursor = null) {
  const mine = ++generation;
  running?.abort();
  running = new AbortController();
  problem.textContent = "";
  const query = asked();
  document.title = query.has("q") ? `${query.get("q")} · Search · social-assets` : "Search · social-assets";
  if (!query.has("q")) {
    show([], null);
    count.textContent = nothing;
    return;
  }
  if (cursor) query.set("cursor", cursor);
  list.setAttribute("aria-busy", "true");
  if (!cursor) count.textContent = "Searching…";
  try {
    const answer = await fetchJson(`/api/v1/search?${query}`, { signal: running.signal });
    if (mine !== generation) return;
    show(answer.results, answer.next, cursor !== null);
    count.textContent = told(answer);
  } catch (error) {
    if (mine !== generation || error.name === "AbortError") return;
    if (!cursor) show([], null);
    count.textContent = "";
    problem.textContent = error.message;
  } finally {
    if (mine === generation) {
      list.removeAttribute("aria-busy");
      document.body.dataset.loads = String(Number(document.body.dataset.loads ?? 0) + 1);
    }
  }
}

function told(answer) {
  if (!answer.total) return "Nothing is found. Use fewer words, a longer range, or begin* for words that begin so.";
  const total = `${answer.is_total_exact ? "" : "More than "}${answer.total.toLocaleString()}`;
  const ranked = answer.ranked ? ` The newest ${answer.ranked.toLocaleString()} of them are ordered.` : "";
  return [`${total} ${answer.total === 1 ? "match" : "matches"}.${ranked}`, ...answer.notes].join(" ");
}

function show(results, following, isMore = false) {
  const made = results.map(result);
  if (isMore) list.append(...made);
  else list.replaceChildren(...made);
  if (isMore) made[0]?.querySelector("a")?.focus();
  next = following;
  more.hidden = following === null;
}

function result(found) {
  const at = make("time", { dateTime: found.written_at }, `${when.format(new Date(found.written_at))} UTC`);
  const link = make("a", { href: `/dashboards/post_detail?f.post=${encodeURIComponent(found.post_id)}` },
    found.kind === "post" ? "Post" : "Comment on a post");
  const head = make("p", { className: "from" }, link, ` · ${found.platform}:${found.account_id} · `, at);
  if (found.sentiment_label) {
    head.append(" · ", make("span", { className: `feeling ${found.sentiment_label}` }, found.sentiment_label));
  }
  if (found.engagement !== null) {
    head.append(` · ${found.engagement.toLocaleString()} reactions`);
  }
  return make("li", {}, head, make("p", { className: "found", dir: "auto" }, ...parts(found.snippet)));
}

// Marks count characters as Unicode does; JavaScript counts some of them as two.
function parts(snippet) {
  const characters = Array.from(snippet.text);
  const text = (from, to) => characters.slice(from, to).join("");
  const made = [snippet.is_cut_before ? "… " : ""];
  let place = 0;
  for (const [begin, end] of snippet.marks) {
    made.push(text(place, begin), make("mark", {}, text(begin, end)));
    place = end;
  }
  made.push(text(place), snippet.is_cut_after ? " …" : "");
  return made;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  go();
});
form.addEventListener("change", (event) => {
  if (event.target.name !== "q") go();
});
more.addEventListener("click", () => next && load(next));
window.addEventListener("popstate", () => {
  fill();
  load();
});

fill();
if (!form.elements.q.value) form.elements.q.focus();
load();
fetchJson("/api/v1/accounts?limit=200").then(({ accounts }) => {
  const options = accounts.map((each) => make("option", { value: `${each.platform}:${each.account_id}` }));
  document.getElementById("accounts").replaceChildren(...options);
}).catch(() => {}); // Accounts are only suggested: any may be typed.
