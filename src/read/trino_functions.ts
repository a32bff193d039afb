/** Trino's own limit, kept so that what runs here runs there: https://trino.io/docs/current/functions/array.html#sequence */
const MAX_SEQUENCE = 10_000;
const SEQUENCE_TOO_LONG = `error('sequence has more than ${MAX_SEQUENCE} entries, which Athena refuses: take a longer step or a shorter window')`;

/**
 * Functions of Trino's, which is Athena's SQL, that DuckDB lacks, as macros: with them the queries of `athena/queries/` are one text for both.
 * None takes a function of DuckDB's away from users: where there is one of the same name, its own form is kept.
 */
export const TRINO_FUNCTIONS: readonly string[] = [
  // Trino throws on map['absent'], so published SQL says element_at; DuckDB's own of this name answers a list.
  'CREATE MACRO element_at(map, key) AS map[key]',
  'CREATE MACRO is_nan(number) AS isnan(number)',
  // Both ends are in it. Without a step it counts down where the end is before the begin.
  `CREATE MACRO sequence(first, last) AS
      CASE WHEN abs(last - first) >= ${MAX_SEQUENCE} THEN ${SEQUENCE_TOO_LONG}
      ELSE generate_series(first, last, CASE WHEN last >= first THEN 1 ELSE -1 END) END,
    (first, last, step) AS
      CASE WHEN (last - first) // step >= ${MAX_SEQUENCE} THEN ${SEQUENCE_TOO_LONG} ELSE generate_series(first, last, step) END`,
  // DuckDB's own is that of two arguments.
  `CREATE MACRO date_add(moment, duration) AS moment + duration,
    (unit, number, moment) AS moment + to_microseconds(CAST(number AS BIGINT) * CASE unit
      WHEN 'millisecond' THEN 1000 WHEN 'second' THEN 1000000 WHEN 'minute' THEN 60000000 WHEN 'hour' THEN 3600000000
      WHEN 'day' THEN 86400000000 ELSE error('date_add knows millisecond, second, minute, hour and day, not ' || unit) END)`,
];
