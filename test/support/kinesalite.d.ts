declare module 'kinesalite' {
  import type { Server } from 'node:http';

  interface KinesaliteOptions {
    readonly createStreamMs?: number;
    readonly deleteStreamMs?: number;
    readonly updateStreamMs?: number;
    readonly shardLimit?: number;
  }

  /** https://github.com/mhart/kinesalite; its server is not listening yet. */
  export default function kinesalite(options?: KinesaliteOptions): Server;
}
