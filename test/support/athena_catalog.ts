import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What Glue knows of the tables that compaction makes: properties, and where each partition lies. */

interface Table {
  readonly properties: Record<string, string>;
  /** Locations in the bucket by the partition's value. */
  readonly partitions: Map<string, string>;
}

const PARTITION = /^ALTER TABLE (\w+) (ADD IF NOT EXISTS )?PARTITION \(day = '([\w-]+)'\) (SET )?LOCATION '([^']+)'$/;
const PROPERTIES = /^ALTER TABLE (\w+) SET TBLPROPERTIES \(('\w+' = '[^']+'(?:, '\w+' = '[^']+')*)\)$/;
const CREATE = /^CREATE EXTERNAL TABLE IF NOT EXISTS (\w+) \(.* TBLPROPERTIES \('(\w+)' = '([^']+)'\)$/;

export class AthenaCatalog {
  readonly #tables = new Map<string, Table>();
  readonly #bucket: string;
  readonly #bucketDir: string;

  /** A bucket is a folder. */
  constructor(bucket: string, bucketDir: string) {
    this.#bucket = bucket;
    this.#bucketDir = bucketDir;
  }

  /** @throws Error where there is no such table */
  table(name: string): Table {
    const table = this.#tables.get(name);
    if (!table) throw new Error(`there is no table ${name}`);
    return table;
  }

  /** The path in the bucket of s3://…. */
  pathOf(location: string): string {
    const prefix = `s3://${this.#bucket}/`;
    if (!location.startsWith(prefix) || !location.endsWith('/'))
      throw new Error(`${location} is no folder of the bucket`);
    return location.slice(prefix.length);
  }

  /** Runs a statement of Hive's; the table that it changed. */
  run(sql: string): string {
    const [, created, key, value] = CREATE.exec(sql) ?? [];
    if (created !== undefined) {
      if (!this.#tables.has(created)) {
        this.#tables.set(created, { properties: { [key!]: value! }, partitions: new Map() });
      }
      return created;
    }
    const [, changed, list] = PROPERTIES.exec(sql) ?? [];
    if (changed !== undefined) {
      const { properties } = this.table(changed);
      for (const [, name, text] of list!.matchAll(/'(\w+)' = '([^']+)'/g)) properties[name!] = text!;
      return changed;
    }
    const [, name, add, day, set, location] = PARTITION.exec(sql) ?? [];
    if (name === undefined || (add === undefined) === (set === undefined)) throw new Error(`not known: ${sql}`);
    const { partitions } = this.table(name);
    if (add === undefined && !partitions.has(day!)) throw new Error(`there is no partition ${day}`);
    if (add === undefined || !partitions.has(day!)) partitions.set(day!, this.pathOf(location!));
    return name;
  }

  /** The files of a table's partitions. */
  files(name: string): { readonly day: string; readonly path: string }[] {
    return Array.from(this.table(name).partitions).flatMap(([day, folder]) =>
      readdirSync(join(this.#bucketDir, folder)).map((file) => ({ day, path: join(this.#bucketDir, folder, file) })),
    );
  }
}
