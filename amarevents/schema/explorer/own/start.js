// Starts GraphiQL with the example operations in its tabs.
"use strict";

// The linter of variables expects undefined for an unknown enum value; graphql-js throws an error instead.
GraphiQL.GraphQL.GraphQLEnumType.prototype.parseValue = function (name) {
  return this.getValue(name)?.value;
};

/** The editors of GraphiQL, once they exist. */
const editors = {};

/** After a change of identity: clear the previous caller's response, and focus the query. */
function resetEditors() {
  editors.response?.setValue("");
  editors.query?.focus();
}

/** An invisible component inside GraphiQL that fills in the variables of the active tab. */
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
  // Without variables, the query gets the space of their editor.
  const hasVariables = Boolean(tabs[activeTabIndex].variables?.trim());
  React.useEffect(() => {
    document.body.classList.toggle("without-variables", !hasVariables);
  }, [hasVariables]);
  // Wrap long lines, so that the comments of the operations are readable in narrow windows.
  React.useEffect(() => {
    [queryEditor, variableEditor].forEach((editor) => editor?.setOption("lineWrapping", true));
  }, [queryEditor, variableEditor]);
  return null;
}

// Newcomers mostly change variables, so their editor is as high as the query's, unless the user has resized it.
if (!storage.getItem("graphiql:secondaryEditorFlex")) storage.setItem("graphiql:secondaryEditorFlex", "1.2");

const builder = GraphiQLPluginExplorer.explorerPlugin({ showAttribution: false });

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher,
    storage,
    plugins: [builder],
    defaultTabs: operations.map(({ query, variables }) => ({ query, variables })),
    defaultEditorToolsVisibility: "variables",
    // Credentials are entered in the bar only.
    isHeadersEditorEnabled: false,
    shouldPersistHeaders: false,
    schemaDescription: true,
    toolbar: { additionalComponent: FillIn },
  }),
);
