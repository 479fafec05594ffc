Scalar.createApiReference("#reference", {
  url: "/openapi.json",
  authentication: { preferredSecurityScheme: "apiKey" },
  // A key is forgotten with the page: what lies in the browser's storage is there for every script of this origin.
  persistAuth: false,
  // Nothing of the library's makers: no telemetry, fonts, assistants, hosted client or developer tools.
  telemetry: false,
  withDefaultFonts: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: "never",
  // The samples are those of the document, which are tested; generated ones would stand beside them.
  hiddenClients: true,
  hideModels: true,
  operationTitleSource: "path",
  orderSchemaPropertiesBy: "preserve",
  defaultRequestBodyView: "raw",
  documentDownloadType: "direct",
});
