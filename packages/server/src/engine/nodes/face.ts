/** The processes that share a store, as this one sees them. */
export interface NodesFace {
  /** Names this process. */
  readonly id: string;
  state(): {
    readonly others: number;
    /** Version of the directory that is held here, and how many versions the store is ahead. */
    readonly directory: number;
    readonly behind: number;
    /** Rows that another process sealed with a master key that is not known here. */
    readonly unreadable: number;
    /** The way by which hints travel; without it other nodes are heard of a little later. */
    readonly redis: 'none' | 'connected' | 'lost';
    readonly dropped: number;
    readonly ignored: number;
  };
  /** Where to ask how many messages this process has made for live streams. */
  newsFrom(count: () => number): void;
}
