import { isIPv4, isIPv6 } from 'node:net';

/** An address as far as it may be kept: /24 of version 4, /48 of version 6; empty for anything else. */
export function cutAddress(address: string): string {
  if (/\/(24|48)$/.test(address)) return address; // cut before
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIPv4(plain)) return `${plain.split('.').slice(0, 3).join('.')}.0/24`;
  return isIPv6(plain) ? `${firstGroups(plain).join(':')}::/48` : '';
}

/** The first three groups of an address whose zeros may be written as `::`. */
function firstGroups(address: string): string[] {
  const [head = ''] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  return [0, 1, 2].map((index) => Number.parseInt(groups[index] ?? '0', 16).toString(16));
}
