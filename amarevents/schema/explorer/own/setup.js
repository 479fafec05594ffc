// Before the library: the page's policy forbids style elements without its nonce, and the library's dialogs write one.
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
