// The bar above GraphiQL: who one is, and how to be somebody else.
"use strict";

const bar = Object.fromEntries(
  ["who", "login", "key", "leave", "problem"].map((id) => [id, document.getElementById(id)]),
);

const WHO_AM_I = "query WhoAmI { me { email type admin auth { method keyType } } }";
const SIGN_IN = "mutation SignIn($input: LoginInput!) { login(input: $input) { id } }";
const SIGN_OUT = "mutation SignOut { logout { loggedOut } }";

/** Ask who one is and show it. A key that is not taken is forgotten: without it one may still be signed in. */
async function showIdentity() {
  const { data, errors } = await call({ query: WHO_AM_I, operationName: "WhoAmI" });
  if (data?.me || !credentials.key) {
    show(data?.me, errors?.[0]);
    return;
  }
  bar.problem.textContent = errors[0].message;
  credentials.key = "";
  await showIdentity();
}

function show(me, error) {
  const isAnonymous = error?.extensions?.code === "UNAUTHENTICATED";
  if (error && !isAnonymous) bar.problem.textContent = error.message;
  bar.who.textContent = me ? described(me) : isAnonymous ? "Not signed in" : "Who you are is not known";
  bar.login.hidden = bar.key.hidden = Boolean(me);
  bar.leave.hidden = !me;
  bar.leave.textContent = credentials.key ? "Forget key" : "Sign out";
}

function described({ email, type, admin, auth }) {
  if (auth.method === "SESSION") return `You are signed in as ${email} — ${(admin ? "admin" : type).toLowerCase()}`;
  return `You use an API key of ${email} — ${auth.keyType.toLowerCase()} key`;
}

async function signIn(form) {
  const { email, password } = Object.fromEntries(new FormData(form));
  // Whatever becomes of it, the password is not to lie in the page.
  form.elements.password.value = "";
  const { errors } = await call({ query: SIGN_IN, operationName: "SignIn", variables: { input: { email, password } } });
  if (errors) {
    bar.problem.textContent = errors[0].message;
    form.elements.password.focus();
    return;
  }
  await becomeAnother();
}

async function useKey(form) {
  credentials.key = form.elements.key.value.trim();
  form.reset();
  await becomeAnother();
}

async function leave() {
  if (credentials.key) {
    credentials.key = "";
  } else {
    const { errors } = await call({ query: SIGN_OUT, operationName: "SignOut" });
    if (errors) bar.problem.textContent = errors[0].message;
  }
  await becomeAnother();
}

async function becomeAnother() {
  ids.forget();
  await showIdentity();
}

/** While one thing is under way, nothing else of the bar can be pressed. */
async function inTurn(work) {
  const buttons = document.querySelectorAll("header button");
  bar.problem.textContent = "";
  buttons.forEach((button) => (button.disabled = true));
  await work();
  buttons.forEach((button) => (button.disabled = false));
}

function onSubmit(form, work) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    inTurn(() => work(form));
  });
}

onSubmit(bar.login, signIn);
onSubmit(bar.key, useKey);
bar.leave.addEventListener("click", () => inTurn(leave));
inTurn(showIdentity);
