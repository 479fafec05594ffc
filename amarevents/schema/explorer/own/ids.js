// Remembers IDs from responses, and fills them into the variables of later operations.
"use strict";

/** The storage of GraphiQL and of this page, which ends when the browser tab is closed. */
const storage = sessionStorage;

/** The example operations from the server, with the variables that each provides and offers. */
const operations = JSON.parse(document.getElementById("operations").textContent);

/** Shares known values with other windows of the same account. */
const otherWindows = new BroadcastChannel("amarevents");

const ids = {
  // The account that the values belong to; the current value of each name; the names whose value is only an offer; and
  // all values that were filled in. Only those may be replaced later; other values were entered by the user.
  ...(JSON.parse(storage.getItem("amarevents:ids")) ?? { account: null, known: {}, offered: [], filled: {} }),
  listeners: new Set(),

  /** Returns whether this window contains no data of another account, and assigns it to this one. */
  belongsTo(account) {
    if (this.account === null) {
      this.account = account;
      this._store();
      // More than once, because another window may be busy or still be starting; known values are never replaced.
      const ask = () => otherWindows.postMessage({ account, asks: true });
      [0, 1000, 5000].forEach((delay) => setTimeout(ask, delay));
    }
    return this.account === account;
  },

  /** Remembers the values in the response to a example operation. */
  learn(operationName, data) {
    const example = operations.find((operation) => nameOf(operation) === operationName);
    if (!example) return;
    this._take(valuesIn(data, example.provides));
    this.offer(valuesIn(data, example.offers));
    otherWindows.postMessage({ account: this.account, offers: this.known });
  },

  /** Remembers values for names that have none yet, or only an offer. */
  offer(values) {
    const isFree = ([name]) => !(name in this.known) || this.offered.includes(name);
    const taken = Object.fromEntries(Object.entries(values).filter(isFree));
    this._take(taken, Object.keys(taken));
  },

  /** Returns the first name that still has the value "" but is provided by an operation; undefined if there is none. */
  missing(variables) {
    return emptyNames(variables).find((name) => operationsProviding(name).length > 0);
  },

  /** Returns the variables with known values in place of "" and of values filled in earlier; the same text if none. */
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
    const variables = mapValues(parseOrUndefined(text), replace);
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

/** Returns the names of the operations whose responses contain a value of this name. */
function operationsProviding(name) {
  return operations.filter(({ provides, offers }) => name in provides || name in offers).map(nameOf);
}

/** Returns the value at each path, without names that have none. */
function valuesIn(data, paths) {
  const found = Object.entries(paths).map(([name, path]) => [name, path.split(".").reduce(step, data)]);
  return Object.fromEntries(found.filter(([, value]) => value));
}

/** Returns the value at one step of a path: a key or index, `where(field=value)`, or `most(field)` of a list. */
function step(value, name) {
  const [, field, wanted] = name.match(/^where\((\w+)=(\w+)\)$/) ?? [];
  if (field) return value?.find((one) => String(one[field]) === wanted);
  const [, amount] = name.match(/^most\((\w+)\)$/) ?? [];
  if (amount) return value?.reduce((most, one) => (Number(one[amount]) > Number(most[amount]) ? one : most), value[0]);
  return value?.[name];
}

function emptyNames(value, name) {
  if (value === "") return [name];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, one]) => emptyNames(one, Array.isArray(value) ? name : key));
}

/** Returns a copy with each scalar replaced by `replace(value, name)`; items of a list have the name of the list. */
function mapValues(value, replace, name) {
  if (value === null || typeof value !== "object") return replace(value, name);
  if (Array.isArray(value)) return value.map((one) => mapValues(one, replace, name));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapValues(one, replace, key)]));
}

/** Returns undefined for invalid JSON, which is normal while the user is typing. */
function parseOrUndefined(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
