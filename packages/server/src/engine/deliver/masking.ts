/** Stands for a value that is kept and not shown. */
export const HIDDEN = '[hidden]';

const NAME =
  /^(authorization|proxy-authorization|cookie|set-cookie|verif-hash)$|(^|-)(auth|authorization|token|secret|password|credentials?|(api|access|private)-?key)$/;
const VALUE = /^(basic|bearer|digest|token|apikey) /i;

/** Whether a header, by its name in lower case or its value, holds a secret in clear; a signature is none. */
export function isSecretHeader(name: string, value: string): boolean {
  return NAME.test(name) || VALUE.test(value);
}
