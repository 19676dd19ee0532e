/** What a mismatch can come from: code, what is the matter, what to do. No sentence ever holds a secret or a signature. */
export const CAUSES = {
  not_configured: ['Signatures cannot be checked yet.', 'Complete the secret and the options of this source.'],
  secret_whitespace: ['The secret has a space or a line break too many at an end.', 'Paste the secret again without it.'],
  secret_prefix: ['The secret lacks its "whsec_", or has one too many.', 'Paste the secret exactly as the provider shows it.'],
  secret_decoded: [
    'The sender uses the bytes that the secret encodes (base64 or hex) as its key, and not its text.',
    'Check which of the two the provider documents.',
  ],
  wrong_secret: [
    'No known mistake explains it: most likely it was signed with another secret.',
    "Compare the secret with the one in the provider's dashboard, for this webhook and for this mode (live or test).",
  ],
  hash: ['It was signed with another hash.', 'Set the hash that the sender uses.'],
  signature_encoding: [
    'The signature is right, but hex where base64 is expected, or the reverse.',
    'Set the encoding that the sender uses.',
  ],
  signature_prefix: [
    'The signature is right, but has a prefix such as "sha256=" too many or too few.',
    'Send the signature as the provider documents it.',
  ],
  body_reserialised: [
    'The body was parsed and written again after it was signed.',
    'Verify the raw bytes, before any body parser; SerixPay has the option "reserialised".',
  ],
  body_newline: [
    'A line break at the end of the body was added or lost after it was signed.',
    'Pass the body on unchanged; with curl use --data-binary.',
  ],
  body_line_endings: [
    'The line endings of the body were changed after it was signed.',
    'Pass the body on unchanged; with curl use --data-binary.',
  ],
  body_bom: ['A byte order mark at the start of the body was added or lost after it was signed.', 'Pass the bytes on, not text.'],
  clock: [
    'The signature is right, but its time is too far from the time of arrival.',
    'Set the clocks of both machines; an old request is refused on purpose.',
  ],
  timestamp_milliseconds: ['The timestamp is in milliseconds; seconds are expected.', 'Sign and send the time in Unix seconds.'],
  header_name: [
    'The signature is right, but comes in another header.',
    "Send it in the header that the provider documents, or set the header's name.",
  ],
  other_provider: ['It is signed in the way of another provider.', 'Make the source for that provider.'],
  url: [
    'It was signed for another address, or with the address, which this provider does not sign.',
    'Use the address that the sender was given.',
  ],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

export type Cause = keyof typeof CAUSES;

export interface Finding {
  readonly cause: Cause;
  readonly sentence: string;
  readonly fix: string;
  /** True where the signature was found right once this one thing was changed; false for a guess. */
  readonly certain: boolean;
}

export function finding(cause: Cause, certain: boolean, detail?: string): Finding {
  const [sentence, fix] = CAUSES[cause];
  return { cause, sentence: detail === undefined ? sentence : `${sentence} ${detail}`, fix, certain };
}
