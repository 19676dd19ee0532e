import type { ReactNode } from 'react';

export interface SplitProps {
  readonly open: boolean;
  readonly list: ReactNode;
  readonly detail: ReactNode;
  readonly hint: string;
}

/** List left, detail right; on narrow screens the detail takes the list's place. */
export function Split({ open, list, detail, hint }: SplitProps) {
  return (
    <div className={open ? 'split open' : 'split'}>
      <div className="split-list">{list}</div>
      <div className="split-detail">{detail ?? <p className="hint center">{hint}</p>}</div>
    </div>
  );
}
