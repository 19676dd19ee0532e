import './styles/index.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { queryClient } from './api/queries.ts';
import { openFromLink } from './api/session.ts';
import { App } from './app.tsx';
import { applyTheme } from './ui/theme.ts';

applyTheme();
void openFromLink();
window.addEventListener('hashchange', () => void openFromLink());

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element #root');
createRoot(root).render(
  <QueryClientProvider client={queryClient}>
    <App />
  </QueryClientProvider>,
);
