import type { SendResult } from '../engine/ports.ts';

export type Cause = SendResult['cause'];

/** An attempt that ended without a readable answer. */
export class Fault extends Error {
  readonly code: Cause;
  constructor(code: Cause) {
    super(code);
    this.name = 'Fault';
    this.code = code;
  }
}

/** The cause that a status alone stands for. */
export function causeOfStatus(status: number): Cause {
  if (status < 200 || status > 599) return 'bad_status';
  if (status < 300) return 'ok';
  if (status < 400) return 'redirect_not_followed';
  switch (status) {
    case 410:
      return 'gone';
    case 429:
      return 'rate_limited';
    case 502:
    case 504:
      return 'bad_gateway';
    case 503:
      return 'unavailable';
    default:
      return status < 500 ? 'http_4xx' : 'http_5xx';
  }
}

const LOOKUP: Readonly<Record<string, Cause>> = { ENOTFOUND: 'dns_nxdomain', ENODATA: 'dns_no_address', EBADNAME: 'dns_nxdomain' };

const SOCKET: Readonly<Record<string, Cause>> = {
  ECONNREFUSED: 'conn_refused',
  EHOSTUNREACH: 'host_unreachable',
  EHOSTDOWN: 'host_unreachable',
  ENETUNREACH: 'host_unreachable',
  ENETDOWN: 'host_unreachable',
  EADDRNOTAVAIL: 'host_unreachable',
  EACCES: 'host_unreachable',
  EPERM: 'host_unreachable',
  ETIMEDOUT: 'connect_timeout',
  EMFILE: 'local_limit',
  ENFILE: 'local_limit',
  ENOBUFS: 'local_limit',
  ENOMEM: 'local_limit',
};

/** OpenSSL's and Node's codes. A leaf that came alone and could not be verified is, among public servers, a missing intermediate. */
const TLS: Readonly<Record<string, Cause>> = {
  CERT_HAS_EXPIRED: 'tls_expired',
  CERT_NOT_YET_VALID: 'tls_not_yet_valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_self_signed',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls_wrong_host',
  ERR_TLS_CERT_ALTNAME_FORMAT: 'tls_wrong_host',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls_unknown_ca',
  UNABLE_TO_GET_ISSUER_CERT: 'tls_unknown_ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls_unknown_ca',
  CERT_UNTRUSTED: 'tls_unknown_ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_incomplete_chain',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'tls_version',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls_version',
  ERR_SSL_WRONG_SSL_VERSION: 'tls_version',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'tls_client_cert',
  ERR_SSL_WRONG_VERSION_NUMBER: 'tls_not_spoken',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'tls_not_spoken',
  ERR_SSL_HTTP_REQUEST: 'tls_not_spoken',
};

export function causeOfLookup(error: unknown): Cause {
  return LOOKUP[codeOf(error)] ?? 'dns_error';
}

export function causeOfConnect(error: unknown): Cause {
  return SOCKET[codeOf(error)] ?? 'conn_reset';
}

/** A handshake that failed. Codes of the alert `no_application_protocol` differ in prefix between OpenSSL versions. */
export function causeOfHandshake(error: unknown): Cause {
  const code = codeOf(error);
  const known = TLS[code];
  if (known !== undefined) return known;
  if (code.endsWith('NO_APPLICATION_PROTOCOL')) return 'http2_only';
  return CERTIFICATE_CODE.test(code) ? 'tls_bad_certificate' : 'tls_handshake_failed';
}

const CERTIFICATE_CODE = /^(?:CERT_|CRL_|INVALID_|PATH_LENGTH|UNABLE_TO_DECODE|ERROR_IN_CERT|ERR_SSL_(?:EE_KEY|CA_KEY|CA_MD))/;

/** A connection that broke while the answer was awaited. TLS 1.3 servers reject a missing client certificate only then. */
export function causeOfBreak(error: unknown): Cause {
  return TLS[codeOf(error)] ?? 'conn_reset';
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
