import { lazy, Suspense, useEffect } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { queryClient } from './api/queries.ts';
import { useSession } from './api/session.ts';
import { connectLive } from './live/connect.ts';
import { LivePage } from './pages/live/page.tsx';
import { Boundary } from './ui/boundary.tsx';
import { Shell } from './ui/shell.tsx';
import { Skeleton } from './ui/states.tsx';

const SignIn = lazy(() => import('./pages/sign-in.tsx'));
const Transactions = lazy(() => import('./pages/transactions/page.tsx'));
const Transaction = lazy(() => import('./pages/transaction/page.tsx'));
const Requests = lazy(() => import('./pages/requests/page.tsx'));
const Deliveries = lazy(() => import('./pages/deliveries/page.tsx'));
const Endpoints = lazy(() => import('./pages/endpoints/page.tsx'));
const Endpoint = lazy(() => import('./pages/endpoints/endpoint.tsx'));
const Sources = lazy(() => import('./pages/sources/page.tsx'));
const Source = lazy(() => import('./pages/sources/source.tsx'));

function Console() {
  useEffect(() => connectLive(queryClient), []);
  return (
    <Shell>
      <Boundary>
        <Suspense
          fallback={
            <div className="page">
              <Skeleton />
            </div>
          }
        >
          <Switch>
            <Route path="/" component={LivePage} />
            <Route path="/transactions" component={Transactions} />
            <Route path="/transactions/:id">{({ id }) => <Transaction key={id} id={id} />}</Route>
            <Route path="/requests/:id?">{({ id }) => <Requests id={id} />}</Route>
            <Route path="/deliveries/:id?">{({ id }) => <Deliveries id={id} />}</Route>
            <Route path="/endpoints" component={Endpoints} />
            <Route path="/endpoints/:id">{({ id }) => <Endpoint key={id} id={id} />}</Route>
            <Route path="/sources" component={Sources} />
            <Route path="/sources/:id">{({ id }) => <Source key={id} id={id} />}</Route>
            <Route>
              <Redirect to="/" replace />
            </Route>
          </Switch>
        </Suspense>
      </Boundary>
    </Shell>
  );
}

export function App() {
  const session = useSession();
  useEffect(() => {
    // What one person saw is not shown to the next.
    if (session !== 'in') queryClient.clear();
  }, [session]);
  if (session === 'opening') return null;
  if (session === 'in') return <Console />;
  return (
    <Suspense>
      <SignIn />
    </Suspense>
  );
}
