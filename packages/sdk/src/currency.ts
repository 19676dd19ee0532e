/** ISO 4217 codes in use, by the number of decimals of their minor unit. */
const CODES: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2:
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP ' +
    'CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT ' +
    'LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR ' +
    'RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES ' +
    'WST XCD XCG YER ZAR ZMW ZWG',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

/** Decimals of token contracts that are widely known. Others take the decimals that the amount is written with. */
const TOKENS: Readonly<Record<string, number>> = {
  // USDC: Ethereum, Base, Polygon, Arbitrum, Optimism, BNB Chain
  'eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48': 6,
  'eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913': 6,
  'eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359': 6,
  'eip155:42161/erc20:0xaf88d065e77c8cc2239327c5edb3a432268e5831': 6,
  'eip155:10/erc20:0x0b2c639c533813f4aa9d7837caf62653d097ff85': 6,
  'eip155:56/erc20:0x8ac76a51cc950d9822d68b83fe1ad97b32cd580d': 18,
  // USDT: Ethereum, Polygon, Arbitrum, BNB Chain
  'eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7': 6,
  'eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f': 6,
  'eip155:42161/erc20:0xfd086bc7cd5c481dcc9c85ebe478a1c0b69fcbb9': 6,
  'eip155:56/erc20:0x55d398326f99059ff775485246999027b3197955': 18,
  // DAI: Ethereum
  'eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f': 18,
};

const EXPONENTS: ReadonlyMap<string, number> = new Map([
  ...Object.entries(CODES).flatMap(([decimals, codes]) => codes.split(' ').map((code) => [code, Number(decimals)] as const)),
  ...Object.entries(TOKENS),
]);

/** Decimals of a currency: an ISO 4217 code in capitals or a CAIP-19 asset; undefined where not known. */
export function exponentOf(currency: string): number | undefined {
  return EXPONENTS.get(currency);
}

const ASSET = /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}\/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}$/;

/** True for the form of a CAIP-19 asset such as `eip155:8453/erc20:0x...`. */
export function isAssetId(text: string): boolean {
  return ASSET.test(text);
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** The CAIP-19 asset of an ERC-20 contract, or null where one of the two is malformed. */
export function erc20Asset(chainId: string | undefined, contract: string | undefined): string | null {
  if (chainId === undefined || contract === undefined || !/^[1-9]\d{0,15}$/.test(chainId) || !ADDRESS.test(contract)) return null;
  return `eip155:${chainId}/erc20:${contract.toLowerCase()}`;
}
