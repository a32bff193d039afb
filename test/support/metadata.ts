import type { ArchiveRecord, MetadataRecord } from '../../src/record.ts';

type Metadata = MetadataRecord['metadata'];

/** Metadata by metric family, as Prometheus answers of its targets: https://prometheus.io/docs/prometheus/latest/querying/api/. */
export type Families = Readonly<Record<string, readonly Metadata[]>>;

/** Metadata under a name, as text. */
export function metadataEntry(name: string, { type, help, unit }: Metadata): string {
  return JSON.stringify([name, type, help, unit]);
}

/** The metadata of families that say anything. */
export function metadataOfFamilies(families: Families): Set<string> {
  return new Set(
    Object.entries(families).flatMap(([family, list]) =>
      list
        .filter(({ type, help, unit }) => type !== 'unknown' || help !== '' || unit !== '')
        .map((metadata) => metadataEntry(family, metadata)),
    ),
  );
}

export function metadataOfRecords(records: readonly ArchiveRecord[]): MetadataRecord[] {
  return records.filter((record) => record.kind === 'metadata');
}

/** The families that a series of a name may be of: its own name, and that without the suffix that its type gives it. */
export function familyNames(name: string): string[] {
  const family = name.replace(/_(?:bucket|sum|count|total|created|info)$/, '');
  return family === name ? [name] : [name, family];
}
