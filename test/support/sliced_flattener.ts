import { Flattener, type Flattened, type FlattenOptions } from '../../src/write/flatten.ts';

/** A flattener that stops wherever it may. */
export class SlicedFlattener extends Flattener {
  /** Of the last request. */
  stops = 0;

  override flatten(request: Uint8Array, options: FlattenOptions): Flattened {
    const slices = this.slices(request, options, () => true);
    for (this.stops = 0; ; this.stops++) {
      const { done, value } = slices.next();
      if (done) return value;
    }
  }
}
