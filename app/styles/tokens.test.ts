import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');
const BLOCKS = {
  light: css.slice(0, css.indexOf('@media (prefers-color-scheme: dark)')),
  system: css.slice(css.indexOf('/* dark:begin'), css.indexOf('/* dark:end')),
  dark: css.slice(css.indexOf('[data-theme="dark"] {'), css.indexOf(':root {\n  /* type')),
};
const colours = (block: string) =>
  new Map(
    [...block.matchAll(/--lo-([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', hex = '']) => [name, hex]),
  );

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function contrast(a: string, b: string): number {
  const luminance = (hex: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
      const part = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const STATES = ['writing', 'revising', 'quiet', 'look', 'notstarted', 'nosignal', 'noanalysis'];
const PAPERS = ['canvas', 'surface', 'sunken', 'raised'];
const TEXT: readonly (readonly [ink: string, paper: string])[] = [
  ...STATES.map((state) => [`${state}-text`, `${state}-tint`] as const),
  ...STATES.map((state) => [`${state}-text`, 'surface'] as const),
  ...PAPERS.flatMap((paper) => ['ink', 'text', 'text-weak'].map((ink) => [ink, paper] as const)),
  ...['good', 'warn', 'bad'].map((outcome) => [`${outcome}-text`, `${outcome}-tint`] as const),
  ['accent', 'surface'],
  ['accent', 'canvas'],
  ['on-accent', 'accent'],
  ['on-look', 'look-solid'],
];
const MARKS = [
  ...STATES.map((state) => `${state}-mark`),
  'line-1',
  'line-2',
  'line-3',
  'added',
  'removed',
  'accent',
];

describe.each(['light', 'dark'] as const)('the %s colours', (theme) => {
  const known = colours(BLOCKS[theme]);
  const of = (name: string | undefined) => known.get(name ?? '') ?? expect.fail(`no colour ${name}`);

  it.each(TEXT)('let %s be read on %s', (ink, paper) => {
    expect(contrast(of(ink), of(paper))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(MARKS)('let %s be seen', (mark) => {
    expect(contrast(of(mark), of('surface'))).toBeGreaterThanOrEqual(3);
  });
});

it('are the same in the dark, by the system or by choice', () => {
  expect(colours(BLOCKS.system).size).toBeGreaterThan(40);
  expect(colours(BLOCKS.system)).toEqual(colours(BLOCKS.dark));
});
