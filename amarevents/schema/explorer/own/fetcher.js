// Sends operations to the server, authenticated by the session cookie or an API key.
"use strict";

/** The API key is stored only here, so it is forgotten when the page is closed. */
const credentials = { key: "" };

/** Error codes that mean that the identity in the bar may be outdated. */
const AUTHENTICATION_ERRORS = ["UNAUTHENTICATED", "INVALID_API_KEY", "API_KEY_REVOKED", "API_KEY_SUSPENDED", "API_KEY_EXPIRED"];

/** GraphiQL's fetcher: returns a result, or an async iterable of results for a subscription. */
async function fetcher({ query, variables, operationName }) {
  const missing = ids.missing(variables);
  if (missing) return missingValue(missing);
  const operation = findOperation(query, operationName);
  const request = { query, variables, operationName: operation?.name?.value };
  if (operation?.operation === "subscription") return streamResults(request);
  const answer = await call(request);
  if (!answer.errors) ids.learn(request.operationName, answer.data);
  return withAdvice(answer);
}

function missingValue(name) {
  const tabs = operationsProviding(name).join(" or ");
  return { errors: [{ message: `${name} is not known yet: run ${tabs} first, or enter it in the variables.` }] };
}

/** Adds to errors of authentication how to sign in on this page. */
function withAdvice(answer) {
  if (isUnauthenticated(answer) && !bar.leave.hidden) checkIdentity();
  const errors = answer.errors?.map((error) =>
    error.extensions?.code === "UNAUTHENTICATED"
      ? { ...error, message: `${error.message}. Sign in at the top of this page first.` }
      : error,
  );
  return errors ? { ...answer, errors } : answer;
}

function isUnauthenticated({ errors }) {
  return Boolean(errors?.some(({ extensions }) => AUTHENTICATION_ERRORS.includes(extensions?.code)));
}

/** Sends one operation by POST; turns responses that are not GraphQL into errors. */
async function call(request, signal) {
  try {
    const response = await send(request, "application/json", signal);
    return await readResult(response);
  } catch (error) {
    return connectionFailure(error);
  }
}

function send(request, accept, signal) {
  const headers = { "Content-Type": "application/json", Accept: accept };
  if (credentials.key) headers.Authorization = `Bearer ${credentials.key}`;
  return fetch("/graphql", { method: "POST", headers, body: JSON.stringify(request), signal });
}

async function readResult(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { errors: [{ message: `The server responded with status ${response.status} ${response.statusText}`.trim() }] };
  }
}

function connectionFailure(error) {
  if (!(error instanceof TypeError)) throw error;
  return { errors: [{ message: "Cannot reach the server. Check that it is running and that you are online." }] };
}

/**
 * Returns the operation to run: the only one of the document, or the one with this name. GraphiQL knows the name of a
 * tab's operation only a moment after the tab was opened. Returns null for a syntax error, which the server reports.
 */
function findOperation(query, operationName) {
  const { GraphQLError, getOperationAST, parse } = GraphiQL.GraphQL;
  try {
    const document = parse(query);
    return getOperationAST(document) ?? getOperationAST(document, operationName);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return null;
  }
}

/** Returns the results of a subscription; `return` ends it immediately, even while it waits for a result. */
function streamResults(request) {
  const controller = new AbortController();
  const results = subscribe(request, controller.signal);
  const iterator = {
    next: () => results.next(),
    return: async () => {
      controller.abort();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** GraphQL over Server-Sent Events in distinct connections mode: events "next" with a result, then "complete". */
async function* subscribe(request, signal) {
  try {
    const response = await send(request, "text/event-stream", signal);
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      yield withAdvice(await readResult(response));
      return;
    }
    for await (const { event, data } of serverSentEvents(response.body)) {
      if (event === "complete") return;
      if (event === "next") yield withAdvice(JSON.parse(data));
    }
  } catch (error) {
    if (!signal.aborted) yield connectionFailure(error);
  }
}

async function* serverSentEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (text + value).replaceAll("\r\n", "\n").split("\n\n");
    text = events.pop();
    yield* events.map(parseEvent);
  }
}

function parseEvent(text) {
  const fields = { event: "message", data: "" };
  for (const line of text.split("\n")) {
    const [, name, value] = line.match(/^(event|data): ?(.*)$/) ?? [];
    if (name === "event") fields.event = value;
    if (name === "data") fields.data += value;
  }
  return fields;
}
