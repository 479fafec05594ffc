// Ids that answers have brought, for the variables of later operations.
"use strict";

/** What GraphiQL and this page keep: gone when the tab of the browser is closed. */
const storage = sessionStorage;

/** The ready operations as the server has them: query, variables, and what each provides and offers. */
const operations = JSON.parse(document.getElementById("operations").textContent);

/** To the same page in other windows: what one knows is of use in another of the same account. */
const otherWindows = new BroadcastChannel("amarevents");

const ids = {
  // Whose they are; the present value of each name; those of them that give way to any other; and all that were ever
  // filled in: those may be replaced, others are the reader's.
  ...(JSON.parse(storage.getItem("amarevents:ids")) ?? { account: null, known: {}, offered: [], filled: {} }),
  listeners: new Set(),

  /** Whether this window has nothing of another account; it is of this one from then on. */
  belongsTo(account) {
    if (this.account === null) {
      this.account = account;
      this._store();
      otherWindows.postMessage({ account, asks: true });
    }
    return this.account === account;
  },

  /** Take from the answer of a ready operation what it brings. */
  learn(operationName, data) {
    const ready = operations.find((operation) => nameOf(operation) === operationName);
    if (!ready) return;
    this._take(valuesIn(data, ready.provides));
    this.offer(valuesIn(data, ready.offers));
    otherWindows.postMessage({ account: this.account, offers: this.known });
  },

  /** Take what is not known yet, or was an offer itself. */
  offer(values) {
    const isFree = ([name]) => !(name in this.known) || this.offered.includes(name);
    const taken = Object.fromEntries(Object.entries(values).filter(isFree));
    this._take(taken, Object.keys(taken));
  },

  /** The first name for which "" stands still, though an operation brings it; undefined if there is none. */
  missing(variables) {
    return leftOpen(variables).find((name) => bringing(name).length > 0);
  },

  /** The variables with what is known in place of "" and of earlier values; the same text if that is nothing. */
  fillIn(text) {
    let changed = false;
    const replace = (value, name) => {
      if (!(name in this.known) || value === this.known[name]) return value;
      const filled = (this.filled[name] ??= []);
      if (value !== "" && !filled.includes(value)) return value;
      filled.push(this.known[name]);
      changed = true;
      return this.known[name];
    };
    const variables = withEach(parsed(text), replace);
    if (!changed) return text;
    this._store();
    return JSON.stringify(variables, null, 2);
  },

  subscribe(listener) {
    ids.listeners.add(listener);
    return () => ids.listeners.delete(listener);
  },

  _take(values, offered = []) {
    this.known = { ...this.known, ...values };
    this.offered = [...this.offered.filter((name) => !(name in values)), ...offered];
    this._store();
    this.listeners.forEach((listener) => listener());
  },

  _store() {
    const { account, known, offered, filled } = this;
    storage.setItem("amarevents:ids", JSON.stringify({ account, known, offered, filled }));
  },
};

otherWindows.addEventListener("message", ({ data: { account, asks, offers } }) => {
  if (account === null || account !== ids.account) return;
  if (asks) otherWindows.postMessage({ account, offers: ids.known });
  if (offers) ids.offer(offers);
});

function nameOf({ query }) {
  return query.match(/^(?:query|mutation|subscription) (\w+)/m)[1];
}

/** The names of the operations whose answers bring a value of this name. */
function bringing(name) {
  return operations.filter(({ provides, offers }) => name in provides || name in offers).map(nameOf);
}

/** Each name with its value, as far as there is one. */
function valuesIn(data, paths) {
  const found = Object.entries(paths).map(([name, path]) => [name, path.split(".").reduce(step, data)]);
  return Object.fromEntries(found.filter(([, value]) => value));
}

/** Into a field, or into one of a list: the first where a field has that value, or the one with most in a field. */
function step(value, name) {
  const [, field, wanted] = name.match(/^where\((\w+)=(\w+)\)$/) ?? [];
  if (field) return value?.find((one) => String(one[field]) === wanted);
  const [, amount] = name.match(/^most\((\w+)\)$/) ?? [];
  if (amount) return value?.reduce((most, one) => (Number(one[amount]) > Number(most[amount]) ? one : most), value[0]);
  return value?.[name];
}

function leftOpen(value, name) {
  if (value === "") return [name];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, one]) => leftOpen(one, Array.isArray(value) ? name : key));
}

/** The same with each value replaced, for which a list has its own name. */
function withEach(value, replace, name) {
  if (value === null || typeof value !== "object") return replace(value, name);
  if (Array.isArray(value)) return value.map((one) => withEach(one, replace, name));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withEach(one, replace, key)]));
}

/** Undefined for what is no JSON: somebody is typing. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
