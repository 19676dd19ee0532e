// The planted fault of fsync.test.ts: a database that says that it syncs every commit, and does not.
const { DatabaseSync } = require('node:sqlite');

const { exec, prepare } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (sql) {
  return exec.call(this, sql.replace(/synchronous = FULL/i, 'synchronous = OFF'));
};
DatabaseSync.prototype.prepare = function (sql, ...rest) {
  return prepare.call(this, /^PRAGMA synchronous$/i.test(sql) ? 'SELECT 2 AS synchronous' : sql, ...rest);
};
