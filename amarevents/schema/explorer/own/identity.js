// The bar above GraphiQL: who one is, and how to be somebody else.
"use strict";

const bar = Object.fromEntries(
  ["who", "login", "key", "leave", "problem"].map((id) => [id, document.getElementById(id)]),
);

const WHO_AM_I = "query WhoAmI { me { email type admin auth { method keyType } organizations { id } } }";
const SIGN_IN = "mutation SignIn($input: LoginInput!) { login(input: $input) { id } }";
const SIGN_OUT = "mutation SignOut { logout { loggedOut } }";

function whoAmI() {
  return call({ query: WHO_AM_I, operationName: "WhoAmI" });
}

/** Ask who one is and show it. A key that is not taken is forgotten: without it one may still be signed in. */
async function showIdentity() {
  await showWho(await whoAmI());
}

/** The same where one may have become another; what says nothing of that, as a lost connection, changes nothing. */
async function checkIdentity() {
  const answer = await whoAmI();
  if (answer.data?.me || isRefused(answer)) await showWho(answer);
}

async function showWho({ data, errors }) {
  if (data?.me) {
    welcome(data.me);
  } else if (credentials.key) {
    bar.problem.textContent = errors[0].message;
    credentials.key = "";
    await showIdentity();
  } else {
    show(null, errors?.[0]);
  }
}

/** What is in the page may be of another account that was here before: then it begins anew. */
function welcome(me) {
  if (!ids.belongsTo(me.email)) {
    beginAnew();
    return;
  }
  ids.offer(valuesIn(me, { organizationId: "organizations.0.id" }));
  show(me);
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
  form.reset();
  await showIdentity();
  ready();
}

async function useKey(form) {
  credentials.key = form.elements.key.value.trim();
  form.reset();
  await showIdentity();
  if (credentials.key) ready();
}

async function leave() {
  if (!credentials.key) {
    const { errors } = await call({ query: SIGN_OUT, operationName: "SignOut" });
    if (errors) {
      bar.problem.textContent = errors[0].message;
      return;
    }
    otherWindows.postMessage({ account: ids.account, left: true });
  }
  beginAnew();
}

/** Load the page as if nobody had been here, which ends what runs: others may use this computer, too. */
function beginAnew() {
  // Not before: GraphiQL writes down what is in its tabs a moment after it has changed.
  window.addEventListener("pagehide", () => {
    const kept = Object.keys(storage).filter((name) => /^(graphiql|amarevents):/.test(name));
    kept.forEach((name) => storage.removeItem(name));
  });
  location.reload();
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
otherWindows.addEventListener("message", ({ data: { account, left } }) => {
  if (left && account === ids.account && !credentials.key) beginAnew();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") checkIdentity();
});
inTurn(showIdentity);
