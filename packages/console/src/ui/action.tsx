import { useState, type ReactNode } from 'react';
import { Icon, type IconName } from './icons.tsx';

export interface ActionProps {
  readonly icon?: IconName;
  readonly kind?: 'plain' | 'primary';
  readonly children: ReactNode;
  /** Answers with what to say when it is done. */
  readonly run: () => Promise<string>;
}

/** A button that does something on the server, and says how it went right beside itself. */
export function Action({ icon, kind = 'plain', children, run }: ActionProps) {
  const [state, setState] = useState<{ readonly phase: 'idle' | 'busy' | 'done' | 'failed'; readonly says: string }>({
    phase: 'idle',
    says: '',
  });
  const press = async (): Promise<void> => {
    setState({ phase: 'busy', says: '' });
    try {
      setState({ phase: 'done', says: await run() });
    } catch (error) {
      setState({ phase: 'failed', says: error instanceof Error ? error.message : 'It did not work.' });
    }
  };
  return (
    <span className="action">
      <button type="button" className={`button ${kind}`} disabled={state.phase === 'busy'} onClick={() => void press()}>
        {icon !== undefined && <Icon name={icon} size={14} />}
        {children}
      </button>
      <span role="status" className={state.phase === 'failed' ? 'says bad' : 'says'}>
        {state.says}
      </span>
    </span>
  );
}
