// GraphiQL with the ready operations in its tabs.
"use strict";

/** Within GraphiQL, without anything to see: fills in the variables of the open tab. */
function FillIn() {
  const { queryEditor, variableEditor, tabs, activeTabIndex } = GraphiQL.React.useEditorContext({ nonNull: true });
  const known = React.useSyncExternalStore(ids.subscribe, () => ids.known);
  const tab = tabs[activeTabIndex].id;
  React.useEffect(() => {
    const text = variableEditor?.getValue();
    const filled = text && ids.fillIn(text);
    if (filled !== text) variableEditor.setValue(filled);
  }, [variableEditor, tab, known]);
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
    toolbar: { additionalComponent: FillIn },
  }),
);
