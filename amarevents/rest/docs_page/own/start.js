Scalar.createApiReference("#reference", {
  url: "/openapi.json",
  // The document names the public address, which this page may not have been opened at.
  servers: [{ url: "/api" }],
  authentication: { preferredSecurityScheme: "apiKey" },
  // Keys are not kept after the page is closed: every script of this origin could read them from the browser's storage.
  persistAuth: false,
  // Disable all hosted services: telemetry, fonts, assistants, API client and developer tools.
  telemetry: false,
  withDefaultFonts: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: "never",
  // Show only the code samples of the document, which are tested, and no generated ones.
  hiddenClients: true,
  hideModels: true,
  operationTitleSource: "path",
  orderSchemaPropertiesBy: "preserve",
  defaultRequestBodyView: "raw",
  documentDownloadType: "direct",
});
