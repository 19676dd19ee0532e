import { useEffect, useState } from 'react';
import { Icon } from './icons.tsx';

/** Outside secure contexts browsers hide the clipboard; a selection and the old command still work there. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

export function CopyButton({ text, label }: { readonly text: string | (() => Promise<string>); readonly label?: string }) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return;
    const timer = setTimeout(() => setSaid(null), 1_500);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async (): Promise<void> => {
    try {
      await copyText(typeof text === 'string' ? text : await text());
      setSaid('Copied');
    } catch {
      setSaid('Not copied');
    }
  };
  return (
    <button
      type="button"
      className={label === undefined ? 'icon-button' : 'button small'}
      onClick={() => void copy()}
      aria-label={label ?? 'Copy'}
      title={said ?? label ?? 'Copy'}
    >
      <Icon name={said === 'Copied' ? 'check' : 'copy'} size={14} />
      {label !== undefined && <span>{said ?? label}</span>}
      <span className="visually-hidden" role="status">
        {said}
      </span>
    </button>
  );
}

/** An identifier that people paste elsewhere. */
export function Reference({ text }: { readonly text: string }) {
  return (
    <span className="reference">
      <code title={text}>{text}</code>
      <CopyButton text={text} />
    </span>
  );
}
