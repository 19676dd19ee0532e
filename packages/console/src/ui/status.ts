import type { DeliveryStatus, RequestVerdict, ResendRow, Status } from '../api/types.ts';
import type { IconName } from './icons.tsx';

export type Tone = 'good' | 'wait' | 'bad' | 'info' | 'hold' | 'mute';

export interface Look {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly word: string;
  /** What it means, one sentence. */
  readonly means: string;
}

export const STATUS_LOOKS: Readonly<Record<Status, Look>> = {
  created: { tone: 'mute', icon: 'plus', word: 'Created', means: 'Known, nothing asked of anyone yet.' },
  action_required: { tone: 'hold', icon: 'hand', word: 'Action needed', means: 'Waits for the payer or recipient.' },
  unknown: { tone: 'mute', icon: 'question', word: 'Unknown', means: 'The outcome cannot be told from the messages so far.' },
  pending: { tone: 'wait', icon: 'clock', word: 'Pending', means: 'The provider or the chain is working on it.' },
  on_hold: { tone: 'hold', icon: 'pause', word: 'On hold', means: 'Waits for the merchant or an operator.' },
  authorized: { tone: 'info', icon: 'lock', word: 'Authorized', means: 'The funds are reserved, not yet taken.' },
  partially_succeeded: { tone: 'info', icon: 'half', word: 'Partial', means: 'Some of the value moved, the rest is open.' },
  failed: { tone: 'bad', icon: 'cross', word: 'Failed', means: 'Ended without moving value.' },
  canceled: { tone: 'mute', icon: 'ban', word: 'Canceled', means: 'Called off before value moved.' },
  expired: { tone: 'mute', icon: 'clock', word: 'Expired', means: 'Nobody acted in time.' },
  succeeded: { tone: 'good', icon: 'check', word: 'Succeeded', means: 'The value moved.' },
  reversed: { tone: 'bad', icon: 'back', word: 'Reversed', means: 'The value came back.' },
};

export const VERDICT_LOOKS: Readonly<Record<RequestVerdict, Look>> = {
  accepted: { tone: 'good', icon: 'shield', word: 'Accepted', means: 'The signature is right and the request is recorded.' },
  rejected: { tone: 'bad', icon: 'ban', word: 'Rejected', means: 'The signature did not hold. The request is kept in quarantine.' },
  duplicate: { tone: 'mute', icon: 'copy', word: 'Duplicate', means: 'The same event came before; nothing was done twice.' },
};

export const DELIVERY_LOOKS: Readonly<Record<DeliveryStatus, Look>> = {
  pending: { tone: 'wait', icon: 'clock', word: 'Pending', means: 'A try is under way or planned.' },
  succeeded: { tone: 'good', icon: 'check', word: 'Delivered', means: 'The endpoint acknowledged it.' },
  failed: { tone: 'bad', icon: 'cross', word: 'Failed', means: 'No try is left. It can be sent again.' },
};

export const RESEND_LOOKS: Readonly<Record<ResendRow['state'], Look>> = {
  running: { tone: 'wait', icon: 'clock', word: 'Running', means: 'Deliveries are being made.' },
  done: { tone: 'good', icon: 'check', word: 'All made', means: 'All deliveries are made; some may be on their way.' },
  canceled: { tone: 'mute', icon: 'ban', word: 'Canceled', means: 'Ended by hand; what waited was withdrawn.' },
  failed: { tone: 'bad', icon: 'cross', word: 'Failed', means: 'It could not go on.' },
};

export const OUTCOME_LOOKS: Readonly<Record<'succeeded' | 'failed' | 'unknown', Look>> = {
  succeeded: { tone: 'good', icon: 'check', word: 'Succeeded', means: 'The endpoint acknowledged it.' },
  failed: { tone: 'bad', icon: 'cross', word: 'Failed', means: 'This try did not get through.' },
  unknown: {
    tone: 'wait',
    icon: 'question',
    word: 'Unknown',
    means: 'The process ended during this try; whether it arrived cannot be told.',
  },
};

export const TIMELINE_LOOKS: Readonly<Record<'applied' | 'stale' | 'duplicate' | 'conflict' | 'late', Look>> = {
  applied: { tone: 'good', icon: 'check', word: 'Applied', means: 'It moved the transaction.' },
  stale: { tone: 'mute', icon: 'clock', word: 'Stale', means: 'It tells of an earlier state; kept, nothing changed.' },
  duplicate: { tone: 'mute', icon: 'copy', word: 'Duplicate', means: 'The same fact came before.' },
  conflict: { tone: 'bad', icon: 'hand', word: 'Conflict', means: 'It cannot be true together with what is known.' },
  late: { tone: 'hold', icon: 'clock', word: 'Late', means: 'It came after the transaction had ended, and counts.' },
};

export const words = (code: string): string => code.replaceAll('_', ' ');

export function capital(code: string): string {
  const text = words(code);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
