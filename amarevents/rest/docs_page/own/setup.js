// Before the library: its validation would else probe whether it may compile code, which the page's policy forbids.
globalThis.__zod_globalConfig = { jitless: true };
