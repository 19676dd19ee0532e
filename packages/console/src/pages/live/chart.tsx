import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useMedia } from '../../ui/media.ts';
import { useTheme } from '../../ui/theme.ts';
import { toColumns, type Columns, type Counted } from './series.ts';

const HEIGHT = 190;
const STEP_MS = 1_000;

const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const fullRate = (rate: number | null | undefined): string =>
  rate === null || rate === undefined ? '—' : `${rate.toFixed(rate < 10 ? 1 : 0)}/s`;

function options(width: number): uPlot.Options {
  const axis = { stroke: color('--text-3'), font: '11px ui-sans-serif, system-ui, sans-serif', ticks: { show: false }, gap: 6 };
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  const line = (label: string, stroke: string, fill?: string): uPlot.Series => ({
    label,
    stroke,
    width: 1.5,
    points: { show: false },
    value: (_plot, rate) => fullRate(rate),
    ...(stepped === undefined ? {} : { paths: stepped }),
    ...(fill === undefined ? {} : { fill }),
  });
  return {
    width,
    height: HEIGHT,
    padding: [12, 8, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    legend: { live: true },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.15)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 70,
        size: 26,
        values: (_plot, splits) =>
          splits.map((at) => new Date(at * 1_000).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })),
      },
      {
        ...axis,
        grid: { stroke: color('--line'), width: 1 },
        size: 44,
        space: 40,
        values: (_plot, splits) => splits.map((rate) => `${rate}/s`),
      },
    ],
    series: [
      { value: (_plot, at) => (at === null ? '—' : new Date(at * 1_000).toLocaleTimeString(undefined, { hourCycle: 'h23' })), label: 'At' },
      line('Accepted', color('--accent'), color('--accent-soft')),
      line('Rejected', color('--bad')),
      line('Failed tries', color('--wait')),
    ],
  };
}

/** Without a pointer on the chart the legend tells the last whole bucket. */
function show(plot: uPlot, columns: Columns): void {
  plot.setData(columns);
  if ((plot.cursor.left ?? -1) < 0) plot.setLegend({ idx: Math.max(0, columns[0].length - 2) });
}

function Plot(counted: Counted) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const input = useRef(counted);
  const { stats, bucketMs, countedAt } = counted;
  useEffect(() => {
    input.current = { stats, bucketMs, countedAt };
    if (plot.current !== null) show(plot.current, toColumns(input.current, Date.now()));
  }, [stats, bucketMs, countedAt]);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const draw = (): Columns => toColumns(input.current, Date.now());
    const made = new uPlot(options(element.clientWidth), draw(), element);
    plot.current = made;
    show(made, draw());
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    const timer = setInterval(() => {
      if (!document.hidden) show(made, draw());
    }, STEP_MS);
    return () => {
      clearInterval(timer);
      resize.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, []);
  return <div className="chart" ref={box} role="img" aria-label="Webhooks received per second" />;
}

/** Arrivals per second, sliding on by itself between two answers of the server. */
export function RateChart(counted: Counted) {
  const theme = useTheme();
  const dark = useMedia('(prefers-color-scheme: dark)');
  // A canvas knows no style sheet: with another theme it is drawn anew.
  return <Plot key={`${theme} ${dark}`} {...counted} />;
}
