/** Believable customers and amounts, so that the demo looks like a day at work. All of it is made up. */

export type Random = () => number;

/** What to change in the data of one event, by path. */
export type Dress = (type: string) => Readonly<Record<string, string>>;

const KENYA = [
  'Wanjiku Kamau',
  'Otieno Odhiambo',
  'Achieng Njeri',
  'Kipchoge Mutai',
  'Fatuma Hassan',
  'Mwangi Kariuki',
  'Naliaka Wekesa',
  'Brian Kiprono',
];
const TANZANIA = ['Juma Mwakyusa', 'Neema Mushi', 'Baraka Massawe', 'Asha Komba', 'Rehema Lyimo', 'Hamisi Mrema', 'Zawadi Swai'];
const NIGERIA = [
  'Chinedu Okafor',
  'Ngozi Eze',
  'Adaeze Nwosu',
  'Tunde Bakare',
  'Yetunde Alabi',
  'Emeka Obi',
  'Halima Bello',
  'Ifeoma Uche',
];
const THAILAND = ['Somchai Srisuk', 'Malee Chaiyasit', 'Niran Wattana', 'Ploy Suksawat', 'Anong Rattanakul', 'Kamol Thongchai'];
const GOODS = [
  'Two seats, Lagos to Accra',
  'Design work, November',
  'Ledger hardware case',
  'Conference ticket',
  'Server rent',
  'Coffee, 5 kg',
];

/** The same person and amount through a whole story. */
export function dress(provider: string, random: Random): Dress {
  const dresser = DRESSERS[provider];
  return dresser === undefined ? () => ({}) : dresser(random);
}

const DRESSERS: Readonly<Record<string, (random: Random) => Dress>> = {
  serixpay(random) {
    const name = pick(random, KENYA);
    const amount = price(random, { from: 50, to: 15_000, step: 50 });
    const method = random() < 0.8 ? 'mpesa' : 'card';
    const branch = pick(random, ['Westlands', 'Kilimani', 'CBD', 'Mombasa Road', 'Karen']);
    return (type) =>
      type.startsWith('payout.')
        ? { amount, method: 'mpesa', 'metadata.recipient': name }
        : { amount, method: type === 'payment.refunded' ? 'card' : method, 'metadata.customer': name, 'metadata.branch': branch };
  },
  malipopay(random) {
    const amount = price(random, { from: 2_000, to: 250_000, step: 500 });
    const phone = `2557${digits(random, 8)}`;
    const operator = pick(random, ['M-Pesa', 'Airtel Money', 'Tigo Pesa', 'HaloPesa']);
    const name = pick(random, TANZANIA);
    const order = `DUKA-${digits(random, 4)}`;
    const settled = price(random, { from: 800_000, to: 6_000_000, step: 1_000 });
    return (type): Record<string, string> => {
      if (type.startsWith('settlement.')) return { amount: settled, provider: pick(random, ['CRDB Bank', 'NMB Bank']) };
      if (type.startsWith('disbursement.')) return { amount, phone, provider: operator, 'metadata.payee': name };
      return { amount, phone, provider: operator, 'metadata.order': order };
    };
  },
  echezona(random) {
    const name = pick(random, NIGERIA);
    const email = `${name.toLowerCase().replace(/\W+/g, '.')}@example.com`;
    const amount = price(random, { from: 500, to: 120_000, step: 250 });
    return () => ({ amount, 'customer.name': name, 'customer.email': email });
  },
  makapay(random) {
    const cents = 500 + Math.floor(random() ** 2 * 60_000);
    const part = Math.floor(cents * (0.3 + 0.4 * random()));
    const fee = cents * 50; // half a percent, in ten-thousandths
    const description = pick(random, GOODS);
    return (type): Record<string, string> => {
      const asked = { amount: decimal(cents, 2), description };
      if (type === 'payment.withdrawn') return { ...asked, amountWithdrawn: decimal(part, 2) };
      if (type === 'payment.completed')
        return { ...asked, 'feeDetails.feeAmount': decimal(fee, 6), 'feeDetails.netAmount': decimal(cents * 10_000 - fee, 6) };
      return asked;
    };
  },
  altafinex(random) {
    const satang = 100 * Number(price(random, { from: 80, to: 9_000, step: 10 }));
    const part = 100 * Math.max(1, Math.floor((satang * (0.2 + 0.8 * random())) / 100));
    const customer = pick(random, THAILAND);
    const reference = `BKK-${digits(random, 4)}`;
    const createdAt = new Date().toISOString().replace(/\.\d+/, '');
    return (type): Record<string, string> =>
      type.startsWith('refund.')
        ? { amount: String(part), created_at: createdAt, reference }
        : { amount: String(satang), created_at: createdAt, reference, 'customer.name': customer };
  },
};

function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

/** Small prices are more common than large ones. */
function price(random: Random, { from, to, step }: { from: number; to: number; step: number }): string {
  return String(from + step * Math.floor((random() ** 3 * (to - from)) / step));
}

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => Math.floor(random() * 10)).join('');
}

function decimal(units: number, exponent: number): string {
  const text = String(units).padStart(exponent + 1, '0');
  return `${text.slice(0, -exponent)}.${text.slice(-exponent)}`;
}
