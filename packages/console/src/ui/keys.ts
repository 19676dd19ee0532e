import { useEffect, useRef } from 'react';

/** By key, or by sequence (`g t`). */
export type KeyMap = Readonly<Record<string, () => void>>;

const SEQUENCE_MS = 1_000;
const stack: { current: KeyMap }[] = [];
let prefix = '';
let prefixAt = 0;

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
}

function press(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event.target)) {
    if (event.key === 'Escape') (event.target as HTMLElement).blur();
    return;
  }
  if (document.querySelector('dialog[open]') !== null) return;
  // Enter on something that has its own meaning keeps that meaning.
  if (event.key === 'Enter' && event.target instanceof HTMLElement && event.target.closest('a, button') !== null) return;
  const key = prefix !== '' && event.timeStamp - prefixAt < SEQUENCE_MS ? `${prefix} ${event.key}` : event.key;
  prefix = '';
  const map = stack.findLast(({ current }) => Object.hasOwn(current, key));
  if (map !== undefined) {
    event.preventDefault();
    map.current[key]?.();
  } else if (stack.some(({ current }) => Object.keys(current).some((name) => name.startsWith(`${key} `)))) {
    prefix = key;
    prefixAt = event.timeStamp;
  }
}

/** Listens while mounted; of two that know a key the later mounted one has it. */
export function useKeys(map: KeyMap): void {
  const latest = useRef(map);
  useEffect(() => {
    latest.current = map;
  });
  useEffect(() => {
    if (stack.length === 0) document.addEventListener('keydown', press);
    stack.push(latest);
    return () => {
      stack.splice(stack.indexOf(latest), 1);
      if (stack.length === 0) document.removeEventListener('keydown', press);
    };
  }, []);
}

let searchWanted = false;

/** Focuses the search field of this page; false where it has none. */
export function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>('[data-search]');
  field?.focus();
  field?.select();
  return field !== null;
}

export function wantSearch(): void {
  searchWanted = true;
}

/** Ref of a search field: takes the focus where the user asked for a search on a page without one. */
export function takeSearchFocus(field: HTMLInputElement | null): void {
  if (field === null || !searchWanted) return;
  searchWanted = false;
  field.focus();
}
