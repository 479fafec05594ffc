// Ids that answers have brought, for the variables of later operations.
"use strict";

/** What GraphiQL and this page keep: gone when the tab of the browser is closed. */
const storage = sessionStorage;

/** The ready operations as the server has them: query, variables, and what each provides. */
const operations = JSON.parse(document.getElementById("operations").textContent);

const ids = {
  // The present value of each name, and all that were ever filled in: those may be replaced, others are the reader's.
  ...(JSON.parse(storage.getItem("amarevents:ids")) ?? { known: {}, filled: {} }),
  listeners: new Set(),

  /** Take from the answer of a ready operation what it provides; a value that is not there is null. */
  learn(operationName, data) {
    const named = new RegExp(`^(query|mutation) ${operationName}\\b`, "m");
    const ready = operations.find(({ query }) => named.test(query));
    if (!ready) return;
    const values = Object.entries(ready.provides).map(([name, path]) => [name, valueAt(data, path)]);
    this._change({ ...this.known, ...Object.fromEntries(values) });
  },

  /** Somebody else is asking from now on. */
  forget() {
    this._change({});
  },

  /** The variables with what is known in place of "" and of earlier values; the same text if that is nothing. */
  fillIn(text) {
    let changed = false;
    const replace = (name, value) => {
      if (!(name in this.known) || value === this.known[name]) return value;
      const filled = (this.filled[name] ??= []);
      if (value !== "" && !filled.includes(value)) return value;
      filled.push(this.known[name]);
      changed = true;
      return this.known[name];
    };
    const variables = parsed(text, replace);
    if (!changed) return text;
    this._store();
    return JSON.stringify(variables, null, 2);
  },

  subscribe(listener) {
    ids.listeners.add(listener);
    return () => ids.listeners.delete(listener);
  },

  _change(known) {
    this.known = known;
    this._store();
    this.listeners.forEach((listener) => listener());
  },

  _store() {
    storage.setItem("amarevents:ids", JSON.stringify({ known: this.known, filled: this.filled }));
  },
};

function valueAt(data, path) {
  return path.split(".").reduce((value, name) => value?.[name], data) ?? null;
}

/** Undefined for what is no JSON: somebody is typing. */
function parsed(text, replace) {
  try {
    return JSON.parse(text, replace);
  } catch {
    return undefined;
  }
}
