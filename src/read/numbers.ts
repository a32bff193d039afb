/** Doubles as the archive writes them: the shortest digits that read back as the same number, and -0.0. PURE. */

import { bitsOf, doubleToken } from '../record.ts';

/** A JSON token: "NaN", "Infinity" and "-Infinity" are strings. Whole numbers are the same in the archive and in JavaScript. */
export function numberToken(value: number): string {
  return Number.isFinite(value) && value !== 0 ? String(value) : doubleToken(bitsOf(value));
}

/** The text of a cell. */
export function numberText(value: number): string {
  return Number.isFinite(value) ? numberToken(value) : String(value);
}
