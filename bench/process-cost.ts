import { readFileSync } from 'node:fs';

// Linux counts for any process, threads included, without the process having to help. Elsewhere the server's own /metrics must do.

const TICKS_PER_SECOND = 100;

/** Microseconds of CPU that a process and its threads have used, in steps of 10 ms; null where the system does not tell. */
export function cpuMicrosOf(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return (ticks * 1e6) / TICKS_PER_SECOND;
  } catch {
    return null;
  }
}

/** Microseconds of CPU that this process has used. */
export function ownCpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Megabytes of memory in use now and at most so far; null where the system does not tell. */
export function memoryOf(pid: number): { readonly rssMb: number; readonly peakMb: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const megabytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
    return { rssMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') };
  } catch {
    return null;
  }
}
