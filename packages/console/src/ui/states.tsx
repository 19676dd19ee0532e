import type { ReactNode } from 'react';
import type { Problem } from '../api/client.ts';
import { Icon, type IconName } from './icons.tsx';

/** Grey bars in the shape of what will be there. */
export function Skeleton({ rows = 8, height = 44 }: { readonly rows?: number; readonly height?: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} style={{ height }}>
          <i style={{ width: `${9 - (index % 3)}%` }} />
          <i style={{ width: `${14 + ((index * 7) % 9)}%` }} />
          <i style={{ width: `${24 + ((index * 11) % 14)}%` }} />
          <i style={{ width: '8%' }} />
        </div>
      ))}
    </div>
  );
}

export interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ReactNode;
}

export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div className="empty">
      <span className="empty-icon">
        <Icon name={icon} size={20} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Trouble({ problem, again }: { readonly problem: Problem; readonly again?: () => void }) {
  return (
    <div className="trouble" role="alert">
      <Icon name="cross" size={14} />
      <div>
        <strong>{problem.title}</strong>
        <p>{problem.message}</p>
      </div>
      {again !== undefined && (
        <button type="button" className="button small" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}
