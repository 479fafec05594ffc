// GraphiQL with the ready operations in its tabs.
"use strict";

// The linter of variables expects nothing for a value that an enum does not have, where graphql-js throws.
GraphiQL.GraphQL.GraphQLEnumType.prototype.parseValue = function (name) {
  return this.getValue(name)?.value;
};

/** GraphiQL's, as soon as they are there. */
const editors = {};

/** For the next operation: the old answer is gone, which was somebody else's, and what is typed goes to the query. */
function ready() {
  editors.response?.setValue("");
  editors.query?.focus();
}

/** Within GraphiQL, without anything to see: fills in the variables of the open tab. */
function FillIn() {
  const { queryEditor, variableEditor, responseEditor, tabs, activeTabIndex } = GraphiQL.React.useEditorContext({
    nonNull: true,
  });
  const known = React.useSyncExternalStore(ids.subscribe, () => ids.known);
  const tab = tabs[activeTabIndex].id;
  React.useEffect(() => {
    const text = variableEditor?.getValue();
    const filled = text && ids.fillIn(text);
    if (filled !== text) variableEditor.setValue(filled);
  }, [variableEditor, tab, known]);
  React.useEffect(() => {
    Object.assign(editors, { query: queryEditor, response: responseEditor });
  }, [queryEditor, responseEditor]);
  // Where there are no variables, they leave their room to the operation.
  const hasVariables = Boolean(tabs[activeTabIndex].variables?.trim());
  React.useEffect(() => {
    document.body.classList.toggle("without-variables", !hasVariables);
  }, [hasVariables]);
  // What the operations say about themselves is to be read whole, in narrow windows as well.
  React.useEffect(() => {
    [queryEditor, variableEditor].forEach((editor) => editor?.setOption("lineWrapping", true));
  }, [queryEditor, variableEditor]);
  return null;
}

// Variables are what a newcomer changes: they get as much room as the operation. Whoever moves the line is remembered.
if (!storage.getItem("graphiql:secondaryEditorFlex")) storage.setItem("graphiql:secondaryEditorFlex", "1.2");

const builder = GraphiQLPluginExplorer.explorerPlugin({ showAttribution: false });

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    storage,
    plugins: [builder],
    defaultTabs: operations.map(({ query, variables }) => ({ query, variables })),
    defaultEditorToolsVisibility: "variables",
    // Credentials have one place: the bar.
    isHeadersEditorEnabled: false,
    shouldPersistHeaders: false,
    schemaDescription: true,
    toolbar: { additionalComponent: FillIn },
  }),
);
