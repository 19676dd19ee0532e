export interface Asset {
  /** `KES`, `USDC`, `ERC20 0x8335…2913`. */
  readonly name: string;
  /** Where the token lives, e.g. `Base`; null for money. */
  readonly network: string | null;
  /** The whole identifier. */
  readonly id: string;
}

const CHAINS: Readonly<Record<string, string>> = {
  'eip155:1': 'Ethereum',
  'eip155:10': 'Optimism',
  'eip155:56': 'BNB Chain',
  'eip155:137': 'Polygon',
  'eip155:8453': 'Base',
  'eip155:42161': 'Arbitrum',
  'eip155:43114': 'Avalanche',
  'bip122:000000000019d6689c085ae165831e93': 'Bitcoin',
  'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp': 'Solana',
};

/** A token is called by its name only where the whole id is known: anyone can deploy a contract named USDC. */
const TOKENS: Readonly<Record<string, string>> = {
  'eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48': 'USDC',
  'eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7': 'USDT',
  'eip155:10/erc20:0x0b2c639c533813f4aa9d7837caf62653d097ff85': 'USDC',
  'eip155:56/erc20:0x55d398326f99059ff775485246999027b3197955': 'USDT',
  'eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359': 'USDC',
  'eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f': 'USDT',
  'eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913': 'USDC',
  'eip155:42161/erc20:0xaf88d065e77c8cc2239327c5edb3a432268e5831': 'USDC',
};

const NATIVE: Readonly<Record<string, string>> = {
  'slip44:0': 'BTC',
  'slip44:60': 'ETH',
  'slip44:501': 'SOL',
  'slip44:714': 'BNB',
  'slip44:966': 'POL',
};

const shorten = (text: string): string => (text.length > 14 ? `${text.slice(0, 6)}…${text.slice(-4)}` : text);

/** What to call a currency: ISO codes as they are, CAIP-19 ids by token and network. */
export function describeAsset(currency: string): Asset {
  const slash = currency.indexOf('/');
  if (slash < 0) return { name: currency.length > 12 ? shorten(currency) : currency, network: null, id: currency };
  const chain = currency.slice(0, slash);
  const token = currency.slice(slash + 1);
  const network = CHAINS[chain] ?? shorten(chain);
  const known = TOKENS[currency.toLowerCase()] ?? NATIVE[token];
  if (known !== undefined) return { name: known, network, id: currency };
  const [standard = '', contract = ''] = token.split(':', 2);
  return { name: `${standard.toUpperCase()} ${shorten(contract)}`, network, id: currency };
}
