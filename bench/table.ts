const TITLE_CHARS = 50;
const CELL_CHARS = 11;

/** A row of a table for a terminal: a title, and cells that end below each other. */
export function tableRow(title: string, cells: readonly string[]): string {
  return title.padEnd(TITLE_CHARS) + cells.map((cell) => cell.padStart(CELL_CHARS)).join('');
}
