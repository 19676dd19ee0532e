import type { Cause } from './causes.ts';

export type Judgement =
  | { readonly verdict: 'succeeded' }
  /**
   * `slowDown`: the endpoint asks for, or shows that it needs, fewer calls at once. `disableEndpoint`: it wants none at all, and the
   * delivery waits with the others until it is enabled again.
   */
  | { readonly verdict: 'retry'; readonly slowDown: boolean; readonly disableEndpoint: boolean }
  | { readonly verdict: 'failed'; readonly disableEndpoint: boolean };

/**
 * What an attempt means for its delivery. The cause decides, never the state of the connection: an answer that broke
 * off after a complete 2xx head has cause `ok` and is a success.
 */
export function judge(cause: Cause, triesLeft: boolean): Judgement {
  const ruling = rule(cause);
  if (ruling === 'succeeded') return { verdict: 'succeeded' };
  const disableEndpoint = ruling === 'disable';
  if (!triesLeft) return { verdict: 'failed', disableEndpoint };
  return { verdict: 'retry', slowDown: ruling === 'retry_slower', disableEndpoint };
}

/** Whether the endpoint asks for, or shows that it needs, fewer calls at once. */
export function slowsDown(cause: Cause): boolean {
  return rule(cause) === 'retry_slower';
}

/** 4xx is retried like any failure: merchants deploy fixes, and a payment must not be lost to a bad afternoon. */
function rule(cause: Cause): 'succeeded' | 'retry' | 'retry_slower' | 'disable' {
  switch (cause) {
    case 'ok':
      return 'succeeded';
    case 'gone':
      return 'disable';
    case 'rate_limited':
    case 'unavailable':
    case 'bad_gateway':
    case 'timeout':
    case 'headers_timeout':
      return 'retry_slower';
    case 'dns_nxdomain':
    case 'dns_no_address':
    case 'dns_error':
    case 'url_refused':
    case 'https_required':
    case 'address_blocked':
    case 'request_refused':
    case 'signing_failed':
    case 'conn_refused':
    case 'host_unreachable':
    case 'connect_timeout':
    case 'conn_reset':
    case 'empty_response':
    case 'headers_overflow':
    case 'protocol_error':
    case 'bad_status':
    case 'unexpected_upgrade':
    case 'http2_only':
    case 'redirect_not_followed':
    case 'http_4xx':
    case 'http_5xx':
    case 'tls_expired':
    case 'tls_not_yet_valid':
    case 'tls_self_signed':
    case 'tls_wrong_host':
    case 'tls_unknown_ca':
    case 'tls_incomplete_chain':
    case 'tls_bad_certificate':
    case 'tls_version':
    case 'tls_handshake_timeout':
    case 'tls_handshake_failed':
    case 'tls_not_spoken':
    case 'tls_client_cert':
    case 'tls_bad_pin':
    case 'canceled':
    case 'endpoint_deleted':
    case 'superseded':
    case 'local_limit':
    case 'interrupted':
      return 'retry';
    default:
      return cause satisfies never;
  }
}
