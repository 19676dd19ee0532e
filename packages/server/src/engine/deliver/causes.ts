/** Why an attempt ended as it did: the closed list, in words that a merchant understands. Docs and console print this table. */

/** Whose doing it is: the endpoint's server, the network between, the endpoint's settings, or Paybell itself. */
export type Blame = 'nobody' | 'endpoint' | 'network' | 'config' | 'paybell';

export interface CauseText {
  /** What happened. */
  readonly sentence: string;
  /** What to do about it; empty where there is nothing to do. */
  readonly hint: string;
  readonly blames: Blame;
}

const RENEW = 'Renew the certificate on the server, or on the proxy or CDN in front of it.';
const PIN = "If it comes from your own authority, set that authority's certificate on the endpoint.";
const SIMPLER = 'Find out what writes this answer: a proxy, a firewall page or a hand-written server. Answer with plain HTTP/1.1.';

export const CAUSES = {
  ok: { sentence: 'The endpoint accepted the webhook.', hint: '', blames: 'nobody' },

  dns_nxdomain: {
    sentence: 'The host name of the URL does not exist.',
    hint: 'Check the spelling of the host and its DNS records.',
    blames: 'config',
  },
  dns_no_address: { sentence: 'The host name exists but has no address.', hint: 'Add an A or AAAA record for the host.', blames: 'config' },
  dns_error: {
    sentence: 'The host name could not be looked up: its name servers failed or did not answer.',
    hint: "Check the domain's name servers.",
    blames: 'network',
  },

  url_refused: {
    sentence: 'The URL cannot be used for webhooks.',
    hint: 'Use a plain https URL without user name and password, on a usual port.',
    blames: 'config',
  },
  https_required: { sentence: 'The URL is http; webhooks are only sent over https.', hint: 'Use an https URL.', blames: 'config' },
  address_blocked: {
    sentence: 'The host leads to an address that is not public, so nothing was sent.',
    hint: 'Use a public address, or have the operator allow this range (PAYBELL_ALLOW_PRIVATE_CIDRS).',
    blames: 'config',
  },
  request_refused: {
    sentence: 'The request could not be formed: a header is reserved or has characters that are not allowed.',
    hint: "Check the endpoint's custom headers.",
    blames: 'config',
  },
  signing_failed: {
    sentence: 'The webhook could not be signed.',
    hint: "Check the endpoint's secret and provider options.",
    blames: 'config',
  },

  conn_refused: {
    sentence: 'Nothing listens there: the connection was refused.',
    hint: 'Check that the server runs and the port is right.',
    blames: 'endpoint',
  },
  host_unreachable: {
    sentence: 'The network says that the host cannot be reached.',
    hint: 'Check routing and firewalls in front of the server.',
    blames: 'network',
  },
  connect_timeout: {
    sentence: 'The connection was not answered in time.',
    hint: 'A firewall may drop our packets: check the allow list in front of the server.',
    blames: 'network',
  },
  conn_reset: {
    sentence: 'The connection was cut before the answer came.',
    hint: 'Look for a crash, a restart or a size limit on the server at this time.',
    blames: 'endpoint',
  },
  empty_response: {
    sentence: 'The server closed the connection without an answer.',
    hint: 'Look for a crash or a restart on the server at this time.',
    blames: 'endpoint',
  },

  timeout: {
    sentence: 'No answer came within the time allowed.',
    hint: 'Answer 2xx first and do the work afterwards.',
    blames: 'endpoint',
  },
  headers_timeout: {
    sentence: 'The answer began, but its headers were not complete within the time allowed.',
    hint: 'Answer 2xx first and do the work afterwards.',
    blames: 'endpoint',
  },
  headers_overflow: {
    sentence: 'The headers of the answer are larger than 16 KiB.',
    hint: 'Send fewer or shorter headers and cookies.',
    blames: 'endpoint',
  },
  protocol_error: { sentence: 'The answer is not valid HTTP.', hint: SIMPLER, blames: 'endpoint' },
  bad_status: {
    sentence: 'The answer has a status code that does not exist.',
    hint: 'Answer with a status from 200 to 599.',
    blames: 'endpoint',
  },
  unexpected_upgrade: {
    sentence: 'The server wanted to switch to another protocol.',
    hint: 'Answer webhooks with 2xx, not with 101.',
    blames: 'endpoint',
  },
  http2_only: { sentence: 'The server speaks HTTP/2 only.', hint: 'Allow HTTP/1.1 as well.', blames: 'endpoint' },

  redirect_not_followed: {
    sentence: 'The endpoint answered with a redirect; redirects are never followed.',
    hint: 'Set the final address as the URL of the endpoint.',
    blames: 'endpoint',
  },
  http_4xx: {
    sentence: 'The endpoint refused the webhook.',
    hint: 'See the answer: the route, its login or its signature check may be wrong.',
    blames: 'endpoint',
  },
  gone: {
    sentence: 'The endpoint says that it is gone for good, so it was disabled.',
    hint: 'Enable it again once it accepts webhooks.',
    blames: 'endpoint',
  },
  rate_limited: {
    sentence: 'The endpoint asks for fewer webhooks per second.',
    hint: 'Lower its limit of calls in flight, or raise the rate that the server allows.',
    blames: 'endpoint',
  },
  http_5xx: {
    sentence: 'The server failed while handling the webhook.',
    hint: "See the server's own log at this time.",
    blames: 'endpoint',
  },
  bad_gateway: {
    sentence: 'A proxy in front of the server could not reach it.',
    hint: 'Check that the application behind the proxy runs and is fast enough.',
    blames: 'endpoint',
  },
  unavailable: {
    sentence: 'The server says that it is not available now.',
    hint: 'Overload or maintenance: the webhook is sent again.',
    blames: 'endpoint',
  },

  tls_expired: { sentence: "The server's certificate has expired.", hint: RENEW, blames: 'endpoint' },
  tls_not_yet_valid: {
    sentence: "The server's certificate is not valid yet.",
    hint: 'Check the dates of the certificate and the clock.',
    blames: 'endpoint',
  },
  tls_self_signed: {
    sentence: "The server's certificate is self-signed.",
    hint: `Use one from a public authority. ${PIN}`,
    blames: 'endpoint',
  },
  tls_wrong_host: {
    sentence: "The server's certificate is for another host name.",
    hint: 'Use a certificate that names the host of the URL.',
    blames: 'endpoint',
  },
  tls_unknown_ca: {
    sentence: "The server's certificate comes from an authority that is not trusted.",
    hint: `Use one from a public authority. ${PIN}`,
    blames: 'endpoint',
  },
  tls_incomplete_chain: {
    sentence: 'The server sent its own certificate alone, and who issued it is not known here.',
    hint: `Send the intermediate certificates too ("full chain"). ${PIN}`,
    blames: 'endpoint',
  },
  tls_bad_certificate: {
    sentence: "The server's certificate cannot be accepted: revoked, too weak or not meant for servers.",
    hint: 'Have a new certificate issued.',
    blames: 'endpoint',
  },
  tls_version: { sentence: 'The server offers only old versions of TLS.', hint: 'Enable TLS 1.2 or 1.3.', blames: 'endpoint' },
  tls_handshake_timeout: {
    sentence: 'The TLS handshake was not finished in time.',
    hint: 'Look at the load and the firewall in front of the server.',
    blames: 'endpoint',
  },
  tls_handshake_failed: {
    sentence: 'The server broke off the TLS handshake.',
    hint: "Check the server's TLS settings and whether it knows this host name.",
    blames: 'endpoint',
  },
  tls_not_spoken: {
    sentence: 'The server answered without TLS on an https URL.',
    hint: 'Check the port: it may be the one for plain http.',
    blames: 'endpoint',
  },
  tls_client_cert: {
    sentence: 'The server demands a client certificate.',
    hint: 'Do not ask for client certificates on the webhook route; check the signature instead.',
    blames: 'endpoint',
  },

  tls_bad_pin: {
    sentence: 'The certificate set on the endpoint as its authority cannot be read.',
    hint: 'Set it again, as PEM text.',
    blames: 'config',
  },

  canceled: {
    sentence: 'It was part of a resend that was canceled before this could be sent.',
    hint: 'Resend the event if it is still wanted.',
    blames: 'nobody',
  },
  endpoint_deleted: {
    sentence: 'The endpoint was deleted before the webhook was delivered.',
    hint: 'Set the endpoint up again and resend the event if it is still wanted.',
    blames: 'config',
  },
  superseded: {
    sentence: 'A later event of the same transaction had been delivered already, so this one was not sent.',
    hint: 'Nothing has to be done. To send it all the same, retry the delivery.',
    blames: 'nobody',
  },
  local_limit: {
    sentence: 'Paybell ran out of sockets or files; the webhook is sent again.',
    hint: 'Operator: raise the limit of open files.',
    blames: 'paybell',
  },
  interrupted: { sentence: 'Paybell stopped before it knew the answer; the webhook is sent again.', hint: '', blames: 'paybell' },
} as const satisfies Record<string, CauseText>;

export type Cause = keyof typeof CAUSES;
