import { CopyButton } from './copy.tsx';

/** Something to copy as a whole: a command, a body. */
export function Code({ text, label, wrap = false }: { readonly text: string; readonly label?: string; readonly wrap?: boolean }) {
  return (
    <div className="code">
      {label !== undefined && <span className="code-label">{label}</span>}
      <pre className={wrap ? 'wrap' : undefined} tabIndex={0} aria-label={label ?? 'Text'}>
        {text}
      </pre>
      <CopyButton text={text} />
    </div>
  );
}
