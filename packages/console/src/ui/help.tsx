import { Dialog } from './dialog.tsx';

const KEYS = [
  ['/', 'Search transactions'],
  ['j  k', 'Next and previous row'],
  ['Enter', 'Open the row'],
  ['Esc', 'Back'],
  ['.', 'Pause and go on'],
  ['g l', 'Live'],
  ['g t', 'Transactions'],
  ['g r', 'Requests'],
  ['g d', 'Deliveries'],
  ['g e', 'Endpoints'],
  ['g s', 'Sources'],
  ['?', 'This help'],
] as const;

export default function Help({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              {keys.split(/\s+/).map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
