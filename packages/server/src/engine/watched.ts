import type { StorageFailure } from '../storage/contract.ts';
import type { Storage } from './ports.ts';

type Method = (argument: unknown) => Promise<unknown>;

/** The store; whichever call finds that it cannot be trusted any more tells `onFatal` before its caller. */
export function watched(storage: Storage, onFatal: (error: Error) => void): Storage {
  return new Proxy(storage, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name);
      if (typeof found !== 'function') return found;
      return async (argument: unknown): Promise<unknown> => {
        try {
          return await (found as Method).call(target, argument);
        } catch (error) {
          if ((error as Partial<StorageFailure>).fatal === true) onFatal(error as Error);
          throw error;
        }
      };
    },
  });
}
