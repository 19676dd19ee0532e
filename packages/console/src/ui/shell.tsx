import { lazy, Suspense, useState, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { signOut } from '../api/session.ts';
import { togglePaused } from '../live/connect.ts';
import { Announcer } from './announcer.tsx';
import { Icon, type IconName } from './icons.tsx';
import { focusSearch, useKeys, wantSearch } from './keys.ts';
import { nextTheme, useTheme } from './theme.ts';

const Help = lazy(() => import('./help.tsx'));

const PLACES = [
  { href: '/', name: 'Live', icon: 'live' },
  { href: '/transactions', name: 'Transactions', icon: 'transactions' },
  { href: '/requests', name: 'Requests', icon: 'requests' },
  { href: '/deliveries', name: 'Deliveries', icon: 'deliveries' },
  { href: '/endpoints', name: 'Endpoints', icon: 'endpoints' },
  { href: '/sources', name: 'Sources', icon: 'sources' },
] as const satisfies readonly { href: string; name: string; icon: IconName }[];

export function Mark() {
  return (
    <svg className="mark" width="24" height="24" viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <rect width="24" height="24" rx="6.5" fill="currentColor" />
      <path
        d="M7 15.5h10c-1-1-1.4-2.2-1.4-4.2a3.6 3.6 0 0 0-7.2 0c0 2-.4 3.2-1.4 4.2Z"
        stroke="#fff"
        strokeWidth="1.7"
        strokeLinejoin="round"
      />
      <path d="M10.6 18.2h2.8" stroke="#fff" strokeWidth="1.7" strokeLinecap="round" />
    </svg>
  );
}

function ThemeButton() {
  const theme = useTheme();
  const icon = { system: 'screen', light: 'sun', dark: 'moon' } as const;
  return (
    <button type="button" className="nav-item" onClick={nextTheme} title="Switch between light, dark and the system's own">
      <Icon name={icon[theme]} />
      <span>Theme: {theme}</span>
    </button>
  );
}

export function Shell({ children }: { readonly children: ReactNode }) {
  const [location, navigate] = useLocation();
  const [help, setHelp] = useState(false);
  const go = (href: string) => () => navigate(href);
  useKeys({
    'g l': go('/'),
    'g t': go('/transactions'),
    'g r': go('/requests'),
    'g d': go('/deliveries'),
    'g e': go('/endpoints'),
    'g s': go('/sources'),
    '/': () => {
      if (focusSearch()) return;
      wantSearch();
      navigate('/transactions');
    },
    '.': togglePaused,
    '?': () => setHelp(true),
    Escape: () => {
      const parent = location.split('/').slice(0, -1).join('/');
      if (parent !== '') navigate(parent);
    },
  });
  const isHere = (href: string): boolean => (href === '/' ? location === '/' : location.startsWith(href));
  return (
    <div className="shell">
      <nav className="sidebar" aria-label="Console">
        <Link href="/" className="brand">
          <Mark />
          <span>Paybell</span>
        </Link>
        <div className="places">
          {PLACES.map((place) => (
            <Link key={place.href} href={place.href} className="nav-item" aria-current={isHere(place.href) ? 'page' : undefined}>
              <Icon name={place.icon} />
              <span>{place.name}</span>
            </Link>
          ))}
        </div>
        <div className="nav-foot">
          <ThemeButton />
          <button type="button" className="nav-item" onClick={() => setHelp(true)}>
            <Icon name="keyboard" />
            <span>Shortcuts</span>
            <kbd>?</kbd>
          </button>
          <button type="button" className="nav-item" onClick={() => void signOut()}>
            <Icon name="out" />
            <span>Sign out</span>
          </button>
        </div>
      </nav>
      {children}
      <Announcer />
      {help && (
        <Suspense>
          <Help onClose={() => setHelp(false)} />
        </Suspense>
      )}
    </div>
  );
}
