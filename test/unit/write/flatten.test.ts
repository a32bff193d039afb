import { describe, expect, test } from 'vitest';
import { Flattener } from '../../../src/write/flatten.ts';
import { textsOf } from '../../support/lines.ts';
import {
  bytesField,
  concat,
  fixed64Field,
  groupField,
  tag,
  varint,
  varintField,
  WIRE_TYPE,
} from '../../support/protobuf_writer.ts';
import { expectSameAsOracle, expectWholeIndex, NO_LIMITS } from '../../support/same_as_oracle.ts';
import { label, name, ONE, sample, series, seriesOf, time, value, valueOne } from '../../support/series.ts';

/** One for all tests: it has to be as good as new after every request and every error. */
const flattener = new Flattener();
const NO_UTF8 = Uint8Array.of(0xed, 0xa0, 0x80);

const NAME = label(name('__name__'), value('up'));

function linesOf(request: Uint8Array): string[] {
  return textsOf(flattener.flatten(request, NO_LIMITS).lines.bytes);
}

test('an empty request has no lines', () => {
  const flattened = flattener.flatten(new Uint8Array(0), NO_LIMITS);
  expectWholeIndex(flattened);
  expect(flattened.lines.ends.length).toBe(0);
});

describe('one series', () => {
  test.each<[string, Uint8Array, string[]]>([
    [
      'samples before labels, values before names, numbers absent',
      seriesOf(sample(time(5)), sample(valueOne), sample(), label(value('up'), name('__name__'))),
      [
        '{"name":"up","time":5,"value":0,"labels":{"__name__":"up"}}',
        '{"name":"up","time":0,"value":1,"labels":{"__name__":"up"}}',
        '{"name":"up","time":0,"value":0,"labels":{"__name__":"up"}}',
      ],
    ],
    [
      'of a field that comes twice the last counts, also when it is empty',
      seriesOf(
        label(name('x'), value('down'), name('__name__'), value('up')),
        label(name('job'), value('node'), value('')),
        sample(time(1), valueOne, time(7), fixed64Field(1, 0n)),
      ),
      ['{"name":"up","time":7,"value":0,"labels":{"__name__":"up"}}'],
    ],
    [
      'unknown fields and known ones of another type are skipped',
      seriesOf(
        varintField(1, 1),
        groupField(2, groupField(3, valueOne)),
        label(name('__name__'), varintField(2, 3), value('up'), bytesField(3, 'x')),
        sample(varintField(1, 3), valueOne, fixed64Field(2, ONE), time(3)),
      ),
      ['{"name":"up","time":3,"value":1,"labels":{"__name__":"up"}}'],
    ],
    [
      'labels come out sorted by bytes, not by UTF-16',
      series(
        { '\u{10000}': '1', b: '2', '\uffff': '3', ab: '4', a: '5', ['__proto__']: '6', B: '7', __name__: 'up' },
        1,
      ),
      [
        '{"name":"up","time":1,"value":1,"labels":{"B":"7","__name__":"up","__proto__":"6","a":"5","ab":"4","b":"2","\uffff":"3","\u{10000}":"1"}}',
      ],
    ],
    [
      'labels that are numbers stay in byte order',
      series({ 2: 'c', 10: 'b', 1: 'a', __name__: 'up' }, 1),
      ['{"name":"up","time":1,"value":1,"labels":{"1":"a","10":"b","2":"c","__name__":"up"}}'],
    ],
    [
      'escapes',
      series({ __name__: 'up', 'path"': 'C:\\\n\u0001\u007f\u2028é😀' }, 1),
      ['{"name":"up","time":1,"value":1,"labels":{"__name__":"up","path\\"":"C:\\\\\\n\\u0001\u007f\u2028é😀"}}'],
    ],
    [
      'the whole of int64',
      series({ __name__: 'up' }, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n),
      [
        '{"name":"up","time":-9223372036854775808,"value":1,"labels":{"__name__":"up"}}',
        '{"name":"up","time":9223372036854775807,"value":1,"labels":{"__name__":"up"}}',
        '{"name":"up","time":9007199254740993,"value":1,"labels":{"__name__":"up"}}',
      ],
    ],
    [
      'bits of a time past the 64th are dropped',
      seriesOf(NAME, sample(concat(tag(2, WIRE_TYPE.varint), varint(-1).with(9, 0x7f)))),
      ['{"name":"up","time":-1,"value":0,"labels":{"__name__":"up"}}'],
    ],
    [
      'a length of two bytes that looks like a length of one and a short label',
      seriesOf(NAME, label(name('a'.repeat(9) + '\x12r'), value('x'.repeat(1264))), sample()),
      [`{"name":"up","time":0,"value":0,"labels":{"__name__":"up","aaaaaaaaa\\u0012r":"${'x'.repeat(1264)}"}}`],
    ],
    [
      'labels without a value are none, whatever else is wrong with them',
      seriesOf(
        label(name('a')),
        label(name('__name__')),
        NAME,
        label(name(NO_UTF8)),
        label(),
        label(name('a'), value('x')),
        label(name('a'), value('')),
        sample(),
      ),
      ['{"name":"up","time":0,"value":0,"labels":{"__name__":"up","a":"x"}}'],
    ],
    [
      'a label and a value of more than 127 bytes',
      series({ __name__: 'up', a: 'x'.repeat(300), ['b'.repeat(150)]: 'y', c: 'z' }, 1),
      [
        `{"name":"up","time":1,"value":1,"labels":{"__name__":"up","a":"${'x'.repeat(300)}","${'b'.repeat(150)}":"y","c":"z"}}`,
      ],
    ],
  ])('%s', (_, request, lines) => {
    expect(linesOf(request)).toEqual(lines);
    expectSameAsOracle(flattener, request);
  });

  test.each<[string, string, Uint8Array]>([
    ['no labels', 'no_metric_name', series({}, 1)],
    ['no name', 'no_metric_name', series({ job: 'x' }, 1)],
    ['an empty name', 'no_metric_name', series({ __name__: '', job: 'x' }, 1)],
    [
      'no name, where a byte order mark is a character',
      'no_metric_name',
      series({ '\ufeff': 'x', '\ufeffa': 'x', a: 'x' }, 1),
    ],
    ['an empty label name', 'empty_label_name', series({ __name__: 'up', '': 'x' }, 1)],
    ['a label twice', 'repeated_label', seriesOf(NAME, label(name('a'), value('x')), NAME, sample())],
    ['a value that is not UTF-8', 'invalid_utf8', seriesOf(NAME, label(name('a'), value(NO_UTF8)), sample())],
    ['a name that is not UTF-8', 'invalid_utf8', seriesOf(NAME, label(name(NO_UTF8), value('x')), sample())],
    ['a metric name that is not UTF-8', 'invalid_utf8', seriesOf(label(name('__name__'), value(NO_UTF8)), sample())],
  ])('is rejected for %s', (_, problem, bad) => {
    const good = series({ __name__: 'up' }, 1);
    const flattened = expectSameAsOracle(flattener, concat(good, bad, good))!;
    expect(flattened.rejected).toEqual(new Map([[problem, 1]]));
    expect(flattened.firstProblem).toMatch(/^series \{.*\} has /);
    expect(flattened.lines.ends.length).toBe(2);
  });

  test('without anything to archive has no problem either', () => {
    const flattened = expectSameAsOracle(flattener, series({ '': '' }))!;
    expect(flattened.firstProblem).toBeUndefined();
  });

  test('is named with all its characters', () => {
    const { firstProblem } = flattener.flatten(series({ '\ufeffa': '\ufeff"', job: 'x' }, 1), NO_LIMITS);
    expect(firstProblem).toBe('series {job="x", "\ufeffa"="\ufeff\\""} has no metric name (__name__)');
  });

  test('is named in one line, whatever its names hold', () => {
    const { firstProblem } = flattener.flatten(series({ 'a\nb\u001b': '\n' }, 1), NO_LIMITS);
    expect(firstProblem).toBe('series {"a\\nb\\u001b"="\\n"} has no metric name (__name__)');
  });

  test('is named in a text that fits a line of a log', () => {
    const request = series({ job: 'x'.repeat(100_000), ['ключ'.repeat(1000)]: '"' }, 1);
    const { firstProblem } = flattener.flatten(request, NO_LIMITS);
    expect(firstProblem!.length).toBeLessThan(300);
    expect(firstProblem).toMatch(/^series \{job="xxx.*…\} has no metric name \(__name__\)$/);
  });
});
