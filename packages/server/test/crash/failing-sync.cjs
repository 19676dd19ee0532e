// The planted fault of fsync.test.ts: a disk that fails from the moment when the file of this name appears.
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

const { fdatasyncSync, existsSync } = fs;
fs.fdatasyncSync = (file) => {
  if (existsSync(process.env.DISK_FAILS)) throw new Error('EIO: i/o error, fdatasync');
  fdatasyncSync(file);
};
syncBuiltinESMExports();
