import { ENDS, HASHES, LABELS, LABEL_BYTES, LINES, LINES_BYTES, MAX_LABELS, MAX_LINES, TIME_TEXT } from './memory';
import { writeInteger, writeValue } from './numbers';
import {
  BEHIND_BYTES,
  BEHIND_NAME,
  BEHIND_VALUE,
  END,
  END_BYTES,
  FIELD_BYTES,
  HEAD,
  LABELS_HEAD,
  LABELS_HEAD_BYTES,
  TIME,
  VALUE,
  writePiece,
  writeWord,
} from './pieces';
import { areAscii, areUnescaped, clearMarks, copyBytes, copyText, hashWord, isUtf8, spread, textHash } from './text';
import { readVarint, varint } from './varint';

/*
 * The lines of the samples of one series, which are the same in both versions of remote write once its labels are in LABELS:
 *
 *     name: from, length; value: from, length; the sum of their hash, where it is known
 */

/** Where the next line goes, and how many there are. */
export let out: usize = LINES;
export let count: usize = 0;
/** The longest line that is written. */
export let maxLineBytes: usize = 0;
let maxTime: f64 = 0;

/** What labels of a series may be; others are left to JavaScript. */
let maxLabels: usize = usize.MAX_VALUE;
let maxNameBytes: u32 = u32.MAX_VALUE;
let maxValueBytes: u32 = u32.MAX_VALUE;
let areLimited: bool = false;

const NO_TIME: u64 = u64.MAX_VALUE;
/** The time in TIME_TEXT: the samples of a scrape share theirs. */
let textTime: u64 = NO_TIME;
let timeBytes: usize = 0;

/** The most that a line has besides its name and its labels, with the bytes that are overwritten along with it. */
const LINE_BYTES: usize = 128;

export function startLines(pos: usize, lines: usize, maxBytes: usize, maxTimeMs: f64): void {
  out = LINES + pos;
  count = lines;
  maxLineBytes = maxBytes;
  maxTime = maxTimeMs;
}

export function limitLabels(labels: u32, nameBytes: u32, valueBytes: u32): void {
  maxLabels = labels;
  maxNameBytes = nameBytes;
  maxValueBytes = valueBytes;
  areLimited = (labels & nameBytes & valueBytes) != u32.MAX_VALUE;
}

/** Takes back the lines since some time. */
@inline
export function rollBack(lines: usize, pos: usize): void {
  out = pos;
  count = lines;
}

@inline
export function setLabel(label: usize, name: usize, nameBytes: usize, value: usize, valueBytes: usize): void {
  store<u32>(label, <u32>name);
  store<u32>(label, <u32>nameBytes, 4);
  store<u32>(label, <u32>value, 8);
  store<u32>(label, <u32>valueBytes, 12);
}

/**
 * Writes a line for each sample from `at` on.
 *
 * @param isHashed whether the labels are known to be plain, and `hash` is the sum of theirs
 * @returns the offset behind the samples, or 0 where there is none or one that is left to JavaScript: all lines have to be rolled back then
 */
@inline
export function writeSamples(at: usize, end: usize, labelsEnd: usize, name: usize, isHashed: bool, hash: u32): usize {
  if (areLimited && !areWithinLimits(labelsEnd)) return 0;
  const labelsBytes = <usize>load<u32>(name, 12) + labelsBytesOf(labelsEnd);
  let start = out;
  if (!hasRoom(start, labelsBytes)) return 0;
  // The first line: its name, its time and value, its labels.
  let pos = writePiece(start, HEAD, FIELD_BYTES);
  pos = copyBytes(pos, load<u32>(name, 8), load<u32>(name, 12));
  pos = writePiece(pos, TIME, FIELD_BYTES);
  const timeAt = pos;
  at = readSample(at, end);
  if (at == 0) return 0;
  pos = writeSample(pos);
  if (pos == 0) return 0;
  const labelsAt = pos;
  if (isHashed) pos = writePlainLabels(pos, labelsEnd);
  else {
    pos = writeLabels(pos, labelsEnd);
    if (!areUnescaped() || !(areAscii() || areUtf8(labelsEnd))) return 0;
    hash = labelsHash;
  }
  const lineHash = spread(hash);
  const lineEnd = pos;
  if (!tryEnd(start, pos, lineHash)) return 0;
  // The others repeat it around their own times and values.
  while (at < end && load<u8>(at) == SAMPLE) {
    const from = pos;
    if (!hasRoom(from, lineEnd - start)) return 0;
    pos = copyBytes(from, start, timeAt - start);
    at = readSample(at, end);
    if (at == 0) return 0;
    pos = writeSample(pos);
    if (pos == 0) return 0;
    pos = copyBytes(pos, labelsAt, lineEnd - labelsAt);
    if (!tryEnd(from, pos, lineHash)) return 0;
  }
  out = pos;
  return at;
}

@inline
function hasRoom(pos: usize, bytes: usize): bool {
  return pos + bytes + LINE_BYTES <= LINES + LINES_BYTES && count < MAX_LINES;
}

@inline
function tryEnd(start: usize, end: usize, hash: u32): bool {
  if (end - start > maxLineBytes) return false;
  store<u32>(ENDS + 4 * count, <u32>(end - LINES));
  store<u32>(HASHES + 4 * count, hash);
  count++;
  return true;
}

const SAMPLE: u8 = 0x12;
const SAMPLE_VALUE: u8 = 0x09;
const SAMPLE_TIME: u8 = 0x10;
let sampleTime: u64 = 0;
/** Where the value of the sample is; 0 where it is 0. */
let sampleValue: usize = 0;

/** Reads a sample that has a time, and a value before it or none; 0 for any other. */
@inline
function readSample(at: usize, end: usize): usize {
  const bytes: usize = load<u8>(at, 1);
  const sampleEnd = at + 2 + bytes;
  if (load<u8>(at) != SAMPLE || bytes >= 0x80 || sampleEnd > end) return 0;
  at += 2;
  sampleValue = 0;
  if (load<u8>(at) == SAMPLE_VALUE) {
    sampleValue = at + 1;
    at += 9;
  }
  if (at >= sampleEnd || load<u8>(at) != SAMPLE_TIME || readVarint(at + 1) != sampleEnd) return 0;
  sampleTime = varint;
  return <f64>sampleTime > maxTime ? 0 : sampleEnd;
}

/** Writes the time and the value of the sample that was read; returns 0 where the value is left to JavaScript. */
@inline
function writeSample(pos: usize): usize {
  if (sampleTime != textTime) {
    textTime = sampleTime;
    timeBytes = writeInteger(TIME_TEXT, sampleTime) - TIME_TEXT;
  }
  v128.store(pos, v128.load(TIME_TEXT));
  store<u64>(pos, load<u64>(TIME_TEXT, 16), 16);
  pos = writePiece(pos + timeBytes, VALUE, FIELD_BYTES);
  if (sampleValue != 0) return writeValue(pos, sampleValue);
  store<u8>(pos, 0x30);
  return pos + 1;
}

let labelsHash: u32 = 0;

/** Writes the labels and the end of the line; `areUnescaped` and `areAscii` tell of them, and `labelsHash` is the sum of theirs. */
@inline
function writeLabels(pos: usize, labelsEnd: usize): usize {
  let hash: u32 = 0;
  clearMarks();
  pos = writePiece(pos, LABELS_HEAD, LABELS_HEAD_BYTES);
  for (let label = LABELS; label < labelsEnd; label += LABEL_BYTES) {
    const nameBytes: usize = load<u32>(label, 4);
    copyText(pos, load<u32>(label), nameBytes);
    const nameHash = textHash;
    pos = writeWord(pos + nameBytes, BEHIND_NAME, BEHIND_BYTES);
    const valueBytes: usize = load<u32>(label, 12);
    copyText(pos, load<u32>(label, 8), valueBytes);
    pos = writeWord(pos + valueBytes, BEHIND_VALUE, BEHIND_BYTES);
    hash += hashWord(nameHash, textHash);
  }
  labelsHash = hash;
  return endLine(pos);
}

@inline
function writePlainLabels(pos: usize, labelsEnd: usize): usize {
  pos = writePiece(pos, LABELS_HEAD, LABELS_HEAD_BYTES);
  for (let label = LABELS; label < labelsEnd; label += LABEL_BYTES) {
    pos = writeWord(copyBytes(pos, load<u32>(label), load<u32>(label, 4)), BEHIND_NAME, BEHIND_BYTES);
    pos = writeWord(copyBytes(pos, load<u32>(label, 8), load<u32>(label, 12)), BEHIND_VALUE, BEHIND_BYTES);
  }
  return endLine(pos);
}

/** Takes what stands behind the last value back. */
@inline
function endLine(pos: usize): usize {
  return writeWord(pos - BEHIND_BYTES, END, END_BYTES);
}

function areUtf8(labelsEnd: usize): bool {
  for (let label = LABELS; label < labelsEnd; label += LABEL_BYTES) {
    if (!isUtf8(load<u32>(label), load<u32>(label, 4)) || !isUtf8(load<u32>(label, 8), load<u32>(label, 12))) return false;
  }
  return true;
}

function areWithinLimits(labelsEnd: usize): bool {
  if (labelsEnd > LABELS + LABEL_BYTES * min(maxLabels, MAX_LABELS)) return false;
  for (let label = LABELS; label < labelsEnd; label += LABEL_BYTES) {
    if (load<u32>(label, 4) > maxNameBytes || load<u32>(label, 12) > maxValueBytes) return false;
  }
  return true;
}

/** Bytes of the labels in JSON. */
@inline
function labelsBytesOf(labelsEnd: usize): usize {
  let bytes: usize = 0;
  for (let label = LABELS; label < labelsEnd; label += LABEL_BYTES)
    bytes += 6 + load<u32>(label, 4) + load<u32>(label, 12);
  return bytes;
}
