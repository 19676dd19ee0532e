import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { useHeld } from './held.ts';
import { Icon } from './icons.tsx';
import { useKeys } from './keys.ts';

export interface RowsProps<Row extends { readonly id: string }> {
  readonly rows: readonly Row[];
  /** In pixels; the same for all. */
  readonly rowHeight: number;
  readonly label: string;
  readonly hrefOf: (row: Row) => string;
  readonly statusOf: (row: Row) => string;
  readonly render: (row: Row) => ReactNode;
  readonly isFresh?: (row: Row) => boolean;
  readonly onEnd?: () => void;
  readonly head?: ReactNode;
  readonly className?: string;
  readonly testId?: string;
  /** The row whose detail stands beside the list. */
  readonly openId?: string | undefined;
}

/** A live list of any length: only what is seen is in the page, and nothing moves under the pointer. */
export function Rows<Row extends { readonly id: string }>(props: RowsProps<Row>) {
  const { rows, rowHeight, hrefOf, onEnd } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [hovered, setHovered] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [selected, setSelected] = useState<string | null>(null);
  const [, navigate] = useLocation();
  const { shown, waiting, release } = useHeld(rows, hovered || scrolled || selected !== null);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => shown[index]?.id ?? index,
    overscan: 8,
  });
  useEffect(() => virtual.measure(), [rowHeight, virtual]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (shown.length > 0 && last >= shown.length - 20) onEnd?.();
  }, [last, shown.length, onEnd]);
  const move = (step: number): void => {
    const from = shown.findIndex((row) => row.id === (selected ?? props.openId));
    const next = Math.min(shown.length - 1, Math.max(0, from + step));
    const row = shown[next];
    if (row === undefined) return;
    setSelected(row.id);
    virtual.scrollToIndex(next);
    if (props.openId !== undefined) navigate(hrefOf(row));
  };
  const open = (): void => {
    const row = shown.find(({ id }) => id === selected);
    if (row !== undefined) navigate(hrefOf(row));
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: open,
    o: open,
    ...(selected !== null && props.openId === undefined ? { Escape: () => setSelected(null) } : {}),
  });
  const toTop = (): void => {
    setSelected(null);
    release();
    scroller.current?.scrollTo({ top: 0 });
  };
  return (
    <div
      className={`rows ${props.className ?? ''}`}
      onPointerEnter={(event) => event.pointerType === 'mouse' && setHovered(true)}
      onPointerLeave={() => setHovered(false)}
    >
      {props.head !== undefined && <div className="row head">{props.head}</div>}
      {waiting > 0 && (
        <button type="button" className="new-pill" onClick={toTop}>
          <Icon name="arrowUp" size={12} /> {waiting} new
        </button>
      )}
      <div
        className="scroller"
        ref={scroller}
        data-testid={props.testId}
        role="group"
        aria-label={props.label}
        onScroll={(event) => setScrolled(event.currentTarget.scrollTop > 4)}
      >
        <div className="runway" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = shown[item.index];
            if (row === undefined) return null;
            const marks = `${row.id === selected ? ' selected' : ''}${row.id === props.openId ? ' open' : ''}${props.isFresh?.(row) === true ? ' fresh' : ''}`;
            return (
              <a
                key={row.id}
                href={hrefOf(row)}
                className={`row${marks}`}
                data-row-id={row.id}
                data-status={props.statusOf(row)}
                style={{ height: rowHeight, transform: `translateY(${item.start}px)` }}
                onClick={(event) => {
                  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
                  event.preventDefault();
                  navigate(hrefOf(row));
                }}
              >
                {props.render(row)}
              </a>
            );
          })}
        </div>
      </div>
    </div>
  );
}
