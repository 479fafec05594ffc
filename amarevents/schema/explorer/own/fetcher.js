// How operations reach the platform: as the session of the cookie, or with an API key.
"use strict";

/** The key lives here alone: it is forgotten with the page. */
const credentials = { key: "" };

/** Answers after which one may be somebody else than the bar says. */
const REFUSALS = ["UNAUTHENTICATED", "INVALID_API_KEY", "API_KEY_REVOKED", "API_KEY_SUSPENDED", "API_KEY_EXPIRED"];

/** GraphiQL's fetcher: an answer, or for a subscription the answers as they come. */
async function fetcher({ query, variables, operationName }) {
  const missing = ids.missing(variables);
  if (missing) return notKnown(missing);
  const operation = operationOf(query, operationName);
  const request = { query, variables, operationName: operation?.name?.value };
  if (operation?.operation === "subscription") return answersAsTheyCome(request);
  const answer = await call(request);
  if (!answer.errors) ids.learn(request.operationName, answer.data);
  return withAdvice(answer);
}

function notKnown(name) {
  const tabs = bringing(name).join(" or ");
  return { errors: [{ message: `${name} is not known yet: run ${tabs} first, or write it into the variables.` }] };
}

/** The answer as it is shown: how to authenticate is said in the words of this page. */
function withAdvice(answer) {
  if (isRefused(answer) && !bar.leave.hidden) checkIdentity();
  const errors = answer.errors?.map((error) =>
    error.extensions?.code === "UNAUTHENTICATED"
      ? { ...error, message: `${error.message}. Sign in at the top of this page first.` }
      : error,
  );
  return errors ? { ...answer, errors } : answer;
}

function isRefused({ errors }) {
  return Boolean(errors?.some(({ extensions }) => REFUSALS.includes(extensions?.code)));
}

/** One operation by POST; what is no GraphQL answer becomes an error that says what happened. */
async function call(request, signal) {
  try {
    const response = await send(request, "application/json", signal);
    return await answerOf(response);
  } catch (error) {
    return failure(error);
  }
}

function send(request, accept, signal) {
  const headers = { "Content-Type": "application/json", Accept: accept };
  if (credentials.key) headers.Authorization = `Bearer ${credentials.key}`;
  return fetch("/graphql", { method: "POST", headers, body: JSON.stringify(request), signal });
}

async function answerOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { errors: [{ message: `The platform has answered ${response.status} ${response.statusText}`.trim() }] };
  }
}

function failure(error) {
  if (!(error instanceof TypeError)) throw error;
  return { errors: [{ message: "The platform cannot be reached: is it running, and are you online?" }] };
}

/**
 * The operation to be run: the one of that name, or the only one, because GraphiQL knows the name of a tab's operation
 * only a moment after the tab was opened. Null for what cannot be parsed: the platform says why.
 */
function operationOf(query, operationName) {
  const { GraphQLError, getOperationAST, parse } = GraphiQL.GraphQL;
  try {
    const document = parse(query);
    return getOperationAST(document) ?? getOperationAST(document, operationName);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return null;
  }
}

/** Ends at once when GraphiQL returns from it, also while nothing comes. */
function answersAsTheyCome(request) {
  const ending = new AbortController();
  const answers = subscribe(request, ending.signal);
  const iterator = {
    next: () => answers.next(),
    return: async () => {
      ending.abort();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** GraphQL over Server-Sent Events, one connection for each operation: events "next" with an answer, and "complete". */
async function* subscribe(request, signal) {
  try {
    const response = await send(request, "text/event-stream", signal);
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      yield withAdvice(await answerOf(response));
      return;
    }
    for await (const { event, data } of serverSentEvents(response.body)) {
      if (event === "complete") return;
      if (event === "next") yield withAdvice(JSON.parse(data));
    }
  } catch (error) {
    if (!signal.aborted) yield failure(error);
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
    yield* events.map(readEvent);
  }
}

function readEvent(text) {
  const fields = { event: "message", data: "" };
  for (const line of text.split("\n")) {
    const [, name, value] = line.match(/^(event|data): ?(.*)$/) ?? [];
    if (name === "event") fields.event = value;
    if (name === "data") fields.data += value;
  }
  return fields;
}
