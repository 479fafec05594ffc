// Must run before Scalar: by default its validation library tests whether it may compile code, which the
// Content-Security-Policy of this page forbids.
globalThis.__zod_globalConfig = { jitless: true };
