import { count, maxLineBytes, out, rollBack, setLabel, writeSamples } from './lines';
import {
  LABELS,
  LABEL_BYTES,
  MAX_LABELS,
  MEMO,
  MEMO_BYTES,
  MEMO_ENTRIES,
  REGISTERS,
  REQUEST,
  REQUEST_BYTES,
} from './memory';
import { bytesOf, hashOf, isPlainSymbol, symbolOf, textOf } from './symbols';
import { hashWord, isAfter, isMetricName } from './text';
import { readVarint, varint } from './varint';

const SERIES: u8 = 0x2a;
const LABELS_REFS: u8 = 0x0a;
const METADATA: u8 = 0x2a;
const METADATA_TYPE: u8 = 0x08;
const METADATA_HELP: u8 = 0x18;
const METADATA_UNIT: u8 = 0x20;

/** Metadata that was the same as that of a series before. */
export let skippedMetadata: u32 = 0;

/**
 * Writes the lines of the remote write 2.0 series in REQUEST from `start` on, after readSymbols, as long as each is as nearly all are: references to
 * labels that are not empty, sorted, plain, one of them the metric's name; then samples; then metadata or none. It stops behind a series whose metadata
 * the series before did not have, which the registers then tell of.
 *
 * @param end of the request
 * @returns where it stopped
 */
export function writeSeriesV2(start: usize, end: usize): usize {
  let at = REQUEST + start;
  const requestEnd = REQUEST + end;
  skippedMetadata = 0;
  store<u32>(REGISTERS, 0, 12);
  while (at < requestEnd) {
    const tag = load<u8>(at);
    const from = readVarint(at + 1);
    const seriesEnd = from + <usize>varint;
    if (tag != SERIES) {
      // readSymbols found nothing else.
      at = seriesEnd;
      continue;
    }
    const lines = count;
    const pos = out;
    if (!writeSeries(from, seriesEnd)) {
      rollBack(lines, pos);
      break;
    }
    at = seriesEnd;
    if (load<u32>(REGISTERS, 12) != 0) break;
  }
  return at - REQUEST;
}

@inline
function writeSeries(at: usize, end: usize): bool {
  if (at >= end || load<u8>(at) != LABELS_REFS) return false;
  at = readVarint(at + 1);
  const refsEnd = at + <usize>varint;
  if (at == 0 || varint > REQUEST_BYTES || refsEnd > end) return false;
  let label = LABELS;
  let metricName: usize = 0;
  let hash: u32 = 0;
  let textBytes: usize = 0;
  while (at < refsEnd) {
    at = readVarint(at);
    const nameRef = varint;
    if (at == 0 || at >= refsEnd || !isPlainSymbol(nameRef)) return false;
    at = readVarint(at);
    const valueRef = varint;
    if (at == 0 || at > refsEnd || !isPlainSymbol(valueRef) || label == LABELS + MAX_LABELS * LABEL_BYTES) return false;
    const nameSymbol = symbolOf(<u32>nameRef);
    const valueSymbol = symbolOf(<u32>valueRef);
    const name = textOf(nameSymbol);
    const nameBytes = bytesOf(nameSymbol);
    const valueBytes = bytesOf(valueSymbol);
    // A few bytes can name large symbols again and again: what no line holds is not compared.
    textBytes += nameBytes + valueBytes;
    if (textBytes > maxLineBytes) return false;
    if (label != LABELS && !isAfter(name, nameBytes, load<u32>(label - LABEL_BYTES), load<u32>(label - LABEL_BYTES, 4)))
      return false;
    if (isMetricName(name, nameBytes)) metricName = label;
    setLabel(label, name, nameBytes, textOf(valueSymbol), valueBytes);
    hash += hashWord(hashOf(nameSymbol), hashOf(valueSymbol));
    label += LABEL_BYTES;
  }
  if (metricName == 0) return false;
  at = writeSamples(at, end, label, metricName, true, hash);
  return at != 0 && (at == end || takeMetadata(at, end, load<u32>(metricName, 8), load<u32>(metricName, 12)));
}

/** Reads the metadata that a series ends with. What the series of this name before had is skipped; else the registers tell of it. */
function takeMetadata(at: usize, end: usize, name: usize, nameBytes: usize): bool {
  const bytes: usize = load<u8>(at, 1);
  if (load<u8>(at) != METADATA || bytes >= 0x80 || at + 2 + bytes != end) return false;
  at += 2;
  let type: u32 = 0;
  let help: u32 = 0;
  let unit: u32 = 0;
  while (at < end) {
    const tag = load<u8>(at);
    at = readVarint(at + 1);
    if (at == 0 || varint > 0x7fff_ffff) return false;
    if (tag == METADATA_TYPE) type = <u32>varint;
    else if (tag == METADATA_HELP) help = <u32>varint;
    else if (tag == METADATA_UNIT) unit = <u32>varint;
    else return false;
  }
  if (at != end) return false;
  const nameAt = <u32>(name - REQUEST);
  const memo = MEMO + MEMO_BYTES * (nameAt % <u32>MEMO_ENTRIES);
  if (
    load<u32>(memo) == nameAt &&
    load<u32>(memo, 4) == type &&
    load<u32>(memo, 8) == help &&
    load<u32>(memo, 12) == unit
  ) {
    skippedMetadata++;
    return true;
  }
  store<u32>(REGISTERS, 1, 12);
  store<u32>(REGISTERS, nameAt, 16);
  store<u32>(REGISTERS, nameAt + <u32>nameBytes, 20);
  store<u32>(REGISTERS, type, 24);
  store<u32>(REGISTERS, help, 28);
  store<u32>(REGISTERS, unit, 32);
  return true;
}
