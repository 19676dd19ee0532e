import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const server = 'http://127.0.0.1:4400';

export default defineConfig({
  base: '/',
  plugins: [react()],
  build: {
    outDir: '../server/console',
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy of the server allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { port: 4401, proxy: { '/v1': server, '/in': server, '/openapi.json': server } },
});
