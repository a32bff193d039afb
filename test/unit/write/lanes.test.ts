import SnappyJS from 'snappyjs';
import { describe, expect, test, vi } from 'vitest';
import { BufferPool } from '../../../src/buffer_pool.ts';
import { RequestError } from '../../../src/errors.ts';
import { Lanes, type LaneOptions } from '../../../src/write/lanes.ts';
import { MetadataSet } from '../../../src/write/metadata_set.ts';
import { bytesField } from '../../support/protobuf_writer.ts';
import { NO_LIMITS } from '../../support/same_as_oracle.ts';
import { series } from '../../support/series.ts';

const MIB = 1024 * 1024;
const OPTIONS: LaneOptions = {
  ...NO_LIMITS,
  maxBodyBytes: 32 * MIB,
  maxLinesBytes: () => 64 * MIB,
  onSlow: () => undefined,
  checkWanted: () => undefined,
};
const SMALL = SnappyJS.compress(series({ __name__: 'up' }, 1));
/** Nothing but empty metadata: as slow as a body can be made. */
const SLOW = SnappyJS.compress(Buffer.alloc(4 * MIB, bytesField(3, '')));
/** More than the kernel takes. */
const LARGE = SnappyJS.compress(
  Buffer.concat([series({ __name__: 'large' }, 1), Buffer.alloc(9 * MIB, bytesField(15, 'xxxxxx'))]),
);

function createLanes(): Lanes {
  return new Lanes({ seen: new MetadataSet(), pool: new BufferPool() });
}

/** A body, and the slow lane's options. */
function slowOptions() {
  return { ...OPTIONS, onSlow: vi.fn(), checkWanted: vi.fn() };
}

test('what takes no time is done at once', async () => {
  const options = slowOptions();
  const { lines } = await createLanes().flatten(SMALL, options);
  expect(lines.ends.length).toBe(1);
  expect(options.onSlow).not.toHaveBeenCalled();
});

test('what nobody wants any more when its turn comes is not looked at', async () => {
  const gone = () => {
    throw new RequestError('deadline', 'too late');
  };
  await expect(createLanes().flatten(SMALL, { ...OPTIONS, checkWanted: gone })).rejects.toMatchObject({
    code: 'deadline',
  });
});

describe.each([
  ['is large', LARGE, { sample: 1, metadata: 0 }],
  ['takes long', SLOW, { sample: 0, metadata: 2 * MIB }],
])('what %s', (_, body, received) => {
  test('is done in slices, between which others are done', async () => {
    const lanes = createLanes();
    const options = slowOptions();
    const order: string[] = [];
    const slow = lanes.flatten(body, options).then((flattened) => {
      order.push('slow');
      return flattened;
    });
    await lanes.flatten(SMALL, OPTIONS).then(() => order.push('small'));
    expect((await slow).received).toMatchObject(received);
    expect(order).toEqual(['small', 'slow']);
    expect(options.onSlow).toHaveBeenCalledTimes(1);
    expect(options.checkWanted.mock.calls.length).toBeGreaterThan(0);
  });

  test('ends when nobody wants it any more, and the next has its turn', async () => {
    const lanes = createLanes();
    const gone = () => {
      throw new RequestError('deadline', 'too late');
    };
    const first = lanes.flatten(body, { ...OPTIONS, checkWanted: gone });
    const second = lanes.flatten(body, OPTIONS);
    await expect(first).rejects.toMatchObject({ code: 'deadline' });
    expect((await second).received).toMatchObject(received);
  });
});

test('one slow request after the other', async () => {
  const lanes = createLanes();
  const running: number[] = [];
  let current = -1;
  const flatten = (index: number) =>
    lanes.flatten(LARGE, {
      ...OPTIONS,
      checkWanted: () => {
        if (current !== index) running.push(index);
        current = index;
      },
    });
  await Promise.all([flatten(0), flatten(1), flatten(2)]);
  expect(running).toEqual([0, 1, 2]);
});

test('what is wrong with a body is said in either lane', async () => {
  const lanes = createLanes();
  const cut = SnappyJS.compress(Buffer.from(series({ __name__: 'up' }, 1).slice(0, -1)));
  await expect(lanes.flatten(cut, OPTIONS)).rejects.toMatchObject({ code: 'invalid_protobuf' });
  await expect(lanes.flatten(LARGE.slice(0, -1), OPTIONS)).rejects.toMatchObject({ code: 'invalid_snappy' });
  await expect(lanes.flatten(LARGE, { ...OPTIONS, maxBodyBytes: MIB })).rejects.toMatchObject({
    code: 'invalid_snappy',
  });
  expect((await lanes.flatten(LARGE, OPTIONS)).received.sample).toBe(1);
});
