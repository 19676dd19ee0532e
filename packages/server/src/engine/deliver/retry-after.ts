const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_MS = 86_400_000;
const FIFTY_YEARS_MS = 50 * 365.25 * DAY_MS;

const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)';
const MONTH = `(${MONTHS.join('|')})`;
/** The three forms of RFC 9110, 5.6.7. The name of the day is not compared with the date: servers get it wrong harmlessly. */
const IMF_FIXDATE = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\\d\\d) ${MONTH} (\\d{4}) ${TIME} GMT$`);
const RFC850 = new RegExp(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} GMT$`);
const ASCTIME = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`);

/** Milliseconds to wait from `now` (milliseconds since 1970), 0 for a past date; null for what is neither seconds nor an HTTP date. */
export function parseRetryAfter(text: string, now: number): number | null {
  if (text.length > 64) return null;
  const trimmed = text.trim();
  if (/^\d+$/.test(trimmed)) return Math.min(Number(trimmed), Number.MAX_SAFE_INTEGER / 1_000) * 1_000;
  const at = parseHttpDate(trimmed, now);
  return at === null ? null : Math.max(0, at - now);
}

function parseHttpDate(text: string, now: number): number | null {
  const imf = IMF_FIXDATE.exec(text);
  if (imf) return instant([imf[3], imf[2], imf[1], imf[4], imf[5], imf[6]]);
  const asctime = ASCTIME.exec(text);
  if (asctime) return instant([asctime[6], asctime[1], asctime[2], asctime[3], asctime[4], asctime[5]]);
  const rfc850 = RFC850.exec(text);
  if (!rfc850) return null;
  const [, day, month, year, ...time] = rfc850;
  const at = instant([`20${year}`, month, day, ...time]);
  // RFC 9110: a two-digit year more than 50 years ahead is the latest past year with these digits.
  return at !== null && at - now > FIFTY_YEARS_MS ? instant([`19${year}`, month, day, ...time]) : at;
}

/** Year, month name, day, hour, minute, second in UTC to milliseconds since 1970; null where no such time exists. */
function instant(parts: readonly (string | undefined)[]): number | null {
  const month = MONTHS.indexOf(parts[1] ?? '') + 1;
  const [year = 0, , day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const daysInMonth = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  if (day < 1 || day > daysInMonth || hour > 23 || minute > 59 || second > 60) return null;
  return daysSince1970(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1_000;
}

/** Counted from March, so that the leap day comes last; the engine keeps away from `Date`. */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + dayOfYear - 719_468;
}
