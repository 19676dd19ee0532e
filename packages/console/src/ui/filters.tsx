import { useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Filters } from '../api/filters.ts';
import { Icon } from './icons.tsx';
import { takeSearchFocus } from './keys.ts';

export interface FilterState {
  readonly filters: Filters;
  set(name: string, value: string): void;
  clear(): void;
}

/** Filters live in the address bar, so that a view can be kept and sent to somebody. */
export function useFilters(names: readonly string[]): FilterState {
  const [params, setParams] = useSearchParams();
  const filters: Record<string, string> = {};
  for (const name of names) {
    const value = params.get(name);
    if (value !== null && value !== '') filters[name] = value;
  }
  const change = (edit: (next: URLSearchParams) => void): void => {
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        edit(next);
        return next;
      },
      { replace: true },
    );
  };
  return {
    filters,
    set: (name, value) => change((next) => (value === '' ? next.delete(name) : next.set(name, value))),
    clear: () => change((next) => names.forEach((name) => next.delete(name))),
  };
}

export interface PickProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
  readonly onChange: (value: string) => void;
}

/** A filter as a pill: quiet while it lets everything through. */
export function Pick({ label, value = '', choices, onChange }: PickProps) {
  const known = value === '' || choices.some((choice) => choice.value === value);
  return (
    <label className={value === '' ? 'pick' : 'pick on'}>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">Any</option>
        {!known && <option value={value}>{value}</option>}
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
      <Icon name="down" size={12} />
    </label>
  );
}

const TYPING_MS = 250;

export function SearchField({
  value,
  placeholder,
  onChange,
}: {
  readonly value: string;
  readonly placeholder: string;
  readonly onChange: (value: string) => void;
}) {
  const [text, setText] = useState(value);
  const [shown, setShown] = useState(value);
  const timer = useRef<number | null>(null);
  if (value !== shown) {
    setShown(value);
    setText(value);
  }
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );
  const type = (next: string): void => {
    setText(next);
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = window.setTimeout(() => onChange(next.trim()), TYPING_MS);
  };
  return (
    <label className="search">
      <Icon name="search" size={14} />
      <input
        ref={takeSearchFocus}
        data-search
        type="search"
        value={text}
        placeholder={placeholder}
        aria-label={placeholder}
        spellCheck={false}
        onChange={(event) => type(event.target.value)}
      />
      <kbd>/</kbd>
    </label>
  );
}
