// The bar above GraphiQL, which shows the current identity and signs in and out.
"use strict";

const bar = Object.fromEntries(
  ["who", "login", "key", "leave", "problem"].map((id) => [id, document.getElementById(id)]),
);

const WHO_AM_I = "query WhoAmI { me { email type admin auth { method keyType } organizations { id } } }";
const SIGN_IN = "mutation SignIn($input: LoginInput!) { login(input: $input) { id } }";
const SIGN_OUT = "mutation SignOut { logout { loggedOut } }";

function queryIdentity() {
  return call({ query: WHO_AM_I, operationName: "WhoAmI" });
}

/** Looks up and shows the current identity. A rejected API key is removed, because there may still be a session. */
async function showIdentity() {
  await showAnswer(await queryIdentity());
}

/** Looks up the identity again after it may have changed; ignores other failures, such as a lost connection. */
async function checkIdentity() {
  const answer = await queryIdentity();
  if (answer.data?.me || isUnauthenticated(answer)) await showAnswer(answer);
}

async function showAnswer({ data, errors }) {
  if (data?.me) {
    showAccount(data.me);
  } else if (credentials.key) {
    bar.problem.textContent = errors[0].message;
    credentials.key = "";
    await showIdentity();
  } else {
    show(null, errors?.[0]);
  }
}

/** Shows an authenticated caller. If the page contains data of another account, resets the page. */
function showAccount(me) {
  if (!ids.belongsTo(me.email)) {
    resetPage();
    return;
  }
  ids.offer(valuesIn(me, { organizationId: "organizations.0.id" }));
  show(me);
}

function show(me, error) {
  const isAnonymous = error?.extensions?.code === "UNAUTHENTICATED";
  if (error && !isAnonymous) bar.problem.textContent = error.message;
  bar.who.textContent = me ? describe(me) : isAnonymous ? "Not signed in" : "Your identity could not be determined";
  bar.login.hidden = bar.key.hidden = Boolean(me);
  bar.leave.hidden = !me;
  bar.leave.textContent = credentials.key ? "Forget key" : "Sign out";
}

function describe({ email, type, admin, auth }) {
  if (auth.method === "SESSION") return `You are signed in as ${email} — ${(admin ? "admin" : type).toLowerCase()}`;
  return `You are using an API key of ${email} — ${auth.keyType.toLowerCase()} key`;
}

async function signIn(form) {
  const { email, password } = Object.fromEntries(new FormData(form));
  // Remove the password from the page, whether or not the login succeeds.
  form.elements.password.value = "";
  const { errors } = await call({ query: SIGN_IN, operationName: "SignIn", variables: { input: { email, password } } });
  if (errors) {
    bar.problem.textContent = errors[0].message;
    form.elements.password.focus();
    return;
  }
  form.reset();
  await showIdentity();
  resetEditors();
}

async function useKey(form) {
  credentials.key = form.elements.key.value.trim();
  form.reset();
  await showIdentity();
  if (credentials.key) resetEditors();
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
  resetPage();
}

/** Reloads the page without any stored data, because other people may use this computer, too. */
function resetPage() {
  // Not earlier, because GraphiQL stores changes of its tabs with a delay.
  window.addEventListener("pagehide", () => {
    const kept = Object.keys(storage).filter((name) => /^(graphiql|amarevents):/.test(name));
    kept.forEach((name) => storage.removeItem(name));
  });
  location.reload();
}

/** Runs an action with the buttons of the bar disabled. */
async function withButtonsDisabled(work) {
  const buttons = document.querySelectorAll("header button");
  bar.problem.textContent = "";
  buttons.forEach((button) => (button.disabled = true));
  await work();
  buttons.forEach((button) => (button.disabled = false));
}

function onSubmit(form, work) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    withButtonsDisabled(() => work(form));
  });
}

onSubmit(bar.login, signIn);
onSubmit(bar.key, useKey);
bar.leave.addEventListener("click", () => withButtonsDisabled(leave));
otherWindows.addEventListener("message", ({ data: { account, left } }) => {
  if (left && account === ids.account && !credentials.key) resetPage();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") checkIdentity();
});
withButtonsDisabled(showIdentity);
