// The planted fault of fsync.test.ts: a disk that says that the log is synced, and does nothing.
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

fs.fdatasyncSync = () => undefined;
syncBuiltinESMExports();
