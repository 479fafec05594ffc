// Introspects the server at the address given with every combination of graphql-js's options; prints what went wrong.
import { buildClientSchema, getIntrospectionQuery, validateSchema } from "graphql";

const names = [
  "descriptions",
  "specifiedByUrl",
  "directiveIsRepeatable",
  "schemaDescription",
  "inputValueDeprecation",
  "oneOf",
];
const failures = [];
for (let bits = 0; bits < 2 ** names.length; bits++) {
  const options = Object.fromEntries(names.map((name, place) => [name, Boolean(bits & (2 ** place))]));
  const response = await fetch(process.argv[2], {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: getIntrospectionQuery(options) }),
  });
  const { data, errors } = await response.json();
  const wrong = errors ?? validateSchema(buildClientSchema(data));
  if (response.status !== 200 || wrong.length > 0) {
    failures.push({ options, status: response.status, wrong: wrong.map(({ message }) => message) });
  }
}
console.log(JSON.stringify(failures));
