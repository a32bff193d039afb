import type { Column, Renderer, Row } from './renderer.ts';

/** Rows that are looked at, and so held, before the first is shown. */
const ALIGN_BY_ROWS = 1_000;
const NULL_TEXT = 'NULL';

/** An aligned table: header, rule, rows, count. Columns are as wide as the first 1,000 rows need; a wider cell further down stands out. */
export function renderTable<Value>(columns: readonly Column<Value>[]): Renderer<Value> {
  const held: string[][] = [];
  let widths: readonly number[] | undefined;
  let count = 0;

  const cellsOf = (row: Row<Value>) =>
    row.map((value, index) => (value === null ? NULL_TEXT : printable(columns[index]!.textOf(value))));
  const line = (cells: readonly string[], lineWidths: readonly number[]) =>
    `${cells
      .map((cell, index) => pad(cell, lineWidths[index]!, columns[index]!.isNumeric))
      .join(' | ')
      .trimEnd()}\n`;
  const begin = () => {
    const names = columns.map(({ name }) => printable(name));
    const found = names.map((name, index) =>
      held.reduce((width, cells) => Math.max(width, displayWidth(cells[index]!)), displayWidth(name)),
    );
    widths = found;
    const head = line(names, found) + `${found.map((width) => '-'.repeat(width)).join('-+-')}\n`;
    return (
      head +
      held
        .splice(0)
        .map((cells) => line(cells, found))
        .join('')
    );
  };

  return {
    rows(rows) {
      count += rows.length;
      const cells = rows.map(cellsOf);
      if (widths !== undefined) {
        const aligned = widths;
        return cells.map((texts) => line(texts, aligned)).join('');
      }
      held.push(...cells);
      return held.length >= ALIGN_BY_ROWS ? begin() : '';
    },
    end: () => `${widths === undefined ? begin() : ''}(${count} ${count === 1 ? 'row' : 'rows'})\n`,
  };
}

function pad(text: string, width: number, isRight: boolean): string {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return isRight ? fill + text : text + fill;
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Keeps a label's value from breaking the table or steering the terminal: control and direction characters are shown as escapes. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    return ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

// eslint-disable-next-line no-control-regex -- the range is that of ASCII
const ASCII = /^[\x00-\x7f]*$/;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
// UAX #11 wide characters, by the scripts and blocks that they lie in.
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60]$/u;

/** Columns that a terminal gives to a text. */
function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += ZERO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}
