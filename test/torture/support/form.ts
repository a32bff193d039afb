/** Whether the rows are as long as docs/reliability.md has them (`npm run torture`), or as short as `npm test` wants them. */
export const IS_LONG = process.env['TORTURE'] === 'long';

/** A figure of a row by the form that it runs in. */
export function inForm<Value>({ short, long }: { readonly short: Value; readonly long: Value }): Value {
  return IS_LONG ? long : short;
}

/** How often a row kills. */
export const KILLS = inForm({ short: 3, long: 20 });
