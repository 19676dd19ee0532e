import type { Happenings, Observe } from './faces.ts';
import type { Log } from './ports.ts';

type Receivers = { [Name in keyof Happenings]?: Set<(what: Happenings[Name]) => void> };

/** Tells whoever listens what has been committed. A listener that throws is logged and harms nobody. */
export function createObserve(log: Log): Observe {
  const receivers: Receivers = {};
  return {
    on(name, receive) {
      const set = (receivers[name] ??= new Set() as never) as Set<typeof receive>;
      set.add(receive);
      return () => set.delete(receive);
    },
    emit(name, what) {
      const set = receivers[name] as Set<(what: unknown) => void> | undefined;
      if (set === undefined) return;
      for (const receive of set) {
        try {
          receive(what);
        } catch (error) {
          log.error({ name, error: String(error) }, 'a listener failed');
        }
      }
    },
  };
}
