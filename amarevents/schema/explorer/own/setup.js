// Runs before GraphiQL. The Content-Security-Policy forbids style elements without the page's nonce, and the dialogs of
// GraphiQL create such elements.
"use strict";

{
  const { nonce } = document.currentScript;
  const createElement = document.createElement;
  document.createElement = function (name, ...options) {
    const element = createElement.call(this, name, ...options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
  };
}
