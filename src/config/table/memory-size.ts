import { accept, expected, refuse, type Kind } from './kind.ts';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
};
/** What YAML and the habits of others make of `off`. */
const OFF: ReadonlySet<string> = new Set(['off', 'false', 'no', '0']);
const LEAST_BYTES = 1024 * 1024;

/** As Kubernetes writes it: `192Mi`, `1Gi`, `500M`, plain bytes; 0 and `off` are no limit, `auto` is the container's. */
export const memorySize: Kind<'auto' | number> = {
  label: 'memory size',
  form: 'one',
  format: formatMemory,
  parse(text) {
    const lower = text.toLowerCase();
    if (lower === 'auto') return accept('auto');
    if (OFF.has(lower)) return accept(0);
    const [, digits, unit = ''] = /^(\d{1,15})(k|M|G|Ki|Mi|Gi)?$/.exec(text) ?? [];
    const bytes = Number(digits) * (UNITS[unit] ?? NaN);
    if (bytes >= LEAST_BYTES && Number.isSafeInteger(bytes)) return accept(bytes);
    return refuse(expected('auto, off, or a size of at least 1Mi such as 192Mi, 1Gi, 500M or 200000000', text));
  },
};

function formatMemory(value: 'auto' | number): string {
  if (value === 'auto') return value;
  if (value === 0) return 'off';
  return value % 2 ** 20 === 0 ? `${value / 2 ** 20}Mi` : String(value);
}
