import { Component, type ReactNode } from 'react';

interface State {
  readonly failure: string | null;
}

/** One broken row must not take the page with it: says so, and offers to load again. */
export class Boundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { failure: null };

  static getDerivedStateFromError(error: unknown): State {
    return { failure: error instanceof Error ? error.message : 'unknown' };
  }

  override render(): ReactNode {
    if (this.state.failure === null) return this.props.children;
    return (
      <main className="page">
        <div className="trouble" role="alert">
          <div>
            <strong>This screen could not be shown.</strong>
            <p>{this.state.failure}</p>
          </div>
          <button type="button" className="button small" onClick={() => location.reload()}>
            Load again
          </button>
        </div>
      </main>
    );
  }
}
