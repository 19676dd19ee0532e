import { useEffect, type ReactNode } from 'react';
import { Link } from 'wouter';
import { Icon } from './icons.tsx';
import { LiveBadge } from './live-badge.tsx';

export interface PageProps {
  readonly title: ReactNode;
  /** Where Back leads; absent on top-level pages. */
  readonly back?: { readonly href: string; readonly label: string };
  readonly tools?: ReactNode;
  /** Fills the height, its parts scroll by themselves. */
  readonly fixed?: boolean;
  readonly children: ReactNode;
}

export function Page({ title, back, tools, fixed = false, children }: PageProps) {
  const name = typeof title === 'string' ? title : null;
  useEffect(() => {
    document.title = name === null ? 'Paybell' : `${name} · Paybell`;
  }, [name]);
  return (
    <main className={fixed ? 'page fixed' : 'page'} id="main">
      <header className="page-head">
        {back !== undefined && (
          <Link href={back.href} className="back">
            {back.label}
            <Icon name="chevron" size={12} />
          </Link>
        )}
        <h1>{title}</h1>
        <div className="tools">{tools}</div>
        <LiveBadge />
      </header>
      <div className="page-body">{children}</div>
    </main>
  );
}

export interface PanelProps {
  readonly title?: ReactNode;
  readonly tools?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}

export function Panel({ title, tools, className = '', children }: PanelProps) {
  return (
    <section className={`panel ${className}`}>
      {title !== undefined && (
        <header className="panel-head">
          <h2>{title}</h2>
          {tools}
        </header>
      )}
      {children}
    </section>
  );
}

/** A list of facts: name left, value right. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ReactNode] | null)[] }) {
  return (
    <dl className="facts">
      {rows.map(
        (row) =>
          row !== null && (
            <div key={row[0]}>
              <dt>{row[0]}</dt>
              <dd>{row[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
